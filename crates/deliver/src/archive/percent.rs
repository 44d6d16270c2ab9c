//! Percent-encoding as signatures want it (RFC 3986: everything but the unreserved characters, capitals in the digits).

/// A path: `/` stays.
pub(crate) fn path(text: &str) -> String {
    encoded(text, true)
}

/// A name or value of a query, or one segment of a path.
pub(crate) fn value(text: &str) -> String {
    encoded(text, false)
}

fn encoded(text: &str, slash: bool) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') || slash && byte == b'/' {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// A query of such pairs, in their order.
pub(crate) fn query(pairs: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = pairs.iter().map(|(name, of)| format!("{}={}", value(name), value(of))).collect();
    pairs.join("&")
}
