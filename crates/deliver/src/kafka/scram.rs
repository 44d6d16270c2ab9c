//! SCRAM (RFC 5802, with the hashes of RFC 7677): both sides show that they know the password, neither tells it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use follow::Chance;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256, Sha512};

/// More rounds than brokers have: one must not keep us busy for ever.
const ROUNDS_MAX: u32 = 100_000;
/// RFC 7677 wants this many.
const ROUNDS_MIN: u32 = 4_096;

/// The mechanism's hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hash {
    Sha256,
    Sha512,
}

impl Hash {
    fn digest(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Hash::Sha256 => Sha256::digest(bytes).to_vec(),
            Hash::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }

    fn mac(self, key: &[u8], bytes: &[u8]) -> Vec<u8> {
        match self {
            Hash::Sha256 => {
                #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
                let mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
                mac.chain_update(bytes).finalize().into_bytes().to_vec()
            }
            Hash::Sha512 => {
                #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
                let mac = Hmac::<Sha512>::new_from_slice(key).expect("HMAC takes a key of any length");
                mac.chain_update(bytes).finalize().into_bytes().to_vec()
            }
        }
    }

    /// `Hi` of RFC 5802: PBKDF2 with one block.
    fn salted(self, password: &[u8], salt: &[u8], rounds: u32) -> Vec<u8> {
        let mut last = self.mac(password, &[salt, &1_u32.to_be_bytes()].concat());
        let mut sum = last.clone();
        for _ in 1..rounds {
            last = self.mac(password, &last);
            exclusive_or(&mut sum, &last);
        }
        sum
    }
}

fn exclusive_or(bytes: &mut [u8], others: &[u8]) {
    for (byte, other) in bytes.iter_mut().zip(others) {
        *byte ^= other;
    }
}

/// Our side of one exchange.
pub(super) struct Scram<'a> {
    hash: Hash,
    user: &'a str,
    password: &'a str,
    nonce: String,
}

impl<'a> Scram<'a> {
    pub(super) fn new(hash: Hash, user: &'a str, password: &'a str, chance: &dyn Chance) -> Scram<'a> {
        let mut nonce = [0; 24];
        chance.fill(&mut nonce);
        Scram { hash, user, password, nonce: BASE64.encode(nonce) }
    }

    fn bare(&self) -> String {
        format!("n={},r={}", self.user.replace('=', "=3D").replace(',', "=2C"), self.nonce)
    }

    /// The first message.
    pub(super) fn first(&self) -> String {
        format!("n,,{}", self.bare())
    }

    /// The last message, and what the other side must answer to it.
    pub(super) fn last(&self, challenge: &[u8]) -> Result<(String, String), &'static str> {
        const UNREADABLE: &str = "its challenge cannot be read";
        let challenge = std::str::from_utf8(challenge).map_err(|_| UNREADABLE)?;
        let (mut nonce, mut salt, mut rounds) = (None, None, None);
        for part in challenge.split(',') {
            match part.split_once('=') {
                Some(("r", text)) => nonce = Some(text),
                Some(("s", text)) => salt = BASE64.decode(text).ok(),
                Some(("i", text)) => rounds = text.parse::<u32>().ok(),
                _ => {}
            }
        }
        let (Some(nonce), Some(salt), Some(rounds)) = (nonce, salt, rounds) else { return Err(UNREADABLE) };
        if !nonce.starts_with(&self.nonce) || nonce.len() == self.nonce.len() {
            return Err("its challenge answers somebody else's question");
        }
        if !(ROUNDS_MIN..=ROUNDS_MAX).contains(&rounds) {
            return Err("it asks for fewer than 4096 or more than 100000 rounds");
        }
        let hash = self.hash;
        let salted = hash.salted(self.password.as_bytes(), &salt, rounds);
        // The base64 of `n,,`: no channel binding.
        let without_proof = format!("c=biws,r={nonce}");
        let signed = format!("{},{challenge},{without_proof}", self.bare());
        let mut proof = hash.mac(&salted, b"Client Key");
        let stored = hash.digest(&proof);
        exclusive_or(&mut proof, &hash.mac(&stored, signed.as_bytes()));
        let expected = hash.mac(&hash.mac(&salted, b"Server Key"), signed.as_bytes());
        Ok((format!("{without_proof},p={}", BASE64.encode(proof)), format!("v={}", BASE64.encode(expected))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_7677_comes_out() {
        let scram = Scram { hash: Hash::Sha256, user: "user", password: "pencil", nonce: "rOprNGfwEbeRWgbNEkqO".to_owned() };
        assert_eq!(scram.first(), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        let nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let challenge = format!("r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
        let (last, expected) = scram.last(challenge.as_bytes()).unwrap();
        assert_eq!(last, format!("c=biws,r={nonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="));
        assert_eq!(expected, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    }

    #[test]
    fn challenges_that_are_none_are_refused() {
        let scram = Scram { hash: Hash::Sha512, user: "a,b=c", password: "x", nonce: "mine".to_owned() };
        assert_eq!(scram.first(), "n,,n=a=2Cb=3Dc,r=mine");
        for bad in [
            "",
            "r=mine,s=AAAA,i=4096",
            "r=others,s=AAAA,i=4096",
            "r=mine2,s=?,i=4096",
            "r=mine2,s=AAAA,i=1",
            "r=mine2,s=AAAA,i=9999999",
        ] {
            scram.last(bad.as_bytes()).unwrap_err();
        }
        scram.last(b"r=mine2,s=AAAA,i=4096").unwrap();
    }
}
