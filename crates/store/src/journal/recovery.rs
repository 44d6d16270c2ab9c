//! Reading a journal file back, and telling a torn tail from damage.

use record::merkle::Hash;

use super::{DIR, FRAME_HEADER_BYTES, FileNumber, HEADER_BYTES, MAGIC, VERSION, checksum, header};
use crate::disk::{self, Disk};
use crate::entry::{self, Entry};
use crate::error::StoreError;
use crate::manifest::Manifest;

/// The journal files whose events are not all in segments, in order. There is always one; that one is missing is damage.
pub fn files(disk: &dyn Disk, manifest: &Manifest) -> Result<Vec<FileNumber>, StoreError> {
    let names = disk.list(DIR).map_err(StoreError::io(DIR))?;
    let mut files: Vec<FileNumber> = names.iter().filter_map(|name| FileNumber::of_name(name)).collect();
    files.retain(|number| *number >= manifest.journal_from);
    let mut due = manifest.journal_from;
    for number in &files {
        if *number != due {
            return Err(StoreError::corrupt(&due.path(), 0, "the file is missing"));
        }
        due = due.next();
    }
    if files.is_empty() {
        return Err(StoreError::corrupt(&due.path(), 0, "the file is missing"));
    }
    Ok(files)
}

/// How a file ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tail {
    /// Whole batches in it.
    pub batches: u64,
    /// Bytes up to the end of the last whole batch.
    pub good_bytes: u64,
    /// Where the last whole batch begins; the end of the header, if there is none.
    pub last_frame: u64,
    /// Bytes after the last whole batch: of one that was being written when the process or the machine died, and that nobody
    /// was answered for.
    pub torn_bytes: u64,
}

/// Reads one file, calling `each` with every entry of every whole batch.
///
/// `last` says that no later file exists, which is where a torn tail is the trace of a crash. Anywhere else, and where whole
/// batches follow, it is damage, and an error.
pub fn read_file(
    disk: &dyn Disk,
    number: FileNumber,
    last: bool,
    mut each: impl FnMut(Entry, Hash) -> Result<(), StoreError>,
) -> Result<Tail, StoreError> {
    let path = number.path();
    let bytes = disk::read(disk, &path).map_err(StoreError::io(&path))?;
    match check_header(&path, &bytes, number) {
        // Crashed while the file was being made; nothing was ever written behind the header.
        Err(StoreError::Corrupt { .. }) if last && bytes.len() <= HEADER_BYTES => {
            return Ok(Tail { batches: 0, good_bytes: 0, last_frame: 0, torn_bytes: bytes.len() as u64 });
        }
        checked => checked?,
    }
    let header = HEADER_BYTES as u64;
    let mut tail = Tail { batches: 0, good_bytes: header, last_frame: header, torn_bytes: 0 };
    let mut rest = bytes.get(HEADER_BYTES..).unwrap_or_default();
    while !rest.is_empty() {
        let Some((payload, after)) = frame(rest, number, tail.batches) else { break };
        for bytes in entries(payload) {
            let (entry, leaf) = bytes.and_then(entry::decode).ok_or_else(|| {
                StoreError::corrupt(&path, tail.good_bytes, "a batch with a right checksum holds no entries")
            })?;
            each(entry, leaf)?;
        }
        tail.last_frame = tail.good_bytes;
        tail.good_bytes += (rest.len() - after.len()) as u64;
        tail.batches += 1;
        rest = after;
    }
    tail.torn_bytes = rest.len() as u64;
    if tail.torn_bytes > 0 && (!last || a_later_frame_is_whole(rest, number, tail.batches)) {
        return Err(StoreError::corrupt(&path, tail.good_bytes, format!("batch {} has a wrong checksum", tail.batches)));
    }
    Ok(tail)
}

fn check_header(path: &str, bytes: &[u8], number: FileNumber) -> Result<(), StoreError> {
    let given = bytes.get(..HEADER_BYTES).unwrap_or_default();
    if given.get(..8) != Some(MAGIC) {
        return Err(StoreError::corrupt(path, 0, "not a journal file"));
    }
    if let Some(version) = given.get(8..12).and_then(|v| v.try_into().ok()).map(u32::from_le_bytes)
        && version > VERSION
    {
        return Err(StoreError::TooNew { path: path.to_owned(), found: version, known: VERSION });
    }
    if given != header(number) {
        return Err(StoreError::corrupt(path, 0, "the header is damaged"));
    }
    Ok(())
}

/// The payload of the frame at the start of `bytes`, if it is whole and is this batch of this file, and what follows it.
fn frame(bytes: &[u8], file: FileNumber, batch: u64) -> Option<(&[u8], &[u8])> {
    let (head, rest) = bytes.split_at_checked(FRAME_HEADER_BYTES)?;
    let len = u32::from_le_bytes(head.get(..4)?.try_into().ok()?);
    let crc = u32::from_le_bytes(head.get(4..8)?.try_into().ok()?);
    if head.get(8..16)? != batch.to_le_bytes() {
        return None;
    }
    let (payload, after) = rest.split_at_checked(usize::try_from(len).ok()?)?;
    (checksum(file, batch, payload) == crc).then_some((payload, after))
}

/// Whether some later batch is whole. Then the broken one was synced once and has been damaged since.
///
/// The damage may cover several batches, so every later number counts, up to what there is room for. Text in an event cannot
/// pass for a frame: it holds no NUL, and a number always does.
fn a_later_frame_is_whole(bytes: &[u8], file: FileNumber, batch: u64) -> bool {
    let room = (bytes.len() / FRAME_HEADER_BYTES) as u64;
    (1..bytes.len()).any(|at| {
        let Some(rest) = bytes.get(at..) else { return false };
        let Some(number) = rest.get(8..16).and_then(|number| number.try_into().ok()).map(u64::from_le_bytes) else {
            return false;
        };
        number > batch && number - batch <= room && frame(rest, file, number).is_some()
    })
}

/// The entries of a payload; a `None` where it does not divide into entries.
fn entries(mut payload: &[u8]) -> impl Iterator<Item = Option<&[u8]>> {
    std::iter::from_fn(move || {
        if payload.is_empty() {
            return None;
        }
        let split = payload.split_at_checked(4).and_then(|(len, rest)| {
            let len = u32::from_le_bytes(len.try_into().ok()?);
            rest.split_at_checked(usize::try_from(len).ok()?)
        });
        payload = split.map_or(&[][..], |(_, rest)| rest);
        Some(split.map(|(entry, _)| entry))
    })
}
