//! Bodies made smaller.

use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

/// A body as gzip, at the fastest level: events are repetitive, so the better ones gain little.
pub fn gzip(body: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    // Writing into memory does not fail; if it did, what is sent would be refused by the receiver, not taken wrongly.
    if encoder.write_all(body).is_err() {
        return Bytes::new();
    }
    encoder.finish().map(Bytes::from).unwrap_or_default()
}
