//! E-mail addresses, as far as a directory needs to understand them.

use crate::error::DirectoryError;
use crate::name::folded;

/// The longest address, in bytes (RFC 5321 §4.5.3.1.3, without the angle brackets).
const EMAIL_BYTES_MAX: usize = 254;

/// An address that was checked. Whether anybody reads mail there is another question.
#[derive(Debug)]
pub(crate) struct Email<'a> {
    pub(crate) written: &'a str,
    pub(crate) key: String,
}

impl<'a> Email<'a> {
    pub(crate) fn parse(text: &'a str) -> Result<Email<'a>, DirectoryError> {
        let written = text.trim();
        let invalid = |detail: &str| Err(DirectoryError::invalid("email", detail));
        if written.len() > EMAIL_BYTES_MAX {
            return invalid("An e-mail address has at most 254 bytes.");
        }
        if written.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return invalid("An e-mail address holds no spaces.");
        }
        match written.split_once('@') {
            Some((local, domain)) if !local.is_empty() && !domain.is_empty() && !domain.contains('@') => {
                Ok(Email { written, key: email_key(written) })
            }
            _ => invalid("An e-mail address has one @, with something before and after it."),
        }
    }
}

/// What identifies an address, of text that may be anything that somebody typed.
pub(crate) fn email_key(text: &str) -> String {
    folded(text.trim())
}
