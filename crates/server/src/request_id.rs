//! Every request has an id, which its answer carries.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use record::{EventId, Timestamp};

use crate::app::App;
use crate::problem::Problem;
use crate::{metrics, permit};

/// A request's id: the caller's, if it sent a sensible one, otherwise ours.
#[derive(Debug, Clone)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// When a request arrived.
#[derive(Debug, Clone, Copy)]
pub struct ArrivedAt(pub Timestamp);

const HEADER: &str = "x-request-id";

/// The outermost layer: gives the id, puts it and the security headers on the answer, writes problems out in the form that the
/// caller wants, and counts.
pub async fn layer(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let started = app.clock().monotonic_ns();
    let id = id_of(&app, &request);
    request.extensions_mut().insert(id.clone());
    request.extensions_mut().insert(ArrivedAt(app.now()));
    if let Some(client) = permit::client_ip(&app, &request) {
        request.extensions_mut().insert(client);
    }
    let is_page = crate::ui::is_page(request.uri().path());
    let method = known_method(request.method()).to_owned();
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();

    let mut response = next.run(request).await;
    let problem = response.extensions_mut().remove::<Problem>().or_else(|| of_the_framework(&response));
    if let Some(mut problem) = problem {
        problem.request_id = Some(id.as_str().to_owned());
        problem.log();
        response = if is_page { crate::ui::problem_page(&problem) } else { problem.into_json() };
    }
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        headers.insert(HEADER, value);
    }
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CSP),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if app.config.is_https() {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    let seconds = std::time::Duration::from_nanos(app.clock().monotonic_ns().saturating_sub(started)).as_secs_f64();
    app.metrics.request_seconds.observe(seconds);
    let labels = metrics::Request { method, route, status: response.status().as_u16() };
    app.metrics.requests.get_or_create(&labels).inc();
    response
}

/// What the framework refused before a handler saw it (a path that is no text, for instance) it tells as plain text.
fn of_the_framework(response: &Response) -> Option<Problem> {
    let is_text =
        response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"));
    let status = response.status();
    let detail = "The request's address or headers cannot be read.";
    (is_text && status.is_client_error()).then(|| Problem::new(status, "malformed", "The request cannot be read", detail))
}

const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                   form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// The method, if it is one that means something; anybody can make up others, and each would be a figure of its own for ever.
fn known_method(method: &Method) -> &str {
    let known = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];
    if known.contains(method) { method.as_str() } else { "other" }
}

fn id_of(app: &App, request: &Request) -> RequestId {
    let given = request.headers().get(HEADER).and_then(|value| value.to_str().ok());
    let sensible = |id: &&str| {
        (1..=128).contains(&id.len())
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':'))
    };
    let ours = || {
        let mut random = [0; 8];
        app.chance().fill(&mut random);
        EventId::new(app.now(), u16::from(random[0]), random).to_string()
    };
    RequestId(given.filter(sensible).map_or_else(ours, str::to_owned).into())
}
