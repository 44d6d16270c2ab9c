//! What one destination does not get.

use std::sync::Arc;

use expect_test::expect;
use follow::Hide;
use record::{Change, Context, Json, Target, Timestamp};

use crate::support::recorded;

#[test]
fn members_are_taken_out_and_the_event_says_so() {
    let mut told = recorded(5, Timestamp::from_millis(1_795_212_000_000));
    told.event.actor.email = Some("ada@example.com".into());
    told.event.targets = vec![Target {
        kind: record::Kind::new("page").unwrap(),
        id: Some("p_1".into()),
        name: Some("Refunds".into()),
        environment: None,
    }];
    told.event.context = Context { ip: Some("203.0.113.7".into()), ..Context::default() };
    told.event.changes =
        vec![Change { field: "salary".into(), before: Some(Json::string("1")), after: Some(Json::string("2")) }];
    told.event.metadata = Some(Json::parse(r#"{"params":{"ssn":"1","a/b":[1,2]},"rows":3}"#, 9).unwrap());
    let pointers = ["/actor/email", "/targets/*/name", "/context/ip", "/changes/salary", "/metadata/params/a~1b"];
    let hidden = Hide::parse(&pointers).unwrap().apply(Arc::new(told.clone()));
    let event = &hidden.event;
    let json = serde_json::json!({
        "actor": event.actor, "targets": event.targets, "context": event.context,
        "changes": event.changes, "metadata": event.metadata, "redactions": event.redactions,
    });
    expect![[r#"
        {
          "actor": {
            "type": "user",
            "id": "u_1",
            "name": "Ada",
            "email": "[redacted]"
          },
          "targets": [
            {
              "type": "page",
              "id": "p_1",
              "name": "[redacted]"
            }
          ],
          "context": {
            "ip": "[redacted]"
          },
          "changes": [
            {
              "field": "salary",
              "before": "[redacted]",
              "after": "[redacted]"
            }
          ],
          "metadata": {
            "params": {
              "ssn": "1",
              "a/b": "[redacted]"
            },
            "rows": 3
          },
          "redactions": [
            {
              "member": "/actor/email",
              "by": "destination",
              "as": "hidden"
            },
            {
              "member": "/targets/0/name",
              "by": "destination",
              "as": "hidden"
            },
            {
              "member": "/context/ip",
              "by": "destination",
              "as": "hidden"
            },
            {
              "member": "/changes/0/before",
              "by": "destination",
              "as": "hidden"
            },
            {
              "member": "/changes/0/after",
              "by": "destination",
              "as": "hidden"
            },
            {
              "member": "/metadata/params/a~1b",
              "by": "destination",
              "as": "hidden"
            }
          ]
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&json).unwrap());
    assert_eq!(*Hide::nothing().apply(Arc::new(told.clone())), told);
    let untouched = Hide::parse(&["/metadata/nothing"]).unwrap().apply(Arc::new(told.clone()));
    assert_eq!(*untouched, told);
}

#[test]
fn a_wrong_pointer_is_named() {
    let tell = |pointers: &[&str]| Hide::parse(pointers).map(drop).map_err(|(at, bad)| format!("{at}: {bad}"));
    assert_eq!(tell(&["/metadata", "/context/*"]), Ok(()));
    assert_eq!(
        tell(&["/metadata", "/action"]),
        Err("1: names action, which is never redacted: it stands in the clear in the record that is hashed".into())
    );
}
