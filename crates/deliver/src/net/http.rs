//! The HTTP client of all destinations: HTTP/1.1 and 2, connections kept, the guard on every one of them.
//!
//! It follows no redirection (the place was checked, another was not), takes no proxy from the environment, keeps no cookie and asks
//! for no compressed answer.

use std::error::Error as _;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{HeaderValue, USER_AGENT};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::answer::HttpAnswer;
use super::connector::Connector;
use super::dial::Dial;
use super::error::NetError;
use super::guard::AllowedNetworks;
use super::resolve::{Resolve, SystemResolver};
use super::tls::TlsOptions;

/// How the client behaves.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// Networks besides the public internet.
    pub allowed: AllowedNetworks,
    /// PEM texts: certificates that are trusted besides the public ones.
    pub extra_roots: Vec<String>,
    /// Time for a connection: look-up, TCP and TLS.
    pub connect: Duration,
    /// Time for a request and its whole answer, the connection included.
    pub answer: Duration,
    /// Who we say we are.
    pub user_agent: String,
    /// Who knows addresses.
    pub resolver: Arc<dyn Resolve>,
}

impl Default for HttpOptions {
    fn default() -> HttpOptions {
        HttpOptions {
            allowed: AllowedNetworks::none(),
            extra_roots: Vec::new(),
            connect: Duration::from_secs(10),
            answer: Duration::from_secs(30),
            user_agent: concat!("acta/", env!("CARGO_PKG_VERSION")).to_owned(),
            resolver: Arc::new(SystemResolver),
        }
    }
}

/// Sends requests. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Http {
    client: Client<Connector, Full<Bytes>>,
    dial: Dial,
    agent: HeaderValue,
    answer: Duration,
    kept: usize,
}

/// Bytes of an answer that are kept, unless asked otherwise.
const KEPT: usize = 64 * 1024;

impl Http {
    /// A client.
    ///
    /// # Errors
    /// A root that cannot be read.
    pub fn new(options: HttpOptions) -> Result<Http, NetError> {
        let dial = Dial::new(options.allowed, options.resolver, &options.extra_roots, options.connect)?;
        let agent = HeaderValue::from_str(&options.user_agent)
            .map_err(|_| NetError::Material("the user agent is no header value".to_owned()))?;
        let client = client(&dial, TlsOptions::default())?;
        Ok(Http { client, dial, agent, answer: options.answer, kept: KEPT })
    }

    /// The way to connections that are no HTTP.
    pub fn dial(&self) -> &Dial {
        &self.dial
    }

    /// The networks that the operator allows.
    pub fn allowed(&self) -> &AllowedNetworks {
        self.dial.allowed()
    }

    /// A client that trusts these certificates too, or shows one of its own. It has connections of its own.
    ///
    /// # Errors
    /// Certificates or a key that cannot be read.
    pub fn with_tls(&self, options: TlsOptions) -> Result<Http, NetError> {
        Ok(Http { client: client(&self.dial, options)?, ..self.clone() })
    }

    /// A client that trusts these certificates (PEM) too, if there are any.
    ///
    /// # Errors
    /// Certificates that cannot be read.
    pub fn trusting(&self, pem: Option<&str>) -> Result<Http, NetError> {
        match pem {
            None => Ok(self.clone()),
            Some(pem) => self.with_tls(TlsOptions { roots: Some(pem.to_owned()), ..TlsOptions::default() }),
        }
    }

    /// The same client, which keeps so many bytes of an answer.
    pub fn keeping(&self, bytes: usize) -> Http {
        Http { kept: bytes, ..self.clone() }
    }

    /// The same client, which waits so long for an answer.
    pub fn waiting(&self, answer: Duration) -> Http {
        Http { answer, ..self.clone() }
    }

    /// Sends one request and waits for its answer.
    ///
    /// # Errors
    /// If the place is not allowed or not there, or no whole answer comes in time. Whether the request arrived is then unknown.
    pub async fn send(&self, mut request: http::Request<Bytes>) -> Result<HttpAnswer, NetError> {
        let uri = request.uri();
        let origin = format!("{}://{}", uri.scheme_str().unwrap_or("https"), uri.authority().map_or("", |at| at.as_str()));
        request.headers_mut().entry(USER_AGENT).or_insert_with(|| self.agent.clone());
        let asking = self.ask(request.map(Full::new), &origin);
        let late = || NetError::AnswerTimeout { host: origin.clone(), within: self.answer };
        tokio::time::timeout(self.answer, asking).await.unwrap_or_else(|_| Err(late()))
    }

    async fn ask(&self, request: http::Request<Full<Bytes>>, origin: &str) -> Result<HttpAnswer, NetError> {
        let answer = self.client.request(request).await.map_err(|e| why(&e, origin))?;
        let (head, body) = answer.into_parts();
        let (body, cut) = self.read(body, origin).await?;
        Ok(HttpAnswer { status: head.status, headers: head.headers, body, cut })
    }

    /// The beginning of a body. The connection of a longer one is given up.
    async fn read(&self, mut body: Incoming, origin: &str) -> Result<(Bytes, bool), NetError> {
        let mut kept = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|e| NetError::Http { host: origin.to_owned(), why: chain(&e) })?;
            let Ok(data) = frame.into_data() else { continue };
            let room = self.kept.saturating_sub(kept.len());
            kept.extend_from_slice(&data[..data.len().min(room)]);
            if data.len() > room {
                return Ok((kept.freeze(), true));
            }
        }
        Ok((kept.freeze(), false))
    }
}

fn client(dial: &Dial, options: TlsOptions) -> Result<Client<Connector, Full<Bytes>>, NetError> {
    let options = TlsOptions { alpn: vec![b"h2".to_vec(), b"http/1.1".to_vec()], ..options };
    let config = dial.tls_config(&options)?;
    let connector = Connector { dial: dial.clone(), options: Arc::new(options), config };
    let client = Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(Duration::from_secs(50))
        .pool_max_idle_per_host(2)
        .build(connector);
    Ok(client)
}

/// The error below the client's, in words.
fn why(error: &hyper_util::client::legacy::Error, origin: &str) -> NetError {
    let mut below = error.source();
    while let Some(cause) = below {
        if let Some(ours) = cause.downcast_ref::<NetError>() {
            return ours.clone();
        }
        below = cause.source();
    }
    NetError::Http { host: origin.to_owned(), why: error.source().map_or_else(|| error.to_string(), chain) }
}

/// An error and what is below it.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut below = error.source();
    while let Some(cause) = below {
        text.push_str(&format!(": {cause}"));
        below = cause.source();
    }
    text
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("dial", &self.dial).finish_non_exhaustive()
    }
}
