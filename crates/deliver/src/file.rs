//! A file of the machine that Acta runs on: one line for each event, synced before it counts as delivered.
//!
//! The operator names a folder; in it each organization has one of its own, and a destination only a name in that. Full and old
//! files are put aside under their time, packed, and removed when there are more than are to be kept.

mod active;
mod rotated;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::time::Duration;

use follow::{Answer, Clock, Later, Limits, Message, Transport};
use record::{OrgId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::doors::Doors;
use crate::settings::{OpenError, Receiver};
use active::Active;

/// So long may a disk take before we say that it does not answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is set of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileSettings {
    /// Its name, in the organization's folder below the one that the operator gave for such files.
    pub name: FileName,
    /// A file that would grow beyond this many bytes is put aside first.
    #[serde(default = "defaults::rotate_bytes")]
    pub rotate_bytes: RotateBytes,
    /// A file that was begun this many hours ago is put aside; 0 for never.
    #[serde(default = "defaults::rotate_hours")]
    pub rotate_hours: u32,
    /// So many of the files that were put aside are kept, the newest.
    #[serde(default = "defaults::keep")]
    pub keep: Keep,
    /// Whether what is put aside is packed with gzip.
    #[serde(default = "defaults::compress")]
    pub compress: bool,
}

mod defaults {
    use super::{Keep, RotateBytes};

    pub(super) fn rotate_bytes() -> RotateBytes {
        RotateBytes(100_000_000)
    }
    pub(super) fn rotate_hours() -> u32 {
        24
    }
    pub(super) fn keep() -> Keep {
        Keep(30)
    }
    pub(super) fn compress() -> bool {
        true
    }
}

/// A plain file name: letters, digits, `.`, `-` and `_`, not beginning with a dot, and none that a file put aside could have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FileName(String);

impl TryFrom<String> for FileName {
    type Error = &'static str;

    fn try_from(name: String) -> Result<FileName, &'static str> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if name.is_empty() || name.len() > 100 || name.starts_with('.') || !name.chars().all(plain) {
            return Err("must be a file name of 1 to 100 letters, digits, `.`, `-` and `_` that does not begin with `.`");
        }
        if rotated::looks_put_aside(&name) {
            return Err("must not end like the name of a file that was put aside");
        }
        Ok(FileName(name))
    }
}

impl From<FileName> for String {
    fn from(name: FileName) -> String {
        name.0
    }
}

/// From 64 KiB to 1 TiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u64")]
pub struct RotateBytes(u64);

impl TryFrom<u64> for RotateBytes {
    type Error = &'static str;

    fn try_from(bytes: u64) -> Result<RotateBytes, &'static str> {
        if (1 << 16..=1 << 40).contains(&bytes) {
            Ok(RotateBytes(bytes))
        } else {
            Err("must be from 65536 to 1099511627776")
        }
    }
}

/// From 1 to 10,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32")]
pub struct Keep(u32);

impl TryFrom<u32> for Keep {
    type Error = &'static str;

    fn try_from(files: u32) -> Result<Keep, &'static str> {
        if (1..=10_000).contains(&files) { Ok(Keep(files)) } else { Err("must be from 1 to 10000") }
    }
}

impl Receiver for FileSettings {
    const TYPE: &'static str = "file";
    const SECRETS: &'static [&'static str] = &[];
    const PLACES: &'static [&'static str] = &[];

    fn sample() -> Value {
        json!({"name": "audit.jsonl", "rotate_bytes": 100_000_000, "rotate_hours": 24, "keep": 30, "compress": true})
    }

    /// The file is opened when the first batch comes.
    fn open(&self, doors: &Doors) -> Result<Arc<dyn Transport>, OpenError> {
        let refused = "events may not go to files here: the operator has named no folder for them";
        let folder = doors.files.clone().ok_or_else(|| OpenError(refused.to_owned()))?;
        let files = Files { settings: self.clone(), folder, open: BTreeMap::new() };
        Ok(Arc::new(FileTransport { files: Arc::new(Mutex::new(files)), clock: Arc::clone(&doors.clock) }))
    }
}

struct FileTransport {
    files: Arc<Mutex<Files>>,
    clock: Arc<dyn Clock>,
}

/// The file of each organization.
struct Files {
    settings: FileSettings,
    folder: PathBuf,
    open: BTreeMap<OrgId, Active>,
}

impl Transport for FileTransport {
    fn limits(&self) -> Limits {
        Limits { messages: 5_000, bytes: 4 << 20, overhead: 1, message_bytes: usize::MAX, age: Duration::from_secs(1) }
    }

    fn send<'a>(&'a self, batch: &'a [Message]) -> Later<'a, Answer> {
        Box::pin(async move {
            let mut lines: BTreeMap<OrgId, Vec<u8>> = BTreeMap::new();
            for message in batch {
                let lines = lines.entry(message.recorded.organization).or_default();
                lines.extend_from_slice(&message.body);
                lines.push(b'\n');
            }
            let (files, now) = (Arc::clone(&self.files), self.clock.now());
            let work = tokio::task::spawn_blocking(move || {
                let mut files = match files.try_lock() {
                    Ok(files) => files,
                    Err(TryLockError::Poisoned(poisoned)) => PoisonError::into_inner(poisoned),
                    // A batch that was given up is still being written. Waiting here would only take up one more thread.
                    Err(TryLockError::WouldBlock) => {
                        return Err(io::Error::other("the disk has not finished the last batch"));
                    }
                };
                files.write(&lines, now)
            });
            match tokio::time::timeout(PATIENCE, work).await {
                Ok(Ok(Ok(told))) => Answer::delivered(told),
                Ok(Ok(Err(e))) => Answer::retry(e.to_string()),
                Ok(Err(e)) => Answer::retry(format!("the file could not be written: {e}")),
                Err(_) => Answer::retry(format!("the disk did not answer for {} seconds", PATIENCE.as_secs())),
            }
        })
    }
}

impl Files {
    fn write(&mut self, lines: &BTreeMap<OrgId, Vec<u8>>, now: Timestamp) -> io::Result<String> {
        let mut told = String::new();
        for (&organization, lines) in lines {
            let len = self.append(organization, lines, now).map_err(|e| {
                // Whatever is wrong with it, it is opened, and repaired, anew.
                self.open.remove(&organization);
                io::Error::new(e.kind(), format!("{}: {e}", self.settings.name.0))
            })?;
            told = format!("written and synced: {} has {len} bytes now", self.settings.name.0);
        }
        Ok(told)
    }

    /// Appends to the organization's file and syncs it; gives its length then.
    fn append(&mut self, organization: OrgId, lines: &[u8], now: Timestamp) -> io::Result<u64> {
        let folder = self.folder.join(organization.to_string());
        let path = folder.join(&self.settings.name.0);
        let mut active = match self.open.remove(&organization) {
            Some(active) if active.is_in_place()? => active,
            // Moved away or removed by somebody else: that one is closed, and a new one begun under the old name.
            Some(_) | None => {
                active::make_folder(&folder)?;
                let active = Active::open(path.clone(), now)?;
                rotated::tidy(&folder, &self.settings.name.0, self.settings.compress, self.settings.keep.0);
                active
            }
        };
        let adding = u64::try_from(lines.len()).unwrap_or(u64::MAX);
        if active.is_due(adding, self.settings.rotate_bytes.0, self.settings.rotate_hours, now) {
            rotated::put_aside(&folder, &self.settings.name.0, now)?;
            active = Active::open(path, now)?;
            rotated::tidy(&folder, &self.settings.name.0, self.settings.compress, self.settings.keep.0);
        }
        let len = active.append(lines)?;
        self.open.insert(organization, active);
        Ok(len)
    }
}
