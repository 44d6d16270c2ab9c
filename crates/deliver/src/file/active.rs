//! The file that is being written.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use record::Timestamp;

/// An open file that ends with a line break, locked against others who would write to it.
pub(super) struct Active {
    path: PathBuf,
    file: File,
    begun: Timestamp,
}

impl Active {
    /// Opens it, or makes it. A torn last line, which was never told to be delivered and comes again, is cut off.
    pub(super) fn open(path: PathBuf, now: Timestamp) -> io::Result<Active> {
        if std::fs::symlink_metadata(&path).is_ok_and(|found| !found.is_file()) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "is something else than a plain file"));
        }
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path)?;
        file.try_lock().map_err(|e| match e {
            TryLockError::WouldBlock => io::Error::other("is being written by another destination or another process"),
            TryLockError::Error(e) => e,
        })?;
        let begun = begun(&file)?.unwrap_or(now);
        repair(&mut file)?;
        sync_folder(&path)?;
        Ok(Active { path, file, begun })
    }

    /// Whether the path still leads to this file; it does not after somebody else has moved or removed it.
    pub(super) fn is_in_place(&self) -> io::Result<bool> {
        let ours = self.file.metadata()?;
        Ok(std::fs::symlink_metadata(&self.path).is_ok_and(|found| is_same(&ours, &found)))
    }

    /// Whether it has to be put aside before `adding` bytes are written. An empty file never has.
    pub(super) fn is_due(&self, adding: u64, bytes_max: u64, hours_max: u32, now: Timestamp) -> bool {
        let len = self.file.metadata().map_or(0, |found| found.len());
        let old = hours_max > 0 && now.millis_since(self.begun) >= i64::from(hours_max) * 3_600_000;
        len > 0 && (old || len.saturating_add(adding) > bytes_max)
    }

    /// Writes the lines and syncs; gives the file's length then. After an error the file is to be opened anew.
    pub(super) fn append(&mut self, lines: &[u8]) -> io::Result<u64> {
        // Looked up each time: somebody else may have emptied it.
        let before = self.file.metadata()?.len();
        let written = self.file.write_all(lines).and_then(|()| self.file.sync_data());
        if let Err(e) = written {
            // If this fails, too, opening it cuts off the torn line at least.
            drop(self.file.set_len(before));
            return Err(e);
        }
        Ok(before + u64::try_from(lines.len()).unwrap_or(u64::MAX))
    }
}

/// Makes the folder, readable by its owner only.
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// When a file with something in it was made, as far as the file system knows.
fn begun(file: &File) -> io::Result<Option<Timestamp>> {
    let found = file.metadata()?;
    if found.len() == 0 {
        return Ok(None);
    }
    let at = found.created().or_else(|_| found.modified())?;
    let millis = at.duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
    Ok(Some(Timestamp::from_millis(millis)))
}

/// Cuts off what comes after the last line break.
fn repair(file: &mut File) -> io::Result<()> {
    let len = file.metadata()?.len();
    let mut end = len;
    let mut chunk = vec![0; 1 << 16];
    while end > 0 {
        let start = end.saturating_sub(1 << 16);
        let part = usize::try_from(end - start).unwrap_or(chunk.len());
        let Some(part) = chunk.get_mut(..part) else { break };
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(part)?;
        if let Some(at) = part.iter().rposition(|&byte| byte == b'\n') {
            end = start + u64::try_from(at).unwrap_or(0) + 1;
            break;
        }
        end = start;
    }
    if end < len {
        tracing::warn!(bytes = len - end, "a line that was torn by a crash is cut off; its event is sent again");
        file.set_len(end)?;
        file.sync_data()?;
    }
    Ok(())
}

/// A new name outlives a power loss only when its folder was synced.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if cfg!(unix) => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

#[cfg(unix)]
fn is_same(one: &std::fs::Metadata, other: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn is_same(_: &std::fs::Metadata, _: &std::fs::Metadata) -> bool {
    true
}
