//! One mail, and its bytes: RFC 5322, with the text and the HTML as alternatives (RFC 2046 §5.1.4).

use std::time::SystemTime;

use lettre::Message;
use lettre::message::{Mailbox, MultiPart, header};

use crate::error::MailError;

/// A mail to be sent.
#[derive(Debug, Clone, Copy)]
pub struct Mail<'a> {
    /// What tells it from all others; letters, digits and hyphens.
    pub id: &'a str,
    /// To whom: one address.
    pub to: &'a str,
    /// The subject.
    pub subject: &'a str,
    /// What it says, as text.
    pub text: &'a str,
    /// The same as HTML.
    pub html: &'a str,
    /// When it is sent.
    pub at: SystemTime,
}

/// An address, with a name or without: `Acta <acta@example.com>`.
pub(crate) fn mailbox(text: &str) -> Result<Mailbox, String> {
    text.parse().map_err(|_| format!("{text:?} is not an e-mail address"))
}

/// The mail as it goes over the wire.
pub(crate) fn message(from: &Mailbox, mail: &Mail<'_>) -> Result<Message, MailError> {
    // The whole text is the address: a name could hide another one in it.
    let address = mail.to.parse().map_err(|_| MailError::Mail(format!("{:?} is not an e-mail address", mail.to)))?;
    let id = format!("<{}@{}>", mail.id, from.email.domain());
    Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, address))
        .subject(mail.subject)
        .date(mail.at)
        .message_id(Some(id))
        // Nobody's absence note is to answer it (RFC 3834 §5).
        .header(AutoSubmitted)
        .multipart(MultiPart::alternative_plain_html(mail.text.to_owned(), mail.html.to_owned()))
        .map_err(|error| MailError::Mail(error.to_string()))
}

#[derive(Clone)]
struct AutoSubmitted;

impl header::Header for AutoSubmitted {
    fn name() -> header::HeaderName {
        header::HeaderName::new_from_ascii_str("Auto-Submitted")
    }
    fn parse(_: &str) -> Result<AutoSubmitted, Box<dyn std::error::Error + Send + Sync>> {
        Ok(AutoSubmitted)
    }
    fn display(&self) -> header::HeaderValue {
        header::HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn written(to: &str, subject: &str) -> Result<String, MailError> {
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_212_270);
        let (text, html) =
            ("Go to https://acta.example/reset?token=00ff\n", "<p>Go <a href=\"https://acta.example\">there</a></p>");
        let mail = Mail { id: "acta-1", to, subject, text, html, at };
        let message = message(&mailbox("Acta <acta@example.com>").unwrap(), &mail)?;
        Ok(String::from_utf8(message.formatted()).unwrap())
    }

    #[test]
    fn it_is_a_mail_that_programs_understand() {
        let written = written("ada@example.com", "Sign in to Ärzte & Co").unwrap();
        for part in [
            "From: Acta <acta@example.com>\r\n",
            "To: ada@example.com\r\n",
            "Date: Fri, 20 Nov 2026 22:04:30 +0000\r\n",
            "Message-ID: <acta-1@example.com>\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "Subject: Sign in to =?utf-8?b?",
            "multipart/alternative",
            "token=00ff",
            "text/html",
        ] {
            assert!(written.contains(part) || written.contains(&part.replace("token=", "token=3D")), "{part}: {written}");
        }
    }

    #[test]
    fn nothing_can_be_smuggled_into_its_head() {
        for to in
            ["ada@example.com\r\nBcc: eve@example.com", "Eve <ada@example.com>", "ada@example.com, eve@example.com", ""]
        {
            assert!(matches!(written(to, "x"), Err(MailError::Mail(_))), "{to:?}");
        }
        let written = written("ada@example.com", "x\r\nBcc: eve@example.com").unwrap();
        assert!(!written.contains("\r\nBcc:"), "{written}");
    }
}
