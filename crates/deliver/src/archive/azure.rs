//! Azure Blob Storage, with the account's key or a shared access signature.
//!
//! Source: Put Blob, List Blobs and "Authorize with Shared Key" of the Blob service REST API, version 2021-12-02.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use follow::{Later, Transport};
use hmac::{Hmac, KeyInit, Mac};
use http::Method;
use record::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::Sha256;

use super::s3::below;
use super::shelf::{self, Listed, PAGE, Put, Shelf, Unread};
use super::{Archive, Batching, Lock, LockMode, Prefix, listing, percent};
use crate::doors::Doors;
use crate::net::{Endpoint, HttpAnswer, NetError};
use crate::secret::Secret;
use crate::settings::{Mistake, OpenError, Receiver};

/// The version of the API that we speak.
const VERSION: &str = "2021-12-02";

/// An archive in Azure Blob Storage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Azure {
    /// The storage account.
    pub account: String,
    /// Where its blobs are, if not at `https://<account>.blob.core.windows.net`: other clouds, emulators.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Endpoint>,
    /// The container.
    pub container: String,
    /// What all names begin with.
    #[serde(default)]
    pub prefix: Prefix,
    /// What the secret is.
    pub auth: Auth,
    /// The account's key, in base64; or `sv=…&sig=…`.
    pub secret: Secret,
    /// An immutability policy for every blob. The container must support version-level immutability.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lock: Option<Lock>,
    /// How large objects become.
    #[serde(default)]
    pub batching: Batching,
}

/// How the store knows us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Auth {
    /// The account's key, with which requests are signed.
    SharedKey,
    /// A shared access signature for the container, with the permissions create and read, by which a repeated object is known; and
    /// list, for the chain of manifests.
    Sas,
}

impl Azure {
    /// The way there, to which [`Archive::with_checkpoints`] can be added. Connects to nothing yet.
    ///
    /// # Errors
    /// If nothing can be sent with these settings.
    pub fn archive(&self, doors: &Doors) -> Result<Archive, OpenError> {
        let shelf = Container { settings: self.clone(), doors: doors.clone(), service: self.service() };
        Ok(Archive::new(Box::new(shelf), self.prefix.clone(), self.batching))
    }

    /// The URL of the blob service, without `/` at the end.
    fn service(&self) -> String {
        match &self.endpoint {
            Some(endpoint) => endpoint.as_str().trim_end_matches('/').to_owned(),
            None => format!("https://{}.blob.core.windows.net", self.account),
        }
    }
}

impl Receiver for Azure {
    const TYPE: &'static str = "azure_blob";
    const SECRETS: &'static [&'static str] = &["/secret"];
    const PLACES: &'static [&'static str] = &["/endpoint", "/account", "/auth"];

    fn sample() -> Value {
        json!({
            "account": "acmeaudit",
            "endpoint": "https://acmeaudit.blob.core.windows.net/",
            "container": "audit",
            "prefix": "acta",
            "auth": "shared_key",
            "secret": "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
            "lock": { "mode": "governance", "days": 365 },
            "batching": { "max_age_seconds": 3600, "max_bytes": 16_000_000 },
        })
    }

    fn mistakes(&self) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        let lower = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        if !(3..=24).contains(&self.account.len()) || !self.account.chars().all(lower) {
            mistakes.push(Mistake::new("/account", "has 3 to 24 lower-case letters and digits"));
        }
        if !(3..=63).contains(&self.container.len()) || !self.container.chars().all(|c| lower(c) || c == '-') {
            mistakes.push(Mistake::new("/container", "has 3 to 63 lower-case letters, digits and hyphens"));
        }
        let secret = self.secret.reveal();
        match self.auth {
            Auth::SharedKey if STANDARD.decode(secret).is_err() => {
                mistakes.push(Mistake::new("/secret", "is no key of an account, which is base64"));
            }
            Auth::Sas if !secret.contains("sig=") || !secret.chars().all(|c| c.is_ascii_graphic() && c != '#') => {
                mistakes.push(Mistake::new("/secret", "is no shared access signature such as sv=…&sig=…"));
            }
            _ => {}
        }
        if self.endpoint.as_ref().is_some_and(|endpoint| endpoint.as_str().contains('?')) {
            mistakes.push(Mistake::new("/endpoint", "has no query: the signature has a member of its own"));
        }
        mistakes.extend(below("/batching", self.batching.faults()));
        mistakes.extend(below("/lock", self.lock.map(Lock::faults).unwrap_or_default()));
        mistakes
    }

    fn endpoints(&self) -> Vec<(&'static str, Endpoint)> {
        Endpoint::parse(&self.service()).into_iter().map(|at| ("/endpoint", at)).collect()
    }

    fn open(&self, doors: &Doors) -> Result<Arc<dyn Transport>, OpenError> {
        Ok(Arc::new(self.archive(doors)?))
    }
}

/// A container and the way there.
struct Container {
    settings: Azure,
    doors: Doors,
    service: String,
}

impl Container {
    /// `rest` is below the container, percent-encoded; `query` is in the order of its names; so are the `x-ms-` headers.
    async fn ask(
        &self,
        method: Method,
        rest: &str,
        query: &[(&str, &str)],
        put: Option<&'static str>,
        body: Bytes,
    ) -> Result<HttpAnswer, NetError> {
        let mut headers = vec![("x-ms-date", http_date(self.doors.now())), ("x-ms-version", VERSION.to_owned())];
        if put.is_some() {
            headers.push(("x-ms-blob-type", "BlockBlob".to_owned()));
            if let Some(lock) = self.settings.lock {
                let mode = if lock.mode == LockMode::Compliance { "locked" } else { "unlocked" };
                headers.push(("x-ms-immutability-policy-mode", mode.to_owned()));
                headers.push(("x-ms-immutability-policy-until-date", http_date(lock.until(self.doors.now()))));
            }
        }
        headers.sort_unstable();
        let mut url = format!("{}/{}{rest}", self.service, self.settings.container);
        let mut asked = percent::query(query);
        let secret = self.settings.secret.reveal();
        match self.settings.auth {
            Auth::Sas => {
                let sas = secret.trim_start_matches('?');
                asked = if asked.is_empty() { sas.to_owned() } else { format!("{asked}&{sas}") };
            }
            Auth::SharedKey => {
                let signed = self.signature(&method, &url, query, &headers, put, body.len());
                headers.push(("authorization", format!("SharedKey {}:{signed}", self.settings.account)));
            }
        }
        if !asked.is_empty() {
            url = format!("{url}?{asked}");
        }
        let mut request = http::Request::builder().method(method).uri(url);
        if let Some(content_type) = put {
            request = request.header("content-type", content_type).header("if-none-match", "*");
        }
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = request.body(body).map_err(|e| NetError::Material(e.to_string()))?;
        self.doors.http.send(request).await
    }

    fn signature(
        &self,
        method: &Method,
        url: &str,
        query: &[(&str, &str)],
        headers: &[(&str, String)],
        put: Option<&str>,
        length: usize,
    ) -> String {
        let length = if length == 0 { String::new() } else { length.to_string() };
        let path = url.splitn(4, '/').nth(3).unwrap_or_default();
        let (content_type, none_match) = put.map_or(("", ""), |content_type| (content_type, "*"));
        let headers: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let query: String = query.iter().map(|(name, value)| format!("\n{name}:{value}")).collect();
        let account = &self.settings.account;
        let text =
            format!("{method}\n\n\n{length}\n\n{content_type}\n\n\n\n{none_match}\n\n\n{headers}/{account}/{path}{query}");
        // A key that is no base64 was refused with the settings; the receiver refuses what is signed with an empty one.
        let key = STANDARD.decode(self.settings.secret.reveal()).unwrap_or_default();
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&key) else { return String::new() };
        mac.update(text.as_bytes());
        STANDARD.encode(mac.finalize().into_bytes())
    }
}

impl Shelf for Container {
    fn put<'a>(&'a self, key: &'a str, content_type: &'static str, body: Bytes) -> Later<'a, Put> {
        Box::pin(async move {
            let rest = format!("/{}", percent::path(key));
            let answer = self.ask(Method::PUT, &rest, &[], Some(content_type), body).await;
            let code = |answer: &HttpAnswer, code: &str| answer.header("x-ms-error-code") == Some(code);
            // Who may create but not overwrite is told so, and not that there is one: it has to be looked for.
            let forbidden = answer.as_ref().is_ok_and(|answer| code(answer, "AuthorizationPermissionMismatch"));
            let found = forbidden && {
                let asked = self.ask(Method::HEAD, &rest, &[], None, Bytes::new()).await;
                asked.is_ok_and(|answer| answer.status == http::StatusCode::OK)
            };
            let there = |answer: &HttpAnswer| match answer.status.as_u16() {
                412 => true,
                409 => code(answer, "BlobAlreadyExists"),
                _ => found,
            };
            shelf::put(answer, there, self.doors.now())
        })
    }

    fn list<'a>(&'a self, folder: &'a str, page: Option<&'a str>) -> Later<'a, Result<Listed, Unread>> {
        Box::pin(async move {
            let mut query = vec![("comp", "list"), ("delimiter", "/"), ("maxresults", PAGE), ("prefix", folder)];
            query.push(("restype", "container"));
            query.extend(page.map(|marker| ("marker", marker)));
            query.sort_unstable();
            let answer = self.ask(Method::GET, "", &query, None, Bytes::new()).await;
            let answer = shelf::got(answer, self.doors.now())?;
            let xml = String::from_utf8_lossy(&answer.body);
            let mut names = listing::texts(&xml, "BlobPrefix", "Name");
            names.extend(listing::texts(&xml, "Blob", "Name"));
            Ok(Listed { names, next: listing::text(&xml, "NextMarker") })
        })
    }

    fn get<'a>(&'a self, key: &'a str) -> Later<'a, Result<Bytes, Unread>> {
        Box::pin(async move {
            let rest = format!("/{}", percent::path(key));
            let answer = self.ask(Method::GET, &rest, &[], None, Bytes::new()).await;
            Ok(shelf::got(answer, self.doors.now())?.body)
        })
    }
}

/// A time as HTTP headers have it: `Fri, 20 Nov 2026 22:04:30 GMT`.
fn http_date(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or_default();
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_http() {
        assert_eq!(http_date(Timestamp::parse("2026-11-20T22:04:30.9Z").unwrap()), "Fri, 20 Nov 2026 22:04:30 GMT");
    }
}
