//! Other people's programs: where they are, and one that runs.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// The folder that a variable names, if it is set; otherwise says what is left out.
pub(crate) fn folder(variable: &str, what: &str) -> Option<PathBuf> {
    let found = std::env::var_os(variable).map(PathBuf::from);
    if found.is_none() {
        println!("left out: {what} is missing; `cargo xtask test` fetches it, or set {variable}");
    }
    found
}

/// A program of the unpacked Debian packages, with its libraries.
pub(crate) fn debian(program: &str) -> Option<Command> {
    let root = folder("ACTA_DEBIAN_PEERS", program)?;
    let mut command = Command::new(root.join("usr/sbin").join(program));
    let places = [
        "usr/lib/x86_64-linux-gnu",
        "usr/lib/aarch64-linux-gnu",
        "lib/x86_64-linux-gnu",
        "usr/lib/syslog-ng/3.38",
        "usr/lib/syslog-ng",
    ];
    let places: Vec<_> = places.iter().map(|place| root.join(place)).filter(|place| place.is_dir()).collect();
    command.env("LD_LIBRARY_PATH", std::env::join_paths(places).unwrap());
    Some(command)
}

/// A port that is free now.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A program whose output is read line by line. Killed at the end.
pub(crate) struct Peer {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
}

impl Peer {
    pub(crate) fn start(command: &mut Command) -> Peer {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let input = child.stdin.take().unwrap();
        let (to, lines) = channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if to.send(line).is_err() {
                    return;
                }
            }
        });
        Peer { child, input, lines }
    }

    /// Says a line to it.
    pub(crate) fn say(&mut self, line: &str) {
        writeln!(self.input, "{line}").unwrap();
    }

    /// The next line that it prints; fails if there is none for a minute.
    pub(crate) fn line(&self) -> String {
        self.lines.recv_timeout(Duration::from_secs(60)).expect("the program prints nothing more")
    }

    /// Kills it, with -9, and gives what it had printed that was not read yet.
    pub(crate) fn kill(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.lines.iter().collect()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
