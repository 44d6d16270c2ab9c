//! The program under test, started as its users start it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use browser::Programs;

/// How long a program may take to say that it is ready.
const START: Duration = Duration::from_secs(120);

/// A running server. It ends with this value.
#[derive(Debug)]
pub(crate) struct Acta {
    child: Child,
    data: tempfile::TempDir,
    /// Where it listens: `http://127.0.0.1:PORT`.
    pub(crate) url: String,
    pub(crate) email: String,
    pub(crate) password: String,
    /// The path of the link by which the owner of a new organization sets her password.
    pub(crate) link: String,
}

/// What the owner of a new organization chooses.
const PASSWORD: &str = "jacquard loom weaving 1804";

impl Acta {
    /// A small company's worth of events.
    pub(crate) fn demo(programs: &Programs) -> Acta {
        let data = tempfile::tempdir().unwrap();
        let mut command = acta(programs);
        command.args(["demo", "--listen", "127.0.0.1:0", "--events", "2000", "--data"]).arg(data.path());
        let (child, lines) = start(command, &["Listening on ", "E-mail:", "Password:"]);
        let [url, email, password] = <[String; 3]>::try_from(lines).unwrap();
        Acta { child, data, url, email, password, link: String::new() }
    }

    /// A new organization, to which nobody has sent anything. Its owner has no password yet: she has the path of a link to set
    /// one. Mails go into a folder.
    pub(crate) fn new(programs: &Programs) -> Acta {
        let data = tempfile::tempdir().unwrap();
        let init = ["init", "--organization", "Fresh Start", "--admin-email", "ada@example.com"];
        let mut command = acta(programs);
        command.args(init).arg("--data").arg(data.path()).env("ACTA_LOG", "warn");
        let (mut child, lines) = start(command, &["E-mail:", "Link: http://127.0.0.1:8450"]);
        assert!(child.wait().unwrap().success());
        let [email, link] = <[String; 2]>::try_from(lines).unwrap();
        let mut command = acta(programs);
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data.path()).env("ACTA_LOG", "warn");
        command.env("ACTA_MAIL_FOLDER", data.path().join("mails"));
        let (child, lines) = start(command, &["Listening on "]);
        Acta { child, url: lines.concat(), email, password: PASSWORD.to_owned(), link, data }
    }

    /// The paths of the links in the mails to this address.
    pub(crate) fn links_mailed_to(&self, address: &str) -> Vec<String> {
        let Ok(mails) = std::fs::read_dir(self.data.path().join("mails")) else { return Vec::new() };
        let texts = mails.filter_map(|mail| std::fs::read_to_string(mail.ok()?.path()).ok());
        let mails = texts.filter(|text| text.contains(&format!("To: {address}\r\n")));
        mails.filter_map(|mail| link_in(&mail)).collect()
    }

    /// The path of an address on this server.
    pub(crate) fn path_of(&self, url: &url::Url) -> String {
        url.as_str().strip_prefix(&self.url).unwrap_or_else(|| panic!("{url} is not on {}", self.url)).to_owned()
    }
}

fn link_in(mail: &str) -> Option<String> {
    let text = mail.replace("=\r\n", "").replace("=3D", "=");
    let (_, rest) = text.split_once("http://127.0.0.1:")?;
    Some(rest.split_whitespace().next()?.trim_start_matches(|c: char| c.is_ascii_digit()).to_owned())
}

impl Drop for Acta {
    fn drop(&mut self) {
        // What it was about to write is of no use any more.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The program, without the variables that are for the tests: it would take them for settings of its own.
fn acta(programs: &Programs) -> Command {
    let mut command = Command::new(&programs.acta);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("ACTA_") {
            command.env_remove(name);
        }
    }
    command
}

/// Starts a program and waits until it has printed a line with each of the beginnings; what follows them, in that order.
pub(crate) fn start(mut command: Command, beginnings: &[&str]) -> (Child, Vec<String>) {
    let name = Path::new(command.get_program()).display().to_string();
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap_or_else(|e| panic!("{name} does not start: {e}"));
    let output = child.stdout.take().unwrap();
    let (sender, lines) = mpsc::channel();
    // Reads on to the end, so that the program never waits for somebody to read.
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            drop(sender.send(line));
        }
    });
    let mut found: Vec<Option<String>> = vec![None; beginnings.len()];
    while found.iter().any(Option::is_none) {
        let line = lines.recv_timeout(START).unwrap_or_else(|e| panic!("{name} did not print {beginnings:?}: {e}"));
        for (place, beginning) in found.iter_mut().zip(beginnings) {
            if let Some((_, rest)) = line.split_once(beginning) {
                *place = Some(rest.trim().to_owned());
            }
        }
    }
    (child, found.into_iter().flatten().collect())
}
