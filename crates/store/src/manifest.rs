//! The manifest: which segments exist, and where the journal goes on. One file, replaced whole: the one atomic switch.

use record::OrgId;
use record::merkle::Tree;
use serde::{Deserialize, Serialize};

use crate::disk::{self, Disk};
use crate::error::StoreError;
use crate::journal::FileNumber;
use crate::segment::{Meta, SegmentId};

/// The file.
pub const PATH: &str = "manifest.json";
/// The version of the format that is written.
pub const VERSION: u32 = 1;

/// What is sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The format's version.
    pub version: u32,
    /// Counts the changes of the manifest.
    pub generation: u64,
    /// The first journal file whose events are not all in segments. Older ones may be deleted.
    pub journal_from: FileNumber,
    /// The number that the next segment gets.
    pub next_segment: SegmentId,
    /// The segments, in the order of their events.
    pub segments: Vec<Meta>,
    /// Each organization's tree up to the end of the segments, by organization.
    pub logs: Vec<SealedLog>,
}

/// One organization's tree at the end of the segments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedLog {
    /// Whose.
    pub org: OrgId,
    /// How many entries.
    pub size: u64,
    /// The roots of its complete subtrees, the largest first, in hexadecimal.
    pub roots: Vec<String>,
}

impl SealedLog {
    /// What is kept of a tree.
    pub fn of(org: OrgId, tree: &Tree) -> SealedLog {
        let hex = |hash: &[u8; 32]| hash.iter().map(|byte| format!("{byte:02x}")).collect();
        SealedLog { org, size: tree.size(), roots: tree.roots().iter().map(hex).collect() }
    }

    /// The tree again.
    pub fn tree(&self) -> Option<Tree> {
        let roots = self.roots.iter().map(|text| unhex(text)).collect::<Option<Vec<_>>>()?;
        Tree::from_parts(self.size, roots)
    }
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (at, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(at * 2..at * 2 + 2)?, 16).ok()?;
    }
    Some(hash)
}

impl Default for Manifest {
    fn default() -> Manifest {
        Manifest {
            version: VERSION,
            generation: 0,
            journal_from: FileNumber(0),
            next_segment: SegmentId(0),
            segments: Vec::new(),
            logs: Vec::new(),
        }
    }
}

impl Manifest {
    /// Reads the manifest; `None` in a data directory that has none yet.
    pub fn load(disk: &dyn Disk) -> Result<Option<Manifest>, StoreError> {
        let bytes = match disk::read(disk, PATH) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(StoreError::io(PATH)(e)),
        };
        let text = String::from_utf8(bytes).map_err(|_| StoreError::corrupt(PATH, 0, "not text"))?;
        let (json, crc) = text
            .strip_suffix('\n')
            .and_then(|text| text.rsplit_once('\n'))
            .ok_or_else(|| StoreError::corrupt(PATH, 0, "the checksum line is missing"))?;
        if crc != format!("{:08x}", crc32fast::hash(json.as_bytes())) {
            return Err(StoreError::corrupt(PATH, 0, "wrong checksum"));
        }
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let bad = |e: serde_json::Error| StoreError::corrupt(PATH, 0, e.to_string());
        let Version { version } = serde_json::from_str(json).map_err(bad)?;
        if version > VERSION {
            return Err(StoreError::TooNew { path: PATH.to_owned(), found: version, known: VERSION });
        }
        serde_json::from_str(json).map_err(bad).map(Some)
    }

    /// Replaces the manifest. When this returns, the switch is durable.
    pub fn save(&self, disk: &dyn Disk) -> Result<(), StoreError> {
        let json = serde_json::to_string(self).map_err(|e| StoreError::corrupt(PATH, 0, e.to_string()))?;
        let text = format!("{json}\n{:08x}\n", crc32fast::hash(json.as_bytes()));
        disk::replace(disk, "", PATH, text.as_bytes()).map_err(StoreError::io(PATH))
    }
}
