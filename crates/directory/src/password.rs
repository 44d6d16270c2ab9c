//! Passwords: which are accepted, and how they are kept.
//!
//! Argon2id, with the parameters that OWASP recommends first for it (19 MiB, two passes, one lane). The string that is stored
//! names its parameters, so they can be raised: the next sign-in hashes again.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use zxcvbn::Score;

use crate::chance::Chance;
use crate::email::email_key;
use crate::error::DirectoryError;
use crate::secret::Secret;

/// The fewest characters of a password.
pub const PASSWORD_CHARS_MIN: usize = 12;
/// The most bytes of a password. A longer one is refused and not cut.
pub const PASSWORD_BYTES_MAX: usize = 1024;
/// From how many characters the part of an e-mail address before the @ may not stand in a password.
const LOCAL_PART_CHARS_MIN: usize = 4;
/// A password of fewer different characters is a pattern.
const DIFFERENT_CHARS_MIN: usize = 4;

/// Passwords, or beginnings of passwords, that are tried first by everybody who tries passwords.
const COMMON: &str = include_str!("common_passwords.txt");

/// How dear it is to try one password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordCost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Default for PasswordCost {
    fn default() -> PasswordCost {
        PasswordCost { memory_kib: 19_456, passes: 2, lanes: 1 }
    }
}

impl PasswordCost {
    /// As cheap as the algorithm permits, and no protection.
    pub fn for_tests() -> PasswordCost {
        PasswordCost { memory_kib: 8, passes: 1, lanes: 1 }
    }

    fn argon2(self) -> Argon2<'static> {
        let params = Params::new(self.memory_kib, self.passes, self.lanes, None).expect("one of the two costs above");
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
    }

    /// The string to store. Takes as long as it is meant to: not under a lock.
    pub(crate) fn hash(self, chance: &dyn Chance, password: &Secret) -> String {
        let mut salt = [0; 16];
        chance.fill(&mut salt);
        let hash: PasswordHash = self
            .argon2()
            .hash_password_with_salt(password.expose().as_bytes(), &salt)
            .expect("a salt of 16 bytes and a password of any length can be hashed");
        hash.to_string()
    }

    /// Does what [`verify`] does, for nobody: an answer that came at once would tell that there is no such user.
    pub(crate) fn pretend(self, password: &Secret) {
        let mut output = [0; Params::DEFAULT_OUTPUT_LEN];
        let outcome = self.argon2().hash_password_into(password.expose().as_bytes(), &[0; 16], &mut output);
        std::hint::black_box((outcome.is_ok(), output));
    }

    /// Whether `stored` was made with other parameters than these.
    pub(crate) fn is_outdated(self, stored: &str) -> bool {
        PasswordHash::new(stored).ok().and_then(|hash| Params::try_from(&hash).ok()).is_none_or(|params| {
            (params.m_cost(), params.t_cost(), params.p_cost()) != (self.memory_kib, self.passes, self.lanes)
        })
    }
}

/// Whether the password is the one that was stored. Takes as long as hashing it.
pub(crate) fn verify(stored: &str, password: &Secret) -> bool {
    // The parameters come from the stored string; those of the verifier are not used.
    PasswordHash::new(stored)
        .is_ok_and(|hash| Argon2::default().verify_password(password.expose().as_bytes(), &hash).is_ok())
}

/// Says whether a password will do for the person with this address; the error is a sentence for her.
pub fn check_password(password: &Secret, email: &str) -> Result<(), DirectoryError> {
    let text = password.expose();
    let invalid = |detail: String| Err(DirectoryError::invalid("password", detail));
    let count = text.chars().count();
    if count < PASSWORD_CHARS_MIN {
        return invalid(format!("A password has at least {PASSWORD_CHARS_MIN} characters; this one has {count}."));
    }
    if text.len() > PASSWORD_BYTES_MAX {
        return invalid(format!("A password has at most {PASSWORD_BYTES_MAX} bytes; this one has {}.", text.len()));
    }
    if is_common(text) {
        return invalid("This password is one of the first that anybody would try. Choose another.".to_owned());
    }
    let email = email_key(email);
    let local = email.split('@').next().unwrap_or_default();
    if local.chars().count() >= LOCAL_PART_CHARS_MIN && text.to_lowercase().contains(local) {
        return invalid("A password does not contain the name in your e-mail address.".to_owned());
    }
    let strength = zxcvbn::zxcvbn(text, &[local, &email]);
    if strength.score() < Score::Three {
        let why = strength.feedback().and_then(zxcvbn::feedback::Feedback::warning);
        let why = why.map_or_else(String::new, |why| format!(" {why}"));
        return invalid(format!("This password is too easy to guess.{why} Add another word or two, uncommon ones."));
    }
    Ok(())
}

/// In the list, in any capitals, with any digits and signs after it; or a pattern of very few characters.
fn is_common(text: &str) -> bool {
    let lower = text.to_lowercase();
    let word = lower.trim_end_matches(|c: char| !c.is_alphabetic());
    let listed = COMMON.lines().any(|common| common == lower || common == word);
    let mut different: Vec<char> = lower.chars().collect();
    different.sort_unstable();
    different.dedup();
    listed || different.len() < DIFFERENT_CHARS_MIN
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(password: &str) -> Result<(), String> {
        check_password(&Secret::new(password), "Ada.Lovelace@example.com").map_err(|error| error.to_string())
    }

    #[test]
    fn which_passwords_are_accepted() {
        for good in ["engine analytical 1843", "zwölf Zeichen", "correct horse battery staple", "ada and the loom"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        assert_eq!(check("elevenchars"), Err("A password has at least 12 characters; this one has 11.".to_owned()));
        assert_eq!(check("äöüäöüäöüäö"), Err("A password has at least 12 characters; this one has 11.".to_owned()));
        let longest = format!("engine analytical 1843 {}", "x".repeat(1001));
        assert_eq!(check(&longest), Ok(()));
        let long = longest + "x";
        assert_eq!(check(&long), Err("A password has at most 1024 bytes; this one has 1025.".to_owned()));
        for common in
            ["PasswordPassword", "password123456!", "Welcome2026!!!!", "123456789012", "aaaaaaaaaaaa", "abcabcabcabc"]
        {
            assert!(check(common).unwrap_err().contains("first that anybody"), "{common}");
        }
        for (weak, why) in [
            ("zxcvbnm,./zxcvbnm", "too easy to guess"),
            ("abcdefghijklmnop", "Sequences like abc"),
            ("monkeymonkeymonkey", "Repeats like"),
        ] {
            let told = check(weak).expect_err(weak);
            assert!(told.contains(why), "{weak}: {told}");
        }
        assert!(check("xx-ADA.lovelace-xx").unwrap_err().contains("e-mail address"));
    }

    #[test]
    fn the_stored_string_names_the_parameters() {
        struct Zeros;
        impl Chance for Zeros {
            fn fill(&self, bytes: &mut [u8]) {
                bytes.fill(0);
            }
        }
        let password = Secret::new("engine analytical 1843");
        let stored = PasswordCost::default().hash(&Zeros, &password);
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(verify(&stored, &password));
        assert!(!verify(&stored, &Secret::new("engine analytical 1844")));
        assert!(!verify("not a hash", &password));
        assert!(!PasswordCost::default().is_outdated(&stored));
        assert!(PasswordCost::for_tests().is_outdated(&stored));
        assert!(PasswordCost::for_tests().is_outdated("not a hash"));
    }
}
