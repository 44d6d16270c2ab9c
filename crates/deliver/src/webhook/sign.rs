//! Signatures of Standard Webhooks: over `id.timestamp.body`, with every secret and key that is set.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use ring::signature::Ed25519KeyPair;
use sha2::Sha256;

/// One secret or key.
pub(super) enum Signer {
    /// `v1`
    Hmac(Box<Hmac<Sha256>>),
    /// `v1a`
    Ed25519(Box<Ed25519KeyPair>),
}

/// All that sign.
pub(super) struct Signers(pub(super) Vec<Signer>);

impl Signer {
    /// Reads `whsec_…`.
    pub(super) fn hmac(text: &str) -> Result<Signer, &'static str> {
        const WRONG: &str = "must be whsec_ and 24 to 64 bytes in Base64";
        let bytes = text.strip_prefix("whsec_").and_then(|rest| STANDARD.decode(rest).ok()).ok_or(WRONG)?;
        if !(24..=64).contains(&bytes.len()) {
            return Err(WRONG);
        }
        Hmac::new_from_slice(&bytes).map(|key| Signer::Hmac(Box::new(key))).map_err(|_| WRONG)
    }

    /// Reads `whsk_…`: the 32 bytes of the key, which the public key may follow.
    pub(super) fn ed25519(text: &str) -> Result<Signer, &'static str> {
        const WRONG: &str = "must be whsk_ and an Ed25519 key (32 bytes, or 64 with the public key) in Base64";
        let bytes = text.strip_prefix("whsk_").and_then(|rest| STANDARD.decode(rest).ok()).ok_or(WRONG)?;
        let key = match bytes.len() {
            32 => Ed25519KeyPair::from_seed_unchecked(&bytes),
            64 => Ed25519KeyPair::from_seed_and_public_key(&bytes[..32], &bytes[32..]),
            _ => return Err(WRONG),
        };
        key.map(|key| Signer::Ed25519(Box::new(key))).map_err(|_| WRONG)
    }

    fn sign(&self, content: &[u8]) -> String {
        match self {
            Signer::Hmac(key) => {
                let mut mac = (**key).clone();
                mac.update(content);
                format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
            }
            Signer::Ed25519(key) => format!("v1a,{}", STANDARD.encode(key.sign(content))),
        }
    }
}

impl Signers {
    /// The header: all signatures, separated by spaces. `timestamp` in seconds.
    pub(super) fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let mut content = format!("{id}.{timestamp}.").into_bytes();
        content.extend_from_slice(body);
        self.0.iter().map(|signer| signer.sign(&content)).collect::<Vec<_>>().join(" ")
    }
}
