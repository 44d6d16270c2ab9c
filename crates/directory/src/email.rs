//! E-mail addresses, as far as a directory needs to understand them.
//!
//! An address is kept as it was written, and known by its key: compatibility forms made one (Unicode NFKC), small letters, the
//! domain as it stands in the DNS (UTS #46). So `Ada@BÜCHER.example` and `ada@xn--bcher-kva.example` are one address. An address
//! that mixes scripts in a word, or that looks like another's (UTS #39), is nobody's: `аda` with a Cyrillic `а` is not `ada`.

use unicode_normalization::UnicodeNormalization;
use unicode_security::{GeneralSecurityProfile, MixedScript};

use crate::error::DirectoryError;

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
        // Of the key, too: other forms of a space or of an @ become what they are forms of.
        let key = email_key(written);
        if [written, &key].iter().any(|text| text.chars().any(|c| c.is_whitespace() || c.is_control())) {
            return invalid("An e-mail address holds no spaces.");
        }
        let Some((local, domain)) = key.split_once('@') else {
            return invalid("An e-mail address has one @, with something before and after it.");
        };
        if local.is_empty() || domain.is_empty() || domain.contains('@') || written.matches('@').count() != 1 {
            return invalid("An e-mail address has one @, with something before and after it.");
        }
        let (shown, valid) = idna::domain_to_unicode(domain);
        if valid.is_err() {
            return invalid("What follows the @ is no name that could be in the DNS.");
        }
        if !key.is_ascii() && (!domain.is_ascii() || !local.chars().all(|c| c.is_ascii() || c.identifier_allowed())) {
            return invalid("This e-mail address holds characters that no word is made of.");
        }
        if ![local].into_iter().chain(shown.split('.')).all(MixedScript::is_single_script) {
            return invalid("This e-mail address mixes letters of several scripts in one word, which look like others.");
        }
        Ok(Email { written, key })
    }
}

/// What identifies an address, of text that may be anything that somebody typed.
pub(crate) fn email_key(text: &str) -> String {
    let small = |text: &str| text.nfkc().flat_map(char::to_lowercase).nfkc().collect::<String>();
    match text.trim().rsplit_once('@') {
        // Nobody has an address this long, and what anybody may type is not worth the work that a name in the DNS can be.
        _ if text.len() > 2 * EMAIL_BYTES_MAX => text.to_lowercase(),
        None => small(text.trim()),
        Some((local, domain)) => {
            let domain = idna::domain_to_ascii(domain).unwrap_or_else(|_| small(domain));
            format!("{}@{domain}", small(local))
        }
    }
}

/// Whether an address is what it looks like: plain ASCII, in the DNS, too.
pub(crate) fn is_plain(key: &str) -> bool {
    key.is_ascii() && !key.contains("xn--")
}

/// What an address looks like: the same for two that people confuse.
pub(crate) fn skeleton(key: &str) -> String {
    let (local, domain) = key.rsplit_once('@').unwrap_or((key, ""));
    format!("{}@{}", looks(local), looks(&shown_domain(domain)))
}

fn looks(text: &str) -> String {
    unicode_security::skeleton(text).collect()
}

fn shown_domain(domain: &str) -> String {
    idna::domain_to_unicode(domain).0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_has_one_key() {
        for (text, key) in [
            (" Ada.Lovelace+x@Example.COM ", "ada.lovelace+x@example.com"),
            ("ada_l@sub_domain.example.com", "ada_l@sub_domain.example.com"),
            ("ada@[192.0.2.1]", "ada@[192.0.2.1]"),
            ("o'hara/x=y@example.com", "o'hara/x=y@example.com"),
            ("ＡＤＡ@ｅxample.com", "ada@example.com"),
            ("ada@BÜCHER.example", "ada@xn--bcher-kva.example"),
            ("ada@XN--bcher-KVA.example", "ada@xn--bcher-kva.example"),
            ("ada@bu\u{308}cher。example", "ada@xn--bcher-kva.example"),
            ("JOSE\u{301}@example.com", "josé@example.com"),
            ("иван@пример.example", "иван@xn--e1afmkfd.example"),
        ] {
            assert_eq!(Email::parse(text).unwrap().key, key, "{text}");
            assert_eq!(email_key(key), key, "the key of a key is the key");
        }
    }

    #[test]
    fn what_pretends_is_refused() {
        for text in [
            "аda@example.com",         // a Cyrillic а among Latin letters
            "ada@exаmple.com",         // the same in the domain
            "ada@xn--exmple-4nf.com",  // the same, as it stands in the DNS
            "αda@example.com",         // a Greek α
            "ada\u{200b}@example.com", // a space without width
            "ada\u{202e}@example.com", // letters in the other direction
            "ada＠example.com@x.org",  // another form of an @
            "ada＠example.com",        // the same alone
            "ada\u{a0}b@example.com",  // a space that does not break
            "ada@xn--.example",        // nothing that could be in the DNS
        ] {
            assert!(Email::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn what_looks_alike_has_one_skeleton() {
        let looks = |text: &str| skeleton(&email_key(text));
        // Each in one script, so neither is refused by itself.
        assert_eq!(looks("аср@example.com"), looks("acp@example.com"));
        assert_eq!(looks("ада@example.com"), looks("ада@EXAMPLE.com"));
        assert_eq!(looks("acp@xn--80ak6aa92e.com"), looks("acp@apple.com"), "a whole domain of Cyrillic letters");
        assert_ne!(looks("ada@example.com"), looks("ida@example.com"));
        assert!(is_plain("modem@example.com") && !is_plain("аср@example.com") && !is_plain("a@xn--80ak6aa92e.com"));
    }
}
