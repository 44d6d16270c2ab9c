use super::*;
use crate::limits::Limits;
use crate::time::Timestamp;

fn event(text: &str) -> Event {
    let now = Timestamp::parse("2026-11-21T00:00:00Z").unwrap();
    crate::parse::event(text, &Limits::default(), now).unwrap().event
}

fn policy(rules: &[(&[&str], How)], headers: bool, scrubber: bool) -> Policy {
    let rules = rules.iter().enumerate().map(|(at, (members, how))| Rule {
        id: format!("red_{at}").into(),
        name: "a rule".into(),
        when: When::default(),
        members: members.iter().map(|member| MemberPath::parse(member).unwrap()).collect(),
        how: *how,
    });
    Policy { rules: rules.collect(), headers, scrubber: scrubber.then_some(Scrubber), hash_key: HashKey([7; 32]) }
}

/// The event's units as they are sealed, broken into lines.
fn shown(event: &Event) -> String {
    let seed = crate::seal::Seed([0; 16]);
    use base64::Engine;
    let plain = |text: &str| {
        let json = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).unwrap();
        let json = String::from_utf8(json).unwrap();
        json.split_once(",\"body\",")
            .unwrap()
            .1
            .strip_suffix(']')
            .unwrap()
            .replace("},{", "},\n    {")
            .replace(",\"", ",\n    \"")
    };
    crate::seal::disclosures(event, None, &seed).iter().map(|(slot, text)| format!("{} {}\n", slot.0, plain(text))).collect()
}

const QUERY: &str = r#"{"action":"QUERY_RUN","occurred_at":"2026-11-20T22:04:30.123Z",
    "actor":{"type":"user","id":"u_42","name":"Ada","email":"ada@example.com"},
    "targets":[{"type":"page","id":"refunds","name":"Refunds"},{"type":"query","id":"q_1","name":"findCustomer"},
        {"type":"resource","name":"orders-db","environment":"production"}],
    "context":{"ip":"203.0.113.7","user_agent":"curl/8 ghp_abcdefghijklmnopqrstuvwxyz0123456789","session_id":"s"},
    "changes":[{"field":"role","before":"viewer","after":{"ssn":"078-05-1120"}},{"field":"password","before":"old","after":"new"}],
    "metadata":{"query":"select 1","params":{"a":{"ssn":"078-05-1120","n":1.50},"b":{"ssn":78051120}},
        "requestHeaders":{"Authorization":"Bearer abcdef123456"},"list":[{"headers":["x"]},{"Headers":{}}],
        "url":"postgres://app:s3cret@db.internal/orders","token":"t"}}"#;

#[test]
fn rules_then_headers_then_the_scrubber() {
    let policy = policy(
        &[
            (&["/metadata/params/*/ssn", "/changes/role/after/ssn", "/actor/email"], How::Hash),
            (&["/context/ip", "/targets/0/name", "/metadata/params/a/n", "/metadata/nothing"], How::Hide),
        ],
        true,
        true,
    );
    let mut redacted = event(QUERY);
    assert!(apply(&mut redacted, &policy));
    expect_test::expect![[r#"
        0 {"email":"[redacted:hash:c7f22a2b3094d750db28d69f809d573d]",
            "id":"u_42",
            "name":"Ada"}
        1 {"ip":"[redacted]",
            "session_id":"s",
            "user_agent":"curl/8 [redacted:token]"}
        2 {"changes":[{"after":{"ssn":"[redacted:hash:5e0fa35a29207b315b846756f60ed92e]"},
            "before":"viewer",
            "field":"role"},
            {"after":"[redacted:password]",
            "before":"[redacted:password]",
            "field":"password"}],
            "metadata":{"query":"select 1",
            "params":{"a":{"ssn":"[redacted:hash:5e0fa35a29207b315b846756f60ed92e]",
            "n":"[redacted]"},
            "b":{"ssn":"[redacted:hash:64b28947ee11892b568e8323143eb465]"}},
            "requestHeaders":"[redacted]",
            "list":[{"headers":"[redacted]"},
            {"Headers":{}}],
            "url":"postgres://app:[redacted:password]@db.internal/orders",
            "token":"[redacted:token]"},
            "redactions":[{"as":"hash",
            "by":"red_0",
            "member":"/actor/email"},
            {"as":"hidden",
            "by":"red_1",
            "member":"/targets/0/name"},
            {"as":"hidden",
            "by":"red_1",
            "member":"/context/ip"},
            {"as":"token",
            "by":"scrubber",
            "member":"/context/user_agent"},
            {"as":"hash",
            "by":"red_0",
            "member":"/changes/0/after/ssn"},
            {"as":"password",
            "by":"scrubber",
            "member":"/changes/1/before"},
            {"as":"password",
            "by":"scrubber",
            "member":"/changes/1/after"},
            {"as":"hash",
            "by":"red_0",
            "member":"/metadata/params/a/ssn"},
            {"as":"hidden",
            "by":"red_1",
            "member":"/metadata/params/a/n"},
            {"as":"hash",
            "by":"red_0",
            "member":"/metadata/params/b/ssn"},
            {"as":"hidden",
            "by":"headers",
            "member":"/metadata/requestHeaders"},
            {"as":"hidden",
            "by":"headers",
            "member":"/metadata/list/0/headers"},
            {"as":"password",
            "by":"scrubber",
            "member":"/metadata/url"},
            {"as":"token",
            "by":"scrubber",
            "member":"/metadata/token"}]}
        3 {"id":"refunds",
            "name":"[redacted]"}
        4 {"id":"q_1",
            "name":"findCustomer"}
        5 {"environment":"production",
            "name":"orders-db"}
    "#]]
    .assert_eq(&shown(&redacted));
    let once = redacted.clone();
    assert!(!apply(&mut redacted, &policy), "what was redacted stays as it is");
    assert_eq!(redacted, once);
    let mut again = event(QUERY);
    apply(&mut again, &policy);
    assert_eq!(again, once, "a retry becomes the same event");
    let hash = hash_of(&policy.hash_key, b"078-05-1120");
    assert_eq!(shown(&once).matches(&hash).count(), 2, "the same value has the same hash wherever it stood");
    assert!(is_mark(&hash));
}

#[test]
fn whole_values_are_one_mark() {
    for (members, how) in [(&["/metadata"], How::Hide), (&["/metadata"], How::Hash), (&["/metadata/params/*"], How::Hash)] {
        let mut redacted = event(QUERY);
        apply(&mut redacted, &policy(&[(members, how)], false, false));
        assert!(!shown(&redacted).contains("78051120"), "{members:?}");
    }
    let mut redacted = event(QUERY);
    apply(&mut redacted, &policy(&[(&["/metadata"], How::Hide)], true, true));
    assert_eq!(redacted.metadata.as_ref().map(Json::as_str), Some("\"[redacted]\""));
}

/// Which key was used is what an investigation asks first; only where it stands under its name is it known to be no secret.
#[test]
fn the_id_of_an_access_key_is_kept_under_its_name() {
    let text = r#"{"action":"A","actor":{"type":"user","id":"u"},"metadata":{"userIdentity":{"accessKeyId":"AKIAIOSFODNN7EXAMPLE"},
        "note":"AKIAIOSFODNN7EXAMPLE","secretAccessKey":"wJalrXUtnFEMI"}}"#;
    let mut redacted = event(text);
    apply(&mut redacted, &policy(&[], false, true));
    assert_eq!(
        redacted.metadata.as_ref().map(Json::as_str),
        Some(
            r#"{"userIdentity":{"accessKeyId":"AKIAIOSFODNN7EXAMPLE"},"note":"[redacted:api_key]","secretAccessKey":"[redacted:api_key]"}"#
        )
    );
}

#[test]
fn a_list_of_names_and_values_is_read_as_one() {
    let text = r#"{"action":"A","actor":{"type":"user","id":"u"},"metadata":{"params":[{"key":"Authorization","value":"x1"},
        {"key":"Accept","value":"x2"},{"value":"x3"}],"name":"token","inner":{"value":"x4"},"value":"x5"}}"#;
    let mut redacted = event(text);
    apply(&mut redacted, &policy(&[], false, true));
    let metadata = redacted.metadata.as_ref().map(Json::as_str).unwrap();
    expect_test::expect![[r#"
        {"params":[{"key":"Authorization","value":"[redacted:token]"},
        {"key":"Accept","value":"x2"},
        {"value":"x3"}],"name":"token","inner":{"value":"x4"},
        "value":"[redacted:token]"}"#]]
    .assert_eq(&metadata.replace("},", "},\n"));
}

/// Texts that would take their length squared, if a look for each thing that may begin somewhere went on to the end.
#[test]
fn hostile_texts_cost_no_more_than_their_length() {
    for part in [
        "eyJ-",
        "sk-",
        "AIza-",
        "token=",
        "password='{{",
        "://a:",
        "-----BEGIN ",
        "\"token\":\"{{",
        "bearer ",
        "4-",
        "4 4444 ",
    ] {
        let text = part.repeat(1_000_000 / part.len()) + "(";
        let found = Scrubber.scrub(&text);
        assert!(found.is_none_or(|found| found.text.len() <= text.len() * 4), "{part}");
    }
}

#[test]
fn a_rule_is_for_the_events_that_all_of_its_parts_cover() {
    let pattern = |text: &str| Some(Pattern::parse(text).unwrap());
    let actions = |text: &str| vec![Pattern::parse(text).unwrap()];
    let covers = |when: When| when.covers(&event(QUERY));
    assert!(covers(When::default()));
    assert!(covers(When { actions: actions("QUERY_*"), query: pattern("findCustomer"), ..When::default() }));
    assert!(covers(When { app: pattern("refunds"), resource: pattern("orders*"), ..When::default() }));
    assert!(!covers(When { actions: actions("PAGE_VIEW"), query: pattern("findCustomer"), ..When::default() }));
    assert!(!covers(When { query: pattern("orders-db"), ..When::default() }), "a resource is no query");
    assert!(!covers(When { app: pattern("Orders"), ..When::default() }));
}

#[test]
fn a_long_list_of_redactions_ends_in_a_count() {
    let members: Vec<String> = (0..100).map(|n| format!(r#""k{n}":{n}"#)).collect();
    let text = format!(r#"{{"action":"A","actor":{{"type":"user","id":"u"}},"metadata":{{{}}}}}"#, members.join(","));
    let mut redacted = event(&text);
    let policy = policy(&[(&["/metadata/*"], How::Hide)], false, true);
    apply(&mut redacted, &policy);
    assert_eq!(redacted.redactions.len(), MARKS_MAX + 1);
    let last = redacted.redactions.last().unwrap();
    assert_eq!((&*last.member, &*last.by, &*last.how), ("", "limit", "more:36"));
    let once = redacted.clone();
    apply(&mut redacted, &policy);
    assert_eq!(redacted, once);
}

#[test]
fn a_retry_is_known_although_the_rules_changed() {
    let hash = policy(&[(&["/metadata/params/*/ssn"], How::Hash)], false, true);
    let hide = policy(&[(&["/metadata/params"], How::Hide)], true, true);
    let redacted = |text: &str, policy: Option<&Policy>| {
        let mut event = event(text);
        policy.map(|policy| apply(&mut event, policy));
        event
    };
    let other = QUERY.replace("select 1", "select 2");
    let other_ssn = QUERY.replacen("078-05-1120\",\"n", "078-05-1121\",\"n", 1);
    for (one, two) in [(Some(&hash), Some(&hide)), (None, Some(&hash)), (Some(&hide), None)] {
        assert!(same_but_for_redactions(&redacted(QUERY, one), &redacted(QUERY, two)));
        assert!(!same_but_for_redactions(&redacted(QUERY, one), &redacted(&other, two)));
    }
    assert!(!same_but_for_redactions(&redacted(QUERY, Some(&hash)), &redacted(&other_ssn, Some(&hash))));
    assert!(same_but_for_redactions(&redacted(QUERY, Some(&hide)), &redacted(&other_ssn, Some(&hide))));
}

/// Nothing can be smuggled past a rule by making it look as if it had been redacted.
#[test]
fn what_only_looks_like_a_mark_is_redacted() {
    for text in ["[redacted:078-05-1120]", "[redacted] 078-05-1120", "[redacted:hash:078-05-1120]", "[redacted"] {
        assert!(!is_mark(text), "{text}");
    }
}

/// What the scrubber takes out, and what it leaves alone.
#[test]
fn shapes() {
    let jwt = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U";
    let found = [
        "Authorization: Bearer abcdef123456.",
        "authorization: basic dXNlcjpwYXNz",
        "key AKIAIOSFODNN7EXAMPLE, and ASIAIOSFODNN7EXAMPLE",
        "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
        "(github_pat_11ABCDEFG0123456789_abcdefghijklmnop)",
        "xoxb-123456789012-abcdefABCDEF",
        "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
        "AIzaSyA1234567890abcdefghijklmnopqrstuv",
        "sk-proj-abcDEF1234567890abcdef",
        "acta_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        &format!("token {jwt} ok"),
        "a\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----\nb",
        "-----BEGIN PRIVATE KEY-----\nMIIE",
        "postgres://app:s3cret@db.internal/orders and redis://:p%40ss@cache:6379",
        "Server=db;User Id=app;Password=hunter22;Encrypt=true",
        "https://api.example.com/v1?api_key=abcd1234&page=2",
        "update users set password = 'hunter2' where id = 7",
        r#"{"user":"ada","password":"hun\"ter2","n":1}"#,
        r#"{"body":"{\"token\": \"t-1\",\"n\":1}"}"#,
        "card 4111 1111 1111 1111 12/27, amex 3782-822463-10005, 5555555555554444.",
        "4222222222222",
        "6011000990139424",
    ];
    let left = [
        "bearer of good news, basic authentication, Basic training",
        "550e8400-e29b-41d4-a716-446655440000",
        "12345678-1234-4123-8123-123456789012",
        "4111-1111-1111-1111-4111-1111",
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "2026-11-20T22:04:30.123Z 1795212000000 1795212000000000 1795212000000000000",
        "+4915123456789, +1 (555) 010-9999, 0049 151 2345 6789, 030 12345678",
        "4111111111111112 is wrong by one digit; so is 5555 5555 5555 4445",
        "order 4111111111111111x, x4111111111111111, 41111111111111110000, 0.4111111111111111",
        "task-force-for-internationalization-2026, sk-some-long-kebab-case-name-here",
        "https://user@example.com/a:b@c and mailto:ada@example.com, http://host:8080/x@y",
        "postgres://app:{{ secrets.password }}@db/orders",
        "select * from users where password = $1 and token = ? and secret=:secret and pwd=crypt(pwd, salt)",
        "acta_12345678, AKIA, ghp_short, eyJ.eyJ.x, eyJhIjoxfQ.eyJhIjoxfQ.abc",
        "password reset, token: expired, secret=, password=****",
        "arn:aws:iam::123456789012:user/ada AROAIOSFODNN7EXAMPLE:session",
        "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----",
        "1.2.3.4, 2001:db8::1, v1.50.0-rc.1, 10 000 000 000 000 000",
        "[redacted:password] [redacted] Bearer [redacted:token] https://u:[redacted:password]@h",
        "żółw ghp_ 日本語",
    ];
    let tell = |text: &str| match Scrubber.scrub(text) {
        Some(found) => {
            assert_eq!(Scrubber.scrub(&found.text), None, "once is enough: {text}");
            format!("{} ({})", found.text, found.what.join(", "))
        }
        None => format!("left: {text}"),
    };
    expect_test::expect![[r#"
        Authorization: Bearer [redacted:token]. (token)
        authorization: basic [redacted:password] (password)
        key [redacted:api_key], and [redacted:api_key] (api_key)
        [redacted:token] (token)
        ([redacted:token]) (token)
        [redacted:token] (token)
        [redacted:api_key] (api_key)
        [redacted:api_key] (api_key)
        [redacted:api_key] (api_key)
        [redacted:api_key] (api_key)
        token [redacted:token] ok (token)
        a
        [redacted:private_key]
        b (private_key)
        [redacted:private_key] (private_key)
        postgres://app:[redacted:password]@db.internal/orders and redis://:[redacted:password]@cache:6379 (password)
        Server=db;User Id=app;Password=[redacted:password];Encrypt=true (password)
        https://api.example.com/v1?api_key=[redacted:api_key]&page=2 (api_key)
        update users set password = '[redacted:password]' where id = 7 (password)
        {"user":"ada","password":"[redacted:password]","n":1} (password)
        {"body":"{\"token\": \"[redacted:token]\",\"n\":1}"} (token)
        card [redacted:card] 12/27, amex [redacted:card], [redacted:card]. (card)
        [redacted:card] (card)
        [redacted:card] (card)"#]]
    .assert_eq(&found.map(tell).join("\n"));
    for text in left {
        assert_eq!(Scrubber.scrub(text), None, "{text}");
    }
}

proptest::proptest! {
    /// Whatever is scrubbed, twice is as good as once, and what is not found stays.
    #[test]
    fn scrubbing_is_idempotent(text in "([a-zA-Z0-9:=/@._ \"'{}é-]|Bearer |password=|://|sk_live_|4111111111111111|\\[redacted:token\\]){0,40}") {
        if let Some(found) = Scrubber.scrub(&text) {
            proptest::prop_assert_eq!(Scrubber.scrub(&found.text), None);
        }
    }
}
