//! Datadog's logs intake, version 2.

use serde_json::Value;

use super::http::{Asked, Receiver, Reply};

/// An intake with one key.
pub(crate) struct Datadog {
    pub(crate) key: String,
    /// What is kept of each log, in order.
    pub(crate) logs: Vec<Value>,
    /// Logs over 1 MB: taken, cut, and answered with 202.
    pub(crate) cut: usize,
}

impl Datadog {
    pub(crate) fn new(key: &str) -> Datadog {
        Datadog { key: key.to_owned(), logs: Vec::new(), cut: 0 }
    }

    fn take(&mut self, asked: &Asked) -> Result<(), (u16, &'static str)> {
        match asked.header("dd-api-key") {
            None => return Err((401, "Unauthorized")),
            Some(key) if key != self.key => return Err((403, "Forbidden")),
            Some(_) => {}
        }
        if asked.header("content-type") != Some("application/json") {
            return Err((400, "Unsupported content type"));
        }
        let body = asked.plain(&["gzip", "deflate"]).map_err(|_| (400, "Bad encoding"))?;
        if body.len() > 5_000_000 {
            return Err((413, "Payload Too Large"));
        }
        let logs = match serde_json::from_slice(&body) {
            Ok(Value::Array(logs)) => logs,
            Ok(log @ Value::Object(_)) => vec![log],
            _ => return Err((400, "Invalid JSON")),
        };
        if logs.len() > 1000 {
            return Err((413, "Payload Too Large"));
        }
        if !logs.iter().all(|log| log["message"].is_string()) {
            return Err((400, "message is required"));
        }
        for mut log in logs {
            if log.to_string().len() > 1_000_000 {
                self.cut += 1;
                log["message"] = log["message"].as_str().map(|text| text.chars().take(1000).collect::<String>()).into();
            }
            self.logs.push(log);
        }
        Ok(())
    }
}

impl Receiver for Datadog {
    fn answer(&mut self, asked: &Asked) -> Reply {
        if (asked.method.as_str(), asked.path.as_str()) != ("POST", "/api/v2/logs") {
            return Reply::new(404, "{}");
        }
        match self.take(asked) {
            Ok(()) => Reply::new(202, "{}"),
            Err((status, text)) => {
                let error = serde_json::json!({"errors": [{"status": status.to_string(), "title": text}]});
                Reply::new(status, error.to_string())
            }
        }
    }
}
