//! What a caller is told when a request cannot be answered: RFC 9457, with the member at fault.

use access::Denied;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use store::{AppendError, StoreError};

/// A problem, as the caller sees it. `inside` is for the log only.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// Which sort of problem: a URN that does not change.
    #[serde(rename = "type")]
    pub kind: String,
    /// The sort of problem, in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What went wrong this time, and what to do about it.
    pub detail: String,
    /// The request's id, to be quoted when asking for help.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The members or parameters at fault.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    #[serde(skip)]
    retry_after_s: Option<u32>,
    #[serde(skip)]
    inside: Option<String>,
}

/// One member or parameter at fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FieldError {
    /// RFC 6901 pointer to a member of the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// The name of a query parameter or header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    /// What is wrong with it, as the end of a sentence that begins with it.
    pub detail: String,
}

impl FieldError {
    /// A parameter at fault.
    pub fn parameter(name: &str, detail: impl Into<String>) -> FieldError {
        FieldError { pointer: None, parameter: Some(name.to_owned()), detail: detail.into() }
    }
}

impl Problem {
    /// A problem of this sort.
    pub fn new(status: StatusCode, kind: &str, title: &str, detail: impl Into<String>) -> Problem {
        Problem {
            kind: format!("urn:acta:problem:{kind}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            request_id: None,
            errors: Vec::new(),
            retry_after_s: None,
            inside: None,
        }
    }

    /// The request cannot be read at all.
    pub fn bad_request(kind: &str, detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, kind, "The request cannot be read", detail)
    }

    /// The request can be read, but not all of it is valid.
    pub fn invalid(errors: Vec<FieldError>) -> Problem {
        let first = errors.first().map_or_else(String::new, |error| {
            let name = error.pointer.as_deref().or(error.parameter.as_deref()).unwrap_or_default();
            format!("{name} {}", error.detail)
        });
        let more = match errors.len() {
            0 | 1 => String::new(),
            more => format!(" (and {} more)", more - 1),
        };
        let detail = format!("{}{more}", first.trim_start());
        Problem { errors, ..Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", "Something is not valid", detail) }
    }

    /// Too large.
    pub fn too_large(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "Too large", detail)
    }

    /// No valid key or session came with the request.
    pub fn unauthenticated(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::UNAUTHORIZED, "unauthenticated", "Who are you?", detail)
    }

    /// There is no such thing, or none that the caller may know of.
    pub fn not_found(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::NOT_FOUND, "not-found", "Not found", detail)
    }

    /// Too many requests.
    pub fn too_many(detail: impl Into<String>, retry_after_s: u32) -> Problem {
        let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many", "Too many attempts", detail);
        Problem { retry_after_s: Some(retry_after_s), ..problem }
    }

    /// Something broke here. The caller is told so, the log why.
    pub fn internal(inside: impl std::fmt::Display) -> Problem {
        let detail = "Something went wrong on the server. The server's log has more under this request's id.";
        let problem = Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Server error", detail);
        Problem { inside: Some(inside.to_string()), ..problem }
    }

    /// A change of the directory while nothing can be recorded. The caller is told where to look, the log why.
    pub fn cannot_change(inside: String) -> Problem {
        let detail = "The server cannot record events now, and nothing is changed that is not recorded. Send this again once the \
                      server is well. It needs its operator: see /readyz.";
        Problem { inside: Some(inside), ..Problem::unavailable("cannot-record", detail, 30) }
    }

    fn unavailable(kind: &str, detail: impl Into<String>, retry_after_s: u32) -> Problem {
        let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, kind, "Not available now", detail);
        Problem { retry_after_s: Some(retry_after_s), ..problem }
    }

    /// The same problem under another status and sort.
    #[must_use]
    pub fn with_status(self, status: StatusCode, kind: &str, title: &str) -> Problem {
        let kind = format!("urn:acta:problem:{kind}");
        Problem { status: status.as_u16(), kind, title: title.to_owned(), ..self }
    }

    /// The same problem with one more member at fault.
    #[must_use]
    pub fn with_error(mut self, error: FieldError) -> Problem {
        self.errors.push(error);
        self
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Writes what the caller is not told into the log, once.
    pub fn log(&self) {
        if let Some(inside) = &self.inside {
            tracing::error!(request_id = self.request_id.as_deref(), inside, "{}", self.title);
        }
    }

    /// The answer in JSON.
    pub fn into_json(self) -> Response {
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (self.status(), body).into_response();
        self.put_headers(&mut response);
        let json = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        response
    }

    /// Adds the headers that go with the status.
    pub fn put_headers(&self, response: &mut Response) {
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == 401 {
            let scheme = HeaderValue::from_static("Bearer realm=\"acta\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
    }
}

/// The problem travels in the response's extensions to the outermost layer, which knows the request's id and whether the
/// caller wants JSON or a page.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Problem {
        Problem::new(StatusCode::FORBIDDEN, "denied", "Not allowed", format!("You may not do this: {denied}."))
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Problem {
        match error {
            StoreError::Busy => {
                Problem::unavailable("busy", "The server has more to record than it can hold. Send this again later.", 1)
            }
            StoreError::Closing => Problem::unavailable("closing", "The server is shutting down. Send this again later.", 2),
            StoreError::Cancelled => Problem::unavailable("cancelled", "The question was given up.", 1),
            StoreError::Poisoned(reason) => {
                // What was written may or may not be on disk; only a restart can tell.
                let detail = "The server cannot record events now, because its disk failed. Nothing of this request is \
                              confirmed: send it again, with the same ids, once the server is well. It needs its operator: \
                              see /readyz.";
                Problem { inside: Some(reason), ..Problem::unavailable("cannot-record", detail, 30) }
            }
            other => Problem::internal(other),
        }
    }
}

impl From<AppendError> for Problem {
    fn from(error: AppendError) -> Problem {
        match error {
            AppendError::Store(error) => error.into(),
            AppendError::KeyReused => Problem::invalid(vec![FieldError::parameter(
                "Idempotency-Key",
                "was used within the last 24 hours with another body; a new request needs a new key",
            )]),
        }
    }
}

impl From<directory::DirectoryError> for Problem {
    fn from(error: directory::DirectoryError) -> Problem {
        use directory::DirectoryError as E;
        match error {
            E::NotFound { what } => Problem::not_found(format!("There is no such {what}.")),
            E::Conflict { .. } => Problem::new(StatusCode::CONFLICT, "conflict", "Conflict", sentence(&error.to_string())),
            E::Forbidden { detail } => Problem::new(StatusCode::FORBIDDEN, "denied", "Not allowed", detail),
            E::Invalid { ref member, ref detail } => Problem::invalid(vec![FieldError {
                pointer: Some(format!("/{member}")),
                parameter: None,
                detail: detail.clone(),
            }]),
            other => Problem::internal(other),
        }
    }
}

impl From<follow::ledger::LedgerError> for Problem {
    fn from(error: follow::ledger::LedgerError) -> Problem {
        use follow::ledger::LedgerError as E;
        match error {
            E::NotFound { what } => Problem::not_found(format!("There is no such {what}.")),
            E::Conflict { detail } => Problem::new(StatusCode::CONFLICT, "conflict", "Conflict", sentence(&detail)),
            other => Problem::internal(other),
        }
    }
}

/// The text with one full stop at its end.
fn sentence(text: &str) -> String {
    format!("{}.", text.trim_end_matches('.'))
}
