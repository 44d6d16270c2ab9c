//! Files that were put aside: `audit.jsonl-20261121T091630.123Z`, and `.gz` when packed.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use record::Timestamp;

use super::active::sync_folder;

const PACKED: &str = ".gz";
const HALF_PACKED: &str = ".gz.part";

/// What follows the name, such as `-20261121T091630.123Z`.
fn stamp(at: Timestamp) -> String {
    let digits: String = at.to_string().chars().filter(|c| !matches!(c, '-' | ':')).collect();
    format!("-{digits}")
}

fn is_stamp(text: &str) -> bool {
    const PATTERN: &str = "-00000000T000000.000Z";
    let fits = |(c, pattern): (char, char)| c == pattern || (pattern == '0' && c.is_ascii_digit());
    text.len() == PATTERN.len() && text.chars().zip(PATTERN.chars()).all(fits)
}

/// Whether a destination's file of this name could be taken for one that another has put aside.
pub(super) fn looks_put_aside(name: &str) -> bool {
    let bare = name.strip_suffix(HALF_PACKED).or_else(|| name.strip_suffix(PACKED)).unwrap_or(name);
    bare.rfind('-').and_then(|at| bare.get(at..)).is_some_and(is_stamp)
}

/// Gives the file a name with the time in it. If we crash after that, the next start begins a new one.
pub(super) fn put_aside(folder: &Path, name: &str, now: Timestamp) -> io::Result<()> {
    let mut at = now;
    let aside = loop {
        let aside = folder.join(format!("{name}{}", stamp(at)));
        // Two in one millisecond, or a clock that was set back.
        if !aside.exists() && !with_end(&aside, PACKED).exists() {
            break aside;
        }
        at = at.plus_millis(1);
    };
    #[expect(clippy::disallowed_methods, reason = "this file is no part of the store")]
    std::fs::rename(folder.join(name), &aside)?;
    sync_folder(&aside)
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(end);
    path.into()
}

/// Packs what is not packed yet, and removes what is more than is to be kept. What fails is told to the operator and tried again the
/// next time: delivery goes on.
pub(super) fn tidy(folder: &Path, name: &str, compress: bool, keep: u32) {
    if let Err(error) = try_to_tidy(folder, name, compress, keep) {
        tracing::warn!(%error, folder = %folder.display(), name, "files that were put aside could not be tidied");
    }
}

fn try_to_tidy(folder: &Path, name: &str, compress: bool, keep: u32) -> io::Result<()> {
    let mut aside = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let Some(rest) = entry.file_name().to_str().and_then(|found| found.strip_prefix(name)).map(str::to_owned) else {
            continue;
        };
        if rest.strip_suffix(HALF_PACKED).is_some_and(is_stamp) {
            remove(&entry.path())?;
        } else if is_stamp(rest.strip_suffix(PACKED).unwrap_or(&rest)) {
            aside.push((rest, entry.path()));
        }
    }
    // Newest first: the stamp sorts by time. Of one stamp, the packed one comes first.
    aside.sort();
    aside.reverse();
    let mut kept = 0;
    let mut last: Option<PathBuf> = None;
    for (rest, path) in aside {
        let packed = rest.ends_with(PACKED);
        if !packed && last.as_ref().is_some_and(|last| *last == with_end(&path, PACKED)) {
            // We crashed after packing and before removing.
            remove(&path)?;
            continue;
        }
        if kept >= keep {
            remove(&path)?;
            continue;
        }
        kept += 1;
        if compress && !packed {
            pack(&path)?;
        }
        last = Some(path);
    }
    Ok(())
}

/// Packs it beside itself, syncs, and then lets go of the original.
fn pack(path: &Path) -> io::Result<()> {
    let half = with_end(path, HALF_PACKED);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut packer = GzEncoder::new(options.open(&half)?, Compression::fast());
    io::copy(&mut File::open(path)?, &mut packer)?;
    packer.finish()?.sync_all()?;
    #[expect(clippy::disallowed_methods, reason = "this file is no part of the store")]
    std::fs::rename(&half, with_end(path, PACKED))?;
    sync_folder(path)?;
    remove(path)
}

#[expect(clippy::disallowed_methods, reason = "these files are no part of the store")]
fn remove(path: &Path) -> io::Result<()> {
    std::fs::remove_file(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_were_put_aside_are_known() {
        let at = Timestamp::from_millis(1_795_252_590_123);
        assert_eq!(stamp(at), "-20261121T091630.123Z");
        for (name, expected) in [
            ("audit.jsonl-20261121T091630.123Z", true),
            ("audit.jsonl-20261121T091630.123Z.gz", true),
            ("audit.jsonl-20261121T091630.123Z.gz.part", true),
            ("audit.jsonl-20261121", false),
            ("audit-2.jsonl", false),
        ] {
            assert_eq!(looks_put_aside(name), expected, "{name}");
        }
    }
}
