//! Panther's HTTP source.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::http::{Asked, Receiver, Reply};

/// A source with one way of authentication.
pub(crate) struct Panther {
    pub(crate) auth: &'static str,
    pub(crate) secret: &'static str,
    pub(crate) lines: Vec<String>,
}

impl Panther {
    pub(crate) fn new(auth: &'static str, secret: &'static str) -> Panther {
        Panther { auth, secret, lines: Vec::new() }
    }

    fn admits(&self, asked: &Asked) -> bool {
        let header = |name: &str| asked.header(name).unwrap_or_default().to_owned();
        match self.auth {
            "shared_secret" => header("x-key") == self.secret,
            "bearer" => header("authorization") == format!("Bearer {}", self.secret),
            "basic" => header("authorization") == format!("Basic {}", STANDARD.encode(format!("acta:{}", self.secret))),
            _ => {
                let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes()).unwrap();
                mac.update(&asked.body);
                let wanted: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
                header("x-key") == wanted
            }
        }
    }
}

impl Receiver for Panther {
    fn answer(&mut self, asked: &Asked) -> Reply {
        if (asked.method.as_str(), asked.path.as_str()) != ("POST", "/http/source-1") {
            return Reply::new(404, "{\"message\":\"Not Found\"}");
        }
        let head: usize = asked.headers.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
        let Ok(body) = asked.plain(&["gzip"]) else { return Reply::new(400, "{\"message\":\"bad encoding\"}") };
        if head + asked.body.len() > 1_000_000 || head + body.len() > 1_000_000 {
            return Reply::new(413, "{\"message\":\"Request Entity Too Large\"}");
        }
        if !self.admits(asked) {
            return Reply::new(401, "{\"message\":\"Unauthorized\"}");
        }
        self.lines.extend(String::from_utf8(body).unwrap().lines().map(str::to_owned));
        Reply::new(200, "{}")
    }
}
