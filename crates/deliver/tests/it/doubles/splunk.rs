//! Splunk's HTTP Event Collector, as it was measured.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::http::{Asked, Receiver, Reply};

/// A collector with one token.
pub(crate) struct Splunk {
    pub(crate) token: String,
    pub(crate) acknowledges: bool,
    pub(crate) indexes: Vec<String>,
    /// Bytes of a request, with and without compression.
    pub(crate) most: usize,
    /// Questions for an acknowledgement that are answered with no, each time.
    pub(crate) slow: u32,
    /// What was indexed, in order; `time` as Splunk understood it, in seconds.
    pub(crate) indexed: Vec<Value>,
    /// Objects that were lost without a word.
    pub(crate) lost: usize,
    channels: BTreeMap<String, BTreeMap<u64, u32>>,
    counts: BTreeMap<String, u64>,
}

impl Splunk {
    pub(crate) fn new(token: &str) -> Splunk {
        Splunk {
            token: token.to_owned(),
            acknowledges: false,
            indexes: vec!["main".to_owned(), "audit".to_owned()],
            most: 1_000_000,
            slow: 2,
            indexed: Vec::new(),
            lost: 0,
            channels: BTreeMap::new(),
            counts: BTreeMap::new(),
        }
    }

    fn admitted(&self, asked: &Asked) -> Result<(), Reply> {
        let Some(authorization) = asked.header("authorization") else { return Err(said(401, 2, "Token is required")) };
        let Some(token) = authorization.strip_prefix("Splunk ") else { return Err(said(401, 3, "Invalid authorization")) };
        if token == self.token { Ok(()) } else { Err(said(403, 4, "Invalid token")) }
    }

    fn channel(&self, asked: &Asked) -> Result<Option<String>, Reply> {
        let in_query = asked.path.split_once("channel=").map(|(_, rest)| rest.split('&').next().unwrap_or(rest));
        let channel = in_query.or(asked.header("x-splunk-request-channel"));
        match channel {
            None if self.acknowledges => Err(said(400, 10, "Data channel is missing")),
            Some(text) if self.acknowledges && !is_guid(text) => Err(said(400, 11, "Invalid data channel")),
            other => Ok(other.map(str::to_owned)),
        }
    }

    fn take(&mut self, asked: &Asked) -> Result<Reply, Reply> {
        self.admitted(asked)?;
        let channel = self.channel(asked)?;
        if asked.body.len() > self.most {
            return Err(Reply::new(413, "Content-Length too large"));
        }
        let body = asked.plain(&["gzip"]).map_err(|text| Reply::new(415, text))?;
        if body.len() > self.most {
            return Err(Reply::new(413, "Content-Length too large"));
        }
        if body.trim_ascii().is_empty() {
            return Err(said(400, 5, "No data"));
        }
        for (number, object) in serde_json::Deserializer::from_slice(&body).into_iter::<Value>().enumerate() {
            let Ok(Value::Object(object)) = object else { return Err(bad(6, "Invalid data format", number)) };
            self.index(object).map_err(|(code, text)| bad(code, text, number))?;
        }
        let mut answer = json!({"text": "Success", "code": 0});
        if let (true, Some(channel)) = (self.acknowledges, channel) {
            let count = self.counts.entry(channel.clone()).or_default();
            answer["ackId"] = json!(*count);
            self.channels.entry(channel).or_default().insert(*count, self.slow);
            *count += 1;
        }
        Ok(Reply::new(200, answer.to_string()))
    }

    fn index(&mut self, mut object: Map<String, Value>) -> Result<(), (u16, &'static str)> {
        const KNOWN: [&str; 7] = ["time", "host", "source", "sourcetype", "index", "event", "fields"];
        if object.keys().any(|name| !KNOWN.contains(&name.as_str())) {
            self.lost += 1;
            return Ok(());
        }
        match object.get("event") {
            None => return Err((12, "Event field is required")),
            Some(Value::Null | Value::Bool(false)) => return Err((6, "Invalid data format")),
            Some(Value::String(text)) if text.is_empty() => return Err((13, "Event field cannot be blank")),
            Some(_) => {}
        }
        if let Some(index) = object.get("index").and_then(Value::as_str)
            && !self.indexes.iter().any(|one| one == index)
        {
            return Err((7, "Incorrect index"));
        }
        match object.get("fields") {
            None => {}
            Some(Value::Object(fields)) if fields.values().all(|value| !value.is_object() && !value.is_array()) => {}
            Some(_) => return Err((15, "Error in handling indexed fields")),
        }
        if let Some(time) = object.get("time").and_then(Value::as_f64) {
            // Thirteen digits are taken for milliseconds, nineteen for nanoseconds.
            let time = if time >= 1e18 {
                time / 1e9
            } else if time >= 1e12 {
                time / 1e3
            } else {
                time
            };
            object.insert("time".to_owned(), json!(time));
        }
        self.indexed.push(Value::Object(object));
        Ok(())
    }

    fn acknowledge(&mut self, asked: &Asked) -> Result<Reply, Reply> {
        self.admitted(asked)?;
        if !self.acknowledges {
            return Err(said(400, 14, "ACK is disabled"));
        }
        let Some(channel) = self.channel(asked)? else { return Err(said(400, 10, "Data channel is missing")) };
        let wanted: Value = serde_json::from_slice(&asked.body).map_err(|_| said(400, 6, "Invalid data format"))?;
        let pending = self.channels.entry(channel).or_default();
        let mut acks = Map::new();
        for id in wanted["acks"].as_array().into_iter().flatten().filter_map(Value::as_u64) {
            let done = match pending.get_mut(&id) {
                // Told once, then forgotten.
                Some(0) => pending.remove(&id).is_some(),
                Some(left) => {
                    *left -= 1;
                    false
                }
                None => false,
            };
            acks.insert(id.to_string(), json!(done));
        }
        Ok(Reply::new(200, json!({"acks": acks}).to_string()))
    }
}

impl Receiver for Splunk {
    fn answer(&mut self, asked: &Asked) -> Reply {
        let path = asked.path.split('?').next().unwrap_or_default();
        let answered = match (asked.method.as_str(), path) {
            ("POST", "/services/collector/event" | "/services/collector") => self.take(asked),
            ("POST", "/services/collector/ack") => self.acknowledge(asked),
            _ => Err(Reply::new(404, r#"{"text":"The requested URL was not found on this server.","code":404}"#)),
        };
        answered.unwrap_or_else(|refused| refused)
    }
}

fn said(status: u16, code: u16, text: &str) -> Reply {
    Reply::new(status, json!({"text": text, "code": code}).to_string())
}

fn bad(code: u16, text: &str, number: usize) -> Reply {
    Reply::new(400, json!({"text": text, "code": code, "invalid-event-number": number}).to_string())
}

fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.split('-').map(str::len).eq([8, 4, 4, 4, 12])
        && text.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
}
