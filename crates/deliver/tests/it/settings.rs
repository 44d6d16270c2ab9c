//! Settings: every mistake at once, secrets never shown, and kept only for the same receiver.

use deliver::net::AllowedNetworks;
use deliver::secret::HIDDEN;
use deliver::{Mistake, Settings};
use expect_test::expect;
use serde_json::{Value, json};

fn mistakes(kind: &str, value: &Value) -> String {
    let told = |one: &Mistake| format!("{} {}\n", one.member, one.text).trim_start().to_owned();
    Settings::parse(kind, value).unwrap_err().iter().map(told).collect()
}

#[test]
fn every_sample_is_right_and_none_of_its_secrets_is_shown() {
    for kind in Settings::kinds() {
        let settings = Settings::parse(kind.name, &kind.sample).unwrap_or_else(|e| panic!("{}: {e:?}", kind.name));
        assert_eq!(settings.kind(), kind.name);
        let shown = settings.shown();
        let everything = format!("{shown} {settings:?}");
        for pointer in kind.secrets {
            let secrets: Vec<&Value> = match pointer.strip_suffix("/*") {
                None => kind.sample.pointer(pointer).into_iter().collect(),
                Some(above) => match kind.sample.pointer(above) {
                    Some(Value::Object(members)) => members.values().collect(),
                    Some(Value::Array(items)) => items.iter().collect(),
                    _ => Vec::new(),
                },
            };
            assert!(!secrets.is_empty(), "{} has no {pointer} in its sample", kind.name);
            for secret in secrets {
                let text = secret.as_str().unwrap();
                assert!(!everything.contains(text), "{} shows {pointer}", kind.name);
            }
        }
        // What was shown comes back with a change: secrets are kept.
        let merged = Settings::merged(kind.name, &kind.sample, &shown);
        assert_eq!(Settings::parse(kind.name, &merged).unwrap(), settings, "{}", kind.name);
    }
}

#[test]
fn every_mistake_is_named_at_once() {
    let wrong = json!({"url": "https://u:p@x.example/", "batch": "yes", "secret": "whsec_MTIz", "hedders": {}, "headers": {
        "Host": "x", "a b": "c", "ok": "line\nbreak"
    }, "content_type": "json", "ca": "no certificate"});
    expect![[r#"
        /batch invalid type: string "yes", expected a boolean
        /ca there is no certificate in it: it must be PEM, -----BEGIN CERTIFICATE-----
        /content_type is no media type: write it as application/json
        /headers/Host cannot be set: this header is Acta's
        /headers/a b is no name of a header
        /headers/ok has a value that a header cannot have
        /hedders is not known here: expected one of url, secret, previous_secret, key, previous_key, headers, batch, envelope, content_type, ca
        /secret must be whsec_ and 24 to 64 bytes in Base64
        /url must not hold a user name or password: credentials have members of their own
    "#]].assert_eq(&mistakes("webhook", &wrong));
    expect![[r#"
        /secret is missing, and so is /key: one of them must be given, so that the receiver can tell our requests
        /url is missing
    "#]]
    .assert_eq(&mistakes("webhook", &json!({})));
    expect![[r#"
        /api_key is empty
        /site is no site of Datadog; there are datadoghq.com, us3.datadoghq.com, us5.datadoghq.com, ap1.datadoghq.com, ap2.datadoghq.com, datadoghq.eu, ddog-gov.com
        /tags/1 invalid type: integer `7`, expected a string
    "#]].assert_eq(&mistakes("datadog", &json!({"site": "datadoghq.org", "tags": ["a,b", 7], "api_key": ""})));
    expect![[r#"
        /index must be 1 to 256 bytes without line breaks
        /max_bytes must be from 10000 to 100000000
        /token holds a character that cannot be part of it: a space, a line break or the like
        /url must begin with https://, not splunk://
    "#]]
    .assert_eq(&mistakes("splunk", &json!({"url": "splunk:8088", "token": "a b", "index": "", "max_bytes": 1})));
    expect![[r#"
        /fields/a must be ASCII without a comma or an equals sign, name and value
        /name must be ASCII: it is sent in a header
        /url has no path: copy the whole URL of the HTTP source
    "#]]
    .assert_eq(&mistakes("sumo", &json!({"url": "https://sumo.example/", "fields": {"a": "b,c"}, "name": "ü"})));
    expect![[r#"
         settings must be an object
    "#]]
    .assert_eq(&mistakes("otlp", &json!([])));
    expect![[r#"
        /type "carrier pigeon" is no type of destination; there are datadog, otlp, splunk, sumo, webhook, stdout, file, syslog, kafka, nats, elastic, sentinel, google_secops, panther, s3, gcs, azure_blob
    "#]]
    .assert_eq(&mistakes("carrier pigeon", &json!({})));
}

#[test]
fn secrets_are_kept_for_the_same_receiver_only() {
    let old = json!({"url": "https://a.example:8088", "token": "old-token", "index": "audit"});
    let merged = |new: Value| Settings::merged("splunk", &old, &new);
    assert_eq!(merged(json!({"url": "https://a.example:8088"}))["token"], "old-token");
    assert_eq!(merged(json!({"url": "https://a.example:8088", "token": HIDDEN}))["token"], "old-token");
    assert_eq!(merged(json!({"url": "https://a.example:8088", "token": "new-token"}))["token"], "new-token");
    assert_eq!(merged(json!({"url": "https://evil.example:8088"})).get("token"), None);
    let told = mistakes("splunk", &merged(json!({"url": "https://evil.example:8088", "token": HIDDEN})));
    expect![[r#"
        /token must be given: ******** only stands for a value that is not shown, and is kept only for the same receiver
    "#]]
    .assert_eq(&told);

    let old = json!({"url": "https://a.example", "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "headers": {"x": "1", "y": "2"}});
    let merged = |new: Value| Settings::merged("webhook", &old, &new);
    assert_eq!(merged(json!({"url": "https://a.example"}))["headers"], json!({"x": "1", "y": "2"}));
    assert_eq!(merged(json!({"url": "https://a.example", "headers": {"x": HIDDEN}}))["headers"], json!({"x": "1"}));
    assert_eq!(merged(json!({"url": "https://a.example", "headers": {}}))["headers"], json!({}));
    let without = merged(
        json!({"url": "https://a.example", "secret": null, "key": "whsk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}),
    );
    assert!(Settings::parse("webhook", &without).unwrap().shown().get("secret").is_none());
}

#[test]
fn places_that_are_not_allowed_are_mistakes_of_their_members() {
    let sumo = Settings::parse("sumo", &json!({"url": "https://169.254.169.254/receiver/v1/http/SECRETCODE"})).unwrap();
    let refused = sumo.refused(&AllowedNetworks::none());
    let told: Vec<String> = refused.iter().map(|one| format!("{} {}", one.member, one.text)).collect();
    expect!["/url https://169.254.169.254 is not allowed: 169.254.169.254 is a link-local address. The operator can allow networks for destinations with destination_networks"].assert_eq(&told.join("\n"));
    assert_eq!(sumo.refused(&AllowedNetworks::all()), Vec::new());
}
