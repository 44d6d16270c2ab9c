//! Bytes of the Kafka protocol, as far as a producer needs it: the oldest versions that every broker of today knows.

use thiserror::Error;

/// What is asked, with the version of the asking and the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Api {
    Produce,
    Metadata,
    SaslHandshake,
    SaslAuthenticate,
}

impl Api {
    fn key_and_version(self) -> (i16, i16) {
        match self {
            Api::Produce => (0, 3),
            Api::Metadata => (3, 4),
            Api::SaslHandshake => (17, 1),
            Api::SaslAuthenticate => (36, 0),
        }
    }
}

/// The answer was not what the protocol says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the broker's answer is not what the Kafka protocol says")]
pub(super) struct Garbled;

/// A request that is being written.
#[derive(Debug)]
pub(super) struct Request(Vec<u8>);

impl Request {
    pub(super) fn new(api: Api, correlation: i32) -> Request {
        let (key, version) = api.key_and_version();
        // The length comes at the end.
        let mut request = Request(vec![0; 4]);
        request.i16(key).i16(version).i32(correlation).string("acta");
        request
    }

    pub(super) fn i16(&mut self, value: i16) -> &mut Self {
        self.0.extend_from_slice(&value.to_be_bytes());
        self
    }

    pub(super) fn i32(&mut self, value: i32) -> &mut Self {
        self.0.extend_from_slice(&value.to_be_bytes());
        self
    }

    pub(super) fn bool(&mut self, value: bool) -> &mut Self {
        self.0.push(u8::from(value));
        self
    }

    /// At most 32,767 bytes; names here are checked to be shorter.
    pub(super) fn string(&mut self, text: &str) -> &mut Self {
        self.i16(i16::try_from(text.len()).unwrap_or(i16::MAX));
        self.0.extend_from_slice(text.as_bytes());
        self
    }

    pub(super) fn no_string(&mut self) -> &mut Self {
        self.i16(-1)
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.i32(i32::try_from(bytes.len()).unwrap_or(i32::MAX));
        self.0.extend_from_slice(bytes);
        self
    }

    /// The whole, with its length before it.
    pub(super) fn finish(mut self) -> Vec<u8> {
        let len = i32::try_from(self.0.len() - 4).unwrap_or(i32::MAX);
        if let Some(place) = self.0.first_chunk_mut::<4>() {
            *place = len.to_be_bytes();
        }
        self.0
    }
}

/// An answer that is being read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Garbled> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or(Garbled)?;
        self.0 = rest;
        Ok(*head)
    }

    pub(super) fn i16(&mut self) -> Result<i16, Garbled> {
        self.take().map(i16::from_be_bytes)
    }

    pub(super) fn i32(&mut self) -> Result<i32, Garbled> {
        self.take().map(i32::from_be_bytes)
    }

    pub(super) fn i64(&mut self) -> Result<i64, Garbled> {
        self.take().map(i64::from_be_bytes)
    }

    pub(super) fn bool(&mut self) -> Result<bool, Garbled> {
        self.take::<1>().map(|byte| byte != [0])
    }

    fn slice(&mut self, len: usize) -> Result<&'a [u8], Garbled> {
        let (head, rest) = self.0.split_at_checked(len).ok_or(Garbled)?;
        self.0 = rest;
        Ok(head)
    }

    /// A string, or nothing.
    pub(super) fn maybe_string(&mut self) -> Result<Option<&'a str>, Garbled> {
        let len = self.i16()?;
        if len == -1 {
            return Ok(None);
        }
        let bytes = self.slice(usize::try_from(len).map_err(|_| Garbled)?)?;
        std::str::from_utf8(bytes).map(Some).map_err(|_| Garbled)
    }

    pub(super) fn string(&mut self) -> Result<&'a str, Garbled> {
        self.maybe_string()?.ok_or(Garbled)
    }

    pub(super) fn bytes(&mut self) -> Result<&'a [u8], Garbled> {
        let len = self.i32()?;
        self.slice(usize::try_from(len).map_err(|_| Garbled)?)
    }

    /// A list. Each item takes some bytes, so a wrong length ends with the bytes.
    pub(super) fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Result<T, Garbled>) -> Result<Vec<T>, Garbled> {
        let len = self.i32()?;
        let mut list = Vec::new();
        for _ in 0..len {
            list.push(item(self)?);
        }
        Ok(list)
    }
}

/// The protocol's name of an error, as far as a producer meets it.
pub(super) fn error_name(code: i16) -> String {
    let name = match code {
        -1 => "UNKNOWN_SERVER_ERROR",
        2 => "CORRUPT_MESSAGE",
        3 => "UNKNOWN_TOPIC_OR_PARTITION",
        5 => "LEADER_NOT_AVAILABLE",
        6 => "NOT_LEADER_OR_FOLLOWER",
        7 => "REQUEST_TIMED_OUT",
        8 => "BROKER_NOT_AVAILABLE",
        10 => "MESSAGE_TOO_LARGE",
        13 => "NETWORK_EXCEPTION",
        17 => "INVALID_TOPIC_EXCEPTION",
        18 => "RECORD_LIST_TOO_LARGE",
        19 => "NOT_ENOUGH_REPLICAS",
        20 => "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
        29 => "TOPIC_AUTHORIZATION_FAILED",
        31 => "CLUSTER_AUTHORIZATION_FAILED",
        32 => "INVALID_TIMESTAMP",
        33 => "UNSUPPORTED_SASL_MECHANISM",
        34 => "ILLEGAL_SASL_STATE",
        35 => "UNSUPPORTED_VERSION",
        43 => "UNSUPPORTED_FOR_MESSAGE_FORMAT",
        44 => "POLICY_VIOLATION",
        56 => "KAFKA_STORAGE_ERROR",
        58 => "SASL_AUTHENTICATION_FAILED",
        76 => "UNSUPPORTED_COMPRESSION_TYPE",
        87 => "INVALID_RECORD",
        89 => "THROTTLING_QUOTA_EXCEEDED",
        _ => return format!("error {code}"),
    };
    format!("{name} ({code})")
}
