//! Headers that an administrator adds to requests. Their values are secrets.

use std::collections::BTreeMap;

use http::{HeaderName, HeaderValue};

use crate::secret::Secret;
use crate::settings::Mistake;

/// Headers that we set, or that say how the request is to be read.
const OURS: [&str; 11] = [
    "host",
    "content-length",
    "content-type",
    "content-encoding",
    "transfer-encoding",
    "connection",
    "te",
    "upgrade",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
];

/// The headers, or what is wrong with them.
pub(crate) fn read(headers: &BTreeMap<String, Secret>) -> Result<Vec<(HeaderName, HeaderValue)>, Vec<Mistake>> {
    let mut mistakes = Vec::new();
    let mut read = Vec::new();
    for (name, value) in headers {
        let member = format!("/headers/{}", name.replace('~', "~0").replace('/', "~1"));
        match (HeaderName::try_from(name), HeaderValue::from_str(value.reveal())) {
            (Err(_), _) => mistakes.push(Mistake::new(member, "is no name of a header")),
            (Ok(name), _) if OURS.contains(&name.as_str()) => {
                mistakes.push(Mistake::new(member, "cannot be set: this header is Acta's"));
            }
            (_, Err(_)) => mistakes.push(Mistake::new(member, "has a value that a header cannot have")),
            (Ok(name), Ok(mut value)) => {
                value.set_sensitive(true);
                read.push((name, value));
            }
        }
    }
    if mistakes.is_empty() { Ok(read) } else { Err(mistakes) }
}

/// A secret that is sent in a header: what is wrong with it, if anything.
pub(crate) fn credential(member: &str, secret: &Secret) -> Option<Mistake> {
    let text = secret.reveal();
    if text.trim().is_empty() {
        return Some(Mistake::new(member, "is empty"));
    }
    let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
    (!visible)
        .then(|| Mistake::new(member, "holds a character that cannot be part of it: a space, a line break or the like"))
}

/// A text that is sent in a header or as a name; absent is right.
pub(crate) fn word(member: &str, text: Option<&str>) -> Option<Mistake> {
    let text = text?;
    let wrong = text.trim().is_empty() || text.len() > 256 || text.chars().any(char::is_control);
    wrong.then(|| Mistake::new(member, "must be 1 to 256 bytes without line breaks"))
}
