//! A disk that fails, or stops for a while, when it is told to.

use std::fmt;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use store::disk::{Append, Disk, ReadAt};

/// What is done to a disk. Reading is not counted; see [`FaultyDisk::before_reads`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// A folder is made.
    CreateDir,
    /// A file is made.
    Create,
    /// A file is opened for writing.
    Append,
    /// A file is written to.
    Write,
    /// A file is made durable.
    Sync,
    /// A file is cut.
    Cut,
    /// A file gets another name.
    Rename,
    /// A file is removed.
    Remove,
    /// A folder's names are made durable.
    SyncDir,
}

/// One thing done to the disk.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// How many came before.
    pub number: u64,
    /// What is done.
    pub deed: Deed,
    /// To what.
    pub path: &'a str,
}

/// How a step fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It has no effect, and an error is reported.
    Before,
    /// It takes effect, and an error is reported all the same.
    After,
    /// The disk is full: a write is cut short.
    NoSpace,
}

type Plan = Box<dyn FnMut(Step<'_>) -> Option<Fault> + Send>;
type BeforeRead = Arc<dyn Fn(&str) -> io::Result<()> + Send + Sync>;

struct State {
    steps: u64,
    plan: Plan,
    before_read: BeforeRead,
}

/// A disk in front of another, which asks its plan at every step whether to fail. Clones share plan and count.
#[derive(Clone)]
pub struct FaultyDisk {
    disk: Arc<dyn Disk>,
    state: Arc<Mutex<State>>,
}

impl fmt::Debug for FaultyDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultyDisk").field("disk", &self.disk).finish_non_exhaustive()
    }
}

impl FaultyDisk {
    /// A disk that fails where the plan says so.
    pub fn new(disk: impl Disk + 'static, plan: impl FnMut(Step<'_>) -> Option<Fault> + Send + 'static) -> FaultyDisk {
        let state = State { steps: 0, plan: Box::new(plan), before_read: Arc::new(|_| Ok(())) };
        FaultyDisk { disk: Arc::new(disk), state: Arc::new(Mutex::new(state)) }
    }

    /// Fails once, at step `number`.
    pub fn at(disk: impl Disk + 'static, number: u64, fault: Fault) -> FaultyDisk {
        FaultyDisk::new(disk, move |step| (step.number == number).then_some(fault))
    }

    /// Fails from step `number` on: how it failed first, then without effect.
    pub fn from(disk: impl Disk + 'static, number: u64, fault: Fault) -> FaultyDisk {
        FaultyDisk::new(disk, move |step| match step.number {
            now if now == number => Some(fault),
            now => (now > number).then_some(Fault::Before),
        })
    }

    /// How many steps there have been.
    pub fn steps(&self) -> u64 {
        self.state().steps
    }

    /// Follows another plan from now on.
    pub fn replan(&self, plan: impl FnMut(Step<'_>) -> Option<Fault> + Send + 'static) {
        self.state().plan = Box::new(plan);
    }

    /// Calls this before every read of a file, with its path; the read fails as this does. It may wait for something.
    pub fn before_reads(&self, before_read: impl Fn(&str) -> io::Result<()> + Send + Sync + 'static) {
        self.state().before_read = Arc::new(before_read);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fault(&self, deed: Deed, path: &str) -> Option<Fault> {
        let mut state = self.state();
        let number = state.steps;
        state.steps += 1;
        (state.plan)(Step { number, deed, path })
    }

    fn step<T>(&self, deed: Deed, path: &str, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        match self.fault(deed, path) {
            None => act(),
            Some(Fault::Before) => Err(planned()),
            Some(Fault::NoSpace) => Err(ErrorKind::StorageFull.into()),
            Some(Fault::After) => act().and(Err(planned())),
        }
    }

    fn writing(&self, path: &str, file: Box<dyn Append>) -> Box<dyn Append> {
        Box::new(Writing { disk: self.clone(), path: path.to_owned(), file })
    }
}

fn planned() -> io::Error {
    io::Error::other("failed as planned")
}

impl Disk for FaultyDisk {
    fn create_dir(&self, dir: &str) -> io::Result<()> {
        self.step(Deed::CreateDir, dir, || self.disk.create_dir(dir))
    }

    fn list(&self, dir: &str) -> io::Result<Vec<String>> {
        self.disk.list(dir)
    }

    fn create(&self, path: &str) -> io::Result<Box<dyn Append>> {
        self.step(Deed::Create, path, || Ok(self.writing(path, self.disk.create(path)?)))
    }

    fn append(&self, path: &str, at: u64) -> io::Result<Box<dyn Append>> {
        self.step(Deed::Append, path, || Ok(self.writing(path, self.disk.append(path, at)?)))
    }

    fn open(&self, path: &str) -> io::Result<Arc<dyn ReadAt>> {
        let file = self.disk.open(path)?;
        Ok(Arc::new(Reading { disk: self.clone(), path: path.to_owned(), file }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.step(Deed::Rename, to, || self.disk.rename(from, to))
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.step(Deed::Remove, path, || self.disk.remove(path))
    }

    fn sync_dir(&self, dir: &str) -> io::Result<()> {
        self.step(Deed::SyncDir, dir, || self.disk.sync_dir(dir))
    }

    fn lock(&self, path: &str) -> io::Result<Box<dyn Send + Sync>> {
        self.disk.lock(path)
    }
}

#[derive(Debug)]
struct Reading {
    disk: FaultyDisk,
    path: String,
    file: Arc<dyn ReadAt>,
}

impl ReadAt for Reading {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        let before_read = self.disk.state().before_read.clone();
        before_read(&self.path)?;
        self.file.read_exact_at(bytes, offset)
    }
}

struct Writing {
    disk: FaultyDisk,
    path: String,
    file: Box<dyn Append>,
}

impl Append for Writing {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Writing { disk, path, file } = self;
        match disk.fault(Deed::Write, path) {
            None => file.write_all(bytes),
            Some(Fault::Before) => Err(planned()),
            Some(Fault::After) => file.write_all(bytes).and(Err(planned())),
            Some(Fault::NoSpace) => {
                file.write_all(&bytes[..bytes.len() / 2])?;
                Err(ErrorKind::StorageFull.into())
            }
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        let Writing { disk, path, file } = self;
        disk.step(Deed::Sync, path, || file.sync())
    }

    fn cut(&mut self) -> io::Result<()> {
        let Writing { disk, path, file } = self;
        disk.step(Deed::Cut, path, || file.cut())
    }
}
