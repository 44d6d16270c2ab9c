//! Azure Monitor's Logs Ingestion API, with the tokens that it wants.

use serde_json::{Map, Value, json};

use super::http::{Asked, Receiver, Reply};
use super::token::Tokens;

const PATH: &str = "/dataCollectionRules/dcr-1/streams/Custom-ActaAudit_CL?api-version=2023-01-01";

/// A rule with one stream.
pub(crate) struct Sentinel {
    pub(crate) tokens: Tokens,
    /// The columns that the rule declares.
    pub(crate) columns: Vec<String>,
    /// Whether the application has the role.
    pub(crate) role: bool,
    pub(crate) rows: Vec<Map<String, Value>>,
    /// Fields that were cut, without a word.
    pub(crate) cut: usize,
    /// Columns that nobody declared, lost without a word.
    pub(crate) lost: usize,
}

impl Sentinel {
    pub(crate) fn new(columns: Vec<String>) -> Sentinel {
        let tokens = Tokens::microsoft("tenant-1", "client-1", "s3cr3t~&=+");
        Sentinel { tokens, columns, role: true, rows: Vec::new(), cut: 0, lost: 0 }
    }

    fn take(&mut self, row: Map<String, Value>) {
        let mut kept = Map::new();
        for (name, value) in row {
            if !self.columns.contains(&name) {
                self.lost += 1;
                continue;
            }
            let length = value.as_str().map_or_else(|| value.to_string().len(), str::len);
            if length > 65_536 {
                self.cut += 1;
            }
            kept.insert(name, value);
        }
        self.rows.push(kept);
    }
}

impl Receiver for Sentinel {
    fn answer(&mut self, asked: &Asked) -> Reply {
        if let Some(reply) = self.tokens.answer(asked) {
            return reply;
        }
        let error =
            |status, code: &str| Reply::new(status, json!({ "error": { "code": code, "message": "…" } }).to_string());
        if !self.tokens.admits(asked) {
            return error(401, "InvalidToken");
        }
        if !self.role {
            return error(403, "OperationFailed");
        }
        if asked.method != "POST" || !asked.path.starts_with("/dataCollectionRules/dcr-1/") {
            return error(404, "NotFound");
        }
        if asked.path != PATH {
            return error(400, "InvalidStream");
        }
        if asked.header("content-type") != Some("application/json") {
            return error(415, "UnsupportedMediaType");
        }
        let Ok(body) = asked.plain(&["gzip"]) else { return error(400, "InvalidRequest") };
        if asked.body.len() > 1_048_576 || body.len() > 1_048_576 {
            return error(413, "ContentLengthLimitExceeded");
        }
        let Ok(Value::Array(rows)) = serde_json::from_slice::<Value>(&body) else { return error(400, "InvalidPayload") };
        for row in rows {
            let Value::Object(row) = row else { return error(400, "InvalidPayload") };
            self.take(row);
        }
        Reply::new(204, "")
    }
}
