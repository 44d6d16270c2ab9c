//! What is around every page, and the page that says what went wrong.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::session::Viewer;
use crate::problem::Problem;
use crate::request_id::RequestId;

/// Whoever is signed in, for the page's head.
#[derive(Debug, Clone)]
pub(super) struct Account {
    /// The organization.
    pub(super) organization: String,
    /// Her name, or her address if she has none.
    pub(super) name: String,
    /// Her address.
    pub(super) email: String,
    /// What she is there.
    pub(super) role: &'static str,
    /// What the sign-out form sends back.
    pub(super) csrf: String,
}

impl Account {
    /// The account that a page is shown to.
    pub(super) fn of(viewer: &Viewer) -> Account {
        let user = &viewer.signed_in.user;
        Account {
            organization: viewer.signed_in.organization.name.clone(),
            name: if user.name.is_empty() { user.email.clone() } else { user.name.clone() },
            email: user.email.clone(),
            role: user.role.as_str(),
            csrf: viewer.signed_in.csrf.expose().to_owned(),
        }
    }
}

/// Renders a page.
pub(super) fn html(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => {
            let mut response = (status, text).into_response();
            let html = HeaderValue::from_static("text/html; charset=utf-8");
            response.headers_mut().insert(header::CONTENT_TYPE, html);
            response
        }
        Err(e) => Problem::internal(e).into_response(),
    }
}

#[derive(Debug, Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    account: Option<Account>,
    problem: &'a Problem,
    next: Next,
}

/// What to do about a problem.
#[derive(Debug)]
struct Next {
    text: &'static str,
    link: Option<(&'static str, &'static str)>,
}

const LIST: Option<(&str, &str)> = Some(("/audit", "Go to the audit log"));

fn next(status: u16) -> Next {
    let (text, link) = match status {
        401 => ("Sign in, and you are back at once.", Some(("/sign-in", "Sign in"))),
        403 => ("If you need this for your work, ask an owner or an admin of your organization for another role.", LIST),
        404 => ("Check the address for a mistake, or look for the event in the log.", LIST),
        405 => ("This address is for forms. Open the audit log instead.", LIST),
        422 => ("Correct the address, or begin again.", LIST),
        429 => ("Wait a while, then try again.", None),
        503 => {
            ("Try again in a moment. If it does not pass, the operator of this server finds the reason at /readyz.", None)
        }
        _ => ("Try again. If it happens again, tell the operator of this server the request id below.", LIST),
    };
    Next { text, link }
}

/// The page for a problem; with the usual head if it is known who looks.
pub(super) fn problem(problem: &Problem, account: Option<Account>) -> Response {
    let page = ProblemPage { account, problem, next: next(problem.status) };
    let mut response = html(problem.status(), &page);
    problem.put_headers(&mut response);
    response
}

/// The page for a problem that a signed-in person ran into.
pub(super) fn problem_for(viewer: &Viewer, request_id: &RequestId, mut found: Problem) -> Response {
    found.request_id = Some(request_id.as_str().to_owned());
    found.log();
    problem(&found, Some(Account::of(viewer)))
}

/// A number with a comma after every three digits.
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_have_commas() {
        let all = [0, 7, 999, 1_000, 12_345, 999_999, 1_000_000, u64::MAX].map(thousands).join(" ");
        expect_test::expect!["0 7 999 1,000 12,345 999,999 1,000,000 18,446,744,073,709,551,615"].assert_eq(&all);
    }

    #[test]
    fn a_problem_says_what_to_do_and_escapes_what_it_tells() {
        let mut problem = Problem::not_found("There is no <b>event</b>.");
        problem.request_id = Some("r-1".to_owned());
        let page = ProblemPage { account: None, problem: &problem, next: next(404) }.render().unwrap();
        assert!(page.contains("Not found") && page.contains("r-1") && page.contains("href=\"/audit\""), "{page}");
        assert!(page.contains("no &#60;b&#62;event"), "{page}");
    }
}
