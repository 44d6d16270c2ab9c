//! Who gives tokens: Microsoft's to clients with a secret, Google's to service accounts.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::signature::{KeyPair, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use serde_json::{Value, json};

use super::http::{Asked, Reply};
use crate::support::NOW;

/// Gives tokens, and knows which are good.
pub(crate) struct Tokens {
    kind: Kind,
    /// Tokens given so far.
    pub(crate) given: usize,
    /// Only tokens after this one are good.
    pub(crate) revoked: usize,
    pub(crate) expires_in: i64,
}

enum Kind {
    Client {
        path: String,
        id: String,
        secret: String,
        scope: String,
    },
    /// `now`: what an assertion must say, in seconds.
    Account {
        email: String,
        key: Vec<u8>,
        scope: String,
        now: Option<i64>,
    },
}

impl Tokens {
    pub(crate) fn microsoft(tenant: &str, id: &str, secret: &str) -> Tokens {
        let scope = "https://monitor.azure.com/.default".to_owned();
        let path = format!("/{tenant}/oauth2/v2.0/token");
        Tokens::new(Kind::Client { path, id: id.to_owned(), secret: secret.to_owned(), scope })
    }

    pub(crate) fn google(key_file: &Value, scope: &str) -> Tokens {
        let pem: String = key_file["private_key"].as_str().unwrap().lines().filter(|line| !line.starts_with('-')).collect();
        let pair = RsaKeyPair::from_pkcs8(&STANDARD.decode(pem).unwrap()).unwrap();
        let now = Some(NOW / 1_000);
        let email = key_file["client_email"].as_str().unwrap().to_owned();
        Tokens::new(Kind::Account { email, key: pair.public_key().as_ref().to_vec(), scope: scope.to_owned(), now })
    }

    /// The same for senders with another clock.
    pub(crate) fn at_any_time(mut self) -> Tokens {
        if let Kind::Account { now, .. } = &mut self.kind {
            *now = None;
        }
        self
    }

    fn new(kind: Kind) -> Tokens {
        Tokens { kind, given: 0, revoked: 0, expires_in: 3_600 }
    }

    /// Answers if this is a request for a token.
    pub(crate) fn answer(&mut self, asked: &Asked) -> Option<Reply> {
        let path = match &self.kind {
            Kind::Client { path, .. } => path,
            Kind::Account { .. } => "/token",
        };
        if asked.path != *path {
            return None;
        }
        let refused = |code: &str| Some(Reply::new(401, json!({ "error": code, "error_description": "no" }).to_string()));
        if asked.method != "POST" || asked.header("content-type") != Some("application/x-www-form-urlencoded") {
            return refused("invalid_request");
        }
        let form: Vec<(String, String)> = url::form_urlencoded::parse(&asked.body).into_owned().collect();
        let of = |name: &str| form.iter().find(|(one, _)| one == name).map_or("", |(_, value)| value.as_str());
        let good = match &self.kind {
            Kind::Client { id, secret, scope, .. } => {
                of("grant_type") == "client_credentials"
                    && (of("client_id"), of("client_secret"), of("scope")) == (id, secret, scope)
            }
            Kind::Account { email, key, scope, now } => {
                of("grant_type") == "urn:ietf:params:oauth:grant-type:jwt-bearer"
                    && signed(of("assertion"), key).is_some_and(|claims| {
                        let (issued, expires) = (claims["iat"].as_i64().unwrap(), claims["exp"].as_i64().unwrap());
                        claims["iss"] == **email
                            && claims["scope"] == **scope
                            && claims["aud"].as_str().is_some_and(|to| to.ends_with("/token"))
                            && now.is_none_or(|now| issued == now)
                            && expires - issued <= 3_600
                    })
            }
        };
        if !good {
            return refused("invalid_client");
        }
        self.given += 1;
        let body = json!({ "access_token": format!("token-{}", self.given), "expires_in": self.expires_in, "token_type": "Bearer" });
        Some(Reply::new(200, body.to_string()))
    }

    /// Whether the request shows a good token.
    pub(crate) fn admits(&self, asked: &Asked) -> bool {
        let number =
            asked.header("authorization").and_then(|value| value.strip_prefix("Bearer token-")?.parse::<usize>().ok());
        number.is_some_and(|number| number > self.revoked && number <= self.given)
    }
}

/// The claims of a JWT whose signature is right.
fn signed(jwt: &str, key: &[u8]) -> Option<Value> {
    let (text, signature) = jwt.rsplit_once('.')?;
    let (header, claims) = text.split_once('.')?;
    let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
    let header: Value = serde_json::from_slice(&decoded(header)?).ok()?;
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key);
    key.verify(text.as_bytes(), &decoded(signature)?).ok()?;
    (header["alg"] == "RS256").then_some(serde_json::from_slice(&decoded(claims)?).ok()?)
}
