//! What a NATS server says, one operation after the other.

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

use crate::socket::Socket;

/// A longer line is no operation; INFO lists the cluster's servers and is the longest.
const LINE_BYTES_MAX: u64 = 64 << 10;
/// A longer payload is no acknowledgement.
const PAYLOAD_BYTES_MAX: usize = 1 << 20;

/// An operation of the server.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// What it is and wants, in JSON.
    Info(String),
    Ping,
    Pong,
    Ok,
    /// It will close the connection as a rule.
    Error(String),
    /// A message to a subject of ours: the status that stands in its headers if there are any, and its payload.
    Message {
        subject: String,
        status: Option<String>,
        payload: Vec<u8>,
    },
}

fn garbled() -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidData, "it does not speak the NATS protocol")
}

/// Reads the next operation.
pub(super) async fn next(socket: &mut BufReader<Socket>) -> std::io::Result<Frame> {
    let mut line = Vec::new();
    socket.take(LINE_BYTES_MAX).read_until(b'\n', &mut line).await?;
    if line.is_empty() {
        return Err(std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "the server closed the connection"));
    }
    let line = line.strip_suffix(b"\r\n").ok_or_else(garbled)?;
    let line = std::str::from_utf8(line).map_err(|_| garbled())?;
    let (name, rest) = line.split_once([' ', '\t']).unwrap_or((line, ""));
    let rest = rest.trim();
    Ok(match name.to_ascii_uppercase().as_str() {
        "INFO" => Frame::Info(rest.to_owned()),
        "PING" => Frame::Ping,
        "PONG" => Frame::Pong,
        "+OK" => Frame::Ok,
        "-ERR" => Frame::Error(rest.trim_matches('\'').to_owned()),
        "MSG" => message(socket, rest, false).await?,
        "HMSG" => message(socket, rest, true).await?,
        _ => return Err(garbled()),
    })
}

/// `subject sid [reply] [bytes of headers] bytes`, then those bytes.
async fn message(socket: &mut BufReader<Socket>, rest: &str, with_headers: bool) -> std::io::Result<Frame> {
    let words: Vec<&str> = rest.split_ascii_whitespace().collect();
    let number =
        |from_end: usize| -> Option<usize> { words.len().checked_sub(from_end).and_then(|at| words.get(at))?.parse().ok() };
    let subject = (*words.first().ok_or_else(garbled)?).to_owned();
    let total = number(1).filter(|total| *total <= PAYLOAD_BYTES_MAX).ok_or_else(garbled)?;
    let headers = if with_headers { number(2).filter(|headers| *headers <= total).ok_or_else(garbled)? } else { 0 };
    let mut bytes = vec![0; total + 2];
    socket.read_exact(&mut bytes).await?;
    bytes.truncate(total);
    let payload = bytes.split_off(headers);
    // `NATS/1.0 503`: nobody listens.
    let first = bytes.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let status = std::str::from_utf8(first)
        .ok()
        .and_then(|line| line.strip_prefix("NATS/1.0 "))
        .map(|status| status.trim().to_owned());
    Ok(Frame::Message { subject, status: status.filter(|status| !status.is_empty()), payload })
}
