//! One object and its manifest, made of messages. The same messages make the same bytes, and so the same key.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::{Compression, GzBuilder};
use follow::Message;
use record::{Index, OrgId};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::Checkpoint;
use super::chain::Link;
use super::place::{self, Prefix};

/// An object as it is put into a bucket.
pub(crate) struct Object {
    /// The organization's folder; chains are one for each.
    pub(crate) folder: String,
    pub(crate) key: String,
    pub(crate) manifest_key: String,
    pub(crate) bytes: Bytes,
    pub(crate) sha256: String,
    pub(crate) organization: OrgId,
    pub(crate) last_index: Index,
    about: About,
}

/// What the manifest says of it that does not depend on other objects.
#[derive(Serialize)]
struct About {
    version: u32,
    organization: String,
    organization_id: OrgId,
    object: String,
    object_sha256: String,
    object_bytes: usize,
    /// Of the text that comes out of the object.
    text_sha256: String,
    text_bytes: usize,
    events: usize,
    /// As many as events, unless the format makes several lines of one.
    lines: usize,
    first_index: Index,
    last_index: Index,
    first_event_id: String,
    last_event_id: String,
    first_recorded_at: String,
    last_recorded_at: String,
}

#[derive(Serialize)]
struct Manifest<'a> {
    #[serde(flatten)]
    about: &'a About,
    /// The object that came before; `null` for the first, and where a chain begins anew.
    previous: Option<&'a Link>,
    checkpoint: Option<&'a Checkpoint>,
}

impl Object {
    /// Compresses and names it. All messages are of one log and one hour; there is at least one.
    pub(crate) fn make(prefix: &Prefix, messages: &[Message]) -> io::Result<Object> {
        let (Some(first), Some(last)) = (messages.first(), messages.last()) else {
            return Err(io::Error::other("an empty batch makes no object"));
        };
        let (mut text_hash, mut text_bytes) = (Sha256::new(), 0);
        // Without a time and a name in it: the bytes follow from the text alone.
        let mut gzip = GzBuilder::new().mtime(0).write(Vec::new(), Compression::default());
        for message in messages {
            for piece in [message.body.as_ref(), b"\n"] {
                text_hash.update(piece);
                gzip.write_all(piece)?;
                text_bytes += piece.len();
            }
        }
        let bytes = Bytes::from(gzip.finish()?);
        let sha256 = hex(&Sha256::digest(&bytes));
        let (first, last) = (&first.recorded, &last.recorded);
        let folder = prefix.folder_of(&messages[0]);
        let hour = place::hour_folder(first.recorded_at());
        // Twelve digits, so that names sort as numbers do up to a million million events.
        let stem = format!("{folder}{hour}{:012}-{:012}-{}", first.index.0, last.index.0, &sha256[..16]);
        let about = About {
            version: 1,
            organization: first.organization_name.to_string(),
            organization_id: first.organization,
            object: format!("{stem}.jsonl.gz"),
            object_sha256: sha256.clone(),
            object_bytes: bytes.len(),
            text_sha256: hex(&text_hash.finalize()),
            text_bytes,
            events: messages.chunk_by(|a, b| a.recorded.index == b.recorded.index).count(),
            lines: messages.len(),
            first_index: first.index,
            last_index: last.index,
            first_event_id: first.event_id.to_string(),
            last_event_id: last.event_id.to_string(),
            first_recorded_at: first.recorded_at().to_string(),
            last_recorded_at: last.recorded_at().to_string(),
        };
        Ok(Object {
            folder,
            key: about.object.clone(),
            manifest_key: format!("{stem}.manifest.json"),
            bytes,
            sha256,
            organization: first.organization,
            last_index: last.index,
            about,
        })
    }

    /// The manifest's text.
    pub(crate) fn manifest(&self, previous: Option<&Link>, checkpoint: Option<&Checkpoint>) -> Vec<u8> {
        let manifest = Manifest { about: &self.about, previous, checkpoint };
        // Nothing in it can fail to become JSON: strings, numbers and no maps with other keys.
        let mut text = serde_json::to_vec_pretty(&manifest).unwrap_or_default();
        text.push(b'\n');
        text
    }
}

/// Bytes as lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
