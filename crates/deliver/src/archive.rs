//! Archives: compressed objects in a bucket, each with a manifest beside it, for keeping and for proof.
//!
//! `<prefix>/org=<name>/date=YYYY-MM-DD/hour=HH/<first index>-<last index>-<beginning of its SHA-256>.jsonl.gz` holds the
//! events that were recorded in that hour, one a line, and `….manifest.json` says what is in it and which object came before.
//! An object's name follows from what is in it, and nothing is ever overwritten: a batch that is sent again finds itself there.
//!
//! *If we crash* after the object and before its manifest, its events come again, perhaps with others, in an object whose
//! indexes overlap. So a reader takes those objects that have a manifest, and drops an event whose `event_id` it has had.
//!
//! What a bucket is, [`shelf`] says; [`s3`], [`gcs`] and [`azure`] are three.

pub mod azure;
mod chain;
pub mod gcs;
mod listing;
mod lock;
mod object;
mod percent;
mod place;
pub mod s3;
mod shelf;
mod sigv4;

use std::sync::Arc;
use std::time::Duration;

use follow::{Answer, Fate, Later, Limits, Message, Transport, Verdict};
use record::{Index, OrgId};
use serde::{Deserialize, Serialize};

pub use lock::{Lock, LockMode};
pub use place::Prefix;

use chain::Chain;
use object::Object;
use shelf::{Put, Shelf};

/// How large and how old a batch gets before it becomes an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Batching {
    /// Seconds that events wait for others at most; from 1 to 3600.
    pub max_age_seconds: u64,
    /// Bytes of an object at most, before compression; from 1,000,000 to 256,000,000. So much memory is used.
    pub max_bytes: usize,
}

impl Default for Batching {
    fn default() -> Batching {
        Batching { max_age_seconds: 3_600, max_bytes: 16_000_000 }
    }
}

impl Batching {
    /// What is wrong with it, by member.
    pub(crate) fn faults(self) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        if !(1..=3_600).contains(&self.max_age_seconds) {
            faults.push(("max_age_seconds", "is from 1 to 3600".to_owned()));
        }
        if !(1_000_000..=256_000_000).contains(&self.max_bytes) {
            faults.push(("max_bytes", "is from 1000000 to 256000000".to_owned()));
        }
        faults
    }
}

/// The tree of a log as it stands at some moment: what a checkpoint signs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checkpoint {
    /// Entries of the tree.
    pub size: u64,
    /// Its root hash, in hexadecimal.
    pub root: String,
}

/// Gives the checkpoint that a manifest names, so that whoever has the archive can tie it to the log.
pub trait Checkpoints: Send + Sync {
    /// A checkpoint of the organization's log that covers the event at this index, if there is one.
    fn covering(&self, organization: OrgId, index: Index) -> Later<'_, Option<Checkpoint>>;
}

/// The way to an archive.
pub struct Archive {
    shelf: Box<dyn Shelf>,
    prefix: Prefix,
    batching: Batching,
    checkpoints: Option<Arc<dyn Checkpoints>>,
    chain: Chain,
}

impl std::fmt::Debug for Archive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Archive").field("prefix", &self.prefix).field("batching", &self.batching).finish_non_exhaustive()
    }
}

impl Archive {
    pub(crate) fn new(shelf: Box<dyn Shelf>, prefix: Prefix, batching: Batching) -> Archive {
        Archive { shelf, prefix, batching, checkpoints: None, chain: Chain::default() }
    }

    /// The same, with manifests that name a checkpoint.
    #[must_use]
    pub fn with_checkpoints(self, checkpoints: Arc<dyn Checkpoints>) -> Archive {
        Archive { checkpoints: Some(checkpoints), ..self }
    }

    /// Puts one object and its manifest. An error is the answer to "why not".
    async fn keep(&self, messages: &[Message]) -> Result<String, Answer> {
        let (prefix, messages) = (self.prefix.clone(), messages.to_vec());
        // Megabytes to compress and hash: not on a thread that serves others.
        let made = tokio::task::spawn_blocking(move || Object::make(&prefix, &messages)).await;
        let object = match made {
            Ok(Ok(object)) => object,
            Ok(Err(error)) => return Err(Answer::retry(format!("the object could not be made: {error}"))),
            Err(error) => return Err(Answer::retry(format!("the object could not be made: {error}"))),
        };
        let previous = self.chain.before(self.shelf.as_ref(), &object.folder).await?;
        let checkpoint = match &self.checkpoints {
            Some(checkpoints) => checkpoints.covering(object.organization, object.last_index).await,
            None => None,
        };
        let manifest = object.manifest(previous.as_ref(), checkpoint.as_ref());
        let raw = put(self.shelf.as_ref(), &object.key, "application/gzip", object.bytes.clone()).await?;
        // The manifest comes last: it says that the object is whole and was acknowledged.
        put(self.shelf.as_ref(), &object.manifest_key, "application/json", manifest.into()).await?;
        self.chain.is_now(&object);
        Ok(raw)
    }
}

async fn put(shelf: &dyn Shelf, key: &str, content_type: &'static str, body: bytes::Bytes) -> Result<String, Answer> {
    match shelf.put(key, content_type, body).await {
        Put::Stored(raw) => Ok(format!("{raw} for {key}")),
        Put::There(raw) => Ok(format!("{raw} for {key}: it was there before")),
        Put::Not(answer) => Err(answer),
    }
}

impl Transport for Archive {
    fn limits(&self) -> Limits {
        Limits {
            messages: 1_000_000,
            bytes: self.batching.max_bytes,
            overhead: 1,
            message_bytes: usize::MAX,
            age: Duration::from_secs(self.batching.max_age_seconds),
        }
    }

    fn send<'a>(&'a self, batch: &'a [Message]) -> Later<'a, Answer> {
        Box::pin(async move {
            let mut said = Vec::new();
            let mut arrived = 0;
            for messages in batch.chunk_by(place::same_folder) {
                match self.keep(messages).await {
                    Ok(raw) => said.push(raw),
                    Err(answer) if arrived == 0 => return answer,
                    Err(answer) => {
                        // The hours before this one are there; only the rest is to come again.
                        said.push(answer.raw);
                        let mut fates = vec![Fate::Delivered; arrived];
                        fates.resize(batch.len(), Fate::Retry);
                        return Answer::new(Verdict::Each(fates), said.join("\n"));
                    }
                }
                arrived += messages.len();
            }
            Answer::delivered(said.join("\n"))
        })
    }
}
