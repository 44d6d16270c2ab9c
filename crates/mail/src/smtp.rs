//! Handing mails to a server: RFC 5321, over TLS (RFC 8314 §3.3, or STARTTLS, RFC 3207).

use std::time::Duration;

use lettre::transport::smtp::Error;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use crate::error::MailError;

/// How long the server may take for one step.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) type Smtp = AsyncSmtpTransport<Tokio1Executor>;

/// The server that an address names: `smtps://user:password@host:465` for TLS from the start,
/// `smtp://user:password@host:587?tls=required` for STARTTLS. Without TLS only on this machine.
pub(crate) fn connect(url: &str, password: Option<&str>) -> Result<Smtp, MailError> {
    let setting = |what: &str| MailError::Setting(what.to_owned());
    let (scheme, rest) = url.split_once("://").ok_or_else(|| setting("must begin with smtps:// or smtp://"))?;
    let (userinfo, place) = rest.rsplit_once('@').map_or((None, rest), |(user, place)| (Some(user), place));
    let host = place.split(['/', '?']).next().unwrap_or_default();
    let host =
        host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit())).map_or(host, |(host, _)| host);
    let query = place.split_once('?').map_or("", |(_, query)| query);
    let on_this_machine = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    match scheme {
        "smtps" => {}
        "smtp" if on_this_machine || query.split('&').any(|pair| pair == "tls=required") => {}
        "smtp" => {
            return Err(setting("would send passwords and links unencrypted: use smtps://, or smtp:// with ?tls=required"));
        }
        _ => return Err(setting("must begin with smtps:// or smtp://")),
    }
    let url = match (userinfo, password) {
        (Some(user), Some(_)) if user.contains(':') => {
            return Err(setting("holds a password, and there is a file with one, too; name one of them"));
        }
        (Some(user), Some(password)) => format!("{scheme}://{user}:{}@{place}", percent(password)),
        (None, Some(_)) => return Err(setting("names no user for the password in the file: smtps://user@host")),
        (_, None) => url.to_owned(),
    };
    // What the other side says of the address could hold the password.
    let transport =
        Smtp::from_url(&url).map_err(|_| setting("is not an address such as smtps://user@mail.example.com:465"))?;
    Ok(transport.timeout(Some(PATIENCE)).build())
}

pub(crate) async fn send(server: &Smtp, message: Message) -> Result<(), MailError> {
    server.send(message).await.map(drop).map_err(|error| {
        let told = sentence(&error);
        if error.is_permanent() { MailError::Refused(told) } else { MailError::NotNow(told) }
    })
}

/// With what lies behind it: "Connection error" alone helps nobody.
fn sentence(error: &Error) -> String {
    let mut told = error.to_string();
    let mut inner = std::error::Error::source(error);
    while let Some(cause) = inner {
        let cause_told = cause.to_string();
        if !told.contains(&cause_told) {
            told = format!("{told}: {cause_told}");
        }
        inner = cause.source();
    }
    told
}

/// RFC 3986 §2.1, of everything that is not a letter or a digit.
fn percent(text: &str) -> String {
    text.bytes().map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_addresses_are_servers() {
        let tell = |url: &str, password: Option<&str>| match connect(url, password) {
            Ok(_) => format!("{url}: yes"),
            Err(error) => format!("{url}: {error}"),
        };
        let told = [
            tell("smtps://ada:p%40ss@mail.example.com:465", None),
            tell("smtps://ada@mail.example.com", Some("p@ss w/rd:")),
            tell("smtp://mail.example.com:587?tls=required", None),
            tell("smtp://127.0.0.1:1025", None),
            tell("smtp://localhost", None),
            tell("smtp://mail.example.com:25", None),
            tell("smtp://mail.example.com/tls=required?x=tls=required", None),
            tell("smtp://localhost.example.com:25", None),
            tell("smtps://ada:hunter2@mail.example.com", Some("p")),
            tell("smtps://mail.example.com", Some("p")),
            tell("mail.example.com", None),
            tell("http://mail.example.com", None),
            tell("smtps://", None),
        ];
        expect_test::expect![[r#"
            smtps://ada:p%40ss@mail.example.com:465: yes
            smtps://ada@mail.example.com: yes
            smtp://mail.example.com:587?tls=required: yes
            smtp://127.0.0.1:1025: yes
            smtp://localhost: yes
            smtp://mail.example.com:25: would send passwords and links unencrypted: use smtps://, or smtp:// with ?tls=required
            smtp://mail.example.com/tls=required?x=tls=required: would send passwords and links unencrypted: use smtps://, or smtp:// with ?tls=required
            smtp://localhost.example.com:25: would send passwords and links unencrypted: use smtps://, or smtp:// with ?tls=required
            smtps://ada:hunter2@mail.example.com: holds a password, and there is a file with one, too; name one of them
            smtps://mail.example.com: names no user for the password in the file: smtps://user@host
            mail.example.com: must begin with smtps:// or smtp://
            http://mail.example.com: must begin with smtps:// or smtp://
            smtps://: is not an address such as smtps://user@mail.example.com:465"#]].assert_eq(&told.join("\n"));
    }
}
