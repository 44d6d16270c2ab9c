//! An HTTP source of Sumo Logic: one message a line.

use super::http::{Asked, Receiver, Reply};

/// A source with one secret URL.
pub(crate) struct Sumo {
    pub(crate) path: String,
    pub(crate) messages: Vec<String>,
}

impl Receiver for Sumo {
    fn answer(&mut self, asked: &Asked) -> Reply {
        if asked.path != self.path {
            return Reply::new(401, format!("unknown endpoint {}", asked.path));
        }
        if asked.method != "POST" {
            return Reply::new(405, "");
        }
        let Ok(body) = asked.plain(&["gzip", "deflate"]) else { return Reply::new(415, "unsupported encoding") };
        if body.len() > 1_000_000 {
            return Reply::new(413, "too large");
        }
        let fields = asked.header("x-sumo-fields").unwrap_or_default();
        if !fields.is_empty() && !fields.split(',').all(|pair| pair.split('=').count() == 2) {
            return Reply::new(400, "bad X-Sumo-Fields");
        }
        let Ok(text) = String::from_utf8(body) else { return Reply::new(400, "not UTF-8") };
        self.messages.extend(text.lines().filter(|line| !line.is_empty()).map(str::to_owned));
        Reply::new(200, "")
    }
}
