//! Each manifest names the object before it, so that one that was taken away leaves a gap.
//!
//! The name is kept in memory. After a start it is looked up: the newest manifest of the organization's folder. Where we may
//! not list or read, the chain begins anew with `"previous": null`; completeness is then shown by the indexes alone.

use std::sync::{Mutex, PoisonError};

use follow::Answer;
use serde::{Deserialize, Serialize};

use super::object::Object;
use super::shelf::{Shelf, Unread};

/// An object, as its successor's manifest names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Link {
    pub(crate) object: String,
    pub(crate) object_sha256: String,
}

/// The end of the chain in one folder.
#[derive(Default)]
pub(crate) struct Chain {
    end: Mutex<Option<(String, Option<Link>)>>,
}

impl Chain {
    /// What came before the next object of this folder. An error: the store cannot be asked now.
    pub(crate) async fn before(&self, shelf: &dyn Shelf, folder: &str) -> Result<Option<Link>, Answer> {
        if let Some((known, link)) = &*self.end.lock().unwrap_or_else(PoisonError::into_inner)
            && known == folder
        {
            return Ok(link.clone());
        }
        let found = match newest(shelf, folder).await {
            Ok(found) => found,
            Err(Unread::Now(answer)) => return Err(answer),
            Err(Unread::Never(said)) => {
                tracing::warn!(folder, said, "the archive's newest object cannot be read; its chain begins anew");
                None
            }
        };
        *self.end.lock().unwrap_or_else(PoisonError::into_inner) = Some((folder.to_owned(), found.clone()));
        Ok(found)
    }

    /// This object is the end now.
    pub(crate) fn is_now(&self, object: &Object) {
        let link = Link { object: object.key.clone(), object_sha256: object.sha256.clone() };
        *self.end.lock().unwrap_or_else(PoisonError::into_inner) = Some((object.folder.clone(), Some(link)));
    }
}

/// The newest object with a manifest: of the last day and hour that have one.
async fn newest(shelf: &dyn Shelf, folder: &str) -> Result<Option<Link>, Unread> {
    for day in all(shelf, folder).await?.iter().rev().filter(|name| name.ends_with('/')) {
        for hour in all(shelf, day).await?.iter().rev().filter(|name| name.ends_with('/')) {
            let names = all(shelf, hour).await?;
            if let Some(key) = names.iter().rev().find(|name| name.ends_with(".manifest.json")) {
                let text = shelf.get(key).await?;
                return serde_json::from_slice(&text).map(Some).map_err(|e| Unread::Never(format!("{key}: {e}")));
            }
        }
    }
    Ok(None)
}

async fn all(shelf: &dyn Shelf, folder: &str) -> Result<Vec<String>, Unread> {
    let (mut names, mut page) = (Vec::new(), None);
    loop {
        let listed = shelf.list(folder, page.as_deref()).await?;
        names.extend(listed.names);
        match listed.next {
            Some(next) => page = Some(next),
            None => break,
        }
    }
    // Stores list in this order, but folders and objects separately.
    names.sort_unstable();
    Ok(names)
}
