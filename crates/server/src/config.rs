//! Settings: from a TOML file, from `ACTA_…` in the environment, from flags; the later wins. All mistakes are told at once.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use record::Limits;
use store::{IpFilter, Options};

use crate::destination_settings::{self, DestinationNetworks, Span};
use crate::mail_settings::{self, MailWay, SmtpUrl};
use crate::params::PageSizes;

macro_rules! settings {
    ($($(#[doc = $doc:literal])+ $name:ident: $type:ty = $default:expr;)+) => {
        /// Every setting, documented where it stands.
        #[derive(Debug, Clone, PartialEq)]
        pub struct Config {
            $($(#[doc = $doc])+ pub $name: $type,)+
        }

        impl Default for Config {
            fn default() -> Config {
                Config { $($name: $default,)+ }
            }
        }

        /// Names and meanings, in the order in which they are listed.
        pub const SETTINGS: &[(&str, &str)] = &[$((stringify!($name), concat!($($doc),+))),+];

        impl Config {
            fn set(&mut self, name: &str, text: &str) -> Result<(), String> {
                match name {
                    $(stringify!($name) => self.$name = Setting::read(text)?,)+
                    _ => return Err(unknown(name)),
                }
                Ok(())
            }

            /// Every setting's value as text, for showing.
            pub fn values(&self) -> Vec<(&'static str, String)> {
                vec![$((stringify!($name), Setting::show(&self.$name))),+]
            }
        }
    };
}

settings! {
    /// The data directory.
    data: PathBuf = PathBuf::from("acta-data");
    /// The address to listen on. Loopback unless told otherwise.
    listen: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 8450));
    /// The address that people use, if a proxy with TLS stands in front, such as `https://audit.example.com`. Cookies are then marked Secure.
    public_url: String = String::new();
    /// Networks whose proxies are believed about whom they forward (X-Forwarded-For), separated by commas: 127.0.0.1, 10.0.0.0/8.
    trusted_proxies: Networks = Networks(Vec::new());
    /// The mail server: smtps://user@mail.example.com:465, or smtp://user@mail.example.com:587?tls=required.
    smtp_url: SmtpUrl = SmtpUrl::default();
    /// A file that holds the password for the mail server, in its first line.
    smtp_password_file: String = String::new();
    /// The sender of mails: Acta <acta@example.com>.
    mail_from: String = String::new();
    /// A folder that mails are written into instead of being sent, one file for each.
    mail_folder: String = String::new();
    /// What to do with mails without a mail server and without a folder: auto shows them on the terminal, if the server runs on one; console shows them on stderr, whatever that is; off sends none.
    mail: MailWay = MailWay::Auto;
    /// What the server writes about itself to stderr: error, warn, info, debug or trace, or a filter such as "info,store=debug".
    log: String = "info".to_owned();
    /// How: text or json.
    log_format: LogFormat = LogFormat::Text;
    /// How long a new log promises to keep its entries: an ISO 8601 duration from P1D to P10Y.
    retention: Retention = Retention("P12M".to_owned());
    /// One event's JSON text, in bytes, at most.
    event_bytes_max: usize = 256 * 1024;
    /// Events in one request, at most.
    batch_events_max: usize = 10_000;
    /// Bytes of one request's body, decompressed, at most.
    batch_bytes_max: usize = 16 << 20;
    /// Levels of objects and arrays within an event's metadata, at most.
    metadata_depth_max: usize = 32;
    /// Targets of one event, at most.
    targets_max: usize = 64;
    /// Members named `headers`, and the like, are taken out of every event's metadata, in all organizations: true or false. Also read from HIDE_ALL_HEADERS_IN_AUDIT_LOG_EVENTS.
    hide_all_headers_in_audit_log_events: bool = false;
    /// Every event of every organization is written to stdout, one line of JSON each; what the server writes about itself goes to stderr: true or false. Also read from LOG_AUDIT_EVENTS.
    log_audit_events: bool = false;
    /// Networks that destinations may lie in besides the public internet, separated by commas: 10.0.0.0/8, 192.168.1.7; or all, which is this machine, too.
    destination_networks: DestinationNetworks = DestinationNetworks::default();
    /// A file with certificates (PEM) that destinations' certificates may be signed by, besides those of the public internet.
    destination_ca_file: String = String::new();
    /// The folder that file destinations write into. Without it, there are none.
    destination_folder: String = String::new();
    /// A destination that has failed for so long is an event, and a mail to the organization's owners and admins: 90s, 15m, 2h.
    destination_alert_after: Span = Span(15 * 60);
    /// How long it is known of each event when it arrived where: a time such as 400d.
    destination_receipts: Span = Span(400 * 86_400);
    /// Events on one page of an answer, at most.
    page_events_max: usize = 1_000;
    /// A journal file becomes a segment once it has this many events …
    seal_events: u64 = 32_768;
    /// … or this many bytes.
    seal_bytes: u64 = 32 << 20;
}

/// The variables that have no `ACTA_` before them: whoever comes from Retool has them set already.
const OF_RETOOL: [&str; 2] = ["HIDE_ALL_HEADERS_IN_AUDIT_LOG_EVENTS", "LOG_AUDIT_EVENTS"];

/// How the server writes about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// An ISO 8601 duration in whole days, months or years, one of them: from P1D to P10Y.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention(String);

/// Networks, in CIDR form or single addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Networks(Vec<(String, IpFilter)>);

impl Setting for Networks {
    fn read(text: &str) -> Result<Networks, String> {
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        let network = |name: &str| match IpFilter::parse(name) {
            Ok(filter @ IpFilter::Net { .. }) => Ok((name.to_owned(), filter)),
            _ => Err(format!("{name:?} is not an address or network such as 10.0.0.0/8")),
        };
        names.map(network).collect::<Result<_, _>>().map(Networks)
    }
    fn show(&self) -> String {
        self.0.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
    }
}

/// Something that can be set by text.
pub(crate) trait Setting: Sized {
    /// Reads it; the error is the end of a sentence that begins with the setting's name.
    fn read(text: &str) -> Result<Self, String>;
    /// As it is listed. Never a secret.
    fn show(&self) -> String;
}

impl Setting for PathBuf {
    fn read(text: &str) -> Result<PathBuf, String> {
        if text.is_empty() { Err("must not be empty".to_owned()) } else { Ok(PathBuf::from(text)) }
    }
    fn show(&self) -> String {
        self.display().to_string()
    }
}

impl Setting for SocketAddr {
    fn read(text: &str) -> Result<SocketAddr, String> {
        text.parse().map_err(|_| format!("{text:?} is not an address and port such as 127.0.0.1:8450"))
    }
    fn show(&self) -> String {
        self.to_string()
    }
}

impl Setting for String {
    fn read(text: &str) -> Result<String, String> {
        Ok(text.to_owned())
    }
    fn show(&self) -> String {
        self.clone()
    }
}

impl Setting for bool {
    fn read(text: &str) -> Result<bool, String> {
        match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(true),
            "false" | "0" | "no" | "off" | "" => Ok(false),
            _ => Err(format!("{text:?} is neither true nor false")),
        }
    }
    fn show(&self) -> String {
        self.to_string()
    }
}

impl Setting for usize {
    fn read(text: &str) -> Result<usize, String> {
        number(text).and_then(|n| usize::try_from(n).map_err(|e| e.to_string()))
    }
    fn show(&self) -> String {
        self.to_string()
    }
}

impl Setting for u64 {
    fn read(text: &str) -> Result<u64, String> {
        number(text)
    }
    fn show(&self) -> String {
        self.to_string()
    }
}

fn number(text: &str) -> Result<u64, String> {
    match text.replace('_', "").parse::<u64>() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(format!("{text:?} is not a whole number above 0")),
    }
}

impl Setting for LogFormat {
    fn read(text: &str) -> Result<LogFormat, String> {
        match text {
            "text" => Ok(LogFormat::Text),
            "json" => Ok(LogFormat::Json),
            _ => Err(format!("{text:?} is neither text nor json")),
        }
    }
    fn show(&self) -> String {
        match self {
            LogFormat::Text => "text".to_owned(),
            LogFormat::Json => "json".to_owned(),
        }
    }
}

impl Setting for Retention {
    fn read(text: &str) -> Result<Retention, String> {
        let bad = || format!("{text:?} is not a duration such as P12M, from P1D to P10Y");
        let (digits, unit) =
            text.strip_prefix('P').and_then(|rest| rest.split_at_checked(rest.len().max(1) - 1)).ok_or_else(bad)?;
        let count: u32 = digits.parse().map_err(|_| bad())?;
        let most = match unit {
            "D" => 3_653,
            "M" => 120,
            "Y" => 10,
            _ => return Err(bad()),
        };
        if (1..=most).contains(&count) && !digits.starts_with('0') { Ok(Retention(text.to_owned())) } else { Err(bad()) }
    }
    fn show(&self) -> String {
        self.0.clone()
    }
}

fn unknown(name: &str) -> String {
    let near = SETTINGS.iter().max_by(|a, b| strsim::jaro(a.0, name).total_cmp(&strsim::jaro(b.0, name)));
    match near.filter(|(near, _)| strsim::jaro(near, name) > 0.7) {
        Some((near, _)) => format!("is not a setting; did you mean {near}?"),
        None => "is not a setting; `acta config` lists them".to_owned(),
    }
}

/// Everything that is wrong with the configuration.
#[derive(Debug, thiserror::Error)]
#[error("the configuration has mistakes:\n{0}")]
pub struct Mistakes(String);

impl Config {
    /// Reads all layers: the file, if one is named by `file` or by `ACTA_CONFIG`; variables; flags.
    pub fn load(
        file: Option<&Path>,
        variables: impl Iterator<Item = (String, String)>,
        flags: &[(&str, Option<String>)],
    ) -> Result<Config, Mistakes> {
        let mut config = Config::default();
        let mut mistakes = String::new();
        let mut note = |source: &str, name: &str, what: String| {
            mistakes.push_str(&format!("  {source}: {name} {what}\n"));
        };
        let ours = |name: &str| name.starts_with("ACTA_") || OF_RETOOL.contains(&name);
        let variables: BTreeMap<String, String> = variables.filter(|(name, _)| ours(name)).collect();
        let file = file.map(Path::to_owned).or_else(|| variables.get("ACTA_CONFIG").map(PathBuf::from));
        if let Some(file) = file {
            let source = file.display().to_string();
            match std::fs::read_to_string(&file)
                .map_err(|e| e.to_string())
                .and_then(|text| text.parse::<toml::Table>().map_err(|e| e.to_string().trim_end().replace('\n', "\n    ")))
            {
                Err(what) => note(&source, "the file", format!("cannot be read: {what}")),
                Ok(table) => {
                    for (name, value) in table {
                        let text = match value {
                            toml::Value::String(text) => text,
                            toml::Value::Array(items) if items.iter().all(toml::Value::is_str) => {
                                items.iter().filter_map(toml::Value::as_str).collect::<Vec<_>>().join(", ")
                            }
                            toml::Value::Integer(number) => number.to_string(),
                            toml::Value::Boolean(truth) => truth.to_string(),
                            other => {
                                note(
                                    &source,
                                    &name,
                                    format!(
                                        "must be text, a list of texts, a whole number, true or false, not {}",
                                        other.type_str()
                                    ),
                                );
                                continue;
                            }
                        };
                        config.set(&name, &text).unwrap_or_else(|what| note(&source, &name, what));
                    }
                }
            }
        }
        for (variable, value) in &variables {
            // Of the commands that talk to a server, and of this function. And of Kubernetes, which tells every container in
            // such variables where a service named "acta" is.
            let of_kubernetes = variable.starts_with("ACTA_PORT") || variable.starts_with("ACTA_SERVICE_");
            if ["ACTA_CONFIG", "ACTA_URL", "ACTA_KEY"].contains(&variable.as_str()) || of_kubernetes {
                continue;
            }
            let name = variable.trim_start_matches("ACTA_").to_lowercase();
            config.set(&name, value).unwrap_or_else(|what| note("environment", variable, what));
        }
        for (name, value) in flags {
            if let Some(value) = value {
                config
                    .set(name, value)
                    .unwrap_or_else(|what| note("command line", &format!("--{}", name.replace('_', "-")), what));
            }
        }
        if !config.public_url.is_empty()
            && !config.public_url.starts_with("https://")
            && !config.public_url.starts_with("http://")
        {
            note("configuration", "public_url", "must begin with https:// or http://".to_owned());
        }
        if let Err((name, what)) = mail_settings::mailer(&config) {
            note("configuration", name, what);
        }
        for (name, what) in destination_settings::mistakes(&config) {
            note("configuration", name, what);
        }
        if mistakes.is_empty() { Ok(config) } else { Err(Mistakes(mistakes.trim_end().to_owned())) }
    }

    /// How the store behaves.
    pub fn store_options(&self) -> Options {
        Options {
            seal_events: self.seal_events,
            seal_bytes: self.seal_bytes,
            retention: self.retention.0.clone(),
            ..Options::default()
        }
    }

    /// How large an event may be.
    pub fn limits(&self) -> Limits {
        Limits {
            event_bytes: self.event_bytes_max,
            metadata_depth: self.metadata_depth_max,
            targets: self.targets_max,
            ..Limits::default()
        }
    }

    /// How many events an answer of the API has.
    pub fn page_sizes(&self) -> PageSizes {
        PageSizes { default: 50.min(self.page_events_max), max: self.page_events_max }
    }

    /// Whether whoever has this address is believed about whom it forwards.
    pub fn trusts_proxy(&self, address: IpAddr) -> bool {
        self.trusted_proxies.0.iter().any(|(_, network)| network.contains(address))
    }

    /// A path of this server as an address that people can open from anywhere, as far as the settings tell.
    pub fn address(&self, path: &str) -> String {
        match self.public_url.trim_end_matches('/') {
            "" => format!("http://{}{path}", self.listen),
            public => format!("{public}{path}"),
        }
    }

    /// Whether people reach Acta over TLS.
    pub fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_later_layer_wins() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("acta.toml");
        let text = "listen = \"127.0.0.1:1\"\ndata = \"from-file\"\npage_events_max = 7\n";
        std::io::Write::write_all(&mut std::fs::File::create(&file).unwrap(), text.as_bytes()).unwrap();
        let variables = [("ACTA_LISTEN".to_owned(), "127.0.0.1:2".to_owned()), ("HOME".to_owned(), "/".to_owned())];
        let flags = [("data", Some("from-flag".to_owned())), ("listen", None)];
        let config = Config::load(Some(&file), variables.into_iter(), &flags).unwrap();
        assert_eq!(config.data, PathBuf::from("from-flag"));
        assert_eq!(config.listen.port(), 2);
        assert_eq!(config.page_events_max, 7);
        assert_eq!(Config::load(None, std::iter::empty(), &[]).unwrap(), Config::default());
        let hides = |name: &str, value: &str| {
            let variables = [(name.to_owned(), value.to_owned())];
            Config::load(None, variables.into_iter(), &[]).unwrap().hide_all_headers_in_audit_log_events
        };
        assert!(hides("HIDE_ALL_HEADERS_IN_AUDIT_LOG_EVENTS", "true"));
        assert!(hides("ACTA_HIDE_ALL_HEADERS_IN_AUDIT_LOG_EVENTS", "1"));
        assert!(!hides("HIDE_ALL_HEADERS_IN_AUDIT_LOG_EVENTS", "false"));
        let variables = [("LOG_AUDIT_EVENTS".to_owned(), "true".to_owned())];
        assert!(Config::load(None, variables.into_iter(), &[]).unwrap().log_audit_events);
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        let variables = [("ACTA_LISTN", "x"), ("ACTA_RETENTION", "P0D"), ("ACTA_SEAL_EVENTS", "many"), ("ACTA_ZZZ", "1")];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let flags = [("listen", Some("everywhere".to_owned()))];
        let mistakes = Config::load(None, variables.into_iter(), &flags).unwrap_err().to_string();
        expect_test::expect![[r#"
            the configuration has mistakes:
              environment: ACTA_LISTN is not a setting; did you mean listen?
              environment: ACTA_RETENTION "P0D" is not a duration such as P12M, from P1D to P10Y
              environment: ACTA_SEAL_EVENTS "many" is not a whole number above 0
              environment: ACTA_ZZZ is not a setting; `acta config` lists them
              command line: --listen "everywhere" is not an address and port such as 127.0.0.1:8450"#]]
        .assert_eq(&mistakes);
    }

    #[test]
    fn mail_settings_go_together() {
        let dir = tempfile::tempdir().unwrap();
        let password = dir.path().join("password");
        std::io::Write::write_all(&mut std::fs::File::create(&password).unwrap(), b"hunter2\n").unwrap();
        let load = |settings: &[(&str, &str)]| {
            let variables: Vec<_> =
                settings.iter().map(|(name, value)| (format!("ACTA_{name}"), (*value).to_owned())).collect();
            match Config::load(None, variables.into_iter(), &[]) {
                Ok(config) => {
                    let shown = format!("{:?} {config:?}", config.values());
                    assert!(!shown.contains("hunter2"), "{shown}");
                    mail_settings::mailer(&config).unwrap().map_or("none", |mailer| mailer.way()).to_owned()
                }
                Err(mistakes) => mistakes.0.lines().map(str::trim).collect::<Vec<_>>().join("; "),
            }
        };
        let (url, from) = (("SMTP_URL", "smtps://ada@mail.example.com"), ("MAIL_FROM", "Acta <acta@example.com>"));
        let file = ("SMTP_PASSWORD_FILE", password.to_str().unwrap());
        let with_password = ("SMTP_URL", "smtps://ada:hunter2@mail.example.com");
        expect_test::expect![[r#"
            none
            console
            folder
            smtp
            smtp
            configuration: smtp_password_file "/nowhere/at/all" cannot be read: No such file or directory (os error 2)
            configuration: mail_from must be set, because mails are sent: Acta <acta@example.com>
            configuration: mail_from "Acta" is not an e-mail address
            configuration: smtp_url holds a password, and there is a file with one, too; name one of them
            configuration: mail_folder and smtp_url are both set; choose one
            configuration: smtp_url would send passwords and links unencrypted: use smtps://, or smtp:// with ?tls=required
            environment: ACTA_MAIL "pigeon" is none of auto, console, off"#]]
        .assert_eq(
            &[
                load(&[("MAIL", "off")]),
                load(&[("MAIL", "console")]),
                load(&[("MAIL_FOLDER", "/nowhere")]),
                load(&[url, file, from]),
                load(&[with_password, from]),
                load(&[url, from, ("SMTP_PASSWORD_FILE", "/nowhere/at/all")]),
                load(&[url]),
                load(&[url, ("MAIL_FROM", "Acta")]),
                load(&[with_password, file, from]),
                load(&[url, from, ("MAIL_FOLDER", "/nowhere")]),
                load(&[("SMTP_URL", "smtp://ada:hunter2@mail.example.com"), from]),
                load(&[("MAIL", "pigeon")]),
            ]
            .join("\n"),
        );
    }

    #[test]
    fn retention_has_bounds() {
        for good in ["P1D", "P12M", "P10Y", "P3653D"] {
            assert!(Retention::read(good).is_ok(), "{good}");
        }
        for bad in ["", "P", "12M", "P11Y", "P0M", "P1W", "P01D", "P1M1D", "PÄ"] {
            assert!(Retention::read(bad).is_err(), "{bad}");
        }
    }
}
