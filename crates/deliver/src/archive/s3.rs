//! S3, and every store that speaks as it does: signed requests, conditional writes, checksums, Object Lock.
//!
//! Our own requests rather than a client library, because none of the light ones can lock objects.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use follow::{Later, Transport};
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::shelf::{self, Listed, PAGE, Put, Shelf, Unread};
use super::sigv4::{Signed, Signer};
use super::{Archive, Batching, Lock, Prefix, listing, object, percent};
use crate::doors::Doors;
use crate::net::{Endpoint, Http, HttpAnswer, NetError};
use crate::secret::Secret;
use crate::settings::{Mistake, OpenError, Receiver};

/// An archive in S3.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct S3 {
    /// Scheme, host and port; AWS's own for the region if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Endpoint>,
    /// The region; stores that have none take any, such as `us-east-1`.
    pub region: String,
    /// The bucket's name.
    pub bucket: String,
    /// What all keys begin with.
    #[serde(default)]
    pub prefix: Prefix,
    /// The access key's id.
    pub access_key_id: String,
    /// The access key.
    pub secret_access_key: Secret,
    /// Goes with temporary keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_token: Option<Secret>,
    /// Where the bucket's name stands. If absent, in the host for AWS and in the path for others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub style: Option<Style>,
    /// Object Lock. The bucket must have been made with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lock: Option<Lock>,
    /// Encryption by the store, if other than the bucket's own setting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption: Option<Encryption>,
    /// The key for [`Encryption::AwsKms`], if other than the store's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_key_id: Option<String>,
    /// How large objects become.
    #[serde(default)]
    pub batching: Batching,
    /// Certificates, as PEM, to trust besides the public ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
}

/// Where a bucket's name stands in the URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// `https://host/bucket/key`.
    Path,
    /// `https://bucket.host/key`.
    Virtual,
}

/// Who keeps the key that the store encrypts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encryption {
    /// The store itself.
    Aes256,
    /// AWS KMS.
    AwsKms,
}

impl S3 {
    /// The way there, to which [`Archive::with_checkpoints`] can be added. Connects to nothing yet.
    ///
    /// # Errors
    /// If nothing can be sent with these settings.
    pub fn archive(&self, doors: &Doors) -> Result<Archive, OpenError> {
        let (origin, base) = self.place();
        let http = doors.http.trusting(self.ca.as_deref())?;
        let shelf = Bucket { settings: self.clone(), http, doors: doors.clone(), origin, base };
        Ok(Archive::new(Box::new(shelf), self.prefix.clone(), self.batching))
    }

    /// Scheme and host of all requests, and the path that keys are below.
    fn place(&self) -> (String, String) {
        let (origin, style) = match &self.endpoint {
            Some(endpoint) => (endpoint.origin(), self.style.unwrap_or(Style::Path)),
            None => (format!("https://s3.{}.amazonaws.com", self.region), self.style.unwrap_or(Style::Virtual)),
        };
        match style {
            Style::Path => (origin, format!("/{}", percent::value(&self.bucket))),
            Style::Virtual => (origin.replacen("://", &format!("://{}.", self.bucket), 1), String::new()),
        }
    }
}

impl Receiver for S3 {
    const TYPE: &'static str = "s3";
    const SECRETS: &'static [&'static str] = &["/secret_access_key", "/session_token"];
    const PLACES: &'static [&'static str] = &["/endpoint"];

    fn sample() -> Value {
        json!({
            "endpoint": "https://s3.eu-central-1.amazonaws.com/",
            "region": "eu-central-1",
            "bucket": "acme-audit",
            "prefix": "acta",
            "access_key_id": "AKIAIOSFODNN7EXAMPLE",
            "secret_access_key": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "session_token": "AQoDYXdzEPT4aQoDYXdzEJr",
            "style": "virtual",
            "lock": { "mode": "compliance", "days": 365 },
            "encryption": "aws_kms",
            "kms_key_id": "arn:aws:kms:eu-central-1:123456789012:key/0e1d2c3b-4a59-4687-9786-a5b4c3d2e1f0",
            "batching": { "max_age_seconds": 3600, "max_bytes": 16_000_000 },
            "ca": null,
        })
    }

    fn mistakes(&self) -> Vec<Mistake> {
        let word = |text: &str, more: &str, most: usize| {
            (1..=most).contains(&text.len())
                && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || more.contains(c))
        };
        let mut mistakes = Vec::new();
        if !word(&self.region, "-", 40) {
            mistakes.push(Mistake::new("/region", "is a name such as eu-central-1"));
        }
        // The name may become part of a host name, so nothing may be in it that ends one.
        if !word(&self.bucket, "-.", 63) || self.bucket.starts_with('.') || self.bucket.len() < 3 {
            mistakes.push(Mistake::new("/bucket", "has 3 to 63 lower-case letters, digits, hyphens and dots"));
        }
        let header = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic());
        if !header(&self.access_key_id) || self.access_key_id.contains('/') {
            mistakes.push(Mistake::new("/access_key_id", "is no id of an access key"));
        }
        if self.session_token.as_ref().is_some_and(|token| !header(token.reveal())) {
            mistakes.push(Mistake::new("/session_token", "is no session token"));
        }
        if self.kms_key_id.as_ref().is_some_and(|key| !header(key)) {
            mistakes.push(Mistake::new("/kms_key_id", "is no id of a key"));
        }
        if self.kms_key_id.is_some() && self.encryption != Some(Encryption::AwsKms) {
            mistakes.push(Mistake::new("/kms_key_id", "goes with the encryption aws_kms only"));
        }
        if let Some(endpoint) = &self.endpoint
            && endpoint.as_str().trim_end_matches('/') != endpoint.origin()
        {
            mistakes.push(Mistake::new("/endpoint", "has no path: the bucket has a member of its own"));
        }
        if self.style == Some(Style::Virtual) && self.bucket.contains('.') {
            mistakes.push(Mistake::new(
                "/style",
                "must be path for a bucket with a dot in its name, for which no certificate is good",
            ));
        }
        mistakes.extend(crate::net::tls::mistake("/ca", self.ca.as_deref()));
        mistakes.extend(below("/batching", self.batching.faults()));
        mistakes.extend(below("/lock", self.lock.map(Lock::faults).unwrap_or_default()));
        mistakes
    }

    fn endpoints(&self) -> Vec<(&'static str, Endpoint)> {
        let at = Endpoint::parse(&self.place().0);
        at.into_iter().map(|at| ("/endpoint", at)).collect()
    }

    fn open(&self, doors: &Doors) -> Result<Arc<dyn Transport>, OpenError> {
        Ok(Arc::new(self.archive(doors)?))
    }
}

/// Mistakes of a part of the settings.
pub(super) fn below(member: &str, faults: Vec<(&'static str, String)>) -> Vec<Mistake> {
    faults.into_iter().map(|(name, text)| Mistake::new(format!("{member}/{name}"), text)).collect()
}

/// A bucket and the way there.
struct Bucket {
    settings: S3,
    http: Http,
    doors: Doors,
    origin: String,
    base: String,
}

impl Bucket {
    async fn ask(
        &self,
        method: Method,
        path: &str,
        query: &str,
        more: Vec<(&'static str, String)>,
        body: Bytes,
    ) -> Result<HttpAnswer, NetError> {
        let settings = &self.settings;
        let signer = Signer {
            key_id: &settings.access_key_id,
            secret: settings.secret_access_key.reveal(),
            region: &settings.region,
            at: self.doors.now(),
        };
        let body_sha256 = object::hex(&Sha256::digest(&body));
        let host = self.origin.split_once("://").map_or(self.origin.as_str(), |(_, host)| host);
        let mut headers = more;
        headers.push(("host", host.to_owned()));
        headers.push(("x-amz-content-sha256", body_sha256.clone()));
        headers.push(("x-amz-date", signer.date()));
        if let Some(token) = &settings.session_token {
            headers.push(("x-amz-security-token", token.reveal().to_owned()));
        }
        headers.sort_unstable();
        let signed = Signed { method: method.as_str(), path, query, headers: &headers, body_sha256: &body_sha256 };
        let authorization = signer.authorization(&signed);
        let url = if query.is_empty() { format!("{}{path}", self.origin) } else { format!("{}{path}?{query}", self.origin) };
        let mut request = http::Request::builder().method(method).uri(url).header("authorization", authorization);
        // The client names the host itself.
        for (name, value) in headers.iter().filter(|(name, _)| *name != "host") {
            request = request.header(*name, value);
        }
        let request = request.body(body).map_err(|e| NetError::Material(e.to_string()))?;
        self.http.send(request).await
    }

    fn put_headers(&self, content_type: &str, body: &[u8]) -> Vec<(&'static str, String)> {
        let mut headers = vec![
            ("content-type", content_type.to_owned()),
            ("if-none-match", "*".to_owned()),
            // What arrived is compared with it, and it stays with the object. Locked objects are not taken without one.
            ("x-amz-checksum-sha256", STANDARD.encode(Sha256::digest(body))),
            ("x-amz-sdk-checksum-algorithm", "SHA256".to_owned()),
        ];
        if let Some(lock) = self.settings.lock {
            let mode = match lock.mode {
                super::LockMode::Governance => "GOVERNANCE",
                super::LockMode::Compliance => "COMPLIANCE",
            };
            headers.push(("x-amz-object-lock-mode", mode.to_owned()));
            // Whole seconds: not every store reads more.
            let until = lock.until(self.doors.now()).to_string();
            headers.push(("x-amz-object-lock-retain-until-date", format!("{}Z", &until[..19])));
        }
        match self.settings.encryption {
            Some(Encryption::Aes256) => headers.push(("x-amz-server-side-encryption", "AES256".to_owned())),
            Some(Encryption::AwsKms) => {
                headers.push(("x-amz-server-side-encryption", "aws:kms".to_owned()));
                let key = self.settings.kms_key_id.iter().cloned();
                headers.extend(key.map(|key| ("x-amz-server-side-encryption-aws-kms-key-id", key)));
            }
            None => {}
        }
        headers
    }
}

impl Shelf for Bucket {
    fn put<'a>(&'a self, key: &'a str, content_type: &'static str, body: Bytes) -> Later<'a, Put> {
        Box::pin(async move {
            let headers = self.put_headers(content_type, &body);
            let path = format!("{}/{}", self.base, percent::path(key));
            let answer = self.ask(Method::PUT, &path, "", headers, body).await;
            // 412 also comes where the object was there before `If-None-Match`; 409 while somebody else is writing it.
            shelf::put(answer, |answer| answer.status == http::StatusCode::PRECONDITION_FAILED, self.doors.now())
        })
    }

    fn list<'a>(&'a self, folder: &'a str, page: Option<&'a str>) -> Later<'a, Result<Listed, Unread>> {
        Box::pin(async move {
            let mut pairs = vec![("delimiter", "/"), ("list-type", "2"), ("max-keys", PAGE), ("prefix", folder)];
            pairs.extend(page.map(|token| ("continuation-token", token)));
            pairs.sort_unstable();
            let path = format!("{}/", self.base);
            let answer = self.ask(Method::GET, &path, &percent::query(&pairs), Vec::new(), Bytes::new()).await;
            let answer = shelf::got(answer, self.doors.now())?;
            let xml = String::from_utf8_lossy(&answer.body);
            let mut names = listing::texts(&xml, "CommonPrefixes", "Prefix");
            names.extend(listing::texts(&xml, "Contents", "Key"));
            Ok(Listed { names, next: listing::text(&xml, "NextContinuationToken") })
        })
    }

    fn get<'a>(&'a self, key: &'a str) -> Later<'a, Result<Bytes, Unread>> {
        Box::pin(async move {
            let path = format!("{}/{}", self.base, percent::path(key));
            let answer = self.ask(Method::GET, &path, "", Vec::new(), Bytes::new()).await;
            Ok(shelf::got(answer, self.doors.now())?.body)
        })
    }
}
