//! The one door to files.
//!
//! Paths are relative to the data directory and use `/`. The contract is POSIX's: what was written is durable after
//! [`Append::sync`]; that a file exists, or has another name, is durable after [`Disk::sync_dir`] of its folder.

mod real;

use std::fmt::Debug;
use std::io;
use std::sync::Arc;

pub use real::RealDisk;

/// A folder of files.
pub trait Disk: Send + Sync + Debug {
    /// Makes a folder, unless it is there.
    fn create_dir(&self, dir: &str) -> io::Result<()>;
    /// The names of the files in a folder, sorted.
    fn list(&self, dir: &str) -> io::Result<Vec<String>>;
    /// A new, empty file; one of that name is emptied.
    fn create(&self, path: &str) -> io::Result<Box<dyn Append>>;
    /// An existing file, to be written from this place on, over what stands there.
    fn append(&self, path: &str, at: u64) -> io::Result<Box<dyn Append>>;
    /// An existing file, to be read.
    fn open(&self, path: &str) -> io::Result<Arc<dyn ReadAt>>;
    /// Gives a file another name, in the place of what had it.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &str) -> io::Result<()>;
    /// Makes the names in a folder durable.
    fn sync_dir(&self, dir: &str) -> io::Result<()>;
    /// Takes the lock file, or answers `WouldBlock` if somebody has it. Held until the guard is dropped.
    fn lock(&self, path: &str) -> io::Result<Box<dyn Send + Sync>>;
}

/// A file that is written, each time after what was written before.
pub trait Append: Send {
    /// Writes all of it.
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Makes what was written durable.
    fn sync(&mut self) -> io::Result<()>;
    /// Cuts off what stands behind the place of writing.
    fn cut(&mut self) -> io::Result<()>;
}

/// A file that is read at any place, by many at once.
pub trait ReadAt: Send + Sync + Debug {
    /// Its length in bytes.
    fn len(&self) -> io::Result<u64>;
    /// Whether it has no bytes.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
    /// Fills `bytes` from `offset` on; `UnexpectedEof` if the file ends before.
    fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()>;
}

/// All bytes of a file.
pub fn read(disk: &dyn Disk, path: &str) -> io::Result<Vec<u8>> {
    let file = disk.open(path)?;
    let len = usize::try_from(file.len()?).map_err(|_| io::ErrorKind::FileTooLarge)?;
    let mut bytes = vec![0; len];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}

/// Writes a file so that it is there whole or not at all: beside its place first, then moved.
pub fn replace(disk: &dyn Disk, dir: &str, name: &str, bytes: &[u8]) -> io::Result<()> {
    let path = if dir.is_empty() { name.to_owned() } else { format!("{dir}/{name}") };
    let beside = format!("{path}.tmp");
    let mut file = disk.create(&beside)?;
    file.write_all(bytes)?;
    file.sync()?;
    // If we crash here, the old file stands and the one beside it is swept away at the next start.
    disk.rename(&beside, &path)?;
    disk.sync_dir(dir)
}

/// How long the disk takes to make a small write durable, in nanoseconds: the median of nine.
pub fn sync_latency(disk: &dyn Disk, clock: &dyn crate::door::Clock) -> io::Result<u64> {
    const PROBE: &str = "sync-probe.tmp";
    let mut file = disk.create(PROBE)?;
    let mut times = Vec::new();
    for _ in 0..9 {
        let started = clock.monotonic_ns();
        file.write_all(&[0; 4_096])?;
        file.sync()?;
        times.push(clock.monotonic_ns().saturating_sub(started));
    }
    disk.remove(PROBE)?;
    times.sort_unstable();
    Ok(times.get(times.len() / 2).copied().unwrap_or(0))
}
