//! Other people's readers, where a Python is there that has them: pycef, and the CloudEvents SDK.

use std::io::Write;
use std::process::{Command, Stdio};

use follow::Format;

use crate::{lines, samples};

/// Runs a script with a line on its input; says so and gives nothing where the package is absent.
fn python(package: &str, script: &str, line: &str) -> Option<String> {
    let python = std::env::var_os("ACTA_PYTHON").unwrap_or_else(|| "python3".into());
    let there =
        Command::new(&python).args(["-c", &format!("import {package}")]).output().is_ok_and(|it| it.status.success());
    if !there {
        eprintln!("not compared with {package}: set ACTA_PYTHON to a python3 that has it");
        return None;
    }
    let mut child = Command::new(&python)
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .env("PYTHONIOENCODING", "utf-8")
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(line.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{package} refused {line}");
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn pycef_reads_our_cef() {
    let script = "import json, sys, pycef; print(json.dumps(pycef.parse(sys.stdin.read())))";
    for recorded in [samples::query(), samples::refused(), samples::grouped()] {
        let line = samples::encode(Format::Cef, &recorded).remove(0);
        let Some(read) = python("pycef", script, &line) else { return };
        let read: serde_json::Value = serde_json::from_str(&read).unwrap();
        let ours = lines::cef(&line);
        assert_eq!(read["DeviceEventClassID"], recorded.event.action.as_str());
        for key in ["externalId", "suid", "cat", "act", "rt", "outcome", "suser"] {
            assert_eq!(read[key].as_str(), ours.get(key), "{key} in {read}");
        }
    }
}

#[test]
fn the_sdk_reads_our_cloud_events() {
    let script = "import json, sys
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
event = JSONFormat().read(CloudEvent, sys.stdin.buffer.read())
told = [event.get_id(), event.get_type(), event.get_source(), event.get_subject(), event.get_data()['index']]
print(json.dumps(told))";
    for recorded in [samples::query(), samples::refused(), samples::strange()] {
        let line = samples::encode(Format::CloudEvents, &recorded).remove(0);
        let Some(read) = python("cloudevents.core", script, &line) else { return };
        let read: serde_json::Value = serde_json::from_str(&read).unwrap();
        let ours: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read, serde_json::json!([ours["id"], ours["type"], ours["source"], ours["subject"], recorded.index]));
    }
}
