//! A bucket, as far as an archive needs one.

use bytes::Bytes;
use follow::{Answer, Later, Verdict};
use record::Timestamp;

use crate::net::{HttpAnswer, NetError};

/// What became of an object.
pub(crate) enum Put {
    /// It is there now; what the store said.
    Stored(String),
    /// There was one of that name already. Names follow from contents, so it is the same.
    There(String),
    /// It is not known to be there.
    Not(Answer),
}

/// Why something could not be read.
pub(crate) enum Unread {
    /// The store does not let us, or has no such thing: it will not change by itself.
    Never(String),
    /// Another time, perhaps.
    Now(Answer),
}

/// A page of the names below a folder: folders end with `/`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) names: Vec<String>,
    /// Where the next page begins, in the store's own words.
    pub(crate) next: Option<String>,
}

/// Puts objects where none is, and reads names and small objects back.
pub(crate) trait Shelf: Send + Sync {
    /// Puts an object, unless there is one of that name.
    fn put<'a>(&'a self, key: &'a str, content_type: &'static str, body: Bytes) -> Later<'a, Put>;

    /// The names in a folder (which ends with `/`), not those in its folders, in order.
    fn list<'a>(&'a self, folder: &'a str, page: Option<&'a str>) -> Later<'a, Result<Listed, Unread>>;

    /// The contents of a small object.
    fn get<'a>(&'a self, key: &'a str) -> Later<'a, Result<Bytes, Unread>>;
}

/// Names per page: the answer stays well below what is kept of one.
pub(crate) const PAGE: &str = "50";

/// What an answer to a put means. What is in an object is never at fault: all that is refused can be mended elsewhere.
pub(crate) fn put(answer: Result<HttpAnswer, NetError>, there: impl Fn(&HttpAnswer) -> bool, now: Timestamp) -> Put {
    match answer {
        Ok(answer) if answer.status.is_success() => Put::Stored(said(&answer)),
        Ok(answer) if there(&answer) => Put::There(said(&answer)),
        Ok(answer) if answer.status == http::StatusCode::PAYLOAD_TOO_LARGE => Put::Not(answer.meaning(Verdict::Split)),
        Ok(answer) => Put::Not(answer.meaning(answer.retry(now))),
        Err(error) => Put::Not(Answer::retry(error.to_string())),
    }
}

/// What an answer to a question means.
pub(crate) fn got(answer: Result<HttpAnswer, NetError>, now: Timestamp) -> Result<HttpAnswer, Unread> {
    match answer {
        Ok(answer) if answer.cut => Err(Unread::Never(format!("{} and more than is read of an answer", said(&answer)))),
        Ok(answer) if answer.status.is_success() => Ok(answer),
        Ok(answer) if matches!(answer.status.as_u16(), 408 | 429 | 500..) => {
            Err(Unread::Now(answer.meaning(answer.retry(now))))
        }
        Ok(answer) => Err(Unread::Never(answer.raw())),
        Err(error) => Err(Unread::Now(Answer::retry(error.to_string()))),
    }
}

/// The status alone: what else there is tells people nothing.
fn said(answer: &HttpAnswer) -> String {
    format!("HTTP {}", answer.status)
}
