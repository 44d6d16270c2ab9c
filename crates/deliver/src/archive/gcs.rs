//! Google Cloud Storage, by its JSON API and a service account.
//!
//! How long objects are kept against everybody is set on the bucket (retention policy, bucket lock), not here. The account
//! needs `storage.objects.create`; with `storage.objects.list` and `.get` the chain of manifests survives a restart.

use std::sync::Arc;

use bytes::Bytes;
use follow::{Later, Transport};
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::s3::below;
use super::shelf::{self, Listed, PAGE, Put, Shelf, Unread};
use super::{Archive, Batching, Prefix, percent};
use crate::doors::Doors;
use crate::net::{Endpoint, HttpAnswer, NetError};
use crate::oauth::{ServiceAccount, Tokens};
use crate::secret::Secret;
use crate::settings::{Mistake, OpenError, Receiver};

const ENDPOINT: &str = "https://storage.googleapis.com";
const SCOPE: &str = "https://www.googleapis.com/auth/devstorage.read_write";

/// An archive in Google Cloud Storage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gcs {
    /// Google's own if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Endpoint>,
    /// The bucket's name.
    pub bucket: String,
    /// What all keys begin with.
    #[serde(default)]
    pub prefix: Prefix,
    /// The service account's key file: its JSON text.
    pub credentials: Secret,
    /// How large objects become.
    #[serde(default)]
    pub batching: Batching,
}

impl Gcs {
    /// The way there, to which [`Archive::with_checkpoints`] can be added. Connects to nothing yet.
    ///
    /// # Errors
    /// If nothing can be sent with these settings.
    pub fn archive(&self, doors: &Doors) -> Result<Archive, OpenError> {
        let account = ServiceAccount::parse(&self.credentials).map_err(OpenError)?;
        let tokens = Tokens::for_account(doors, account, SCOPE);
        let shelf = Bucket { doors: doors.clone(), tokens, origin: self.origin(), bucket: percent::value(&self.bucket) };
        Ok(Archive::new(Box::new(shelf), self.prefix.clone(), self.batching))
    }

    fn origin(&self) -> String {
        self.endpoint.as_ref().map_or_else(|| ENDPOINT.to_owned(), Endpoint::origin)
    }
}

impl Receiver for Gcs {
    const TYPE: &'static str = "gcs";
    const SECRETS: &'static [&'static str] = &["/credentials"];
    const PLACES: &'static [&'static str] = &["/endpoint"];

    fn sample() -> Value {
        json!({
            "endpoint": "https://storage.googleapis.com/",
            "bucket": "acme-audit",
            "prefix": "acta",
            "credentials": ServiceAccount::SAMPLE,
            "batching": { "max_age_seconds": 3600, "max_bytes": 16_000_000 },
        })
    }

    fn mistakes(&self) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
        if !(3..=222).contains(&self.bucket.len()) || !self.bucket.chars().all(allowed) {
            let text = "has 3 to 222 lower-case letters, digits, hyphens, underscores and dots";
            mistakes.push(Mistake::new("/bucket", text));
        }
        if let Err(text) = ServiceAccount::parse(&self.credentials) {
            mistakes.push(Mistake::new("/credentials", text));
        }
        mistakes.extend(below("/batching", self.batching.faults()));
        mistakes
    }

    fn endpoints(&self) -> Vec<(&'static str, Endpoint)> {
        let storage = Endpoint::parse(&self.origin()).ok().map(|at| ("/endpoint", at));
        let token = ServiceAccount::parse(&self.credentials).ok().map(|account| ("/credentials", account.token_uri));
        storage.into_iter().chain(token).collect()
    }

    fn open(&self, doors: &Doors) -> Result<Arc<dyn Transport>, OpenError> {
        Ok(Arc::new(self.archive(doors)?))
    }
}

/// A bucket and the way there.
struct Bucket {
    doors: Doors,
    tokens: Tokens,
    origin: String,
    bucket: String,
}

impl Bucket {
    async fn ask(&self, method: Method, rest: String, content_type: &str, body: Bytes) -> Result<HttpAnswer, Asked> {
        let request = || {
            let request = http::Request::builder().method(method.clone()).uri(format!("{}{rest}", self.origin));
            let request = if body.is_empty() { request } else { request.header("content-type", content_type) };
            request.body(body.clone()).map_err(|e| NetError::Material(e.to_string()))
        };
        self.tokens.send(&self.doors.http, request).await.map_err(Asked)
    }
}

/// No token, or no answer.
struct Asked(follow::Answer);

impl Shelf for Bucket {
    fn put<'a>(&'a self, key: &'a str, content_type: &'static str, body: Bytes) -> Later<'a, Put> {
        Box::pin(async move {
            let name = percent::value(key);
            // Generation 0 is "there is none".
            let rest = format!(
                "/upload/storage/v1/b/{}/o?uploadType=media&ifGenerationMatch=0&name={name}&fields=name",
                self.bucket
            );
            let answer = match self.ask(Method::POST, rest, content_type, body).await {
                Ok(answer) => answer,
                Err(Asked(answer)) => return Put::Not(answer),
            };
            // Who may create but not delete may be told that, and not that there is one: it has to be looked for.
            let found = answer.status == http::StatusCode::FORBIDDEN && {
                let rest = format!("/storage/v1/b/{}/o/{name}?fields=name", self.bucket);
                self.ask(Method::GET, rest, "", Bytes::new()).await.is_ok_and(|answer| answer.status.is_success())
            };
            let there = |answer: &HttpAnswer| found || answer.status == http::StatusCode::PRECONDITION_FAILED;
            shelf::put(Ok(answer), there, self.doors.now())
        })
    }

    fn list<'a>(&'a self, folder: &'a str, page: Option<&'a str>) -> Later<'a, Result<Listed, Unread>> {
        Box::pin(async move {
            let fields = ("fields", "prefixes,items/name,nextPageToken");
            let mut pairs = vec![("prefix", folder), ("delimiter", "/"), ("maxResults", PAGE), fields];
            pairs.extend(page.map(|token| ("pageToken", token)));
            let rest = format!("/storage/v1/b/{}/o?{}", self.bucket, percent::query(&pairs));
            let answer = self.ask(Method::GET, rest, "", Bytes::new()).await.map_err(|Asked(answer)| Unread::Now(answer))?;
            let answer = shelf::got(Ok(answer), self.doors.now())?;
            let said = answer.json().ok_or_else(|| Unread::Never(answer.raw()))?;
            let texts = |member: &str| said.get(member).and_then(Value::as_array).cloned().unwrap_or_default();
            let folders = texts("prefixes").into_iter().filter_map(|name| name.as_str().map(str::to_owned));
            let objects = texts("items").into_iter().filter_map(|item| item.get("name")?.as_str().map(str::to_owned));
            let next = said.get("nextPageToken").and_then(Value::as_str).map(str::to_owned);
            Ok(Listed { names: folders.chain(objects).collect(), next })
        })
    }

    fn get<'a>(&'a self, key: &'a str) -> Later<'a, Result<Bytes, Unread>> {
        Box::pin(async move {
            let rest = format!("/storage/v1/b/{}/o/{}?alt=media", self.bucket, percent::value(key));
            let answer = self.ask(Method::GET, rest, "", Bytes::new()).await.map_err(|Asked(answer)| Unread::Now(answer))?;
            Ok(shelf::got(Ok(answer), self.doors.now())?.body)
        })
    }
}
