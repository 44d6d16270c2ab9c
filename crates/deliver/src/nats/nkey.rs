//! NATS user keys: Ed25519 seeds in base32 with a checksum.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{Ed25519KeyPair, KeyPair};

/// The bytes that a user's seed begins with, 5 and 8 bits apart: `S` and `U`.
const SEED: u8 = 18 << 3;
const USER: u8 = 20 << 3;

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The text is no user's seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the seed is not a user's: 58 capital letters and digits that begin with SU")]
pub(super) struct BadSeed;

/// A user's key. Never shown.
pub(super) struct Seed(Ed25519KeyPair);

impl Seed {
    pub(super) fn parse(text: &str) -> Result<Seed, BadSeed> {
        let bytes = decode(text.trim()).ok_or(BadSeed)?;
        let (body, sum) = bytes.split_last_chunk::<2>().ok_or(BadSeed)?;
        let (prefix, key) = body.split_first_chunk::<2>().ok_or(BadSeed)?;
        if crc16(body) != u16::from_le_bytes(*sum) || *prefix != [SEED | USER >> 5, (USER & 31) << 3] {
            return Err(BadSeed);
        }
        Ed25519KeyPair::from_seed_unchecked(key).map(Seed).map_err(|_| BadSeed)
    }

    /// The public key, `U…`.
    pub(super) fn public(&self) -> String {
        let mut bytes = vec![USER];
        bytes.extend_from_slice(self.0.public_key().as_ref());
        let sum = crc16(&bytes);
        bytes.extend_from_slice(&sum.to_le_bytes());
        encode(&bytes)
    }

    /// The signature of the server's nonce.
    pub(super) fn sign(&self, nonce: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode(self.0.sign(nonce))
    }
}

/// RFC 4648 base32 without padding.
fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut held, mut bits) = (0_u32, 0_u32);
    for c in text.bytes() {
        let value = ALPHABET.iter().position(|&one| one == c)?;
        held = held << 5 | u32::try_from(value).ok()?;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(held >> bits & 0xff).ok()?);
        }
    }
    Some(bytes)
}

fn encode(bytes: &[u8]) -> String {
    let mut text = String::new();
    let (mut held, mut bits) = (0_u32, 0_u32);
    let mut push =
        |value: u32| text.extend(usize::try_from(value & 31).ok().and_then(|at| ALPHABET.get(at)).map(|&c| char::from(c)));
    for &byte in bytes {
        held = held << 8 | u32::from(byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            push(held >> bits);
        }
    }
    if bits > 0 {
        push(held << (5 - bits));
    }
    text
}

/// CRC-16/XMODEM.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, &byte| {
        (0..8).fold(crc ^ u16::from(byte) << 8, |crc: u16, _| if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_its_public_key() {
        // The pair in the documentation of NATS's nk tool.
        let seed = Seed::parse("SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY").unwrap();
        assert_eq!(seed.public(), "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4");
    }

    #[test]
    fn what_is_no_users_seed_is_refused() {
        for text in [
            "",
            "SU",
            "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VX",
            "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4",
        ] {
            assert_eq!(Seed::parse(text).err(), Some(BadSeed), "{text}");
        }
    }
}
