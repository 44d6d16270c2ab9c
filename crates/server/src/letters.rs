//! What Acta writes to people. Each mail says who asked for what, what to do, and what to do if it was not she.

use askama::Template;
use directory::{EmailChangeLetters, Invitation, Letter, Purpose, Secret, User};
use record::Timestamp;

use crate::config::Config;

#[derive(Debug, Template)]
#[template(path = "mail.html")]
struct Html<'a> {
    subject: &'a str,
    before: &'a str,
    link: Option<(&'a str, &'a str)>,
    after: &'a str,
}

/// A link to set a new password.
pub(crate) fn password_reset(config: &Config, user: &User, organization: &str, token: &Secret) -> Letter {
    let before = format!("Somebody, probably you, asked for a new password for your account at {organization} in Acta.");
    let after = format!(
        "The link is good for {} and for one use. If it was not you, do nothing: your password stays as it is.",
        how_long(Purpose::PasswordReset)
    );
    let link = config.address(&format!("/reset?token={}", token.expose()));
    letter(&user.email, "Set a new password", &before, Some(("Set a new password", &link)), &after)
}

/// A link to sign in.
pub(crate) fn magic_link(config: &Config, user: &User, organization: &str, token: &Secret) -> Letter {
    let before = format!("Somebody, probably you, asked for a link to sign in to {organization} in Acta.");
    let after = format!(
        "The link is good for {} and for one use. If it was not you, do nothing, and give the link to nobody.",
        how_long(Purpose::MagicLink)
    );
    let link = config.address(&format!("/sign-in/by-link?token={}", token.expose()));
    letter(&user.email, "Your link to sign in", &before, Some(("Sign in", &link)), &after)
}

/// A link to join.
pub(crate) fn invitation(
    config: &Config,
    invitation: &Invitation,
    organization: &str,
    inviter: Option<&str>,
    token: &Secret,
) -> Letter {
    let who = inviter.unwrap_or("Somebody");
    let before = format!("{who} invites you to {organization} in Acta, where you will be: {}.", invitation.role);
    let after = "The link is good for seven days and for one use. If you do not know what this is about, do nothing.";
    let link = invitation_link(config, token);
    let subject = format!("Invitation to {organization}");
    letter(&invitation.email, &subject, &before, Some(("Accept the invitation", &link)), after)
}

/// Where an invitation is accepted.
pub(crate) fn invitation_link(config: &Config, token: &Secret) -> String {
    config.address(&format!("/invitation?token={}", token.expose()))
}

/// A link to the new address, a notice to the old one.
pub(crate) fn email_change(
    config: &Config,
    user: &User,
    email: &str,
    organization: &str,
    token: &Secret,
) -> EmailChangeLetters {
    let link = config.address(&format!("/verify-email?token={}", token.expose()));
    let before =
        format!("This address is to be the one of your account at {organization} in Acta, instead of {}.", user.email);
    let after = format!(
        "The link is good for {} and for one use. If you do not know what this is about, do nothing.",
        how_long(Purpose::EmailChange)
    );
    let to_new = letter(email, "Confirm your e-mail address", &before, Some(("Confirm this address", &link)), &after);
    let told = format!("Somebody, probably you, asked that your account at {organization} in Acta get the address {email}.");
    let warning = "If it was not you, somebody else is signed in as you: change your password, end all sessions on the page \
                   of your account, and tell an admin of your organization.";
    let to_old = letter(&user.email, "Your e-mail address is about to change", &told, None, warning);
    EmailChangeLetters { to_new, to_old }
}

/// That a destination has been failing. What the receiver said may hold anything, so it is quoted and short.
pub(crate) fn destination_failing(
    config: &Config,
    user: &User,
    organization: &str,
    destination: &str,
    since: Timestamp,
    answer: &str,
) -> Letter {
    let subject = format!("Events do not arrive at {destination}");
    let said: String = answer.chars().filter(|c| !c.is_control()).take(ANSWER_CHARS_MAX).collect();
    let before = format!(
        "Since {since}, nothing of the log of {organization} in Acta has arrived at the destination {destination}. The last \
         answer was: \u{201c}{said}\u{201d}."
    );
    let after = "Nothing is lost: Acta keeps trying, and delivers what is missing when the destination works again, or is resumed \
                 if it was paused. You get no other mail about this until then.";
    let link = config.address("/audit?action=DESTINATION_FAILING");
    letter(&user.email, &subject, &before, Some(("See what the log says about it", &link)), after)
}

/// Of a receiver's answer, so much is in a mail.
const ANSWER_CHARS_MAX: usize = 300;

fn how_long(purpose: Purpose) -> String {
    match purpose.minutes() {
        60 => "an hour".to_owned(),
        minutes if minutes % 1_440 == 0 && minutes / 1_440 == 1 => "a day".to_owned(),
        minutes => format!("{minutes} minutes"),
    }
}

fn letter(to: &str, subject: &str, before: &str, link: Option<(&str, &str)>, after: &str) -> Letter {
    let middle = link.map_or_else(String::new, |(label, link)| format!("{label}:\n{link}\n\n"));
    let text = format!("{before}\n\n{middle}{after}\n");
    let html = Html { subject, before, link, after };
    // A template of ours with text in it always renders; if it did not, the text says the same.
    let html = html.render().unwrap_or_default();
    Letter { to: to.to_owned(), subject: subject.to_owned(), text, html }
}
