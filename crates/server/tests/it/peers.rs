//! Other people's programs agree with us: oathtool and pyotp about codes, aiosmtpd about mails. `cargo xtask test` installs them
//! where it may, and names them in the environment. Where they are absent, the tests say so, and the vectors of the standards,
//! which the directory's own tests hold, stand alone.

use std::io::Write;
use std::process::{Command, Stdio};

use access::Role;
use directory::Seed;
use record::Timestamp;

use crate::visitor::{HERS, Site};

/// The program that a variable names.
fn peer(variable: &str, what: &str) -> Option<String> {
    let found = std::env::var(variable).ok().filter(|path| !path.is_empty());
    if found.is_none() {
        println!("not checked against {what}: {variable} is not set; only the vectors of the standards speak for us");
        let seed = Seed::from_bytes(*b"12345678901234567890");
        assert_eq!(seed.code(Timestamp::from_millis(1_111_111_111_000)), "050471", "RFC 6238, appendix B");
    }
    found
}

/// Seeds and times, the same in every run.
fn samples() -> Vec<(Seed, i64)> {
    let mut rng = fastrand::Rng::with_seed(6238);
    let one = |rng: &mut fastrand::Rng| {
        let mut bytes = [0; 20];
        rng.fill(&mut bytes);
        (Seed::from_bytes(bytes), rng.i64(0..4_102_444_800))
    };
    (0..1_000).map(|_| one(&mut rng)).collect()
}

#[test]
fn pyotp_agrees_with_our_codes() {
    let Some(python) = peer("ACTA_PYTHON", "pyotp") else { return };
    let script = "import sys, pyotp\nfor line in sys.stdin:\n    s, t = line.split()\n    print(pyotp.TOTP(s).at(int(t)))\n";
    let mut child = Command::new(python).args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let samples = samples();
    let mut input = child.stdin.take().unwrap();
    for (seed, at) in &samples {
        writeln!(input, "{} {at}", seed.base32()).unwrap();
    }
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let theirs: Vec<&str> = str::from_utf8(&output.stdout).unwrap().lines().collect();
    let ours: Vec<String> = samples.iter().map(|(seed, at)| seed.code(Timestamp::from_millis(at * 1000))).collect();
    assert_eq!(ours, theirs);
}

#[test]
fn oathtool_agrees_with_our_codes() {
    let Some(oathtool) = peer("ACTA_OATHTOOL", "oathtool") else { return };
    for (seed, at) in samples() {
        let now = format!("@{at}");
        let output = Command::new(&oathtool).args(["--totp", "--base32", "--now", &now, &seed.base32()]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let theirs = String::from_utf8(output.stdout).unwrap();
        assert_eq!(seed.code(Timestamp::from_millis(at * 1000)), theirs.trim(), "{} at {at}", seed.base32());
    }
}

/// Receives mails and prints each as one line of JSON.
const RECEIVER: &str = r#"
import asyncio, email, json, sys
from email import policy
from aiosmtpd.smtp import SMTP

class Handler:
    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=policy.default)
        parts = {part.get_content_type(): part.get_content() for part in mail.walk() if not part.is_multipart()}
        told = {"rcpt": envelope.rcpt_tos, "from": mail["From"], "to": mail["To"], "subject": mail["Subject"],
                "date": mail["Date"], "id": mail["Message-ID"], "text": parts["text/plain"], "html": parts["text/html"]}
        print(json.dumps(told), flush=True)
        return "250 OK"

async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Handler(), hostname="receiver"), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)

asyncio.run(main())
"#;

#[tokio::test(flavor = "multi_thread")]
async fn mails_arrive_at_a_real_server_and_their_links_work_once() {
    use std::io::BufRead;
    let Some(python) = peer("ACTA_PYTHON", "aiosmtpd") else { return };
    let mut command = Command::new(python);
    let mut child = command.args(["-c", RECEIVER]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
    let port = lines.next().expect("the receiver says its port").unwrap();
    let settings = [
        ("smtp_url", Some(format!("smtp://127.0.0.1:{port}"))),
        ("mail_from", Some("Acta Ärzte <acta@example.com>".to_owned())),
    ];
    let site = Site::with(&settings, tempfile::tempdir().unwrap());
    site.user("ada@example.com", Role::Owner);
    let mut ada = site.visitor(HERS);
    assert_eq!(ada.post("/sign-in/link", &[("email", "ada@example.com")]).await.status, 200);
    assert_eq!(ada.post("/sign-in/link", &[("email", "nobody@example.com")]).await.status, 200);
    assert_eq!(site.mails().await.len(), 0, "none in the folder");
    let mail: serde_json::Value = serde_json::from_str(&lines.next().expect("a mail").unwrap()).unwrap();
    let text = |name: &str| mail[name].as_str().unwrap();
    assert_eq!(mail["rcpt"], serde_json::json!(["ada@example.com"]));
    assert_eq!((text("from"), text("subject")), ("Acta Ärzte <acta@example.com>", "Your link to sign in"));
    assert!(text("id").ends_with("@example.com>") && text("date").starts_with("Fri, 20 Nov 2026"), "{mail}");
    let link = crate::visitor::link_in(text("text")).unwrap();
    assert!(text("html").contains(&format!("href=\"http://acta.example{link}\"")), "{mail}");
    ada.get(&link).await;
    assert_eq!(ada.submit("/sign-in/by-link", &[]).await.location, "/audit");
    assert_eq!(ada.get(&link).await.status, 410);
    drop(child.stdin.take());
    child.wait().unwrap();
}
