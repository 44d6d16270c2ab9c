//! Request bodies: decompressed within bounds, whole or refused.

use std::io::Read;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::sync::SemaphorePermit;

use crate::app::App;
use crate::problem::Problem;

/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a body may wait for room in memory.
const ROOM_PATIENCE: Duration = Duration::from_secs(10);

/// Reads a body and undoes its `Content-Encoding`. Neither the bytes on the wire nor those they become may exceed the limit.
pub async fn read(app: &App, headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, Problem> {
    let _room = room(app, headers, limit).await?;
    let Ok(whole) = tokio::time::timeout(PATIENCE, Limited::new(body, limit).collect()).await else {
        let status = axum::http::StatusCode::REQUEST_TIMEOUT;
        return Err(Problem::new(status, "slow", "Too slow", "The body did not arrive within a minute."));
    };
    let raw = match whole {
        Ok(collected) => collected.to_bytes(),
        Err(e) if e.downcast_ref::<LengthLimitError>().is_some() => return Err(over(limit)),
        Err(_) => return Err(Problem::bad_request("incomplete", "The body ended before it was complete.")),
    };
    let encoding = headers.get(header::CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("?").to_ascii_lowercase());
    match encoding.as_deref() {
        None | Some("" | "identity") => Ok(raw),
        Some("gzip" | "x-gzip") => inflate("gzip", flate2::read::MultiGzDecoder::new(&raw[..]), limit),
        Some("zstd") => match zstd::stream::read::Decoder::new(&raw[..]) {
            Ok(decoder) => inflate("zstd", decoder, limit),
            Err(e) => Err(broken("zstd", &e)),
        },
        Some(other) => {
            let status = axum::http::StatusCode::UNSUPPORTED_MEDIA_TYPE;
            let detail = format!("The Content-Encoding {other:?} is not known here; send gzip, zstd, or none.");
            Err(Problem::new(status, "encoding", "Unknown encoding", detail))
        }
    }
}

/// Room in memory for a body: for as much as it says it has, or for the most that it may become.
async fn room<'a>(app: &'a App, headers: &HeaderMap, limit: usize) -> Result<SemaphorePermit<'a>, Problem> {
    let said = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    let plain = !headers.contains_key(header::CONTENT_ENCODING);
    let bytes = said.filter(|said| plain && *said <= limit).unwrap_or(limit);
    let kib = u32::try_from(bytes / 1_024 + 1).unwrap_or(u32::MAX);
    match tokio::time::timeout(ROOM_PATIENCE, app.bodies_kib.acquire_many(kib)).await {
        Ok(Ok(room)) => Ok(room),
        _ => Err(store::StoreError::Busy.into()),
    }
}

/// One byte more than the limit is read at most, so that a bomb costs no more than an honest body.
fn inflate(name: &str, decoder: impl Read, limit: usize) -> Result<Bytes, Problem> {
    let mut out = Vec::new();
    let mut bounded = decoder.take(limit as u64 + 1);
    bounded.read_to_end(&mut out).map_err(|e| broken(name, &e))?;
    if out.len() > limit { Err(over(limit)) } else { Ok(out.into()) }
}

fn over(limit: usize) -> Problem {
    Problem::too_large(format!("The body is larger than {limit} bytes after decompression. Send fewer events at once."))
}

fn broken(name: &str, error: &std::io::Error) -> Problem {
    Problem::bad_request("encoding", format!("The body is not whole {name}: {error}."))
}
