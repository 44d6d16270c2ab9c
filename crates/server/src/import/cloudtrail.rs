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

use std::borrow::Cow;

use record::Json;
use record::json::Members;
use serde_json::Value;
use serde_json::value::RawValue;

use super::NotAnEvent;

/// One CloudTrail record as the text of an event of Acta's. The members that go into metadata stand as they came.
pub fn event(record: &RawValue) -> Result<String, NotAnEvent> {
    let Ok(Members(members)) = serde_json::from_str::<Members<'_>>(record.get()) else {
        return Err(NotAnEvent("this is not an object".to_owned()));
    };
    let mut record = Record(members);
    let Some(name) = record.take("eventName") else {
        return Err(NotAnEvent("eventName is missing: this is not a CloudTrail event".to_owned()));
    };
    let identity = record.read("userIdentity");
    let mut event = Writer::new();
    event.text("id", record.take("eventID").as_deref());
    event.text("action", Some(&word(&name, true)));
    let time = record.take("eventTime").or_else(|| record.take("@timestamp"));
    event.text("occurred_at", time.as_deref());
    event.raw("actor", &actor(&identity));
    event.text("outcome", Some(outcome(&record)));
    event.raw("targets", &format!("[{}]", targets(&record.read("resources")).join(",")));
    let mut context = Writer::new();
    context.text("ip", record.take("sourceIPAddress").as_deref());
    context.text("user_agent", record.take("userAgent").map(|agent| cut(&agent, 2_048)).as_deref());
    context.text("session_id", text(&identity, "accessKeyId").filter(|key| key.starts_with("ASIA")));
    context.text("request_id", record.take("requestID").as_deref());
    event.raw("context", &context.finish());
    let mut metadata = Writer::new();
    for (name, value) in record.0.iter().filter(|(_, value)| value.get() != "null") {
        metadata.raw(name, value.get());
    }
    event.raw("metadata", &metadata.finish());
    Ok(event.finish().replace(['\n', '\r'], " "))
}

/// A record's members that have not been taken yet.
struct Record<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl Record<'_> {
    /// Removes a member that is a string with something in it. What is of another type stays, and goes into metadata.
    fn take(&mut self, name: &str) -> Option<String> {
        let at = self.0.iter().position(|(given, _)| given == name)?;
        let text = serde_json::from_str::<String>(self.0.get(at)?.1.get()).ok().filter(|text| !text.is_empty())?;
        self.0.remove(at);
        Some(text)
    }

    /// A member's value, for looking into.
    fn read(&self, name: &str) -> Value {
        let raw = self.0.iter().find(|(given, _)| given == name).map_or("null", |(_, value)| value.get());
        serde_json::from_str(raw).unwrap_or_default()
    }
}

/// Writes an object's members one by one.
struct Writer(String);

impl Writer {
    fn new() -> Writer {
        Writer("{".to_owned())
    }

    fn raw(&mut self, name: &str, value: &str) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.0 += Json::string(name).as_str();
        self.0.push(':');
        self.0 += value;
    }

    fn text(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.raw(name, Json::string(value).as_str());
        }
    }

    fn finish(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str().filter(|text| !text.is_empty())
}

fn actor(identity: &Value) -> String {
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
    let mut actor = Writer::new();
    actor.text("type", Some(&kind));
    actor.text("id", Some(id.unwrap_or("unknown")));
    actor.text("name", name);
    actor.finish()
}

fn targets(resources: &Value) -> Vec<String> {
    let resources = resources.as_array().map(Vec::as_slice).unwrap_or_default();
    let target = |resource: &Value| {
        let id = text(resource, "ARN").or_else(|| text(resource, "ARNPrefix"))?;
        let kind = text(resource, "type").map_or("aws_resource".to_owned(), |kind| word(&kind.to_lowercase(), false));
        let mut target = Writer::new();
        target.text("type", Some(&kind));
        target.text("id", Some(id));
        Some(target.finish())
    };
    // An event holds 64 targets; metadata keeps them all.
    resources.iter().filter_map(target).take(64).collect()
}

fn outcome(record: &Record<'_>) -> &'static str {
    let code = record.read("errorCode");
    let code = code.as_str().unwrap_or_default();
    let sign_in = record.read("responseElements");
    if ["AccessDenied", "Unauthorized", "Forbidden"].iter().any(|word| code.contains(word)) {
        "denied"
    } else if !code.is_empty() || text(&sign_in, "ConsoleLogin") == Some("Failure") {
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

    fn mapped(record: &str) -> Result<String, NotAnEvent> {
        event(serde_json::from_str(record).unwrap())
    }

    #[test]
    fn maps_with_care() {
        let mapped = mapped(
            r#"{"eventVersion":"1.08","eventID":"e-1","eventTime":"2023-07-10T11:42:44Z","eventSource":"s3.amazonaws.com",
                "eventName":"GetBucketPublicAccessBlock","sourceIPAddress":"AWS Internal","userAgent":"[S3Console/0.4]",
                "requestID":"r-1","errorCode":"AccessDenied","responseElements":null,"readOnly":true,"size":1.50,
                "userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::1:user/benjamin","userName":"benjamin","accessKeyId":"ASIA1"},
                "resources":[{"type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::b","accountId":"1"},{"accountId":"2"}]}"#,
        )
        .unwrap();
        expect_test::expect![[r#"
            {"id":"e-1",
            "action":"GetBucketPublicAccessBlock",
            "occurred_at":"2023-07-10T11:42:44Z",
            "actor":{"type":"iam_user",
            "id":"arn:aws:iam::1:user/benjamin",
            "name":"benjamin"},
            "outcome":"denied",
            "targets":[{"type":"aws::s3::bucket",
            "id":"arn:aws:s3:::b"}],
            "context":{"ip":"AWS Internal",
            "user_agent":"[S3Console/0.4]",
            "session_id":"ASIA1",
            "request_id":"r-1"},
            "metadata":{"eventVersion":"1.08",
            "eventSource":"s3.amazonaws.com",
            "errorCode":"AccessDenied",
            "readOnly":true,
            "size":1.50,
            "userIdentity":{"type":"IAMUser",
            "arn":"arn:aws:iam::1:user/benjamin",
            "userName":"benjamin",
            "accessKeyId":"ASIA1"},
            "resources":[{"type":"AWS::S3::Bucket",
            "ARN":"arn:aws:s3:::b",
            "accountId":"1"},{"accountId":"2"}]}}"#]]
        .assert_eq(&mapped.replace(",\"", ",\n\""));
        let now = record::Timestamp::parse("2026-11-21T00:00:00Z").unwrap();
        assert!(record::parse::event(&mapped, &record::Limits::default(), now).is_ok());
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
        assert!(mapped("[]").is_err());
        assert!(mapped(r#"{"eventID":"x"}"#).is_err());
    }
}
