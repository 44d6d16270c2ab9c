//! The codes of a second factor: RFC 6238 over HMAC-SHA-1 with six digits and steps of thirty seconds, which every authenticator
//! app knows. It does not know whose they are, nor which have been used.

use std::fmt;

use record::Timestamp;
use totp_rs::{Algorithm, Builder, Totp};

use crate::chance::Chance;

/// RFC 4226 §4 recommends 160 bits.
const SEED_BYTES: usize = 20;
const STEP_MS: i64 = 30_000;
/// Clocks differ: the code before and the code after are good, too.
const SKEW_STEPS: u16 = 1;

/// What an authenticator app and the directory share, and what codes follow from. `Debug` hides it.
#[derive(Clone)]
pub struct Seed([u8; SEED_BYTES]);

impl Seed {
    pub(crate) fn random(chance: &dyn Chance) -> Seed {
        let mut bytes = [0; SEED_BYTES];
        chance.fill(&mut bytes);
        Seed(bytes)
    }

    /// From its bytes.
    pub fn from_bytes(bytes: [u8; SEED_BYTES]) -> Seed {
        Seed(bytes)
    }

    pub(crate) fn bytes(&self) -> &[u8; SEED_BYTES] {
        &self.0
    }

    /// From the text that [`Seed::base32`] makes, with spaces or not, in any capitals.
    pub fn parse(text: &str) -> Option<Seed> {
        let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let secret = totp_rs::Secret::try_from_base32(text.to_uppercase()).ok()?;
        secret.as_bytes().try_into().ok().map(Seed)
    }

    /// As people type it into an app: 32 characters (RFC 4648 §6).
    pub fn base32(&self) -> String {
        totp_rs::Secret::new_stack(self.0).to_base32()
    }

    /// As apps read it from a QR code: the `otpauth` URI that they agree on.
    pub fn uri(&self, issuer: &str, account: &str) -> String {
        let (issuer, account) = (percent(issuer), percent(account));
        format!(
            "otpauth://totp/{issuer}:{account}?secret={}&issuer={issuer}&algorithm=SHA1&digits=6&period=30",
            self.base32()
        )
    }

    /// The code that is shown at this time.
    pub fn code(&self, at: Timestamp) -> String {
        self.totp().generate(seconds(at)).to_string()
    }

    /// The step that this code belongs to, if it is one of those that are good at `now`.
    pub(crate) fn step_of(&self, code: &str, now: Timestamp) -> Option<i64> {
        let step = self.totp().check(code, seconds(now))?;
        i64::try_from(step).ok()
    }

    fn totp(&self) -> Totp {
        let secret = totp_rs::Secret::new_stack(self.0);
        let builder = Builder::new().with_algorithm(Algorithm::SHA1).with_digits(6).with_skew(SKEW_STEPS);
        builder.with_step_duration(STEP_MS.unsigned_abs() / 1000).with_secret(secret).build_noncompliant()
    }
}

/// Before 1970 no code was shown.
fn seconds(at: Timestamp) -> u64 {
    u64::try_from(at.as_millis() / 1000).unwrap_or_default()
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(hidden)")
    }
}

/// RFC 3986 §2.1, of everything that is not unreserved.
fn percent(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out += &format!("%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    #[test]
    fn the_vectors_of_the_standards() {
        let seed = Seed(*b"12345678901234567890");
        // RFC 4226 appendix D: the counters 0 to 9.
        let codes: Vec<String> = (0..10).map(|step| seed.code(at(step * 30))).collect();
        let hotp = "755224 287082 359152 969429 338314 254676 287922 162583 399871 520489";
        assert_eq!(codes.join(" "), hotp);
        // RFC 6238 appendix B: the last six of eight digits.
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(seed.code(at(seconds)), code, "{seconds}");
        }
    }

    #[test]
    fn a_code_is_good_a_step_before_and_after() {
        let seed = Seed(*b"12345678901234567890");
        let code = seed.code(at(3_000));
        let step = |seconds| seed.step_of(&code, at(seconds));
        assert_eq!(
            [2_969, 2_970, 3_000, 3_029, 3_059, 3_060].map(step),
            [None, Some(100), Some(100), Some(100), Some(100), None]
        );
        for wrong in ["", "12345", "1234567", "+12345", "abcdef", "１２３４５６"] {
            assert_eq!(seed.step_of(wrong, at(3_000)), None, "{wrong}");
        }
    }

    #[test]
    fn it_can_be_typed_and_scanned() {
        let seed = Seed(*b"12345678901234567890");
        assert_eq!(seed.base32(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(Seed::parse("gezd gnbv gy3t qojq GEZD GNBV GY3T QOJQ").unwrap().0, seed.0);
        assert!(Seed::parse("GEZD").is_none() && Seed::parse("!").is_none());
        assert_eq!(
            seed.uri("Looms & Co: Ä", "ada@example.com"),
            "otpauth://totp/Looms%20%26%20Co%3A%20%C3%84:ada%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=Looms%20%26%20Co%3A%20%C3%84&algorithm=SHA1&digits=6&period=30"
        );
        assert_eq!(format!("{seed:?}"), "Seed(hidden)");
    }
}
