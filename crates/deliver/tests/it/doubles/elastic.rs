//! Elasticsearch's bulk API, for one data stream.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::{Value, json};

use super::http::{Asked, Receiver, Reply};

/// A cluster with one data stream and one API key.
pub(crate) struct Elastic {
    pub(crate) authorization: String,
    /// Documents by `_id`.
    pub(crate) documents: BTreeMap<String, Value>,
    /// `http.max_content_length`.
    pub(crate) most: usize,
    /// Items that are taken before the queue is full; then 429, and the queue is empty again for the next request.
    pub(crate) queue: usize,
    /// Texts that each refusal repeats of a document: they can be long.
    pub(crate) wordy: usize,
}

impl Elastic {
    pub(crate) fn new(authorization: &str) -> Elastic {
        let authorization = authorization.to_owned();
        Elastic { authorization, documents: BTreeMap::new(), most: 6_000_000, queue: usize::MAX, wordy: 10 }
    }

    fn item(&mut self, at: usize, action: &Value, document: &str) -> (u16, &'static str, String) {
        let refused = |kind, text: &str| (400, kind, text.to_owned());
        let Some(action) = action.get("create") else {
            return refused(
                "illegal_argument_exception",
                "only write ops with an op_type of create are allowed in data streams",
            );
        };
        if at >= self.queue {
            return (429, "es_rejected_execution_exception", "rejected execution of coordinating operation".to_owned());
        }
        let parsed = serde_json::from_str::<Value>(document).ok().filter(Value::is_object);
        let Some(document) = parsed else { return refused("document_parsing_exception", "failed to parse") };
        if !document["@timestamp"].is_string() {
            return refused("document_parsing_exception", "data stream timestamp field [@timestamp] is missing");
        }
        if let Some(ip) = document["source"]["ip"].as_str()
            && ip.parse::<IpAddr>().is_err()
        {
            let preview = "x".repeat(self.wordy);
            return refused("document_parsing_exception", &format!("failed to parse field [source.ip]: {ip} {preview}"));
        }
        let id = action["_id"].as_str().map_or_else(|| format!("auto-{}", self.documents.len()), str::to_owned);
        if self.documents.contains_key(&id) {
            return (409, "version_conflict_engine_exception", format!("[{id}]: version conflict, document already exists"));
        }
        self.documents.insert(id, document);
        (201, "", String::new())
    }

    fn bulk(&mut self, body: &[u8]) -> Reply {
        let error = |text: &str| {
            let error = json!({ "error": { "type": "illegal_argument_exception", "reason": text }, "status": 400 });
            Reply::new(400, error.to_string())
        };
        if body.last() != Some(&b'\n') {
            return error("The bulk request must be terminated by a newline [\\n]");
        }
        let lines: Vec<&str> = str::from_utf8(body).unwrap().lines().collect();
        let mut items = Vec::new();
        for (at, pair) in lines.chunks(2).enumerate() {
            let (Ok(action), Some(document)) = (serde_json::from_str::<Value>(pair[0]), pair.get(1)) else {
                return error("Malformed action/metadata line");
            };
            let (status, kind, reason) = self.item(at, &action, document);
            let mut done = json!({ "status": status });
            if status >= 400 {
                done["error"] = json!({ "type": kind, "reason": reason });
            }
            let op = action.as_object().unwrap().keys().next().unwrap().clone();
            items.push(json!({ op: done }));
        }
        let errors = items.iter().any(|item| item.to_string().contains("\"error\""));
        Reply::new(200, json!({ "errors": errors, "items": items }).to_string())
    }
}

impl Receiver for Elastic {
    fn answer(&mut self, asked: &Asked) -> Reply {
        let path = asked.path.split('?').next().unwrap();
        if (asked.method.as_str(), path) != ("POST", "/logs-acta.audit-default/_bulk") {
            return Reply::new(404, "{\"error\":{\"type\":\"index_not_found_exception\"}}");
        }
        if asked.header("authorization") != Some(&self.authorization) {
            return Reply::new(401, "{\"error\":{\"type\":\"security_exception\"}}");
        }
        if asked.header("content-type") != Some("application/x-ndjson") {
            return Reply::new(406, "{\"error\":\"Content-Type header is not supported\"}");
        }
        if asked.body.len() > self.most {
            return Reply::new(413, "");
        }
        match asked.plain(&["gzip"]) {
            Ok(body) if body.len() > self.most => Reply::new(413, ""),
            Ok(body) => self.bulk(&body),
            Err(_) => Reply::new(400, "{}"),
        }
    }
}
