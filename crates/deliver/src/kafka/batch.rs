//! Events as a record batch (Kafka's message format 2), and the partition they belong to.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use follow::Message;

/// The bytes of a batch before its records.
pub(super) const HEADER: usize = 61;
/// What a record has besides its body, at most: lengths, key, and the header with the event's id.
pub(super) const OVERHEAD: usize = 160;

const EVENT_ID: &str = "event-id";

/// A batch, ready to be sent.
#[derive(Debug)]
pub(super) struct Records {
    pub(super) key: String,
    pub(super) count: usize,
    pub(super) bytes: Vec<u8>,
}

impl Records {
    /// The messages of one organization; nothing of none.
    pub(super) fn of(messages: &[Message], compress: bool) -> Option<Records> {
        let first = messages.first()?;
        let key = first.recorded.organization.to_string();
        // Not when it happened: brokers refuse times that are too far away.
        let times = messages.iter().map(|one| one.recorded.recorded_at().as_millis());
        let base = first.recorded.recorded_at().as_millis();
        let mut records = Vec::new();
        for (offset, (message, at)) in (0_i64..).zip(messages.iter().zip(times.clone())) {
            let body = record(message, &key, offset, at - base);
            varint(i64::try_from(body.len()).unwrap_or(i64::MAX), &mut records);
            records.extend_from_slice(&body);
        }
        let packed = compress.then(|| pack(&records)).flatten();
        let count = i32::try_from(messages.len()).unwrap_or(i32::MAX);

        let mut checked = Vec::with_capacity(records.len());
        checked.extend_from_slice(&i16::from(packed.is_some()).to_be_bytes());
        checked.extend_from_slice(&(count - 1).to_be_bytes());
        checked.extend_from_slice(&base.to_be_bytes());
        checked.extend_from_slice(&times.max().unwrap_or(base).to_be_bytes());
        // No producer id, epoch and sequence.
        checked.extend_from_slice(&(-1_i64).to_be_bytes());
        checked.extend_from_slice(&(-1_i16).to_be_bytes());
        checked.extend_from_slice(&(-1_i32).to_be_bytes());
        checked.extend_from_slice(&count.to_be_bytes());
        checked.extend_from_slice(packed.as_deref().unwrap_or(&records));

        let mut bytes = Vec::with_capacity(checked.len() + 21);
        bytes.extend_from_slice(&0_i64.to_be_bytes());
        // What follows: the leader's epoch, the magic 2, the checksum.
        bytes.extend_from_slice(&i32::try_from(checked.len() + 9).unwrap_or(i32::MAX).to_be_bytes());
        bytes.extend_from_slice(&(-1_i32).to_be_bytes());
        bytes.push(2);
        bytes.extend_from_slice(&crc32c(&checked).to_be_bytes());
        bytes.extend_from_slice(&checked);
        Some(Records { key, count: messages.len(), bytes })
    }
}

fn record(message: &Message, key: &str, offset: i64, later: i64) -> Vec<u8> {
    let mut record = Vec::with_capacity(message.body.len() + OVERHEAD);
    record.push(0);
    varint(later, &mut record);
    varint(offset, &mut record);
    field(key.as_bytes(), &mut record);
    field(&message.body, &mut record);
    varint(1, &mut record);
    field(EVENT_ID.as_bytes(), &mut record);
    field(message.key().as_bytes(), &mut record);
    record
}

fn field(bytes: &[u8], to: &mut Vec<u8>) {
    varint(i64::try_from(bytes.len()).unwrap_or(i64::MAX), to);
    to.extend_from_slice(bytes);
}

/// Zigzag, then seven bits a byte, the lowest first.
fn varint(value: i64, to: &mut Vec<u8>) {
    let mut rest = value.cast_unsigned() << 1 ^ (value >> 63).cast_unsigned();
    loop {
        let low = u8::try_from(rest & 0x7f).unwrap_or(0);
        rest >>= 7;
        if rest == 0 {
            to.push(low);
            return;
        }
        to.push(low | 0x80);
    }
}

/// Nothing if that would make it longer.
fn pack(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(bytes).ok()?;
    packer.finish().ok().filter(|packed| packed.len() < bytes.len())
}

/// CRC-32C (Castagnoli), as iSCSI has it.
fn crc32c(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = table();
    let step = |crc: u32, &byte: &u8| {
        let [low, ..] = crc.to_le_bytes();
        TABLE.get(usize::from(low ^ byte)).copied().unwrap_or(0) ^ (crc >> 8)
    };
    !bytes.iter().fold(!0, step)
}

const fn table() -> [u32; 256] {
    let mut table = [0_u32; 256];
    let mut value = 0_u32;
    let mut at = 0;
    while at < 256 {
        let mut crc = value;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 };
            bit += 1;
        }
        table[at] = crc;
        at += 1;
        value += 1;
    }
    table
}

/// Which of so many partitions a key belongs to: the hash that Java's producer has, so that all producers agree.
pub(super) fn partition(key: &str, partitions: i32) -> i32 {
    (murmur2(key.as_bytes()) & 0x7fff_ffff).cast_signed().checked_rem(partitions).unwrap_or(0)
}

fn murmur2(bytes: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    let (words, rest) = bytes.as_chunks::<4>();
    let mut hash = 0x9747_b28c ^ u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    for word in words {
        let mut k = u32::from_le_bytes(*word).wrapping_mul(M);
        k = (k ^ (k >> 24)).wrapping_mul(M);
        hash = hash.wrapping_mul(M) ^ k;
    }
    if !rest.is_empty() {
        for (at, &byte) in (0..).zip(rest) {
            hash ^= u32::from(byte) << (8 * at);
        }
        hash = hash.wrapping_mul(M);
    }
    hash = (hash ^ (hash >> 13)).wrapping_mul(M);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_rfc_3720() {
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    }

    #[test]
    fn keys_are_hashed_as_java_does() {
        // The values of Kafka's own UtilsTest.
        let expected = [
            ("21", -973_932_308_i32),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ];
        for (key, hash) in expected {
            assert_eq!(murmur2(key.as_bytes()).cast_signed(), hash, "{key}");
        }
        assert_eq!(partition("21", 0), 0);
    }

    #[test]
    fn numbers_are_written_as_varints() {
        for (value, expected) in
            [(0, vec![0]), (-1, vec![1]), (1, vec![2]), (63, vec![126]), (-65, vec![0x81, 1]), (300, vec![0xd8, 4])]
        {
            let mut bytes = Vec::new();
            varint(value, &mut bytes);
            assert_eq!(bytes, expected, "{value}");
        }
    }
}
