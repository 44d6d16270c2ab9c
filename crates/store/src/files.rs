//! Files that are open for reading: as many as are useful, never more than a process may have.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use crate::disk::{Disk, ReadAt};

/// Files held open at most; the one that was longest not read is closed first.
const OPEN_MAX: usize = 256;

/// The disk, and the files of it that are open.
#[derive(Debug)]
pub(crate) struct Files {
    pub(crate) disk: Arc<dyn Disk>,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    files: HashMap<Box<str>, (Arc<dyn ReadAt>, u64)>,
    /// Counts uses, to tell which was the longest ago.
    uses: u64,
}

impl Files {
    pub(crate) fn new(disk: Arc<dyn Disk>) -> Arc<Files> {
        Arc::new(Files { disk, open: Mutex::default() })
    }

    /// A file, opened unless it is.
    pub(crate) fn get(&self, path: &str) -> io::Result<Arc<dyn ReadAt>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.uses += 1;
        let now = open.uses;
        if let Some((file, used)) = open.files.get_mut(path) {
            *used = now;
            return Ok(file.clone());
        }
        let file = self.disk.open(path)?;
        if open.files.len() >= OPEN_MAX {
            let oldest = open.files.iter().min_by_key(|(_, (_, used))| *used).map(|(path, _)| path.clone());
            oldest.and_then(|path| open.files.remove(&path));
        }
        open.files.insert(path.into(), (file.clone(), now));
        Ok(file)
    }

    /// Closes a file that has been replaced or removed.
    pub(crate) fn forget(&self, path: &str) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).files.remove(path);
    }
}
