//! An authority of a test's own, made by the program openssl, with a certificate for this machine and one for Acta.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

/// PEM files in a folder: `ca`, `server` and `client`, `.crt` and `.key` each.
pub(crate) struct Certificates(PathBuf);

impl Certificates {
    /// Makes them; nothing if openssl is missing, which is said.
    pub(crate) fn make(folder: &Path) -> Option<Certificates> {
        std::fs::create_dir_all(folder).unwrap();
        let made = Certificates(folder.to_owned());
        std::fs::File::create(made.path("cnf"))
            .and_then(|mut file| std::io::Write::write_all(&mut file, b"[req]\ndistinguished_name = dn\n[dn]\n"))
            .unwrap();
        let authority = ["basicConstraints=critical,CA:TRUE", "keyUsage=keyCertSign"];
        let server = ["basicConstraints=CA:FALSE", "subjectAltName=IP:127.0.0.1,DNS:localhost"];
        let client = ["basicConstraints=CA:FALSE", "extendedKeyUsage=clientAuth"];
        for (name, extensions) in [("ca", authority), ("server", server), ("client", client)] {
            let mut command = Command::new("openssl");
            command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]);
            command.arg("-config").arg(made.path("cnf")).args(["-subj", &format!("/CN={name}")]);
            command.arg("-keyout").arg(made.path(&format!("{name}.key"))).arg("-out").arg(made.path(&format!("{name}.crt")));
            for extension in extensions {
                command.args(["-addext", extension]);
            }
            if name != "ca" {
                command.arg("-CA").arg(made.path("ca.crt")).arg("-CAkey").arg(made.path("ca.key"));
            }
            match command.stderr(Stdio::null()).status() {
                Ok(status) => assert!(status.success(), "openssl made no certificate"),
                Err(_) => {
                    println!("left out: the program openssl is missing");
                    return None;
                }
            }
        }
        Some(made)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// The settings of TLS: trusting the authority, and showing who we are.
    pub(crate) fn settings(&self) -> Value {
        json!({"ca": self.text("ca.crt"), "client_certificate": self.text("client.crt"), "client_key": self.text("client.key")})
    }
}
