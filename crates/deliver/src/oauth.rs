//! Access tokens of OAuth 2.0: for a client with a secret (RFC 6749, 4.4), and for a Google service account (RFC 7523).
//!
//! A token is kept until shortly before it expires. A receiver that refuses one gets a fresh one once; if it refuses that,
//! too, somebody has to mend something, and what it says is shown.

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use follow::Answer;
use http::StatusCode;
use record::Timestamp;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Mutex;

use crate::doors::Doors;
use crate::net::{Endpoint, Http, HttpAnswer, NetError};
use crate::secret::Secret;

/// A token that lives no longer than this is used for half its life.
const EARLY_SECONDS: i64 = 300;
/// How long our own assertion is good: the most that Google takes.
const ASSERTION_SECONDS: i64 = 3_600;

/// Gives tokens, asking for one when there is none that will do.
pub(crate) struct Tokens {
    doors: Doors,
    url: Endpoint,
    grant: Grant,
    kept: Mutex<Option<Token>>,
}

/// What is shown for a token.
enum Grant {
    Client { id: String, secret: Secret, scope: String },
    Account { account: ServiceAccount, scope: String },
}

#[derive(Clone)]
struct Token {
    value: Secret,
    until: Timestamp,
}

impl Tokens {
    /// Tokens for a client with a secret.
    pub(crate) fn for_client(doors: &Doors, url: Endpoint, id: &str, secret: Secret, scope: &str) -> Tokens {
        let grant = Grant::Client { id: id.to_owned(), secret, scope: scope.to_owned() };
        Tokens { doors: doors.clone(), url, grant, kept: Mutex::new(None) }
    }

    /// Tokens for a service account.
    pub(crate) fn for_account(doors: &Doors, account: ServiceAccount, scope: &str) -> Tokens {
        let url = account.token_uri.clone();
        Tokens {
            doors: doors.clone(),
            url,
            grant: Grant::Account { account, scope: scope.to_owned() },
            kept: Mutex::new(None),
        }
    }

    /// Sends a request with a token; after 401, once more with a fresh one. The request is made anew each time.
    ///
    /// # Errors
    /// That there is no token, or that no answer came.
    pub(crate) async fn send(
        &self,
        http: &Http,
        request: impl Fn() -> Result<http::Request<Bytes>, NetError>,
    ) -> Result<HttpAnswer, Answer> {
        let failed = |error: NetError| Answer::retry(error.to_string());
        let mut token = self.get(None).await?;
        for fresh in [false, true] {
            if fresh {
                token = self.get(Some(&token)).await?;
            }
            let mut asked = request().map_err(failed)?;
            let bearer = http::HeaderValue::try_from(format!("Bearer {}", token.reveal()))
                .map_err(|_| Answer::retry("the token that we got cannot be sent in a header"))?;
            asked.headers_mut().insert(http::header::AUTHORIZATION, bearer);
            let answer = http.send(asked).await.map_err(failed)?;
            if answer.status != StatusCode::UNAUTHORIZED || fresh {
                return Ok(answer);
            }
        }
        // Not reached: the second round always answers.
        Err(Answer::retry("the token was refused"))
    }

    /// A token that is good for a while, and not the one that was just refused.
    async fn get(&self, refused: Option<&Secret>) -> Result<Secret, Answer> {
        let mut kept = self.kept.lock().await;
        let now = self.doors.now();
        if let Some(token) = kept.as_ref().filter(|token| token.until > now && refused != Some(&token.value)) {
            return Ok(token.value.clone());
        }
        *kept = None;
        let token = self.ask(now).await?;
        *kept = Some(token.clone());
        Ok(token.value)
    }

    async fn ask(&self, now: Timestamp) -> Result<Token, Answer> {
        let body = self.grant.body(&self.url, now).map_err(|e| Answer::retry(format!("no token: {e}")))?;
        let request = http::Request::post(self.url.as_str())
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "application/json")
            .body(Bytes::from(body))
            .map_err(|e| Answer::retry(format!("no token: {e}")))?;
        let answer = self.doors.http.send(request).await.map_err(|e| Answer::retry(format!("no token: {e}")))?;
        let what = format!("no token from {}", self.url.origin());
        if answer.status != StatusCode::OK {
            return Err(Answer::new(answer.retry(now), format!("{what}: {}", answer.raw())));
        }
        // From here on the answer may hold a token: it is not shown.
        let said: Said =
            serde_json::from_slice(&answer.body).map_err(|_| Answer::retry(format!("{what}: HTTP 200 without one")))?;
        let seconds = said.expires_in.clamp(0, 86_400);
        let good = if seconds > 2 * EARLY_SECONDS { seconds - EARLY_SECONDS } else { seconds / 2 };
        Ok(Token { value: Secret::new(said.access_token), until: now.plus_millis(good * 1_000) })
    }
}

#[derive(Deserialize)]
struct Said {
    access_token: String,
    #[serde(default = "an_hour")]
    expires_in: i64,
}

fn an_hour() -> i64 {
    3_600
}

impl Grant {
    /// The form that is sent for a token.
    fn body(&self, url: &Endpoint, now: Timestamp) -> Result<String, String> {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        match self {
            Grant::Client { id, secret, scope } => {
                form.append_pair("grant_type", "client_credentials");
                form.append_pair("client_id", id).append_pair("client_secret", secret.reveal()).append_pair("scope", scope);
            }
            Grant::Account { account, scope } => {
                form.append_pair("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
                form.append_pair("assertion", &account.assertion(url, scope, now)?);
            }
        }
        Ok(form.finish())
    }
}

/// A Google service account, as its key file describes it.
pub(crate) struct ServiceAccount {
    email: String,
    key_id: Option<String>,
    key: Arc<RsaKeyPair>,
    /// Where it gets tokens.
    pub(crate) token_uri: Endpoint,
}

impl ServiceAccount {
    /// A key file, for people and for tests. Its key was made for this and opens nothing.
    pub(crate) const SAMPLE: &'static str = include_str!("oauth/sample.json");

    /// Reads a key file.
    ///
    /// # Errors
    /// What is wrong, as the end of a sentence about the member; nothing of the text is repeated.
    pub(crate) fn parse(text: &Secret) -> Result<ServiceAccount, String> {
        #[derive(Deserialize)]
        struct File {
            client_email: String,
            private_key: String,
            private_key_id: Option<String>,
            token_uri: String,
        }
        let file: File = serde_json::from_str(text.reveal()).map_err(|_| {
            "is no key file of a service account: JSON with client_email, private_key and token_uri".to_owned()
        })?;
        let pem: String = file.private_key.lines().map(str::trim).filter(|line| !line.starts_with("-----")).collect();
        let der = STANDARD.decode(pem).map_err(|_| "has a private_key that is no PEM".to_owned())?;
        let key = RsaKeyPair::from_pkcs8(&der).map_err(|e| format!("has a private_key that is not usable: {e}"))?;
        let token_uri = Endpoint::parse(&file.token_uri).map_err(|e| format!("has a token_uri that {e}"))?;
        Ok(ServiceAccount { email: file.client_email, key_id: file.private_key_id, key: Arc::new(key), token_uri })
    }

    /// A signed statement of who we are (RFC 7523, RS256).
    fn assertion(&self, audience: &Endpoint, scope: &str, now: Timestamp) -> Result<String, String> {
        let seconds = now.as_millis().div_euclid(1_000);
        let header = json!({ "alg": "RS256", "typ": "JWT", "kid": self.key_id });
        let claims = json!({
            "iss": self.email,
            "scope": scope,
            "aud": audience.as_str(),
            "iat": seconds,
            "exp": seconds + ASSERTION_SECONDS,
        });
        let signed =
            format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()));
        let mut signature = vec![0; self.key.public().modulus_len()];
        // What is signed does not depend on chance: this kind of signature has none. ring only asks for a source.
        let signing = self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature);
        signing.map_err(|_| "the assertion could not be signed".to_owned())?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

impl fmt::Debug for ServiceAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceAccount").field("email", &self.email).finish_non_exhaustive()
    }
}
