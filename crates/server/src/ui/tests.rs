//! The pages from outside, without a browser: what a browser would not do, and what it would not show.

use std::sync::Arc;

use access::Role;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use directory::{ChangedBy, DirectoryOptions, NewSession, NewUser, Secret};
use http_body_util::BodyExt;
use record::OrgId;
use tower::ServiceExt;

use crate::app::{App, Doors};
use crate::config::Config;
use crate::router::router;

const PASSWORD: &str = "engine analytical 1843";

struct Site {
    app: Arc<App>,
    org: OrgId,
    _data: tempfile::TempDir,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Site {
    fn start(public_url: &str) -> Site {
        let data = tempfile::tempdir().unwrap();
        let config = Config { data: data.path().to_owned(), public_url: public_url.to_owned(), ..Config::default() };
        let doors = Doors::system(data.path()).unwrap();
        let app = Arc::new(App::open(config, doors, DirectoryOptions::for_tests()).unwrap());
        let org = app.directory.create_organization(&ChangedBy::cli(), "Analytical Engines", app.now()).unwrap().id;
        Site { app, org, _data: data }
    }

    /// A user, and the cookie of a session of hers.
    fn user(&self, org: OrgId, email: &str, role: Role) -> String {
        let (directory, now, password) = (&self.app.directory, self.app.now(), Secret::new(PASSWORD));
        let new = NewUser { email, name: "Ada", role, password: Some(&password) };
        let user = directory.create_user(&ChangedBy::cli(), org, new, now).unwrap();
        let new = NewSession { org, user: &user.id, ip: None, user_agent: None };
        format!("acta_session={}", directory.create_session(new, now).unwrap().1.expose())
    }

    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header("host", "acta.example");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = router(self.app.clone()).oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, text }
    }

    async fn sign_in(&self, headers: &[(&str, &str)], next: &str) -> Answer {
        let body = format!("email=ada%40example.com&password={}&next={next}", PASSWORD.replace(' ', "+"));
        self.send("POST", "/sign-in", headers, &body).await
    }

    /// How many events of an action there are, with this in their text.
    fn count(&self, org: OrgId, action: &str, text: &str) -> u64 {
        let filter = store::Filter {
            actions: Some(vec![record::Action::new(action).unwrap()]),
            words: record::text::words(text),
            ..store::Filter::default()
        };
        let scope = crate::record_own::system_scope(org);
        self.app.store.query(&scope, &filter, store::Page { offset: 0, limit: 1 }).unwrap().total
    }
}

impl Answer {
    fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(&name).map_or("", |value| value.to_str().unwrap())
    }
}

#[tokio::test]
async fn who_may_not_read_is_told_so_and_can_leave() {
    let site = Site::start("");
    for (role, status) in [(Role::Owner, 200), (Role::Admin, 200), (Role::Auditor, 200), (Role::Member, 403)] {
        let cookie = site.user(site.org, &format!("{role}@example.com"), role);
        for path in ["/audit", "/audit?action=LOGIN", "/audit?page=nonsense"] {
            let answer = site.send("GET", path, &[("cookie", &cookie)], "").await;
            let expected = if status == 200 && path.contains("nonsense") { 422 } else { status };
            assert_eq!(answer.status, expected, "{role} {path}");
            assert!(answer.text.contains("Analytical Engines") && answer.text.contains("Sign out"), "{role} {path}");
        }
        let event = site.send("GET", "/audit/0190b6a2-0000-7000-8000-000000000000", &[("cookie", &cookie)], "").await;
        assert_eq!(event.status, if status == 200 { 404 } else { 403 }, "{role}");
    }
    let cookie = site.user(site.org, "member2@example.com", Role::Member);
    let denied = site.send("GET", "/audit", &[("cookie", &cookie)], "").await;
    assert!(denied.text.contains("You may not do this: your role, member, does not allow this"), "{}", denied.text);
    assert!(denied.text.contains("ask an owner or an admin"), "{}", denied.text);
    assert!(denied.text.contains(denied.header(header::HeaderName::from_static("x-request-id"))));
}

#[tokio::test]
async fn who_is_not_signed_in_is_sent_to_where_she_can() {
    let site = Site::start("");
    for cookies in ["", "acta_session=wrong", "other=1"] {
        let answer = site.send("GET", "/audit?q=a%20b&page=2", &[("cookie", cookies)], "").await;
        assert_eq!(
            (answer.status.as_u16(), answer.header(header::LOCATION)),
            (303, "/sign-in?next=%2Faudit%3Fq%3Da%2520b%26page%3D2")
        );
    }
    let answer = site.send("POST", "/sign-out", &[], "").await;
    assert_eq!((answer.status.as_u16(), answer.header(header::LOCATION)), (303, "/sign-in"));
}

#[tokio::test]
async fn the_session_cookie() {
    for (public_url, expected) in [
        ("", "acta_session=; Path=/; HttpOnly; SameSite=Lax"),
        ("https://acta.example", "__Host-acta_session=; Path=/; HttpOnly; SameSite=Lax; Secure"),
    ] {
        let site = Site::start(public_url);
        site.user(site.org, "ada@example.com", Role::Owner);
        let answer = site.sign_in(&[], "%2Faudit%3Fq%3Dx").await;
        assert_eq!((answer.status.as_u16(), answer.header(header::LOCATION)), (303, "/audit?q=x"));
        let cookie = answer.header(header::SET_COOKIE);
        let (name, rest) = cookie.split_once('=').unwrap();
        let (token, rest) = rest.split_once(';').unwrap();
        assert_eq!(format!("{name}=;{rest}"), expected);
        assert_eq!(token.len(), 64);
        // The one that `user` began, and this one.
        assert_eq!(site.count(site.org, "LOGIN", "ada@example.com"), 2);
        let pair = format!("{name}={token}");
        assert_eq!(site.send("GET", "/audit", &[("cookie", &pair)], "").await.status, 200);
        let elsewhere = site.sign_in(&[], "https%3A%2F%2Fevil.example").await;
        assert_eq!(elsewhere.header(header::LOCATION), "/audit");
    }
}

#[tokio::test]
async fn other_sites_can_sign_nobody_in_or_out() {
    let site = Site::start("");
    let cookie = site.user(site.org, "ada@example.com", Role::Owner);
    for foreign in [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "https://evil.example")] {
        assert_eq!(site.sign_in(&[foreign], "").await.status, 403, "{foreign:?}");
    }
    assert_eq!(site.sign_in(&[("origin", "http://acta.example")], "").await.status, 303);

    let page = site.send("GET", "/audit", &[("cookie", &cookie)], "").await.text;
    let csrf = page.split_once("name=\"csrf\" value=\"").unwrap().1.split_once('"').unwrap().0;
    for (headers, body) in [
        (vec![("cookie", cookie.as_str())], "csrf=wrong".to_owned()),
        (vec![("cookie", cookie.as_str())], String::new()),
        (vec![("cookie", cookie.as_str()), ("sec-fetch-site", "cross-site")], format!("csrf={csrf}")),
    ] {
        assert_eq!(site.send("POST", "/sign-out", &headers, &body).await.status, 403);
    }
    assert_eq!(site.send("GET", "/audit", &[("cookie", &cookie)], "").await.status, 200);
    let out = site.send("POST", "/sign-out", &[("cookie", &cookie)], &format!("csrf={csrf}")).await;
    assert_eq!((out.status.as_u16(), out.header(header::LOCATION)), (303, "/sign-in?signed_out=1"));
    assert_eq!(out.header(header::SET_COOKIE), "acta_session=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0");
    assert_eq!(site.send("GET", "/audit", &[("cookie", &cookie)], "").await.status, 303);
    assert_eq!(site.count(site.org, "LOGOUT", "ada@example.com"), 1);
}

#[tokio::test]
async fn one_person_in_two_organizations_chooses() {
    let site = Site::start("");
    let other = site.app.directory.create_organization(&ChangedBy::cli(), "Looms <& Co>", site.app.now()).unwrap().id;
    site.user(site.org, "ada@example.com", Role::Owner);
    site.user(other, "ada@example.com", Role::Auditor);
    let page = site.sign_in(&[], "%2Faudit%3Fq%3Dx").await;
    assert_eq!(page.status, 200);
    assert_eq!(page.header(header::SET_COOKIE), "");
    assert!(page.text.contains("Looms &#60;&#38; Co&#62;") && page.text.contains("Analytical Engines"), "{}", page.text);
    assert!(!page.text.contains(PASSWORD) && !page.text.contains("ada@example.com"));
    let ticket = page.text.split_once("name=\"ticket\" value=\"").unwrap().1.split_once('"').unwrap().0;
    let (number, _) = page.text.split_once(">Looms").unwrap();
    let number = number.rsplit_once("value=\"").unwrap().1.trim_end_matches('"');

    let choose = format!("ticket={ticket}&choice={number}&next=%2Faudit%3Fq%3Dx");
    let forged = site.send("POST", "/sign-in/organization", &[("sec-fetch-site", "cross-site")], &choose).await;
    assert_eq!(forged.status, 403);
    let guessed = site.send("POST", "/sign-in/organization", &[], "ticket=0000&choice=0").await;
    assert_eq!(guessed.status, 401);
    // The desk that gave the ticket is the router's, and each request here has a router of its own; so it is asked in one.
    let router = router(site.app.clone());
    let sign_in = format!("email=ada%40example.com&password={}", PASSWORD.replace(' ', "+"));
    let request =
        |path: &str, body: String| Request::post(path).header("host", "acta.example").body(Body::from(body)).unwrap();
    let answer = router.clone().oneshot(request("/sign-in", sign_in)).await.unwrap();
    let text = String::from_utf8(answer.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap();
    let ticket = text.split_once("name=\"ticket\" value=\"").unwrap().1.split_once('"').unwrap().0;
    let choose = format!("ticket={ticket}&choice={number}&next=%2Faudit%3Fq%3Dx");
    let answer = router.clone().oneshot(request("/sign-in/organization", choose.clone())).await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()[header::LOCATION]),
        (303, &header::HeaderValue::from_static("/audit?q=x"))
    );
    let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    let list = site.send("GET", "/audit", &[("cookie", &cookie)], "").await;
    assert!(list.text.contains("Looms &#60;&#38; Co&#62;") && list.text.contains("auditor"));
    // Each had one from `user`.
    assert_eq!((site.count(other, "LOGIN", ""), site.count(site.org, "LOGIN", "")), (2, 1));
    // A ticket is good once.
    let again = router.oneshot(request("/sign-in/organization", choose)).await.unwrap();
    assert_eq!(again.status(), 401);
}

#[tokio::test]
async fn what_events_say_is_text_and_never_markup() {
    let site = Site::start("");
    let cookie = site.user(site.org, "ada@example.com", Role::Owner);
    let evil = "<script>alert(1)</script>\\\"'&";
    let quoted = serde_json::to_string(evil).unwrap();
    let text = format!(
        r#"{{"action":"QUERY_RUN","actor":{{"type":"user","id":{quoted},"name":{quoted}}},"outcome":"failure",
            "targets":[{{"type":"page","id":{quoted},"name":{quoted},"environment":{quoted}}}],"team":"ops",
            "context":{{"ip":"2001:db8::1","user_agent":{quoted},"session_id":{quoted}}},
            "changes":[{{"field":{quoted},"before":{quoted},"after":{{"a":{quoted}}}}}],
            "metadata":{{"query":{quoted},"params":{{"p":{quoted}}}}}}}"#
    );
    let event = record::parse::event(&text, &record::Limits::none(), site.app.now()).unwrap().event;
    crate::record_own::own(&site.app, site.org, event).await.unwrap();
    let list = site.send("GET", "/audit?action=QUERY_RUN&q=%3Cscript%3E", &[("cookie", &cookie)], "").await;
    let path = list.text.split_once("data-details").unwrap().0.rsplit_once("href=\"").unwrap().1.split_once('"').unwrap().0;
    let page = site.send("GET", path, &[("cookie", &cookie)], "").await;
    let fragment = site.send("GET", &format!("{path}?fragment=1"), &[("cookie", &cookie)], "").await;
    assert!(page.text.contains("but it failed") && fragment.text.starts_with("<article"), "{}", fragment.text);
    assert!(!fragment.text.contains("<html"));
    for text in [&list.text, &page.text, &fragment.text] {
        assert!(!text.contains("<script>alert") && text.contains("&#60;script&#62;alert(1)"));
        // No attribute was broken out of, and nothing runs or paints that the policy forbids.
        assert!(!text.contains(" style=") && !text.contains(" onclick="));
    }
    let file = site.send("GET", &format!("{path}.json"), &[("cookie", &cookie)], "").await;
    let file: serde_json::Value = serde_json::from_str(&file.text).unwrap();
    assert_eq!(file["actor"]["name"], evil);
}
