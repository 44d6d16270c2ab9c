//! AWS CloudTrail (record format 1.0x, "CloudTrail record contents" in its user guide).
//!
//! | CloudTrail | Acta |
//! |---|---|
//! | eventID | id |
//! | eventName | action |
//! | eventTime, or @timestamp where a log shipper moved it | occurred_at |
//! | userIdentity: arn, else principalId, invokedBy, accountId | actor.id |
//! | userIdentity.type (`IAMUser` → `iam_user`) | actor.type |
//! | userIdentity.userName, else the session issuer's, else the ARN's last part | actor.name |
//! | resources: type and ARN | targets |
//! | sourceIPAddress, userAgent, requestID, a temporary accessKeyId | context |
//! | errorCode; responseElements.ConsoleLogin | outcome: denied, failure or success |
//! | everything else, and userIdentity and resources whole | metadata |

use serde_json::{Map, Value, json};

use super::NotAnEvent;

/// One CloudTrail record as an event of Acta's.
pub fn event(record: Value) -> Result<Value, NotAnEvent> {
    let Value::Object(mut record) = record else { return Err(NotAnEvent("this is not an object".to_owned())) };
    let Some(name) = take(&mut record, "eventName") else {
        return Err(NotAnEvent("eventName is missing: this is not a CloudTrail event".to_owned()));
    };
    let mut event = Map::new();
    event.insert("action".to_owned(), Value::String(word(&name, true)));
    put(&mut event, "id", take(&mut record, "eventID"));
    let time = take(&mut record, "eventTime").or_else(|| take(&mut record, "@timestamp"));
    put(&mut event, "occurred_at", time);
    event.insert("actor".to_owned(), actor(record.get("userIdentity").unwrap_or(&Value::Null)));
    event.insert("outcome".to_owned(), outcome(&record).into());
    let targets = targets(record.get("resources").unwrap_or(&Value::Null));
    if !targets.is_empty() {
        event.insert("targets".to_owned(), Value::Array(targets));
    }
    let mut context = Map::new();
    let session = record.get("userIdentity").and_then(|identity| text(identity, "accessKeyId"));
    put(&mut context, "session_id", session.filter(|key| key.starts_with("ASIA")).map(str::to_owned));
    put(&mut context, "ip", take(&mut record, "sourceIPAddress"));
    put(&mut context, "user_agent", take(&mut record, "userAgent").map(|agent| cut(&agent, 2_048)));
    put(&mut context, "request_id", take(&mut record, "requestID"));
    if !context.is_empty() {
        event.insert("context".to_owned(), Value::Object(context));
    }
    record.retain(|_, value| !value.is_null());
    if !record.is_empty() {
        event.insert("metadata".to_owned(), Value::Object(record));
    }
    Ok(Value::Object(event))
}

/// Removes a member that is a string with something in it. What is of another type stays, and goes into metadata.
fn take(record: &mut Map<String, Value>, name: &str) -> Option<String> {
    if record.get(name)?.as_str().is_none_or(str::is_empty) {
        return None;
    }
    match record.remove(name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

fn put(object: &mut Map<String, Value>, name: &str, value: Option<String>) {
    if let Some(value) = value {
        object.insert(name.to_owned(), Value::String(value));
    }
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str().filter(|text| !text.is_empty())
}

fn actor(identity: &Value) -> Value {
    let arn = text(identity, "arn");
    let invoked_by = text(identity, "invokedBy");
    let id = arn.or_else(|| text(identity, "principalId")).or(invoked_by).or_else(|| text(identity, "accountId"));
    let issuer = identity.pointer("/sessionContext/sessionIssuer/userName").and_then(Value::as_str);
    let last = arn.and_then(|arn| arn.rsplit(['/', ':']).next());
    let name = text(identity, "userName").or(issuer).or(last).or(invoked_by).filter(|name| !name.is_empty());
    let kind = match text(identity, "type") {
        Some(kind) => word(&snake(kind), false),
        None if invoked_by.is_some() => "aws_service".to_owned(),
        None => "unknown".to_owned(),
    };
    let mut actor = json!({ "type": kind, "id": id.unwrap_or("unknown") });
    if let Some(name) = name {
        actor["name"] = name.into();
    }
    actor
}

fn targets(resources: &Value) -> Vec<Value> {
    let resources = resources.as_array().map(Vec::as_slice).unwrap_or_default();
    let target = |resource: &Value| {
        let id = text(resource, "ARN").or_else(|| text(resource, "ARNPrefix"))?;
        let kind = text(resource, "type").map_or("aws_resource".to_owned(), |kind| word(&kind.to_lowercase(), false));
        Some(json!({ "type": kind, "id": id }))
    };
    // An event holds 64 targets; metadata keeps them all.
    resources.iter().filter_map(target).take(64).collect()
}

fn outcome(record: &Map<String, Value>) -> &'static str {
    let code = record.get("errorCode").and_then(Value::as_str).unwrap_or_default();
    let sign_in = record.get("responseElements").and_then(|elements| text(elements, "ConsoleLogin"));
    if ["AccessDenied", "Unauthorized", "Forbidden"].iter().any(|word| code.contains(word)) {
        "denied"
    } else if !code.is_empty() || sign_in == Some("Failure") {
        "failure"
    } else {
        "success"
    }
}

/// `IAMUser` → `iam_user`: a new word begins at a capital after a small letter, and at the last of several capitals.
fn snake(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::new();
    for (at, &c) in chars.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| chars.get(at));
        let after = chars.get(at + 1);
        let begins = c.is_uppercase()
            && before.is_some_and(|b| b.is_lowercase() || b.is_uppercase() && after.is_some_and(|a| a.is_lowercase()));
        if begins {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

/// The text as a word of the record: other characters become `_`, and it is cut to 64.
fn word(text: &str, capitals: bool) -> String {
    let fits = |c: char| {
        c.is_ascii_lowercase()
            || c.is_ascii_digit()
            || matches!(c, '.' | '_' | ':' | '-')
            || capitals && c.is_ascii_uppercase()
    };
    let word: String = text.chars().map(|c| if fits(c) { c } else { '_' }).take(64).collect();
    let word = word.trim_start_matches(['.', '_', ':', '-']);
    if word.is_empty() { "unknown".to_owned() } else { word.to_owned() }
}

fn cut(text: &str, bytes: usize) -> String {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_with_care() {
        let record = json!({
            "eventVersion": "1.08", "eventID": "e-1", "eventTime": "2023-07-10T11:42:44Z", "eventSource": "s3.amazonaws.com",
            "eventName": "GetBucketPublicAccessBlock", "sourceIPAddress": "AWS Internal", "userAgent": "[S3Console/0.4]",
            "requestID": "r-1", "errorCode": "AccessDenied", "responseElements": null, "readOnly": true,
            "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::1:user/benjamin", "userName": "benjamin", "accessKeyId": "ASIA1"},
            "resources": [{"type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::b", "accountId": "1"}, {"accountId": "2"}],
        });
        let mapped = event(record).unwrap();
        expect_test::expect![[r#"
            {
              "action": "GetBucketPublicAccessBlock",
              "actor": {
                "id": "arn:aws:iam::1:user/benjamin",
                "name": "benjamin",
                "type": "iam_user"
              },
              "context": {
                "ip": "AWS Internal",
                "request_id": "r-1",
                "session_id": "ASIA1",
                "user_agent": "[S3Console/0.4]"
              },
              "id": "e-1",
              "metadata": {
                "errorCode": "AccessDenied",
                "eventSource": "s3.amazonaws.com",
                "eventVersion": "1.08",
                "readOnly": true,
                "resources": [
                  {
                    "ARN": "arn:aws:s3:::b",
                    "accountId": "1",
                    "type": "AWS::S3::Bucket"
                  },
                  {
                    "accountId": "2"
                  }
                ],
                "userIdentity": {
                  "accessKeyId": "ASIA1",
                  "arn": "arn:aws:iam::1:user/benjamin",
                  "type": "IAMUser",
                  "userName": "benjamin"
                }
              },
              "occurred_at": "2023-07-10T11:42:44Z",
              "outcome": "denied",
              "targets": [
                {
                  "id": "arn:aws:s3:::b",
                  "type": "aws::s3::bucket"
                }
              ]
            }"#]]
        .assert_eq(&serde_json::to_string_pretty(&mapped).unwrap());
        let limits = record::Limits::default();
        let now = record::Timestamp::parse("2026-11-21T00:00:00Z").unwrap();
        assert!(record::parse::event(&mapped.to_string(), &limits, now).is_ok());
    }

    #[test]
    fn words() {
        assert_eq!(snake("IAMUser"), "iam_user");
        assert_eq!(snake("AssumedRole"), "assumed_role");
        assert_eq!(snake("AWSService"), "aws_service");
        assert_eq!(snake("Root"), "root");
        assert_eq!(word("ListBuckets (v2)", true), "ListBuckets__v2_");
        assert_eq!(word("", false), "unknown");
    }

    #[test]
    fn what_is_no_event_is_told() {
        assert!(event(json!([])).is_err());
        assert!(event(json!({"eventID": "x"})).is_err());
    }
}
