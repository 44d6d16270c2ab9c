//! All event I/O: the journal that makes events durable, the segments that keep them, and the queries that read them.
//!
//! In reading order: [`Store::append`] numbers events ([`sequence`]), the journal writer makes them durable ([`journal`]), the
//! sealer turns a full journal file into a columnar [`segment`] and switches the [`manifest`]; [`query`] reads recent and sealed
//! events together; [`mod@check`] compares everything with everything. The store knows nothing of users and of HTTP. Time, chance
//! and files come in through [`Clock`], [`Chance`] and [`disk::Disk`].
//!
//! **Invariants.** An event that was answered for is in a synced journal file or in a segment of the manifest. Indexes of an
//! organization are dense. `recorded_at` never decreases within a log, and event ids ascend. Reading takes a
//! [`access::Scope`]. After a failed write or sync nothing is written until a restart has looked at what is there.
#![deny(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking"))]

mod append;
mod sequence;
mod store;

pub mod entry;
pub mod journal;
mod recent;

pub mod manifest;
mod merge;
mod sealer;
pub mod segment;
mod sidecar;

mod bits;
mod cache;
mod files;
mod part;
mod postings;
mod tokens;

mod cancel;
pub mod facet;
pub mod filter;
mod hits;
mod page;
pub mod query;
mod row;
pub mod values;

pub mod check;

pub mod disk;
mod door;
mod error;

pub use append::{Answer, AppendError, Idempotency, Place, Prepared};
pub use cancel::{Cancel, Reader};
pub use check::{Report, check};
pub use door::{Chance, Clock};
pub use entry::Entry;
pub use error::StoreError;
pub use facet::{Facet, FacetCounts};
pub use filter::{Filter, IpFilter};
pub use query::{Cursor, Page, Rows, Slice};
pub use store::{Health, Options, Recovered, Stats, Store};
