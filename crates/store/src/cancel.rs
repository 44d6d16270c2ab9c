//! Giving up on a question whose asker has gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use access::Scope;
use record::Timestamp;

use crate::error::StoreError;
use crate::facet::{Facet, FacetCounts};
use crate::filter::Filter;
use crate::query::{Cursor, Page, Rows, Slice};
use crate::store::Store;
use crate::values::Values;

/// A flag that says that nobody waits for an answer any more. Clones are one flag.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Nobody waits any more: what is under way under this flag ends soon, with [`StoreError::Cancelled`].
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// An error once the flag is set. Looked at before each stretch of work.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        if self.0.load(Ordering::Relaxed) { Err(StoreError::Cancelled) } else { Ok(()) }
    }
}

/// A store read under a flag.
#[derive(Debug, Clone)]
pub struct Reader<'s> {
    pub(crate) store: &'s Store,
    pub(crate) cancel: Cancel,
}

impl Store {
    /// The same store, with every question under a flag that ends it early.
    pub fn reader(&self, cancel: &Cancel) -> Reader<'_> {
        Reader { store: self, cancel: cancel.clone() }
    }

    /// [`Reader::query`] that nobody cancels.
    pub fn query(&self, scope: &Scope, filter: &Filter, page: Page) -> Result<Rows, StoreError> {
        self.reader(&Cancel::default()).query(scope, filter, page)
    }

    /// [`Reader::slice`] that nobody cancels.
    pub fn slice(&self, scope: &Scope, filter: &Filter, from: Cursor, limit: usize) -> Result<Slice, StoreError> {
        self.reader(&Cancel::default()).slice(scope, filter, from, limit)
    }

    /// [`Reader::values`] that nobody cancels.
    pub fn values(&self, scope: &Scope) -> Result<Values, StoreError> {
        self.reader(&Cancel::default()).values(scope)
    }

    /// [`Reader::facets`] that nobody cancels.
    pub fn facets(
        &self,
        scope: &Scope,
        filter: &Filter,
        fields: &[Facet],
        limit: usize,
    ) -> Result<Vec<FacetCounts>, StoreError> {
        self.reader(&Cancel::default()).facets(scope, filter, fields, limit)
    }

    /// [`Reader::histogram`] that nobody cancels.
    pub fn histogram(&self, scope: &Scope, filter: &Filter, edges: &[Timestamp]) -> Result<Vec<u64>, StoreError> {
        self.reader(&Cancel::default()).histogram(scope, filter, edges)
    }
}
