//! Mails onto the terminal of whoever runs the server.

use std::io::Write;

use crate::error::MailError;
use crate::message::Mail;

pub(crate) fn show(mail: &Mail<'_>, out: &mut impl Write) -> Result<(), MailError> {
    // Nobody's name is to move the cursor.
    let plain = |text: &str| text.chars().filter(|c| *c == '\n' || !c.is_control()).collect::<String>();
    let rule = "-".repeat(72);
    let shown =
        format!("{rule}\nTo: {}\nSubject: {}\n\n{}\n{rule}\n", plain(mail.to), plain(mail.subject), plain(mail.text));
    let failed = |source| MailError::File { path: "the terminal".into(), source };
    out.write_all(shown.as_bytes()).and_then(|()| out.flush()).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_is_text_and_nothing_else() {
        let at = std::time::SystemTime::UNIX_EPOCH;
        let mail = Mail { id: "1", to: "ada@example.com", subject: "Hi\u{1b}[2J", text: "Line\nLine", html: "", at };
        let mut out = Vec::new();
        show(&mail, &mut out).unwrap();
        let shown = String::from_utf8(out).unwrap();
        assert!(shown.contains("To: ada@example.com\nSubject: Hi[2J\n\nLine\nLine\n"), "{shown}");
    }
}
