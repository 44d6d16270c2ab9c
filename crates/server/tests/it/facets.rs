//! `GET /v1/facets` and `GET /v1/histogram`, against counts that a few lines make.

use std::collections::BTreeMap;

use access::{BuiltInRole, KeyScope, Masked, Narrowing, Role};
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use directory::{ChangedBy, NewAssignment, NewSession, Principal, RoleName};
use serde_json::{Value, json};

use crate::support::{Server, event};

/// What the test knows of an event.
struct Fact {
    action: &'static str,
    actor: String,
    team: Option<&'static str>,
    outcome: &'static str,
    environment: Option<&'static str>,
    day: usize,
}

/// More than one segment's worth, over 31 days, some of them late.
fn facts() -> Vec<Fact> {
    let fact = |n: usize| Fact {
        // Who signed in, and what changes permissions, only the organization sees.
        action: ["QUERY_RUN", "QUERY_RUN", "LOGIN", "MODIFY_PERMISSIONS", "custom.thing"][n % 5],
        actor: format!("u{}", n * n % 13),
        team: [Some("ops"), Some("sales"), None][n % 3],
        outcome: ["success", "success", "denied"][n / 2 % 3],
        environment: [Some("production"), Some("staging"), None, None][n % 4],
        day: 1 + (if n.is_multiple_of(17) { n / 2 } else { n }) * 31 / 330,
    };
    (0..330).map(fact).collect()
}

async fn filled() -> Server {
    let server = Server::start();
    let events: Vec<Value> = facts()
        .iter()
        .enumerate()
        .map(|(n, fact)| {
            let mut event = event(fact.action);
            event["occurred_at"] = format!("2026-01-{:02}T{:02}:30:00Z", fact.day, n % 24).into();
            event["actor"]["id"] = fact.actor.as_str().into();
            event["team"] = fact.team.into();
            event["outcome"] = fact.outcome.into();
            event["context"] = json!({"ip": format!("203.0.113.{}", n % 3)});
            let resource = json!({"type": "resource", "name": "db", "environment": fact.environment});
            event["targets"] = json!([resource, resource, {"type": "page", "name": format!("Page {}", n % 2)}]);
            strip_nulls(&mut event);
            event
        })
        .collect();
    for chunk in events.chunks(60) {
        let answer = server.post(Value::from(chunk.to_vec()).to_string()).await;
        assert_eq!(answer.json()["accepted"], chunk.len(), "{}", answer.text());
    }
    server
}

fn strip_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(strip_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(strip_nulls),
        _ => {}
    }
}

/// The answer of a field, counted by hand.
fn naive(name: &str, limit: usize, facts: &[Fact], read: impl Fn(&Fact) -> Option<String>) -> Value {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let mut missing = 0;
    for fact in facts {
        match read(fact) {
            Some(value) => *counts.entry(value).or_default() += 1,
            None => missing += 1,
        }
    }
    let distinct = counts.len();
    let mut values: Vec<_> = counts.into_iter().collect();
    values.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    values.truncate(limit);
    let values: Vec<Value> = values.into_iter().map(|(value, events)| json!({"value": value, "events": events})).collect();
    json!({"field": name, "values": values, "distinct": distinct, "missing": missing})
}

/// January: what is sent is in it, what Acta records of itself is not.
const JANUARY: &str = "from=2026-01-01&to=2026-01-31";

#[tokio::test(flavor = "multi_thread")]
async fn values_are_counted_exactly_under_filters_and_scopes() {
    let server = filled().await;
    let ops = server.new_key(&[KeyScope::EventsRead], Some("ops"));
    type Fits = fn(&Fact) -> bool;
    let cases: [(&str, &str, Fits); 5] = [
        (&server.key, "", |_| true),
        (&server.key, "&action=QUERY_RUN&outcome=success", |f| f.action == "QUERY_RUN" && f.outcome == "success"),
        (&server.key, "&team=sales&from=2026-01-07", |f| f.team == Some("sales") && f.day >= 7),
        (&ops, "", |f| f.team == Some("ops") && !["LOGIN", "MODIFY_PERMISSIONS"].contains(&f.action)),
        (&ops, "&team=sales", |_| false),
    ];
    for (key, filter, fits) in cases {
        let january = if filter.contains("from=") { "to=2026-01-31" } else { JANUARY };
        let fields = "field=actor&field=action&field=team&field=outcome&field=environment&limit=4";
        let answer = server.get_as(key, &format!("/v1/facets?{january}&{fields}{filter}")).await;
        let mut facts = facts();
        facts.retain(fits);
        let expected = json!([
            naive("actor", 4, &facts, |fact| Some(fact.actor.clone())),
            naive("action", 4, &facts, |fact| Some(fact.action.into())),
            naive("team", 4, &facts, |fact| fact.team.map(Into::into)),
            naive("outcome", 4, &facts, |fact| Some(fact.outcome.into())),
            naive("environment", 4, &facts, |fact| fact.environment.map(Into::into)),
        ]);
        assert_eq!(answer.json()["facets"], expected, "{filter}");

        let days = server.get_as(key, &format!("/v1/histogram?{january}&interval=day{filter}")).await.json();
        let first = if filter.contains("from=") { 7 } else { 1 };
        let expected: Vec<Value> = (first..=31)
            .map(|day| {
                let events = facts.iter().filter(|fact| fact.day == day).count();
                json!({"from": format!("2026-01-{day:02}T00:00:00.000Z"), "events": events})
            })
            .collect();
        assert_eq!((&days["buckets"], &days["total"]), (&Value::from(expected), &json!(facts.len())), "{filter}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_role_hides_is_not_counted() {
    let server = filled().await;
    let user = server.new_user("grace@example.com", Role::Member);
    let narrowing = Narrowing {
        categories: ["Queries".to_owned()].into(),
        from: Some(record::Timestamp::parse("2026-01-11T00:00:00Z").unwrap()),
        masked: [Masked::Ip].into(),
        ..Narrowing::default()
    };
    let role = RoleName::BuiltIn(BuiltInRole::Auditor);
    let new = NewAssignment { role, principal: Principal::User(user.id.clone()), team: None, narrowing, expires_at: None };
    let (org, now) = (server.organization.id, server.app.now());
    server.app.directory.create_assignment(&ChangedBy::cli(), org, new, now).unwrap();
    let new = NewSession { org, user: &user.id, ip: None, user_agent: None };
    let (_, token) = server.app.directory.create_session(new, now).unwrap();
    let get = async |path: &str| {
        let cookie = format!("acta_session={}", token.expose());
        let request = Request::get(format!("/v1/{path}")).header(header::COOKIE, cookie);
        server.send(request.body(Body::empty()).unwrap()).await.json()
    };
    let mut facts = facts();
    facts.retain(|fact| fact.action == "QUERY_RUN" && fact.day >= 11);
    let counted = get(&format!("facets?{JANUARY}&field=actor&field=action&field=ip&limit=50")).await;
    let expected = json!([
        naive("actor", 50, &facts, |fact| Some(fact.actor.clone())),
        naive("action", 50, &facts, |fact| Some(fact.action.into())),
        naive("ip", 50, &facts, |_| None),
    ]);
    assert_eq!(counted["facets"], expected);
    assert_eq!(get("histogram?").await["total"], facts.len());
    assert_eq!(
        get(&format!("histogram?{JANUARY}&ip=203.0.113.0/24")).await["total"],
        0,
        "a count would tell what is hidden"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_field_can_be_counted_and_ten_values_are_told() {
    let server = filled().await;
    let fields = ["action", "category", "actor", "team", "outcome", "target_type", "target", "environment", "ip", "key"];
    let query = fields.map(|field| format!("field={field}")).join("&");
    let answer = server.get(&format!("/v1/facets?{JANUARY}&{query}")).await.json();
    let told: Vec<String> = answer["facets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|counts| {
            let values = counts["values"].as_array().unwrap();
            let sum: u64 = values.iter().map(|value| value["events"].as_u64().unwrap()).sum();
            let (field, distinct, missing) = (&counts["field"], &counts["distinct"], &counts["missing"]);
            format!("{field}: {} of {distinct}, {sum} in them, {missing} without", values.len())
        })
        .collect();
    expect_test::expect![[r#"
        "action": 4 of 4, 330 in them, 0 without
        "category": 3 of 3, 264 in them, 66 without
        "actor": 7 of 7, 330 in them, 0 without
        "team": 2 of 2, 220 in them, 110 without
        "outcome": 2 of 2, 330 in them, 0 without
        "target_type": 2 of 2, 660 in them, 0 without
        "target": 3 of 3, 660 in them, 0 without
        "environment": 2 of 2, 166 in them, 164 without
        "ip": 3 of 3, 330 in them, 0 without
        "key": 1 of 1, 330 in them, 0 without"#]]
    .assert_eq(&told.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_time_a_histogram_adds_up_to_the_total_of_the_list() {
    let server = filled().await;
    for filter in ["", "action=QUERY_RUN", "actor=u1&outcome=denied", "q=203.0.113.2"] {
        // The first look is recorded and counts from then on.
        server.get(&format!("/v1/events?{filter}")).await;
        let total = server.total(filter).await;
        let histogram = server.get(&format!("/v1/histogram?{filter}")).await.json();
        assert_eq!(histogram["total"], total, "{filter}");
        let sum: u64 =
            histogram["buckets"].as_array().unwrap().iter().map(|bucket| bucket["events"].as_u64().unwrap()).sum();
        assert_eq!(sum, total, "{filter}");
        assert_eq!(histogram["buckets"][0]["from"], histogram["from"]);
        assert_eq!(histogram["from"].as_str().unwrap().split('T').nth(1), Some("00:00:00.000Z"));
    }
    let nothing = server.get("/v1/histogram?action=NOWHERE").await.json();
    assert_eq!(nothing, json!({"from": null, "to": null, "interval": null, "total": 0, "buckets": []}));
}

#[tokio::test(flavor = "multi_thread")]
async fn time_is_cut_as_asked() {
    let server = filled().await;
    let buckets = async |query: &str| {
        let answer = server.get(&format!("/v1/histogram?{query}")).await.json();
        let from: Vec<&str> = answer["buckets"].as_array().unwrap().iter().map(|b| b["from"].as_str().unwrap()).collect();
        let interval = answer["interval"].as_str().unwrap_or("equal parts");
        format!("{interval}: {} from {} on, {} in all", from.len(), from[..from.len().min(2)].join(", "), answer["total"])
    };
    let mut told = Vec::new();
    for query in [
        JANUARY,
        "from=2026-01-01&to=2026-01-31&interval=week",
        "from=2026-01-01&to=2026-01-31&interval=month&tz=America/New_York",
        "from=2026-01-01T12:00:00Z&to=2026-01-02T11:59:59.999Z",
        "from=2026-01-01&to=2026-01-31&buckets=2000",
        "from=2026-01-01&to=2026-01-31&buckets=1",
    ] {
        told.push(format!("{query} => {}", buckets(query).await));
    }
    expect_test::expect![[r#"
        from=2026-01-01&to=2026-01-31 => day: 31 from 2026-01-01T00:00:00.000Z, 2026-01-02T00:00:00.000Z on, 330 in all
        from=2026-01-01&to=2026-01-31&interval=week => week: 5 from 2026-01-01T00:00:00.000Z, 2026-01-05T00:00:00.000Z on, 330 in all
        from=2026-01-01&to=2026-01-31&interval=month&tz=America/New_York => month: 1 from 2026-01-01T05:00:00.000Z on, 325 in all
        from=2026-01-01T12:00:00Z&to=2026-01-02T11:59:59.999Z => hour: 24 from 2026-01-01T12:00:00.000Z, 2026-01-01T13:00:00.000Z on, 3 in all
        from=2026-01-01&to=2026-01-31&buckets=2000 => equal parts: 2000 from 2026-01-01T00:00:00.000Z, 2026-01-01T00:22:19.200Z on, 330 in all
        from=2026-01-01&to=2026-01-31&buckets=1 => equal parts: 1 from 2026-01-01T00:00:00.000Z on, 330 in all"#]].assert_eq(&told.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_counted_is_refused() {
    let server = Server::start();
    let mut told = Vec::new();
    for path in [
        "facets",
        "facets?field=",
        "facets?field=actor&field=actor",
        "facets?field=metadata",
        "facets?field=action&limit=1001",
        "facets?field=action&page=2",
        "facets?field=action&actio=LOGIN",
        "histogram?interval=fortnight",
        "histogram?interval=day&buckets=3",
        "histogram?buckets=2001",
        "histogram?from=2026-01-01&to=2026-03-31&interval=minute",
        "histogram?field=action",
    ] {
        let answer = server.get(&format!("/v1/{path}")).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}: {}", answer.text());
        told.push(format!("{path} => {}", answer.json()["detail"].as_str().unwrap()));
    }
    expect_test::expect![[r#"
        facets => field is missing: it says what to count, such as action
        facets?field= => field is missing: it says what to count, such as action
        facets?field=actor&field=actor => field names actor more than once
        facets?field=metadata => field cannot be counted; these can: action, category, actor, team, outcome, target_type, target, environment, ip, key
        facets?field=action&limit=1001 => limit is at most 1000
        facets?field=action&page=2 => page is not a parameter here; known are action, category, outcome, actor, email, team, target_type, target, ip, from, to, q, tz, field, limit
        facets?field=action&actio=LOGIN => actio is not a parameter here; did you mean action?
        histogram?interval=fortnight => interval is none that is known; these are: minute, hour, day, week, month, year
        histogram?interval=day&buckets=3 => buckets cannot go together with interval
        histogram?buckets=2001 => buckets is at most 2000
        histogram?from=2026-01-01&to=2026-03-31&interval=minute => interval gives more than 2,000 buckets; choose a longer interval or a shorter time
        histogram?field=action => field is not a parameter here; known are action, category, outcome, actor, email, team, target_type, target, ip, from, to, q, tz, interval, buckets"#]].assert_eq(&told.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn list_counts_and_histogram_of_one_filter_are_one_look() {
    let server = filled().await;
    for path in ["events?", "facets?field=action&limit=3&", "facets?field=team&", "histogram?interval=day&", "histogram?"] {
        assert_eq!(server.get(&format!("/v1/{path}action=LOGIN&{JANUARY}")).await.status, StatusCode::OK, "{path}");
    }
    let looks = server.get("/v1/events?action=VIEW_AUDIT_LOGS&q=api").await.json();
    let filters: Vec<&str> = looks["events"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|look| look["metadata"]["filter"].as_str())
        .filter(|filter| filter.contains("LOGIN"))
        .collect();
    assert_eq!(filters, [format!("action=LOGIN&{JANUARY}")]);
}
