//! Keys and tokens that are known by how they begin.

use std::sync::LazyLock;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::scrub::{Found, is_word};

/// Which bytes a token is made of.
#[derive(Debug, Clone, Copy)]
enum Made {
    /// Capitals and digits.
    Capitals,
    /// Letters and digits.
    Alphanumeric,
    /// Letters, digits, underscores.
    Word,
    /// Letters, digits, underscores, dashes: base64url.
    Dashed,
    /// The same, and dots.
    Dotted,
}

impl Made {
    fn of(self, byte: u8) -> bool {
        match self {
            Made::Capitals => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Made::Alphanumeric => byte.is_ascii_alphanumeric(),
            Made::Word => byte.is_ascii_alphanumeric() || byte == b'_',
            Made::Dashed => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'),
            Made::Dotted => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'),
        }
    }
}

/// A sort of token: how it begins, what follows, and how much of it at least and at most.
struct Shape {
    begins: &'static str,
    made: Made,
    min: usize,
    max: usize,
    what: &'static str,
}

const fn shape(begins: &'static str, made: Made, min: usize, max: usize, what: &'static str) -> Shape {
    Shape { begins, made, min, max, what }
}

const ANY: usize = usize::MAX;

/// Sorted by how they begin. Lengths are those that the issuers tell, or what was seen less a margin.
static SHAPES: [Shape; 42] = [
    shape("AIza", Made::Dashed, 35, 35, "api_key"),                // Google
    shape("AKIA", Made::Capitals, 16, 16, "api_key"),              // AWS, lasting
    shape("ASIA", Made::Capitals, 16, 16, "api_key"),              // AWS, for a session
    shape("EAACEdEose0cBA", Made::Alphanumeric, 10, ANY, "token"), // Facebook
    shape("GOCSPX-", Made::Dashed, 20, ANY, "secret"),             // Google OAuth client
    shape("SG.", Made::Dotted, 40, ANY, "api_key"),                // SendGrid
    shape("acta_", Made::Alphanumeric, 32, ANY, "api_key"),        // Acta
    shape("dapi", Made::Alphanumeric, 32, 40, "token"),            // Databricks
    shape("dop_v1_", Made::Alphanumeric, 40, ANY, "token"),        // DigitalOcean
    shape("dp.pt.", Made::Alphanumeric, 40, ANY, "token"),         // Doppler
    shape("dp.st.", Made::Dotted, 40, ANY, "token"),
    shape("gho_", Made::Word, 36, ANY, "token"), // GitHub
    shape("ghp_", Made::Word, 36, ANY, "token"),
    shape("ghr_", Made::Word, 36, ANY, "token"),
    shape("ghs_", Made::Word, 36, ANY, "token"),
    shape("ghu_", Made::Word, 36, ANY, "token"),
    shape("github_pat_", Made::Word, 22, ANY, "token"),
    shape("glpat-", Made::Dotted, 20, ANY, "token"),           // GitLab
    shape("glsa_", Made::Word, 32, ANY, "token"),              // Grafana
    shape("gsk_", Made::Alphanumeric, 40, ANY, "api_key"),     // Groq
    shape("hf_", Made::Alphanumeric, 30, ANY, "token"),        // Hugging Face
    shape("hvs.", Made::Dashed, 24, ANY, "token"),             // Vault
    shape("key-", Made::Alphanumeric, 32, 32, "api_key"),      // Mailgun
    shape("lin_api_", Made::Alphanumeric, 32, ANY, "api_key"), // Linear
    shape("npm_", Made::Alphanumeric, 36, ANY, "token"),       // npm
    shape("ntn_", Made::Alphanumeric, 40, ANY, "token"),       // Notion
    shape("phc_", Made::Alphanumeric, 40, ANY, "api_key"),     // PostHog
    shape("pypi-", Made::Dashed, 50, ANY, "token"),            // PyPI
    shape("rk_live_", Made::Alphanumeric, 10, ANY, "api_key"), // Stripe
    shape("rk_test_", Made::Alphanumeric, 10, ANY, "api_key"),
    shape("shpat_", Made::Alphanumeric, 32, ANY, "token"), // Shopify
    shape("shpss_", Made::Alphanumeric, 32, ANY, "secret"),
    shape("sk_live_", Made::Alphanumeric, 10, ANY, "api_key"), // Stripe
    shape("sk_test_", Made::Alphanumeric, 10, ANY, "api_key"),
    shape("sl.", Made::Dashed, 100, ANY, "token"),     // Dropbox
    shape("sq0csp-", Made::Dashed, 40, ANY, "secret"), // Square
    shape("whsec_", Made::Word, 10, ANY, "secret"),    // Stripe, webhooks
    shape("xapp-", Made::Dashed, 20, ANY, "token"),    // Slack
    shape("xoxa-", Made::Dashed, 10, ANY, "token"),
    shape("xoxb-", Made::Dashed, 10, ANY, "token"),
    shape("xoxp-", Made::Dashed, 10, ANY, "token"),
    shape("xoxs-", Made::Dashed, 10, ANY, "token"),
];

/// For each byte the shapes that begin with it.
static BY_FIRST: LazyLock<[&'static [Shape]; 256]> = LazyLock::new(|| {
    let mut table: [&[Shape]; 256] = [&[]; 256];
    for same in SHAPES.chunk_by(|one, next| first(one) == first(next)) {
        let place = same.first().map(|shape| usize::from(first(shape)));
        if let Some(slot) = place.and_then(|place| table.get_mut(place)) {
            *slot = same;
        }
    }
    table
});

fn first(shape: &Shape) -> u8 {
    shape.begins.as_bytes().first().copied().unwrap_or_default()
}

/// Whether a token may begin with this byte.
pub(super) fn begins(byte: u8) -> bool {
    matches!(byte, b'b' | b'B' | b'e' | b's') || !BY_FIRST.get(usize::from(byte)).is_none_or(|shapes| shapes.is_empty())
}

/// The token that begins here, at the beginning of a word.
pub(super) fn find(bytes: &[u8], at: usize) -> Option<Found> {
    let rest = bytes.get(at..)?;
    let first = *rest.first()?;
    let special = match first {
        b'b' | b'B' => scheme(rest),
        // Within base64url nothing begins; asking at each dash of a long text would take its length squared.
        b'e' if at.checked_sub(1).and_then(|before| bytes.get(before)) != Some(&b'-') => jwt(rest).map(|len| (0, len)),
        b's' => sk(rest).map(|len| (0, len)),
        _ => None,
    };
    if let Some((from, to)) = special {
        let what = if first == b's' {
            "api_key"
        } else if is_basic(first, rest) {
            "password"
        } else {
            "token"
        };
        return Some(Found { range: at + from..at + to, what });
    }
    let shapes = BY_FIRST.get(usize::from(first))?;
    let shape = shapes.iter().find(|shape| rest.starts_with(shape.begins.as_bytes()))?;
    let body = rest.get(shape.begins.len()..)?;
    // One more than the most is enough to know that it is none; so a long text costs no more than its length.
    let len = count(body.get(..shape.max.saturating_add(1)).unwrap_or(body), shape.made);
    let ends = shape.max == ANY || body.get(len).is_none_or(|&next| !is_word(next));
    let end = shape.begins.len() + len;
    ((shape.min..=shape.max).contains(&len) && ends).then(|| Found { range: at..at + end, what: shape.what })
}

fn count(bytes: &[u8], made: Made) -> usize {
    bytes.iter().take_while(|&&byte| made.of(byte)).count()
}

fn is_basic(first: u8, rest: &[u8]) -> bool {
    matches!(first, b'b' | b'B') && rest.get(1).is_some_and(|byte| byte.eq_ignore_ascii_case(&b'a'))
}

/// The credentials after `Bearer` (RFC 6750) or `Basic` (RFC 7617).
fn scheme(rest: &[u8]) -> Option<(usize, usize)> {
    let (name, credentials) =
        rest.split_at_checked(7).filter(|(name, _)| name.eq_ignore_ascii_case(b"bearer ")).or_else(|| {
            let (name, credentials) = rest.split_at_checked(6)?;
            name.eq_ignore_ascii_case(b"basic ").then_some((name, credentials))
        })?;
    let token68 = |byte: &&u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(byte);
    let mut len = credentials.iter().take_while(token68).count();
    while len > 0 && credentials.get(len - 1) == Some(&b'.') {
        len -= 1; // The end of a sentence.
    }
    let token = credentials.get(..len)?;
    let is = if name.len() == 7 {
        // A word of a sentence about bearers has no digit and is shorter.
        len >= 24 || len >= 8 && token.iter().any(u8::is_ascii_digit)
    } else {
        len >= 4 && decoded(token).is_some_and(|plain| plain.contains(&b':') && std::str::from_utf8(&plain).is_ok())
    };
    is.then_some((name.len(), name.len() + len))
}

/// Base64 in either alphabet, with padding or without.
fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    [alphabet::STANDARD, alphabet::URL_SAFE].iter().find_map(|it| GeneralPurpose::new(it, config).decode(text).ok())
}

/// A JSON Web Token (RFC 7519): three parts in base64url, of which the first is a JSON object that names an algorithm.
fn jwt(rest: &[u8]) -> Option<usize> {
    #[derive(Deserialize)]
    struct Header {
        #[serde(rename = "alg")]
        _alg: IgnoredAny,
    }
    if !rest.starts_with(b"eyJ") {
        return None;
    }
    let head = count(rest, Made::Dashed);
    let payload = count(rest.get(head + 1..)?, Made::Dashed);
    let dot = head + 1 + payload;
    if rest.get(head) != Some(&b'.') || payload < 2 || rest.get(dot) != Some(&b'.') {
        return None;
    }
    serde_json::from_slice::<Header>(&decoded(rest.get(..head)?)?).ok()?;
    // An encrypted one (RFC 7516) has five parts.
    let mut end = dot + 1 + count(rest.get(dot + 1..)?, Made::Dotted);
    while rest.get(end - 1) == Some(&b'.') && end > dot + 1 {
        end -= 1;
    }
    Some(end)
}

/// Bytes of a key of [`sk`] that show whether it is one.
const SK_LOOKED_AT: usize = 256;

/// `sk-…`, as OpenAI, Anthropic and others write their keys. A name in kebab case has no digit, or no capital.
fn sk(rest: &[u8]) -> Option<usize> {
    let body = rest.strip_prefix(b"sk-")?;
    let begins = body.get(..count(body.get(..SK_LOOKED_AT).unwrap_or(body), Made::Dashed))?;
    let mixed = begins.iter().any(u8::is_ascii_digit) && begins.iter().any(u8::is_ascii_uppercase);
    (begins.len() >= 20 && mixed).then(|| 3 + count(body, Made::Dashed))
}

/// A private key in PEM (RFC 7468), to the end of its block, or of the text where the block has none.
pub(super) fn pem(text: &str, at: usize) -> Option<Found> {
    let rest = text.get(at..)?;
    let label = rest.strip_prefix("-----BEGIN ")?;
    let closes = label.find("-----").filter(|&closes| label.get(..closes).is_some_and(|it| it.contains("PRIVATE KEY")))?;
    let body = label.get(closes + 5..)?;
    let from = rest.len() - body.len();
    let end = body.find("-----END ").and_then(|end| {
        let after = end + "-----END ".len();
        body.get(after..)?.find("-----").map(|closes| after + closes + 5)
    });
    Some(Found { range: at..at + from + end.unwrap_or(body.len()), what: "private_key" })
}
