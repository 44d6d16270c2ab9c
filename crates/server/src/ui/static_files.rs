//! Style, scripts, the icon: part of the program, and kept by browsers for as long as they stay the same.

use std::sync::LazyLock;

use axum::extract::{Path, RawQuery};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use crate::problem::Problem;

struct File {
    name: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
    /// The beginning of its hash: the file's version.
    version: String,
}

macro_rules! files {
    ($($name:literal: $kind:literal),+ $(,)?) => {
        static FILES: LazyLock<Vec<File>> = LazyLock::new(|| vec![$(File {
            name: $name,
            kind: $kind,
            bytes: include_bytes!(concat!("../../static/", $name)),
            version: version(include_bytes!(concat!("../../static/", $name))),
        }),+]);
    };
}

files! {
    "acta.css": "text/css; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "zone.js": "text/javascript; charset=utf-8",
    "copy.js": "text/javascript; charset=utf-8",
    "pickers.js": "text/javascript; charset=utf-8",
    "dialog.js": "text/javascript; charset=utf-8",
    "keys.js": "text/javascript; charset=utf-8",
}

fn version(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(16);
    for byte in Sha256::digest(bytes).iter().take(8) {
        out += &format!("{byte:02x}");
    }
    out
}

/// Where a page finds a file. The address changes with the content.
pub(super) fn url(name: &str) -> String {
    let file = FILES.iter().find(|file| file.name == name);
    file.map_or_else(String::new, |file| format!("/static/{name}?v={}", file.version))
}

/// Answers with a file.
pub(super) async fn read_file(Path(name): Path<String>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let Some(file) = FILES.iter().find(|file| file.name == name) else {
        return Problem::not_found("There is nothing at this address.").into_response();
    };
    let tag = format!("\"{}\"", file.version);
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let is_known = known.is_some_and(|known| known.split(',').any(|one| one.trim().trim_start_matches("W/") == tag));
    let mut response = if is_known { StatusCode::NOT_MODIFIED.into_response() } else { file.bytes.into_response() };
    let lasting = query.as_deref().and_then(|query| query.strip_prefix("v=")) == Some(file.version.as_str());
    let cache = if lasting { "public, max-age=31536000, immutable" } else { "no-cache" };
    let answer = response.headers_mut();
    answer.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    answer.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.kind));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        answer.insert(header::ETAG, tag);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every file that is compiled in is meant to be small: pages come over slow lines too.
    const SCRIPTS_BYTES_MAX: usize = 15_000;

    #[test]
    fn scripts_stay_small_and_ask_no_other_site() {
        let scripts: Vec<_> = FILES.iter().filter(|file| file.kind.starts_with("text/javascript")).collect();
        let bytes: usize = scripts.iter().map(|file| file.bytes.len()).sum();
        assert!(bytes < SCRIPTS_BYTES_MAX, "{bytes}");
        for file in FILES.iter() {
            let text = String::from_utf8_lossy(file.bytes).replace("http://www.w3.org/2000/svg", "");
            assert!(!text.contains("://"), "{}", file.name);
        }
    }

    #[test]
    fn a_file_is_named_with_its_version() {
        let url = url("acta.css");
        assert!(url.starts_with("/static/acta.css?v=") && url.len() == "/static/acta.css?v=".len() + 16, "{url}");
        assert_eq!(super::url("none"), "");
    }

    #[test]
    fn a_known_version_is_not_sent_again() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let read = |query: Option<String>, headers: HeaderMap| {
            runtime.block_on(read_file(Path("acta.css".to_owned()), RawQuery(query), headers))
        };
        let version = FILES[0].version.clone();
        let first = read(Some(format!("v={version}")), HeaderMap::new());
        assert_eq!(first.status(), 200);
        assert_eq!(first.headers()[header::CACHE_CONTROL], "public, max-age=31536000, immutable");
        let headers = HeaderMap::from_iter([(header::IF_NONE_MATCH, first.headers()[header::ETAG].clone())]);
        assert_eq!(read(None, headers).status(), 304);
        let stale = read(Some("v=0".to_owned()), HeaderMap::new());
        assert_eq!(
            (stale.status().as_u16(), &stale.headers()[header::CACHE_CONTROL]),
            (200, &HeaderValue::from_static("no-cache"))
        );
    }
}
