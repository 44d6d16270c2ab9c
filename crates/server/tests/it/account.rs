//! One's own account: password, sessions, confirmation.

use access::Role;

use crate::visitor::{HERS, PASSWORD, Site, THEIRS};

const NEW: &str = "jacquard loom weaving 1804";
const MINUTE_MS: i64 = 60_000;

#[tokio::test(flavor = "multi_thread")]
async fn her_own_password() {
    let site = Site::start();
    site.user("ada@example.com", Role::Member);
    let mut ada = site.signed_in("ada@example.com").await;
    let mut other = site.signed_in("ada@example.com").await;
    ada.get("/account/password").await;
    let wrong = ada.submit("/account/password", &[("old", "not it"), ("new", NEW)]).await;
    assert!(wrong.status == 422 && wrong.text.contains("This is not your password."), "{}", wrong.text);
    let weak = ada.submit("/account/password", &[("old", PASSWORD), ("new", "short")]).await;
    assert!(weak.status == 422 && weak.text.contains("id=\"new-wrong\""), "{}", weak.text);
    let done = ada.submit("/account/password", &[("old", PASSWORD), ("new", NEW)]).await;
    assert_eq!(done.location, "/account?done=password");
    assert_eq!(ada.get("/account?done=password").await.status, 200);
    assert_eq!(other.get("/account").await.status, 303);
    assert_eq!(site.visitor(HERS).sign_in("ada@example.com", NEW).await.status, 303);
    assert_eq!(site.total("action=UPDATE_USER").await, 1);
    assert_eq!(site.total("action=LOGIN_FAILED&q=confirmation").await, 1);
    // Whoever sits at her screen does not guess for long.
    for _ in 0..5 {
        ada.submit_password("not it").await;
    }
    assert_eq!(ada.submit_password("not it").await.status, 429);
}

impl crate::visitor::Visitor {
    async fn submit_password(&mut self, old: &str) -> crate::visitor::Shown {
        self.get("/account/password").await;
        self.submit("/account/password", &[("old", old), ("new", NEW)]).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn her_own_sessions() {
    let site = Site::start();
    site.user("ada@example.com", Role::Member);
    site.user("grace@example.com", Role::Member);
    let mut ada = site.signed_in("ada@example.com").await;
    let mut second = site.visitor(THEIRS);
    second.sign_in("ada@example.com", PASSWORD).await;
    let mut third = site.signed_in("ada@example.com").await;
    let mut grace = site.signed_in("grace@example.com").await;
    let page = ada.get("/account/sessions").await.text;
    assert_eq!((page.matches("<li>").count(), page.matches("This one").count()), (3, 1));
    assert!(page.contains(THEIRS) && page.contains("signed in with password"), "{page}");
    let row = page.split("<li>").find(|row| row.contains(THEIRS)).unwrap();
    let id = row.split_once("name=\"id\" value=\"").unwrap().1.split('"').next().unwrap().to_owned();
    assert_eq!(ada.submit("/account/sessions/end", &[("id", &id)]).await.status, 303);
    assert_eq!(second.get("/account").await.status, 303);
    assert_eq!(third.get("/account").await.status, 200);
    ada.get("/account/sessions").await;
    assert_eq!(ada.submit("/account/sessions/end-others", &[]).await.status, 303);
    assert_eq!(third.get("/account").await.status, 303);
    assert_eq!(ada.get("/account").await.status, 200);
    // Nobody else's.
    grace.get("/account/sessions").await;
    let hers = site.server.app.directory.users_by_email("ada@example.com").unwrap().remove(0);
    let session = &site.server.app.directory.sessions(hers.org, &hers.id, site.server.app.now()).unwrap()[0];
    site.signed_in("grace@example.com").await;
    grace.get("/account/sessions").await;
    let refused = grace.submit("/account/sessions/end", &[("id", session.id.as_str())]).await;
    assert_eq!(refused.status, 404);
    assert_eq!(ada.get("/account").await.status, 200);
    assert_eq!(site.total("action=REVOKE_SESSION").await, 2);
    assert_eq!(site.total("action=LOGIN").await, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn confirming_with_the_password() {
    let site = Site::start();
    site.user("ada@example.com", Role::Member);
    let mut ada = site.signed_in("ada@example.com").await;
    site.clock.advance_ms(11 * MINUTE_MS);
    ada.get("/account/second-factor").await;
    assert_eq!(ada.submit("/account/second-factor/begin", &[]).await.location, "/confirm?next=%2Faccount%2Fsecond-factor");
    ada.get("/confirm?next=https%3A%2F%2Fevil.example").await;
    assert_eq!(ada.submit("/confirm", &[("given", "not it")]).await.status, 401);
    assert_eq!(ada.submit("/confirm", &[("given", PASSWORD)]).await.location, "/audit", "not to another site");
    ada.get("/account/second-factor").await;
    assert_eq!(ada.submit("/account/second-factor/begin", &[]).await.location, "/account/second-factor/set-up");
    // A form without the session's token is not hers.
    for path in ["/confirm", "/account/password", "/account/email", "/account/sessions/end-others"] {
        assert_eq!(ada.post(path, &[("csrf", "00"), ("given", PASSWORD)]).await.status, 403, "{path}");
    }
    // Whoever has no password and no second factor signs in again.
    site.execute("UPDATE users SET password_hash = NULL");
    assert!(ada.get("/confirm").await.text.contains("Sign out, and sign in again"));
    site.clock.advance_ms(11 * MINUTE_MS);
    assert_eq!(ada.get("/account/password").await.location, "/confirm?next=%2Faccount%2Fpassword");
}
