//! A bucket that speaks S3 as far as archives do, with faults at will. It believes every signature; the real ones do not.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::http::{Asked, Receiver, Reply};

/// The bucket `audit`, in the path.
pub(crate) struct Bucket {
    pub(crate) objects: BTreeMap<String, Vec<u8>>,
    /// Objects that it still takes; then it is busy.
    pub(crate) room: usize,
    /// Whether names may be listed.
    pub(crate) lists: bool,
}

impl Bucket {
    pub(crate) fn new() -> Bucket {
        Bucket { objects: BTreeMap::new(), room: usize::MAX, lists: true }
    }

    fn put(&mut self, key: &str, asked: &Asked) -> Reply {
        if self.room == 0 {
            return Reply::new(503, "<Error><Code>SlowDown</Code></Error>").with("retry-after", "3");
        }
        let sha256 = Sha256::digest(&asked.body);
        let hex: String = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
        let right = asked.header("x-amz-content-sha256") == Some(&hex)
            && asked.header("x-amz-checksum-sha256") == Some(&STANDARD.encode(sha256))
            && asked.header("if-none-match") == Some("*");
        if !right {
            return Reply::new(400, "<Error><Code>BadDigest</Code></Error>");
        }
        if self.objects.contains_key(key) {
            return Reply::new(412, "<Error><Code>PreconditionFailed</Code></Error>");
        }
        self.objects.insert(key.to_owned(), asked.body.clone());
        self.room -= 1;
        Reply::new(200, "")
    }

    /// A few names at a time, so that there are pages.
    fn list(&self, query: &str) -> Reply {
        if !self.lists {
            return Reply::new(403, "<Error><Code>AccessDenied</Code></Error>");
        }
        let pairs: BTreeMap<String, String> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let prefix = &pairs["prefix"];
        let names: BTreeSet<String> = self
            .objects
            .keys()
            .filter_map(|key| key.strip_prefix(prefix.as_str()))
            .map(|rest| format!("{prefix}{}", rest.split_inclusive('/').next().unwrap()))
            .collect();
        let after = pairs.get("continuation-token").map_or("", String::as_str);
        let mut left = names.into_iter().filter(|name| name.as_str() > after);
        let page: Vec<String> = left.by_ref().take(2).collect();
        let tag = |name: &String| match name.ends_with('/') {
            true => format!("<CommonPrefixes><Prefix>{name}</Prefix></CommonPrefixes>"),
            false => format!("<Contents><Key>{name}</Key><Size>1</Size></Contents>"),
        };
        let more = left.next().map(|_| format!("<NextContinuationToken>{}</NextContinuationToken>", page.last().unwrap()));
        let listed: String = page.iter().map(tag).collect();
        Reply::new(
            200,
            format!("<ListBucketResult><Prefix>x</Prefix>{listed}{}</ListBucketResult>", more.unwrap_or_default()),
        )
    }
}

impl Receiver for Bucket {
    fn answer(&mut self, asked: &Asked) -> Reply {
        let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
        let Some(key) = path.strip_prefix("/audit/") else {
            return Reply::new(404, "<Error><Code>NoSuchBucket</Code></Error>");
        };
        let key = key.replace("%3D", "=").replace("%7E", "~");
        match asked.method.as_str() {
            "PUT" => self.put(&key, asked),
            "GET" if key.is_empty() => self.list(query),
            "GET" => match self.objects.get(&key) {
                Some(body) => Reply::new(200, body.clone()),
                None => Reply::new(404, "<Error><Code>NoSuchKey</Code></Error>"),
            },
            _ => Reply::new(405, ""),
        }
    }
}
