//! AWS Signature Version 4, for S3: the header `Authorization` of a request.
//!
//! Source: "Authenticating Requests: Using the Authorization Header (AWS Signature Version 4)". Its examples are
//! the tests.

use hmac::{Hmac, KeyInit, Mac};
use record::Timestamp;
use sha2::{Digest, Sha256};

use super::object::hex;

/// With what is signed, and when.
pub(crate) struct Signer<'a> {
    pub(crate) key_id: &'a str,
    pub(crate) secret: &'a str,
    pub(crate) region: &'a str,
    pub(crate) at: Timestamp,
}

/// What is signed.
pub(crate) struct Signed<'a> {
    pub(crate) method: &'a str,
    /// Percent-encoded.
    pub(crate) path: &'a str,
    /// Percent-encoded, in the order of its names.
    pub(crate) query: &'a str,
    /// All that go out and begin with `x-amz-`, and `host`: names in lower case, in their order.
    pub(crate) headers: &'a [(&'a str, String)],
    /// The body's SHA-256, in hexadecimal.
    pub(crate) body_sha256: &'a str,
}

impl Signer<'_> {
    /// The time as `x-amz-date` has it: `20130524T000000Z`.
    pub(crate) fn date(&self) -> String {
        let text = self.at.to_string();
        format!("{}{}{}T{}{}{}Z", &text[..4], &text[5..7], &text[8..10], &text[11..13], &text[14..16], &text[17..19])
    }

    /// The header `authorization`.
    pub(crate) fn authorization(&self, request: &Signed<'_>) -> String {
        let names: Vec<&str> = request.headers.iter().map(|(name, _)| *name).collect();
        let names = names.join(";");
        let headers: String = request.headers.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
        let Signed { method, path, query, body_sha256, .. } = request;
        let canonical = format!("{method}\n{path}\n{query}\n{headers}\n{names}\n{body_sha256}");
        let date = self.date();
        let day = &date[..8];
        let scope = format!("{day}/{}/s3/aws4_request", self.region);
        let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hex(&Sha256::digest(canonical)));
        let mut key = keyed(format!("AWS4{}", self.secret).as_bytes(), day);
        for part in [self.region, "s3", "aws4_request"] {
            key = keyed(&key, part);
        }
        let signature = hex(&keyed(&key, &to_sign));
        format!("AWS4-HMAC-SHA256 Credential={}/{scope},SignedHeaders={names},Signature={signature}", self.key_id)
    }
}

/// HMAC-SHA256.
pub(crate) fn keyed(key: &[u8], text: &str) -> [u8; 32] {
    // HMAC takes keys of any length; there is nothing that could be wrong with one.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn signature(method: &str, path: &str, query: &str, more: &[(&'static str, &str)], body_sha256: &str) -> String {
        let signer = Signer {
            key_id: "AKIAIOSFODNN7EXAMPLE",
            secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            region: "us-east-1",
            at: Timestamp::parse("2013-05-24T00:00:00Z").unwrap(),
        };
        let mut headers = vec![
            ("host", "examplebucket.s3.amazonaws.com".to_owned()),
            ("x-amz-content-sha256", body_sha256.to_owned()),
            ("x-amz-date", signer.date()),
        ];
        headers.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
        headers.sort_unstable();
        let signed = signer.authorization(&Signed { method, path, query, headers: &headers, body_sha256 });
        signed.rsplit('=').next().unwrap().to_owned()
    }

    #[test]
    fn signs_the_examples_of_the_documentation() {
        assert_eq!(
            signature("GET", "/test.txt", "", &[("range", "bytes=0-9")], EMPTY),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
        );
        assert_eq!(
            signature(
                "PUT",
                "/test%24file.text",
                "",
                &[("date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")],
                "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"
            ),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
        );
        assert_eq!(
            signature("GET", "/", "lifecycle=", &[], EMPTY),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
        );
        assert_eq!(
            signature("GET", "/", "max-keys=2&prefix=J", &[], EMPTY),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
        );
    }
}
