//! Pages that say one thing.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use directory::{LinkRefused, Purpose};

use super::page::{self, Account};

/// What a page says, and where to go from there.
#[derive(Debug, Template)]
#[template(path = "message.html")]
pub(super) struct Message<'a> {
    pub(super) account: Option<Account>,
    pub(super) title: &'a str,
    pub(super) text: &'a str,
    pub(super) link: Option<(&'a str, &'a str)>,
}

/// Shows it.
pub(super) fn show(status: StatusCode, message: &Message<'_>) -> Response {
    page::html(status, message)
}

/// A link that is not good, and what to do about that.
pub(super) fn refused(refused: LinkRefused, purpose: Option<Purpose>) -> Response {
    let title = match refused {
        LinkRefused::Unknown => "This link is not known",
        LinkRefused::Used => "This link was used before",
        LinkRefused::Expired => "This link has expired",
        LinkRefused::Disabled => "This account is disabled",
        LinkRefused::Powerless => "This invitation does not hold any more",
    };
    let again = "Every link is good once, and for a while.";
    let (text, link) = match (refused, purpose) {
        (LinkRefused::Disabled, _) => ("Ask an owner or an admin of your organization.".to_owned(), None),
        (LinkRefused::Powerless, _) => {
            let why =
                "Whoever invited you cannot let you in any more. Ask an owner or an admin of the organization to send the";
            (format!("{why} invitation again."), None)
        }
        (_, Some(Purpose::PasswordReset)) => {
            (format!("{again} Ask for a new one."), Some(("/forgot", "Ask for a new link")))
        }
        (_, Some(Purpose::MagicLink)) => {
            (format!("{again} Ask for a new one."), Some(("/sign-in/link", "Ask for a new link")))
        }
        (_, Some(Purpose::EmailChange)) => (
            format!("{again} Sign in, and enter the new address again on the page of your account."),
            Some(("/account", "Your account")),
        ),
        (_, Some(Purpose::FirstRun)) => {
            let how = "If you have set your password, sign in. If not, whoever runs this server makes a new link: acta reset-link.";
            (how.to_owned(), Some(("/sign-in", "Sign in")))
        }
        (LinkRefused::Used, _) => {
            ("If it was you, sign in. If not, ask whoever invited you.".to_owned(), Some(("/sign-in", "Sign in")))
        }
        _ => (
            "Check that the address is whole. If it is, ask whoever invited you to send the invitation again.".to_owned(),
            None,
        ),
    };
    // 410 Gone for what was there, 404 for what never was.
    let status = if refused == LinkRefused::Unknown { StatusCode::NOT_FOUND } else { StatusCode::GONE };
    show(status, &Message { account: None, title, text: &text, link })
}
