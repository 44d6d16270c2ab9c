//! Invitations: asked over the API, accepted on a page.

use access::{KeyScope, Role};
use axum::body::Body;
use axum::http::header;
use serde_json::{Value, json};

use crate::support::Answer;
use crate::visitor::{HERS, Site, THEIRS, Visitor};

const NEW: &str = "jacquard loom weaving 1804";

async fn call(site: &Site, key: &str, method: &str, path: &str, body: Option<Value>) -> Answer {
    let request = site.server.request(method, path, key).header(header::CONTENT_TYPE, "application/json");
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    site.server.send(request.body(body).unwrap()).await
}

fn path_of(link: &Value) -> String {
    link.as_str().unwrap().strip_prefix("http://acta.example").unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_invited_joins() {
    let site = Site::start();
    let key = site.server.new_key(&[KeyScope::DirectoryWrite, KeyScope::DirectoryRead], None);
    let invite = async |body: Value| call(&site, &key, "POST", "/v1/invitations", Some(body)).await;
    let answer = invite(json!({"email": "mary@example.com", "role": "auditor"})).await;
    assert_eq!(answer.status.as_u16(), 201, "{}", answer.text());
    let invited = answer.json();
    assert_eq!((invited["state"].as_str(), invited["mailed"].as_bool()), (Some("pending"), Some(true)));
    let link = path_of(&invited["link"]);
    assert_eq!(site.links().await, std::slice::from_ref(&link), "the same by mail");
    for (body, expected) in [
        (json!({"email": "mary@example.com", "role": "member"}), 409),
        (json!({"email": "nowhere", "role": "member"}), 422),
        (json!({"email": "x@example.com", "role": "king"}), 422),
        (json!({"email": "x@example.com", "role": "member", "team": "nosuch"}), 422),
        (json!({"email": "x@example.com", "role": "owner"}), 403),
        (json!({"email": "x@example.com"}), 422),
    ] {
        assert_eq!(invite(body.clone()).await.status.as_u16(), expected, "{body}");
    }
    site.visitor(THEIRS).get(&link).await;
    let mut mary = site.visitor(HERS);
    assert!(mary.get(&link).await.text.contains("Join Test"));
    let weak = mary.submit("/invitation", &[("name", "Mary Somerville"), ("password", "short")]).await;
    assert!(weak.status == 422 && weak.text.contains("value=\"Mary Somerville\""), "{}", weak.text);
    let done = mary.submit("/invitation", &[("name", "Mary Somerville"), ("password", NEW)]).await;
    assert_eq!((done.status, done.location.as_str()), (303, "/audit"));
    assert_eq!(mary.get("/audit").await.status, 200);
    assert_eq!(mary.get(&link).await.status, 410);
    assert_eq!(site.visitor(HERS).sign_in("mary@example.com", NEW).await.location, "/audit");
    let listed = call(&site, &key, "GET", "/v1/invitations", None).await.json();
    assert_eq!((listed["total"].as_u64(), listed["invitations"][0]["state"].as_str()), (Some(1), Some("redeemed")));
    assert!(listed["invitations"][0].get("link").is_none());
    assert_eq!(invite(json!({"email": "Mary@example.com", "role": "member"})).await.status.as_u16(), 409);
    for action in ["INVITE_USER", "REDEEM_INVITE", "SIGN_UP", "CREATE_USER&q=mary", "LOGIN&q=invitation"] {
        assert_eq!(site.total(&format!("action={action}")).await, 1, "{action}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn again_and_not_at_all() {
    let site = Site::without_mail();
    let key = site.server.new_key(&[KeyScope::DirectoryWrite], None);
    let body = json!({"email": "mary@example.com", "role": "member"});
    let invited = call(&site, &key, "POST", "/v1/invitations", Some(body)).await.json();
    assert_eq!(invited["mailed"].as_bool(), Some(false), "the answer's link is all there is");
    let own = format!("/v1/invitations/{}", invited["id"].as_str().unwrap());
    let again = call(&site, &key, "POST", &format!("{own}/resend"), None).await.json();
    let (old, new) = (path_of(&invited["link"]), path_of(&again["link"]));
    let mut mary: Visitor = site.visitor(HERS);
    assert_eq!(mary.get(&old).await.status, 404);
    assert_eq!(mary.get(&new).await.status, 200);
    let without = mary.submit("/invitation", &[("name", "Mary"), ("password", "")]).await;
    assert!(without.status == 422 && without.text.contains("Choose a password."), "{}", without.text);
    let page = mary.page.clone();
    let revoked = call(&site, &key, "DELETE", &own, None).await;
    assert_eq!((revoked.status.as_u16(), revoked.json()["state"].as_str()), (200, Some("revoked")));
    mary.page = page;
    assert_eq!(mary.submit("/invitation", &[("name", "Mary"), ("password", NEW)]).await.status, 404);
    assert_eq!(call(&site, &key, "POST", &format!("{own}/resend"), None).await.status.as_u16(), 409);
    assert_eq!(call(&site, &key, "DELETE", "/v1/invitations/inv_0000000000000000", None).await.status.as_u16(), 404);
    assert_eq!(call(&site, &key, "DELETE", "/v1/invitations/nonsense", None).await.status.as_u16(), 404);
    for action in ["RE_INVITE_USER", "REVOKE_INVITE"] {
        assert_eq!(site.total(&format!("action={action}")).await, 1, "{action}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_invites_above_herself() {
    let site = Site::start();
    site.user("owner@example.com", Role::Owner);
    site.user("admin@example.com", Role::Admin);
    let body = |role: &str| Body::from(json!({"email": format!("new-{role}@example.com"), "role": role}).to_string());
    let mut admin = site.signed_in("admin@example.com").await;
    let mut owner = site.signed_in("owner@example.com").await;
    assert_eq!(admin.send("POST", "/v1/invitations", body("admin")).await.status, 201);
    assert_eq!(admin.send("POST", "/v1/invitations", body("owner")).await.status, 403);
    let invited = owner.send("POST", "/v1/invitations", body("owner")).await;
    assert_eq!(invited.status, 201);
    let invited: Value = serde_json::from_str(&invited.text).unwrap();
    let own = format!("/v1/invitations/{}", invited["id"].as_str().unwrap());
    // Nor does she get hold of the link by sending it again.
    assert_eq!(admin.send("POST", &format!("{own}/resend"), Body::empty()).await.status, 403);
    assert_eq!(admin.send("DELETE", &own, Body::empty()).await.status, 403);
    assert_eq!(owner.send("POST", &format!("{own}/resend"), Body::empty()).await.status, 200);
    let mails = site.mails().await;
    assert!(mails.iter().any(|mail| mail.contains("Somebody invites you")), "by her name: {mails:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_falls_with_the_powers_of_whoever_made_it() {
    let site = Site::start();
    site.user("owner@example.com", Role::Owner);
    let admin = site.user("admin@example.com", Role::Admin);
    let directory = &site.server.app.directory;
    let (by, now) = (directory::ChangedBy::user(&admin), site.server.app.now());
    let new = directory::NewInvitation { email: "mary@example.com", role: Role::Member, team: None };
    let (_, token) = directory.invite(&by, admin.org, new, |_, _, _| None, now).unwrap();
    let link = format!("/invitation?token={}", token.expose());
    let mut mary = site.visitor(HERS);
    assert_eq!(mary.get(&link).await.status, 200);
    directory.set_user_role(&directory::ChangedBy::cli(), admin.org, &admin.id, Role::Auditor, now).unwrap();
    let refused = mary.submit("/invitation", &[("name", "Mary Somerville"), ("password", NEW)]).await;
    assert!(refused.status == 410 && refused.text.contains("Ask an owner or an admin"), "{}", refused.text);
    let shown = mary.get(&link).await;
    assert!(shown.status == 410 && shown.text.contains("does not hold any more"), "{}", shown.text);
    assert_eq!(site.total("action=REDEEM_INVITE").await, 0);
}
