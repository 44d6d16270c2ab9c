//! Google SecOps' `logs:import`, with the tokens that it wants.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use record::Timestamp;
use serde_json::{Value, json};

use super::http::{Asked, Receiver, Reply};
use super::token::Tokens;

const INSTANCE: &str = "projects/p-1/locations/eu/instances/i-1";

/// One type of log in one instance.
pub(crate) struct SecOps {
    pub(crate) tokens: Tokens,
    /// What was taken: the text, and when it happened.
    pub(crate) logs: Vec<(String, String)>,
    seen: BTreeSet<Vec<u8>>,
}

impl SecOps {
    pub(crate) fn new(key_file: &Value) -> SecOps {
        let tokens = Tokens::google(key_file, "https://www.googleapis.com/auth/cloud-platform");
        SecOps { tokens, logs: Vec::new(), seen: BTreeSet::new() }
    }

    fn import(&mut self, body: &[u8]) -> Option<()> {
        let body: Value = serde_json::from_slice(body).ok()?;
        let source = body.get("inline_source")?;
        if source["forwarder"] != format!("{INSTANCE}/forwarders/f-1") {
            return None;
        }
        let mut taken = Vec::new();
        for log in source["logs"].as_array()? {
            let time = |member: &str| Timestamp::parse(log[member].as_str()?).ok();
            let (entry, collected) = (time("log_entry_time")?, time("collection_time")?);
            let text = String::from_utf8(STANDARD.decode(log["data"].as_str()?).ok()?).ok()?;
            let labels = log["labels"].as_object()?;
            if collected < entry || text.is_empty() || !labels.values().all(|label| label["value"].is_string()) {
                return None;
            }
            taken.push((text, entry.to_string()));
        }
        self.logs.extend(taken);
        Some(())
    }
}

impl Receiver for SecOps {
    fn answer(&mut self, asked: &Asked) -> Reply {
        if let Some(reply) = self.tokens.answer(asked) {
            return reply;
        }
        let error = |code: u16, status: &str, text: &str| {
            Reply::new(code, json!({ "error": { "code": code, "message": text, "status": status } }).to_string())
        };
        if !self.tokens.admits(asked) {
            return error(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.");
        }
        let wanted = format!("/v1alpha/{INSTANCE}/logTypes/ACTA_AUDIT/logs:import");
        if (asked.method.as_str(), asked.path.as_str()) != ("POST", wanted.as_str()) {
            return error(404, "NOT_FOUND", "no such log type");
        }
        if asked.body.len() > 1_000_000 {
            return error(400, "INVALID_ARGUMENT", "Request payload size exceeds the limit: 1000000 bytes.");
        }
        // The same batch again is taken and forgotten.
        if self.seen.contains(&asked.body) {
            return Reply::new(200, "{}");
        }
        match self.import(&asked.body) {
            Some(()) => {
                self.seen.insert(asked.body.clone());
                Reply::new(200, "{}")
            }
            None => error(400, "INVALID_ARGUMENT", "Request contains an invalid argument."),
        }
    }
}
