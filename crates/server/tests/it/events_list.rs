//! `GET /v1/events`.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::support::{Server, event};

/// A log with events that differ in everything a filter can ask for; more than one segment's worth.
async fn filled() -> Server {
    let server = Server::start();
    let mut events = Vec::new();
    for n in 0..250 {
        let (action, outcome) = [("QUERY_RUN", "success"), ("LOGIN", "failure"), ("CREATE_GROUP", "denied")][n % 3];
        let team = ["ops", "sales"][n % 2];
        events.push(json!({
            "id": format!("e-{n}"),
            "action": action,
            "occurred_at": format!("2026-01-{:02}T{:02}:00:00Z", 1 + n / 24, n % 24),
            "team": team,
            "actor": {"type": "user", "id": format!("u{}", n % 5), "email": format!("User{}@Example.com", n % 5)},
            "targets": [{"type": "page", "id": format!("p{}", n % 7), "name": format!("Page {}", n % 7)}],
            "context": {"ip": format!("203.0.113.{}", n % 10)},
            "outcome": outcome,
            "metadata": {"note": format!("Größe {n}"), "query": "SELECT * FROM orders"},
        }));
    }
    for chunk in events.chunks(60) {
        let answer = server.post(Value::from(chunk.to_vec()).to_string()).await;
        assert_eq!(answer.json()["accepted"], chunk.len());
    }
    server
}

#[tokio::test(flavor = "multi_thread")]
async fn every_filter_and_all_together() {
    let server = filled().await;
    let count = |fits: &dyn Fn(usize) -> bool| (0..250).filter(|n| fits(*n)).count() as u64;
    let cases: Vec<(&str, u64)> = vec![
        ("action=QUERY_RUN", count(&|n| n % 3 == 0)),
        ("action=QUERY_RUN&action=LOGIN", count(&|n| n % 3 < 2)),
        ("category=queries", count(&|n| n % 3 == 0)),
        ("category=Nothing", 0),
        ("outcome=denied", count(&|n| n % 3 == 2)),
        ("actor=u3", count(&|n| n % 5 == 3)),
        ("email=USER4%40", count(&|n| n % 5 == 4)),
        ("team=ops", count(&|n| n % 2 == 0)),
        ("team=ops&team=sales", 250),
        ("target_type=page&q=orders", 250),
        ("target=p3", count(&|n| n % 7 == 3)),
        ("target=Page+3&target_type=page", count(&|n| n % 7 == 3)),
        ("target=p3&target_type=query", 0),
        ("ip=203.0.113.4", count(&|n| n % 10 == 4)),
        ("ip=203.0.113.8/31", count(&|n| n % 10 >= 8)),
        ("from=2026-01-03&to=2026-01-04", 48),
        ("from=2026-01-03T05:00:00Z&to=2026-01-03T05:00:00Z", 1),
        ("from=2026-01-03&to=2026-01-03&tz=Asia/Tokyo", 24),
        ("q=GR%C3%96+17", count(&|n| n.to_string().contains("17"))),
        ("q=select+orders+größe", 250),
        ("q=nowhere", 0),
        ("action=LOGIN&outcome=failure&team=sales&actor=u1&ip=203.0.113.0/24&q=size", 0),
        (
            "action=LOGIN&outcome=failure&team=sales&actor=u1&ip=203.0.113.0/24&q=orders",
            count(&|n| n % 3 == 1 && n % 2 == 1 && n % 5 == 1),
        ),
    ];
    for (query, expected) in cases {
        let query = query.replace("größe", "gr%C3%B6%C3%9Fe");
        assert_eq!(server.total(&query).await, expected, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_newest_first_with_an_exact_total() {
    let server = filled().await;
    let mut seen = Vec::new();
    for page in 1..=5 {
        let json = server.get(&format!("/v1/events?q=orders&page={page}&per_page=60")).await.json();
        assert_eq!(
            (&json["page"], &json["per_page"], &json["pages"], &json["total"]),
            (&json!(page), &json!(60), &json!(5), &json!(250))
        );
        seen.extend(json["events"].as_array().unwrap().iter().map(|event| event["id"].as_str().unwrap().to_owned()));
    }
    let expected: Vec<String> = (0..250).rev().map(|n| format!("e-{n}")).collect();
    assert_eq!(seen, expected);
    let beyond = server.get("/v1/events?q=orders&page=6&per_page=60").await;
    assert_eq!(beyond.status, StatusCode::OK);
    assert_eq!((beyond.json()["events"].clone(), beyond.json()["total"].clone()), (json!([]), json!(250)));
    let far = server.get("/v1/events?page=18446744073709551615").await;
    assert_eq!((far.status, far.json()["events"].clone()), (StatusCode::OK, json!([])));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poller_never_skips_and_never_repeats() {
    let server = filled().await;
    let mut after = -1;
    let mut seen: Vec<u64> = Vec::new();
    for round in 0.. {
        let json = server.get(&format!("/v1/events?after={after}&limit=70&action=LOGIN&action=LATE")).await.json();
        let events = json["events"].as_array().unwrap();
        seen.extend(events.iter().map(|event| event["index"].as_u64().unwrap()));
        let next = json["next"].as_i64().unwrap();
        if round < 3 {
            // Events that come while somebody polls, told for long ago.
            let mut late = event("LATE");
            late["occurred_at"] = "2020-01-01T00:00:00Z".into();
            server.post(late.to_string()).await;
        } else if events.is_empty() {
            break;
        }
        after = next;
    }
    let mut sorted = seen.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(seen, sorted);
    assert_eq!(seen.len(), (0..250).filter(|n| n % 3 == 1).count() + 3);
    let back = server.get("/v1/events?before=10&limit=3").await.json();
    let indexes: Vec<_> = back["events"].as_array().unwrap().iter().map(|e| e["index"].as_u64().unwrap()).collect();
    assert_eq!((indexes, back["next"].clone()), (vec![9, 8, 7], json!(7)));
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_parameters_are_named() {
    let server = Server::start();
    let mut shown = Vec::new();
    for query in [
        "actoin=X",
        "page=0",
        "after=x",
        "before=-1",
        "from=2026-02-02&to=2026-02-01",
        "ip=1.2.3",
        "per_page=5000",
        "from=2026-02-30",
    ] {
        shown.push(format!("{query}: {}", server.get(&format!("/v1/events?{query}")).await.problem()));
    }
    expect_test::expect![[r#"
        actoin=X: 422 urn:acta:problem:invalid: actoin is not a parameter here; did you mean action?
            actoin: is not a parameter here; did you mean action?
        page=0: 422 urn:acta:problem:invalid: page is at least 1
            page: is at least 1
        after=x: 422 urn:acta:problem:invalid: after is not a whole number
            after: is not a whole number
        before=-1: 422 urn:acta:problem:invalid: before is not a whole number
            before: is not a whole number
        from=2026-02-02&to=2026-02-01: 422 urn:acta:problem:invalid: from lies after to: 2026-02-02T00:00:00.000Z is later than 2026-02-01T23:59:59.999Z
            from: lies after to: 2026-02-02T00:00:00.000Z is later than 2026-02-01T23:59:59.999Z
        ip=1.2.3: 422 urn:acta:problem:invalid: ip is not an address such as 203.0.113.7 or a network such as 203.0.113.0/24
            ip: is not an address such as 203.0.113.7 or a network such as 203.0.113.0/24
        per_page=5000: 422 urn:acta:problem:invalid: per_page is at most 1000
            per_page: is at most 1000
        from=2026-02-30: 422 urn:acta:problem:invalid: from is neither a date such as 2026-11-20 nor an RFC 3339 time such as 2026-11-20T22:04:30Z
            from: is neither a date such as 2026-11-20 nor an RFC 3339 time such as 2026-11-20T22:04:30Z"#]].assert_eq(&shown.join("\n"));
}
