//! Sumo Logic: an HTTP source. Its URL is the credential.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use follow::{Answer, Later, Limits, Message, Transport};
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::doors::Doors;
use crate::headers;
use crate::net::{Endpoint, Http, gzip};
use crate::secret::{Secret, scrubbed};
use crate::settings::{Mistake, OpenError, Receiver};

/// Where and as what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sumo {
    /// The source's URL: `https://…/receiver/v1/http/…`.
    pub url: Secret,
    /// Overrides the source's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Overrides the source's host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Overrides the source's category.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Fields for every message.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
}

impl Sumo {
    fn endpoint(&self) -> Result<Endpoint, Mistake> {
        let endpoint = Endpoint::parse(self.url.reveal()).map_err(|e| Mistake::new("/url", e.to_string()))?;
        if endpoint.path().trim_end_matches('/').is_empty() {
            return Err(Mistake::new("/url", "has no path: copy the whole URL of the HTTP source"));
        }
        Ok(endpoint)
    }

    fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers: Vec<(&'static str, String)> =
            [("x-sumo-name", &self.name), ("x-sumo-host", &self.host), ("x-sumo-category", &self.category)]
                .into_iter()
                .filter_map(|(name, value)| value.clone().map(|value| (name, value)))
                .collect();
        if !self.fields.is_empty() {
            let pairs: Vec<String> = self.fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
            headers.push(("x-sumo-fields", pairs.join(",")));
        }
        headers
    }
}

impl Receiver for Sumo {
    const TYPE: &'static str = "sumo";
    const SECRETS: &'static [&'static str] = &["/url"];
    const PLACES: &'static [&'static str] = &["/url"];

    fn sample() -> Value {
        json!({
            "url": "https://endpoint1.collection.sumologic.com/receiver/v1/http/ZaVnC4dhaV2",
            "name": "audit",
            "host": "acta.example",
            "category": "prod/audit",
            "fields": {"env": "production"},
        })
    }

    fn mistakes(&self) -> Vec<Mistake> {
        let mut mistakes: Vec<Mistake> = self.endpoint().err().into_iter().collect();
        for (member, value) in [("/name", &self.name), ("/host", &self.host), ("/category", &self.category)] {
            let ascii = value.as_deref().is_none_or(|text| text.is_ascii());
            mistakes.extend(headers::word(member, value.as_deref()));
            mistakes.extend((!ascii).then(|| Mistake::new(member, "must be ASCII: it is sent in a header")));
        }
        for (name, value) in &self.fields {
            let fits = |text: &str| {
                !text.is_empty() && text.bytes().all(|byte| matches!(byte, b' '..=b'~') && !b",=".contains(&byte))
            };
            if !fits(name) || !fits(value) {
                let member = format!("/fields/{}", name.replace('~', "~0").replace('/', "~1"));
                mistakes.push(Mistake::new(member, "must be ASCII without a comma or an equals sign, name and value"));
            }
        }
        if self.fields.len() > 30 {
            mistakes.push(Mistake::new("/fields", "are more than 30"));
        }
        mistakes
    }

    fn endpoints(&self) -> Vec<(&'static str, Endpoint)> {
        self.endpoint().into_iter().map(|endpoint| ("/url", endpoint)).collect()
    }

    fn open(&self, doors: &Doors) -> Result<Arc<dyn Transport>, OpenError> {
        let endpoint = self.endpoint().map_err(|mistake| OpenError(format!("{} {}", mistake.member, mistake.text)))?;
        let code = endpoint.path().rsplit('/').find(|part| !part.is_empty()).unwrap_or_default().to_owned();
        let headers = self.headers();
        Ok(Arc::new(Sender {
            url: self.url.clone(),
            code,
            endpoint,
            headers,
            http: doors.http.clone(),
            doors: doors.clone(),
        }))
    }
}

struct Sender {
    url: Secret,
    /// The secret part of the URL.
    code: String,
    endpoint: Endpoint,
    headers: Vec<(&'static str, String)>,
    http: Http,
    doors: Doors,
}

/// Bytes of a request before compression: 100 kB to 1 MB is what Sumo Logic recommends.
const REQUEST: usize = 1_000_000;

impl Transport for Sender {
    fn limits(&self) -> Limits {
        Limits { messages: 1000, bytes: REQUEST, overhead: 1, message_bytes: REQUEST - 1, age: Duration::from_secs(1) }
    }

    fn send<'a>(&'a self, batch: &'a [Message]) -> Later<'a, Answer> {
        Box::pin(async move {
            let mut body = Vec::with_capacity(batch.iter().map(|message| message.body.len() + 1).sum());
            for message in batch {
                body.extend_from_slice(&message.body);
                body.push(b'\n');
            }
            let mut request = http::Request::builder()
                .method(Method::POST)
                .uri(self.endpoint.as_str())
                .header("content-type", "application/json")
                .header("content-encoding", "gzip");
            for (name, value) in &self.headers {
                request = request.header(*name, value);
            }
            let answer = match request.body(gzip(&body)) {
                Err(_) => Answer::retry("the request could not be made"),
                Ok(request) => match self.http.send(request).await {
                    Ok(answer) => answer.meaning(answer.usual(self.doors.now())),
                    Err(e) => Answer::retry(e.to_string()),
                },
            };
            scrubbed(answer, [self.url.reveal(), &self.code])
        })
    }
}
