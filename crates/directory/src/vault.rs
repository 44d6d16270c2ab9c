//! Secrets that have to be read again: the seeds of second factors, the credentials of destinations.
//!
//! They are encrypted (XChaCha20-Poly1305) under a key that lies beside the database and not in it, so that a copy of the database
//! alone gives nothing away. Each value is bound to its place: moved to another row, it does not open.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Read, Write};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::chance::{Chance, random_hex};
use crate::error::DirectoryError;

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;
/// Under which a sealed value says how it was sealed.
const VERSION: &str = "v1.";

/// The key, and what is done with it.
#[derive(Clone)]
pub struct Vault([u8; KEY_BYTES]);

impl Vault {
    /// Reads the key's file, or makes it (readable by its owner only) if there is none. It is written under another name first,
    /// and gets its own when it is whole: of several processes that make it at once, all read the same one. If we crash before
    /// that, a file is left over that nobody reads, and nothing has been sealed.
    pub(crate) fn open(path: &Path, chance: &dyn Chance) -> Result<Vault, DirectoryError> {
        let failed = |source| DirectoryError::Create { path: path.to_owned(), source };
        let mut key = [0; KEY_BYTES];
        if !path.exists() {
            chance.fill(&mut key);
            make(path, &key, chance).map_err(failed)?;
        }
        let mut file = std::fs::File::open(path).map_err(failed)?;
        file.read_exact(&mut key).map_err(failed)?;
        Ok(Vault(key))
    }

    /// A key that is kept nowhere.
    pub(crate) fn in_memory(chance: &dyn Chance) -> Vault {
        let mut key = [0; KEY_BYTES];
        chance.fill(&mut key);
        Vault(key)
    }

    /// Encrypts a value for a place, such as `authenticators/auth_0123`. The text can be stored.
    pub fn seal(&self, chance: &dyn Chance, place: &str, plain: &[u8]) -> String {
        let mut nonce = [0; NONCE_BYTES];
        chance.fill(&mut nonce);
        let payload = Payload { msg: plain, aad: place.as_bytes() };
        let cipher = XChaCha20Poly1305::new(&self.0.into());
        let sealed = cipher.encrypt(&XNonce::from(nonce), payload).expect("a secret is shorter than 256 GiB");
        format!("{VERSION}{}", URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat()))
    }

    /// Decrypts what [`Vault::seal`] made for this place; `None` if it did not, or under another key.
    pub fn open_sealed(&self, place: &str, sealed: &str) -> Option<Vec<u8>> {
        let bytes = URL_SAFE_NO_PAD.decode(sealed.strip_prefix(VERSION)?).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_BYTES>()?;
        let payload = Payload { msg: sealed, aad: place.as_bytes() };
        XChaCha20Poly1305::new(&self.0.into()).decrypt(&XNonce::from(*nonce), payload).ok()
    }

    /// Another key that follows from this one, for a purpose of its own, and tells nothing about it.
    pub fn derive(&self, purpose: &str, of: &str) -> [u8; KEY_BYTES] {
        let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac.update(of.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

#[expect(clippy::disallowed_methods, reason = "the vault's key is a file of the directory's own, as the database is")]
fn make(path: &Path, key: &[u8; KEY_BYTES], chance: &dyn Chance) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let unfinished = path.with_extension(random_hex::<8>(chance));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&unfinished)?;
    file.write_all(key)?;
    file.sync_all()?;
    let linked = std::fs::hard_link(&unfinished, path);
    std::fs::remove_file(&unfinished)?;
    match linked {
        // Somebody else was faster.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        linked => linked?,
    }
    // The entry in the folder, too: a sealed value must not outlive its key.
    std::fs::File::open(folder)?.sync_all()
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Ones;

    impl Chance for Ones {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(1);
        }
    }

    #[test]
    fn what_was_sealed_opens_in_its_place_only() {
        let vault = Vault::in_memory(&Ones);
        let sealed = vault.seal(&Ones, "a/1", b"hunter2");
        assert!(!sealed.contains("hunter2"));
        assert_eq!(vault.open_sealed("a/1", &sealed).as_deref(), Some(&b"hunter2"[..]));
        assert_eq!(vault.open_sealed("a/2", &sealed), None);
        assert_eq!(Vault([2; KEY_BYTES]).open_sealed("a/1", &sealed), None);
        assert_eq!(vault.open_sealed("a/1", "v1.AAAA"), None);
        assert_ne!(vault.derive("x", "1"), vault.derive("x", "2"));
    }

    #[test]
    fn the_key_is_made_once_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys/directory.key");
        let first = Vault::open(&path, &Ones).unwrap();
        assert_eq!(Vault::open(&path, &Ones).unwrap().0, first.0);
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
            assert_eq!(mode & 0o777, 0o600);
        }
        std::fs::File::create(&path).unwrap();
        assert!(Vault::open(&path, &Ones).is_err(), "a key that is not whole is not a key");
    }
}
