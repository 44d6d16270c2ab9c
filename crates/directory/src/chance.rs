//! Randomness, as a parameter.

/// Where random bytes come from: the operating system in the server, a fixed sequence in tests.
pub trait Chance: Send + Sync {
    /// Fills the bytes with values that nobody can guess.
    fn fill(&self, bytes: &mut [u8]);
}

/// `N` random bytes in hexadecimal.
pub(crate) fn random_hex<const N: usize>(chance: &dyn Chance) -> String {
    let mut bytes = [0; N];
    chance.fill(&mut bytes);
    hex(&bytes)
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}
