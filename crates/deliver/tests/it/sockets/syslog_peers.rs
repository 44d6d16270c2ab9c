//! Syslog over TLS with certificates on both sides, against rsyslog and syslog-ng, killed and started again.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use follow::{Message, Transport, Verdict};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::certificates::Certificates;
use super::events::{ORGANIZATION, messages, open, send_until_taken};
use super::peer::{Peer, debian, folder, free_port};

fn write(path: &Path, text: &str) {
    std::fs::File::create(path).unwrap().write_all(text.as_bytes()).unwrap();
}

/// What a receiver understood of a message: the parameters, MSGID, and the body.
#[derive(Debug, PartialEq, Eq)]
struct Understood {
    event_id: String,
    organization: String,
    id: String,
    body: Value,
}

fn expected(message: &Message) -> Understood {
    let action = message.recorded.event.action.as_str();
    Understood {
        event_id: message.recorded.event_id.to_string(),
        organization: ORGANIZATION.to_owned(),
        id: action.chars().take(32).collect(),
        body: serde_json::from_slice(&message.body).unwrap(),
    }
}

/// Sends hundreds, kills the receiver with batches on their way, starts it again, and looks whether everything was understood.
async fn survive(transport: &dyn Transport, start: impl Fn() -> Peer, understood: impl Fn(&str) -> Understood, exact: bool) {
    let all = messages(0, 600);
    let (first, rest) = all.split_at(200);
    let (second, third) = rest.split_at(200);
    let mut lines = Vec::new();

    let peer = start();
    assert_eq!(send_until_taken(transport, first).await.verdict, Verdict::Delivered);
    lines.extend((0..first.len()).map(|_| peer.line()));

    if exact {
        // Killed in the middle: what it answered for by closing is printed already.
        let (told, killed) = tokio::join!(transport.send(second), async { peer.kill() });
        lines.extend(killed);
        drop(told);
    } else {
        drop(peer);
    }
    assert!(matches!(transport.send(second).await.verdict, Verdict::Retry { .. }), "nobody is there");
    let peer = start();
    for batch in [second, third] {
        assert_eq!(send_until_taken(transport, batch).await.verdict, Verdict::Delivered);
        lines.extend((0..batch.len()).map(|_| peer.line()));
    }
    let seen: BTreeMap<String, Understood> =
        lines.iter().map(|line| understood(line)).map(|one| (one.event_id.clone(), one)).collect();
    assert_eq!(seen.len(), all.len());
    for message in &all {
        let expected = expected(message);
        assert_eq!(seen[&expected.event_id], expected);
    }
}

fn settings(port: u16, certificates: &Certificates) -> Value {
    json!({"host": "127.0.0.1", "port": port, "tls": certificates.settings()})
}

#[tokio::test]
async fn rsyslog_understands_everything() {
    let Some(root) = folder("ACTA_DEBIAN_PEERS", "rsyslogd") else { return };
    let home = TempDir::new().unwrap();
    let Some(certificates) = Certificates::make(home.path()) else { return };
    let modules =
        ["x86_64-linux-gnu", "aarch64-linux-gnu"].map(|machine| root.join("usr/lib").join(machine).join("rsyslog"));
    let modules = modules.into_iter().find(|folder| folder.is_dir()).unwrap();
    let port = free_port();
    let at = |name: &str| certificates.path(name).display().to_string();
    write(
        &home.path().join("rsyslog.conf"),
        &format!(
            r#"
global(workDirectory="{home}" defaultNetstreamDriverCAFile="{ca}" defaultNetstreamDriverCertFile="{crt}" defaultNetstreamDriverKeyFile="{key}")
main_queue(queue.type="Direct")
module(load="imtcp" StreamDriver.Name="ossl" StreamDriver.Mode="1" StreamDriver.AuthMode="x509/certvalid")
template(name="j" type="list" option.jsonf="on") {{
  property(outname="app" name="app-name" format="jsonf") property(outname="id" name="msgid" format="jsonf")
  property(outname="pri" name="pri" format="jsonf") property(outname="sd" name="structured-data" format="jsonf")
  property(outname="msg" name="msg" format="jsonf") }}
ruleset(name="all" queue.type="Direct") {{ action(type="omfile" file="/dev/stdout" template="j") }}
input(type="imtcp" address="127.0.0.1" port="{port}" ruleset="all")
"#,
            home = home.path().display(),
            ca = at("ca.crt"),
            crt = at("server.crt"),
            key = at("server.key"),
        ),
    );
    let start = || {
        let mut command: Command = debian("rsyslogd").unwrap();
        command.env("RSYSLOG_MODDIR", &modules).arg("-n").arg("-M").arg(&modules);
        command.arg("-f").arg(home.path().join("rsyslog.conf")).arg("-i").arg(home.path().join("pid"));
        drop(std::fs::remove_file(home.path().join("pid")));
        Peer::start(&mut command)
    };
    let understood = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!((&line["app"], &line["pri"]), (&json!("acta"), &json!("110")), "{line}");
        let data = line["sd"].as_str().unwrap();
        let parameter = |name: &str| {
            // rsyslog gives the structured data as it came.
            let rest = data.split_once(&format!(" {name}=\"")).unwrap().1;
            let end = rest.match_indices('"').map(|(at, _)| at).find(|&at| !rest[..at].ends_with('\\')).unwrap();
            rest[..end].replace("\\\"", "\"").replace("\\]", "]").replace("\\\\", "\\")
        };
        Understood {
            event_id: parameter("eventId"),
            organization: parameter("orgName"),
            id: line["id"].as_str().unwrap().to_owned(),
            body: serde_json::from_str(line["msg"].as_str().unwrap()).unwrap(),
        }
    };
    survive(&*open("syslog", &settings(port, &certificates)), start, understood, true).await;
}

#[tokio::test]
async fn syslog_ng_understands_everything() {
    let Some(root) = folder("ACTA_DEBIAN_PEERS", "syslog-ng") else { return };
    let home = TempDir::new().unwrap();
    let Some(certificates) = Certificates::make(home.path()) else { return };
    let port = free_port();
    let at = |name: &str| certificates.path(name).display().to_string();
    write(
        &home.path().join("syslog-ng.conf"),
        &format!(
            r#"@version: 3.38
@define syslog-ng-data "{data}"
options {{ keep-hostname(yes); use-dns(no); dns-cache(no); stats-freq(0); }};
source s {{ syslog(ip(127.0.0.1) port({port}) transport("tls")
  tls(key-file("{key}") cert-file("{crt}") ca-file("{ca}") peer-verify(required-trusted))); }};
destination d {{ file("/dev/stdout" template("$(format-json --scope rfc5424)\n")); }};
log {{ source(s); destination(d); flags(flow-control); }};
"#,
            data = root.join("usr/share/syslog-ng").display(),
            ca = at("ca.crt"),
            crt = at("server.crt"),
            key = at("server.key"),
        ),
    );
    let start = || {
        let mut command = debian("syslog-ng").unwrap();
        let place = |option: &str, name: &str| format!("--{option}={}", home.path().join(name).display());
        command.args(["-F", "--no-caps", &place("cfgfile", "syslog-ng.conf"), &place("persist-file", "persist")]);
        command.args([place("control", "control"), place("pidfile", "pid")]);
        command.arg(format!("--module-path={}", root.join("usr/lib/syslog-ng/3.38").display()));
        Peer::start(&mut command)
    };
    let understood = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!((&line["PROGRAM"], &line["HOST"]), (&json!("acta"), &json!("acta")), "{line}");
        let data = &line["_SDATA"]["audit@32473"];
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Understood {
            event_id: text(&data["eventId"]),
            organization: text(&data["orgName"]),
            id: text(&line["MSGID"]),
            body: serde_json::from_str(&text(&line["MESSAGE"])).unwrap(),
        }
    };
    survive(&*open("syslog", &settings(port, &certificates)), start, understood, false).await;
}

#[tokio::test]
async fn strangers_are_not_spoken_to() {
    let Some(mut command) = debian("nats-server").is_some().then(|| Command::new("openssl")) else { return };
    let home = TempDir::new().unwrap();
    let (ours, others) = (home.path().join("ours"), home.path().join("others"));
    let (Some(ours), Some(others)) = (Certificates::make(&ours), Certificates::make(&others)) else { return };
    let port = free_port();
    command.args(["s_server", "-accept", &format!("127.0.0.1:{port}"), "-cert"]).arg(others.path("server.crt"));
    command.arg("-key").arg(others.path("server.key"));
    let peer = Peer::start(&mut command);
    // It says so when it listens.
    while peer.line() != "ACCEPT" {}
    let told = open("syslog", &settings(port, &ours)).send(&messages(0, 1)).await;
    assert_eq!(told.verdict, Verdict::Retry { after: None });
    assert!(told.raw.contains("no TLS connection to 127.0.0.1") && told.raw.contains("certificate"), "{}", told.raw);
}
