//! The one way out, whichever it is.

use std::path::PathBuf;

use lettre::message::Mailbox;

use crate::error::MailError;
use crate::message::{Mail, mailbox, message};
use crate::smtp::{self, Smtp};
use crate::{console, folder};

/// Sends mails from one address, one way.
#[derive(Debug)]
pub struct Mailer {
    from: Mailbox,
    way: Way,
}

enum Way {
    Smtp(Box<Smtp>),
    Folder(PathBuf),
    Console,
}

impl Mailer {
    /// Hands mails to a server: `smtps://user:password@host:465`, `smtp://user@host:587?tls=required`. The password may be
    /// given apart. Nothing is connected yet.
    pub fn smtp(from: &str, url: &str, password: Option<&str>) -> Result<Mailer, MailError> {
        let server = smtp::connect(url, password)?;
        Ok(Mailer { from: sender(from)?, way: Way::Smtp(Box::new(server)) })
    }

    /// Writes mails into a folder.
    pub fn folder(from: &str, folder: PathBuf) -> Result<Mailer, MailError> {
        Ok(Mailer { from: sender(from)?, way: Way::Folder(folder) })
    }

    /// Shows mails on stderr.
    pub fn console(from: &str) -> Result<Mailer, MailError> {
        Ok(Mailer { from: sender(from)?, way: Way::Console })
    }

    /// What is done with mails, for the log.
    pub fn way(&self) -> &'static str {
        match self.way {
            Way::Smtp(_) => "smtp",
            Way::Folder(_) => "folder",
            Way::Console => "console",
        }
    }

    /// Sends a mail. Whatever the error, the mail may have arrived all the same; it tells whether trying again is of use.
    /// A folder or a terminal blocks for the time of a small write.
    pub async fn send(&self, mail: &Mail<'_>) -> Result<(), MailError> {
        let message = message(&self.from, mail)?;
        match &self.way {
            Way::Smtp(server) => smtp::send(server, message).await,
            Way::Folder(folder) => folder::write(folder, mail.id, &message),
            Way::Console => console::show(mail, &mut std::io::stderr().lock()),
        }
    }
}

fn sender(from: &str) -> Result<Mailbox, MailError> {
    mailbox(from).map_err(MailError::Setting)
}

/// The server's password is not for showing.
impl std::fmt::Debug for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Way::Smtp(_) => f.write_str("Smtp"),
            Way::Folder(folder) => f.debug_tuple("Folder").field(folder).finish(),
            Way::Console => f.write_str("Console"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn a_folder_has_a_private_file_for_each_mail() {
        let folder = tempfile::tempdir().unwrap();
        let mailer = Mailer::folder("acta@example.com", folder.path().join("mail")).unwrap();
        let mail =
            Mail { id: "acta-1", to: "ada@example.com", subject: "Hi", text: "There", html: "", at: SystemTime::UNIX_EPOCH };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(mailer.send(&mail)).unwrap();
        runtime.block_on(mailer.send(&mail)).unwrap();
        let file = folder.path().join("mail/acta-1.eml");
        assert!(std::fs::read_to_string(&file).unwrap().contains("To: ada@example.com\r\n"));
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(file).unwrap().permissions());
            assert_eq!(mode & 0o777, 0o600);
        }
        let refused = runtime.block_on(mailer.send(&Mail { to: "nobody", ..mail })).unwrap_err();
        assert!(refused.is_hopeless());
        assert!(matches!(Mailer::console("Acta"), Err(MailError::Setting(_))));
    }

    #[test]
    fn a_server_that_does_not_answer_may_do_so_later() {
        // A port that was free a moment ago, and that nobody listens to.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mailer = Mailer::smtp("acta@example.com", &format!("smtp://127.0.0.1:{port}"), None).unwrap();
        let mail =
            Mail { id: "acta-1", to: "ada@example.com", subject: "Hi", text: "There", html: "", at: SystemTime::UNIX_EPOCH };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let error = runtime.block_on(mailer.send(&mail)).unwrap_err();
        assert!(!error.is_hopeless(), "{error}");
        assert!(!format!("{mailer:?}").contains("127.0.0.1"));
    }
}
