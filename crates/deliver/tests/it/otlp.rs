//! OTLP: records as OpenTelemetry's own classes read them, and answers that are partly a success.

use std::io::{Seek as _, Write as _};
use std::process::Command;

use base64::Engine as _;
use expect_test::expect;
use serde_json::{Value, json};

use crate::doubles::http::{Asked, Double, Receiver, Reply};
use crate::support::{deliver, message_of, messages, open, peer};

/// A receiver that rejects records with a certain text in them, and tells how many.
struct Rejects(&'static str);

impl Receiver for Rejects {
    fn answer(&mut self, asked: &Asked) -> Reply {
        if asked.path != "/v1/logs" || asked.header("content-type") != Some("application/x-protobuf") {
            return Reply::new(404, "");
        }
        let body = asked.plain(&["gzip"]).unwrap();
        let rejected =
            if self.0.is_empty() { 0 } else { body.windows(self.0.len()).filter(|part| *part == self.0.as_bytes()).count() };
        if rejected == 0 {
            return Reply::new(200, "").with("content-type", "application/x-protobuf");
        }
        // partial_success { rejected_log_records, error_message: "bad" }
        let rejected = u8::try_from(rejected).unwrap();
        let body = [0x0a, 0x07, 0x08, rejected, 0x12, 0x03, b'b', b'a', b'd'];
        Reply::new(200, body).with("content-type", "application/x-protobuf")
    }
}

fn settings(double: &Double<Rejects>) -> Value {
    json!({"url": double.url("/"), "headers": {"api-key": "s3cr3t-header"}, "attributes": {"deployment.environment.name": "test"}})
}

#[tokio::test]
async fn opentelemetrys_own_classes_read_every_record() {
    let double = Double::start(Rejects("")).await;
    let all = messages(1500);
    let done = deliver(&*open("otlp", &settings(&double)), &all).await;
    assert_eq!((done.delivered, done.sent), (1500, 2));
    assert_eq!(double.asked()[0].header("api-key"), Some("s3cr3t-header"));
    let Some(python) = peer("ACTA_PYTHON", "opentelemetry-proto") else { return };
    // A file, not a pipe: the program answers before it has read all.
    let mut input = tempfile::tempfile().unwrap();
    for asked in double.asked() {
        writeln!(input, "{}", base64::engine::general_purpose::STANDARD.encode(asked.plain(&["gzip"]).unwrap())).unwrap();
    }
    input.rewind().unwrap();
    let output = Command::new(python).args(["-c", include_str!("peers/otlp.py")]).stdin(input).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let requests: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let records: Vec<&Value> =
        requests.iter().flat_map(|one| one["resourceLogs"][0]["scopeLogs"][0]["logRecords"].as_array().unwrap()).collect();
    assert_eq!(records.len(), 1500);
    for (record, message) in records.iter().zip(&all) {
        assert_eq!(record["body"]["stringValue"].as_str().unwrap().as_bytes(), &message.body[..]);
        assert_eq!(record["timeUnixNano"], format!("{}000000", message.recorded.event.occurred_at.as_millis()));
    }
    expect![[r#"
        {
          "attributes": [
            {
              "key": "service.name",
              "value": {
                "stringValue": "acta-audit"
              }
            },
            {
              "key": "deployment.environment.name",
              "value": {
                "stringValue": "test"
              }
            }
          ]
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&requests[0]["resourceLogs"][0]["resource"]).unwrap());
    expect![[r#"
        {
          "timeUnixNano": "1795251602123000000",
          "severityNumber": "SEVERITY_NUMBER_WARN",
          "severityText": "WARN",
          "body": {
            "stringValue": "{\"event_id\":\"01a1fd55-82cb-7002-8707-070707070707\",\"n\":2,\"text\":\"line\\nbreak\\r\\nand\\ttab\"}"
          },
          "attributes": [
            {
              "key": "log.record.uid",
              "value": {
                "stringValue": "01a1fd55-82cb-7002-8707-070707070707"
              }
            },
            {
              "key": "acta.event_id",
              "value": {
                "stringValue": "01a1fd55-82cb-7002-8707-070707070707"
              }
            },
            {
              "key": "acta.index",
              "value": {
                "intValue": "2"
              }
            },
            {
              "key": "acta.organization",
              "value": {
                "stringValue": "Acme"
              }
            },
            {
              "key": "acta.action",
              "value": {
                "stringValue": "LOGIN"
              }
            },
            {
              "key": "user.id",
              "value": {
                "stringValue": "u_2"
              }
            },
            {
              "key": "acta.category",
              "value": {
                "stringValue": "Sign-in"
              }
            },
            {
              "key": "acta.outcome",
              "value": {
                "stringValue": "failure"
              }
            },
            {
              "key": "user.name",
              "value": {
                "stringValue": "line\nbreak\r\nand\ttab"
              }
            },
            {
              "key": "user.email",
              "value": {
                "stringValue": "ada@example.com"
              }
            },
            {
              "key": "client.address",
              "value": {
                "stringValue": "198.51.100.7"
              }
            },
            {
              "key": "user_agent.original",
              "value": {
                "stringValue": "line\nbreak\r\nand\ttab"
              }
            }
          ],
          "traceId": "CvdlGRbNQ92ESOshHIAxnA==",
          "spanId": "t61rcWkgMzE=",
          "observedTimeUnixNano": "1795251602123000000",
          "eventName": "audit.login"
        }"#]].assert_eq(&serde_json::to_string_pretty(records[2]).unwrap());
}

#[tokio::test]
async fn a_rejected_record_is_found_among_the_others() {
    let double = Double::start(Rejects("POISON")).await;
    let mut all = messages(16);
    all[9] = message_of(9, "{\"x\":\"POISON\"}");
    let done = deliver(&*open("otlp", &settings(&double)), &all).await;
    assert_eq!(done.delivered, 15);
    expect![[r#"[(9, "rejected: bad")]"#]].assert_eq(&format!("{:?}", done.poison));
}

#[tokio::test]
async fn what_answers_mean() {
    let double = Double::start(Rejects("")).await;
    let transport = open("otlp", &settings(&double));
    let partly =
        |rejected: Value| json!({"partialSuccess": {"rejectedLogRecords": rejected, "errorMessage": "as text"}}).to_string();
    let replies = [
        Reply::new(200, partly(json!("1"))).with("content-type", "application/json"),
        Reply::new(200, partly(json!(2))).with("content-type", "application/json"),
        Reply::new(200, partly(json!(0))).with("content-type", "application/json"),
        Reply::new(400, [&[0x08, 3, 0x12, 8][..], b"bad data"].concat()).with("content-type", "application/x-protobuf"),
        Reply::new(401, "s3cr3t-header is not known"),
        Reply::new(404, ""),
        Reply::new(413, ""),
        Reply::new(429, "").with("retry-after", "3"),
        Reply::new(502, "<html>"),
        Reply::new(503, "").with("retry-after", "4"),
        Reply::new(504, ""),
    ];
    let mut table = String::new();
    for reply in replies {
        double.script([reply]);
        let answer = transport.send(&messages(2)).await;
        table.push_str(&format!("{:?} | {}\n", answer.verdict, answer.raw));
    }
    expect![[r#"
        Refused | HTTP 200 OK: 1 rejected as text
        Each([Poison("rejected: as text"), Poison("rejected: as text")]) | HTTP 200 OK: 2 rejected as text
        Delivered | HTTP 200 OK: {"partialSuccess":{"rejectedLogRecords":0,"errorMessage":"as text"}}
        Refused | HTTP 400 Bad Request: bad data
        Retry { after: None } | HTTP 401 Unauthorized: ******** is not known
        Retry { after: None } | HTTP 404 Not Found
        Split | HTTP 413 Payload Too Large
        Retry { after: Some(3s) } | HTTP 429 Too Many Requests (Retry-After: 3)
        Retry { after: None } | HTTP 502 Bad Gateway: <html>
        Retry { after: Some(4s) } | HTTP 503 Service Unavailable (Retry-After: 4)
        Retry { after: None } | HTTP 504 Gateway Timeout
    "#]]
    .assert_eq(&table);
}
