//! Chromium and what steers it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command};
use std::time::Duration;

use browser::Programs;
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

use crate::acta::start;

/// A running chromedriver. With this value, it ends, and every browser that it started.
#[derive(Debug)]
pub(crate) struct Driver {
    child: Child,
    port: u16,
    chromium: String,
    /// Browsers' folders.
    profiles: tempfile::TempDir,
}

/// How a browser is set up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Setup {
    /// Scripts of pages do not run.
    pub(crate) no_scripts: bool,
}

impl Driver {
    /// Starts it on a free port.
    pub(crate) fn new(programs: &Programs) -> Driver {
        let mut command = Command::new(&programs.chromedriver);
        // The zone of the person in front of the screen, and the language of her date fields.
        command.arg("--port=0").env("TZ", "Europe/Berlin").env("LANG", "en_US.UTF-8").env("LANGUAGE", "en_US");
        let (child, lines) = start(command, &["started successfully on port "]);
        let port = lines.concat().trim_end_matches('.').parse().unwrap();
        let chromium = programs.chromium.display().to_string();
        Driver { child, port, chromium, profiles: tempfile::tempdir().unwrap() }
    }

    /// Opens a browser.
    pub(crate) async fn browser(&self, setup: Setup) -> Client {
        let profile = tempfile::tempdir_in(self.profiles.path()).unwrap().keep();
        let mut options = json!({
            "binary": self.chromium,
            "args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--lang=en-US",
                     "--window-size=1280,900", format!("--user-data-dir={}", profile.display())],
        });
        if setup.no_scripts {
            options["prefs"] = json!({ "profile.managed_default_content_settings.javascript": 2 });
        }
        let capabilities = json!({ "goog:chromeOptions": options });
        let Value::Object(capabilities) = capabilities else { unreachable!("an object") };
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities).connect(&format!("http://127.0.0.1:{}", self.port)).await.unwrap()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Asked to, it closes its browsers; killed, it leaves them behind.
        let asked = TcpStream::connect(("127.0.0.1", self.port)).and_then(|mut connection| {
            connection.set_read_timeout(Some(Duration::from_secs(10)))?;
            connection.write_all(b"GET /shutdown HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
            connection.read(&mut [0; 64])
        });
        if asked.is_err() {
            drop(self.child.kill());
        }
        drop(self.child.wait());
    }
}
