//! Text that must not be seen: passwords, tokens, API keys.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::chance::hex;

/// A password, a session token or an API key, in the clear. It has no `Display`, and `Debug` hides it, so that it does not end
/// up in a log by accident.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Wraps what a person typed, or what a request carried.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text itself, to be shown once or to be put into a cookie.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether `given` is this secret, in a time that does not tell how much of it was right.
    pub fn matches(&self, given: &str) -> bool {
        self.0.as_bytes().ct_eq(given.as_bytes()).into()
    }

    /// What the database keeps. A plain hash is enough for keys and tokens, which are 32 random bytes and cannot be guessed;
    /// passwords can, and go through [`crate::password`] instead.
    pub(crate) fn stored(&self) -> String {
        hex(&Sha256::digest(self.0.as_bytes()))
    }

    /// Another secret that follows from this one and tells nothing about it.
    pub(crate) fn derive(&self, label: &str) -> Secret {
        Secret(hex(&Sha256::new().chain_update(label).chain_update([0]).chain_update(&self.0).finalize()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}
