//! API keys that were looked up a moment ago, so that a busy sender does not ask the database for each event.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use directory::ApiKey;
use sha2::{Digest, Sha256};

/// How long a key is believed without a look at the directory, in milliseconds. A key that another process revoked works for
/// so long at most.
const FRESH_MS: i64 = 1_000;
/// Entries kept; more are forgotten all at once.
const ENTRIES_MAX: usize = 10_000;

/// The cache. Holds hashes of secrets, never secrets. Owner of its lock: whoever authenticates, for the time of a look-up.
#[derive(Debug, Default)]
pub struct Keys(RwLock<HashMap<[u8; 32], (ApiKey, record::Timestamp)>>);

impl Keys {
    /// A key that was looked up a moment ago, by its secret.
    pub fn get(&self, secret: &str, now: record::Timestamp) -> Option<ApiKey> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let (key, at) = known.get(&hash(secret))?;
        let fresh = (0..FRESH_MS).contains(&now.millis_since(*at));
        let valid = key.expires_at.is_none_or(|expires| now < expires);
        (fresh && valid).then(|| key.clone())
    }

    /// Remembers a key that was found valid now.
    pub fn put(&self, secret: &str, key: ApiKey, now: record::Timestamp) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= ENTRIES_MAX {
            known.clear();
        }
        known.insert(hash(secret), (key, now));
    }

    /// Forgets all of them: what they stand for may have changed.
    pub fn forget(&self) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret).into()
}
