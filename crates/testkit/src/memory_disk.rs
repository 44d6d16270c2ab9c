//! The memory twin of a disk, with what a power loss does to it.
//!
//! For every file there is what can be read now and what is durable; between them the changes that were not synced. The same
//! for the names in every folder. A crash keeps an arbitrary part of what was not synced, as real disks do: changes are lost
//! one by one, not in order; a write may be torn between sectors, and what is missing may read as zeros or as rubbish. A sector
//! that was there before is the old one or the new one.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use store::disk::{Append, Disk, ReadAt};

/// A disk in memory. Clones are the same disk.
#[derive(Debug, Clone, Default)]
pub struct MemoryDisk(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// By name; the root is the empty name and always there.
    dirs: BTreeMap<String, Dir>,
    durable_dirs: BTreeSet<String>,
    locked: bool,
}

#[derive(Debug, Default)]
struct Dir {
    now: BTreeMap<String, File>,
    durable: BTreeMap<String, File>,
    pending: Vec<Renaming>,
}

/// A change of a folder that is not durable yet: some names go, one may come. Whole or not at all.
#[derive(Debug, Clone)]
struct Renaming {
    gone: Option<String>,
    come: Option<(String, File)>,
}

impl Renaming {
    fn apply(&self, names: &mut BTreeMap<String, File>) {
        if let Some(gone) = &self.gone {
            names.remove(gone);
        }
        if let Some((name, file)) = &self.come {
            names.insert(name.clone(), file.clone());
        }
    }
}

impl Dir {
    fn change(&mut self, renaming: Renaming) {
        renaming.apply(&mut self.now);
        self.pending.push(renaming);
    }
}

/// A file, whatever its names. What is open stays readable after it has lost its name.
#[derive(Debug, Clone, Default)]
struct File(Arc<Mutex<Content>>);

#[derive(Debug, Clone, Default)]
struct Content {
    now: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Change>,
}

#[derive(Debug, Clone)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Cut(usize),
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Change::Write { at, bytes } => {
                if content.len() < at + bytes.len() {
                    content.resize(at + bytes.len(), 0);
                }
                content[*at..at + bytes.len()].copy_from_slice(bytes);
            }
            Change::Cut(len) => content.resize(*len, 0),
        }
    }

    /// What may be left of it after a power loss, on a file that was like this.
    fn torn(&self, before: &[u8], rng: &mut fastrand::Rng) -> Option<Change> {
        let Change::Write { at, bytes } = self else { return rng.bool().then(|| self.clone()) };
        let mut bytes = bytes.clone();
        match rng.u8(0..5) {
            0 => return None,
            1 => {}
            2 => bytes.truncate(rng.usize(0..=bytes.len())),
            3 => {
                let from = rng.usize(0..=bytes.len());
                rng.fill(&mut bytes[from..]);
            }
            _ => {
                for sector in bytes.chunks_mut(512) {
                    match rng.u8(0..3) {
                        0 => {}
                        1 => sector.fill(0),
                        _ => rng.fill(sector),
                    }
                }
            }
        }
        let Change::Write { bytes: whole, .. } = self else { return None };
        for (place, byte) in bytes.iter_mut().enumerate() {
            if *byte != whole[place]
                && let Some(old) = before.get(at + place)
            {
                *byte = *old;
            }
        }
        Some(Change::Write { at: *at, bytes })
    }
}

impl Content {
    fn change(&mut self, change: Change) {
        change.apply(&mut self.now);
        self.pending.push(change);
    }

    fn sync(&mut self) {
        for change in std::mem::take(&mut self.pending) {
            change.apply(&mut self.durable);
        }
    }
}

fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

impl MemoryDisk {
    /// An empty disk.
    pub fn new() -> MemoryDisk {
        let disk = MemoryDisk::default();
        let mut state = hold(&disk.0);
        state.dirs.insert(String::new(), Dir::default());
        state.durable_dirs.insert(String::new());
        drop(state);
        disk
    }

    /// The disk as a power loss at this moment could leave it; chance says which of the possible ways. Nobody has it locked.
    pub fn crash(&self, rng: &mut fastrand::Rng) -> MemoryDisk {
        let state = hold(&self.0);
        let mut left = State::default();
        // One file may be found under several names; it must be torn once.
        let mut files: BTreeMap<usize, File> = BTreeMap::new();
        for (name, dir) in &state.dirs {
            if !state.durable_dirs.contains(name) && rng.bool() {
                continue;
            }
            let mut names = dir.durable.clone();
            for renaming in &dir.pending {
                if rng.bool() {
                    renaming.apply(&mut names);
                }
            }
            for file in names.values_mut() {
                let identity = Arc::as_ptr(&file.0) as usize;
                *file = files.entry(identity).or_insert_with(|| torn(file, rng)).clone();
            }
            left.dirs.insert(name.clone(), Dir { now: names.clone(), durable: names, pending: Vec::new() });
            left.durable_dirs.insert(name.clone());
        }
        MemoryDisk(Arc::new(Mutex::new(left)))
    }

    /// What Linux does after a failed sync: what was not durable can still be read, and no later sync will make it so; only
    /// what is written again can be durable.
    pub fn forget_what_is_not_synced(&self) {
        for dir in hold(&self.0).dirs.values() {
            for file in dir.now.values() {
                hold(&file.0).pending.clear();
            }
        }
    }

    /// A copy that nobody else has, with everything durable and no lock.
    pub fn copy(&self) -> MemoryDisk {
        let copy = MemoryDisk::new();
        let state = hold(&self.0);
        for (name, dir) in &state.dirs {
            let fresh = |file: &File| {
                let now = hold(&file.0).now.clone();
                File(Arc::new(Mutex::new(Content { durable: now.clone(), now, pending: Vec::new() })))
            };
            let names: BTreeMap<String, File> = dir.now.iter().map(|(name, file)| (name.clone(), fresh(file))).collect();
            let mut to = hold(&copy.0);
            to.dirs.insert(name.clone(), Dir { now: names.clone(), durable: names, pending: Vec::new() });
            to.durable_dirs.insert(name.clone());
        }
        copy
    }

    /// Every file's path.
    pub fn paths(&self) -> Vec<String> {
        let state = hold(&self.0);
        let path = |dir: &str, name: &str| if dir.is_empty() { name.to_owned() } else { format!("{dir}/{name}") };
        state.dirs.iter().flat_map(|(dir, files)| files.now.keys().map(move |name| path(dir, name))).collect()
    }

    /// The bytes of a file, for tampering.
    pub fn bytes(&self, path: &str) -> Vec<u8> {
        let file = self.file(path).expect("the file is there");
        hold(&file.0).now.clone()
    }

    /// Replaces the bytes of a file, or makes it, as somebody with another program would.
    pub fn tamper(&self, path: &str, bytes: &[u8]) {
        let content = Content { now: bytes.to_vec(), durable: bytes.to_vec(), pending: Vec::new() };
        let file = File(Arc::new(Mutex::new(content)));
        let (dir, name) = split(path);
        let mut state = hold(&self.0);
        let dir = state.dirs.get_mut(dir).expect("the folder is there");
        dir.now.insert(name.to_owned(), file.clone());
        dir.durable.insert(name.to_owned(), file);
    }

    /// Flips a bit of a file, under whoever has it open.
    pub fn damage(&self, path: &str, at: usize) {
        let file = self.file(path).expect("the file is there");
        let mut content = hold(&file.0);
        content.now[at] ^= 0x10;
        content.durable = content.now.clone();
    }

    fn file(&self, path: &str) -> io::Result<File> {
        let (dir, name) = split(path);
        let state = hold(&self.0);
        Ok(state.dirs.get(dir).and_then(|dir| dir.now.get(name)).ok_or(ErrorKind::NotFound)?.clone())
    }

    fn change_dir(&self, dir: &str, change: impl FnOnce(&mut Dir) -> io::Result<()>) -> io::Result<()> {
        change(hold(&self.0).dirs.get_mut(dir).ok_or(ErrorKind::NotFound)?)
    }
}

/// A file as a power loss could leave it.
fn torn(file: &File, rng: &mut fastrand::Rng) -> File {
    let content = hold(&file.0);
    let mut left = content.durable.clone();
    for change in &content.pending {
        if let Some(change) = change.torn(&left, rng) {
            change.apply(&mut left);
        }
    }
    File(Arc::new(Mutex::new(Content { now: left.clone(), durable: left, pending: Vec::new() })))
}

impl Disk for MemoryDisk {
    fn create_dir(&self, dir: &str) -> io::Result<()> {
        hold(&self.0).dirs.entry(dir.to_owned()).or_default();
        Ok(())
    }

    fn list(&self, dir: &str) -> io::Result<Vec<String>> {
        let state = hold(&self.0);
        Ok(state.dirs.get(dir).ok_or(ErrorKind::NotFound)?.now.keys().cloned().collect())
    }

    fn create(&self, path: &str) -> io::Result<Box<dyn Append>> {
        if let Ok(file) = self.file(path) {
            hold(&file.0).change(Change::Cut(0));
            return Ok(Box::new(Writing { file, at: 0 }));
        }
        let (dir, name) = split(path);
        let file = File::default();
        self.change_dir(dir, |dir| {
            dir.change(Renaming { gone: None, come: Some((name.to_owned(), file.clone())) });
            Ok(())
        })?;
        Ok(Box::new(Writing { file, at: 0 }))
    }

    fn append(&self, path: &str, at: u64) -> io::Result<Box<dyn Append>> {
        let at = usize::try_from(at).map_err(|_| ErrorKind::InvalidInput)?;
        Ok(Box::new(Writing { file: self.file(path)?, at }))
    }

    fn open(&self, path: &str) -> io::Result<Arc<dyn ReadAt>> {
        Ok(Arc::new(Reading(self.file(path)?)))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let file = self.file(from)?;
        let ((dir, from), (to_dir, to)) = (split(from), split(to));
        assert_eq!(dir, to_dir, "this disk renames within one folder only");
        self.change_dir(dir, |dir| {
            dir.change(Renaming { gone: Some(from.to_owned()), come: Some((to.to_owned(), file)) });
            Ok(())
        })
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.file(path)?;
        let (dir, name) = split(path);
        self.change_dir(dir, |dir| {
            dir.change(Renaming { gone: Some(name.to_owned()), come: None });
            Ok(())
        })
    }

    fn sync_dir(&self, dir: &str) -> io::Result<()> {
        self.change_dir(dir, |dir| {
            dir.durable = dir.now.clone();
            dir.pending.clear();
            Ok(())
        })?;
        if dir.is_empty() {
            let mut state = hold(&self.0);
            state.durable_dirs = state.dirs.keys().cloned().collect();
        }
        Ok(())
    }

    fn lock(&self, _path: &str) -> io::Result<Box<dyn Send + Sync>> {
        let mut state = hold(&self.0);
        if std::mem::replace(&mut state.locked, true) {
            return Err(ErrorKind::WouldBlock.into());
        }
        Ok(Box::new(Unlock(self.clone())))
    }
}

struct Unlock(MemoryDisk);

impl Drop for Unlock {
    fn drop(&mut self) {
        hold(&self.0.0).locked = false;
    }
}

struct Writing {
    file: File,
    at: usize,
}

impl Append for Writing {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        hold(&self.file.0).change(Change::Write { at: self.at, bytes: bytes.to_vec() });
        self.at += bytes.len();
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        hold(&self.file.0).sync();
        Ok(())
    }

    fn cut(&mut self) -> io::Result<()> {
        hold(&self.file.0).change(Change::Cut(self.at));
        Ok(())
    }
}

#[derive(Debug)]
struct Reading(File);

impl ReadAt for Reading {
    fn len(&self) -> io::Result<u64> {
        Ok(hold(&self.0.0).now.len() as u64)
    }

    fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        let content = hold(&self.0.0);
        let at = usize::try_from(offset).map_err(|_| ErrorKind::UnexpectedEof)?;
        let end = at.checked_add(bytes.len()).ok_or(ErrorKind::UnexpectedEof)?;
        bytes.copy_from_slice(content.now.get(at..end).ok_or(ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes `old`, synced, and `new` after it, not synced; then crashes.
    fn torn_files(seeds: std::ops::Range<u64>) -> Vec<Option<Vec<u8>>> {
        seeds
            .map(|seed| {
                let disk = MemoryDisk::new();
                let mut file = disk.create("a").unwrap();
                file.write_all(b"old ").unwrap();
                file.sync().unwrap();
                if seed % 2 == 0 {
                    disk.sync_dir("").unwrap();
                }
                file.write_all(b"new ").unwrap();
                let left = disk.crash(&mut fastrand::Rng::with_seed(seed));
                left.file("a").ok().map(|_| left.bytes("a"))
            })
            .collect()
    }

    #[test]
    fn what_was_synced_stays_and_the_rest_may_go() {
        let files = torn_files(0..200);
        assert!(files.iter().step_by(2).all(|file| file.as_ref().is_some_and(|bytes| bytes.starts_with(b"old "))));
        assert!(files.contains(&None), "a name that was not synced can be lost");
        assert!(files.contains(&Some(b"old ".to_vec())), "a write that was not synced can be lost");
        assert!(files.contains(&Some(b"old new ".to_vec())), "and kept");
        assert!(files.contains(&Some(b"old ne".to_vec())), "and torn");
    }

    #[test]
    fn after_a_failed_sync_the_next_one_lies() {
        let disk = MemoryDisk::new();
        let mut file = disk.create("a").unwrap();
        disk.sync_dir("").unwrap();
        file.write_all(b"lost").unwrap();
        disk.forget_what_is_not_synced();
        file.write_all(b"kept").unwrap();
        file.sync().unwrap();
        assert_eq!(disk.bytes("a"), b"lostkept");
        assert_eq!(disk.crash(&mut fastrand::Rng::with_seed(1)).bytes("a"), b"\0\0\0\0kept");
    }

    #[test]
    fn one_holds_the_lock() {
        let disk = MemoryDisk::new();
        let guard = disk.lock("LOCK").unwrap();
        assert_eq!(disk.lock("LOCK").err().map(|e| e.kind()), Some(ErrorKind::WouldBlock));
        drop(guard);
        assert!(disk.lock("LOCK").is_ok());
    }
}
