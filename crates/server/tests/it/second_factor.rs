//! Second factors at the door.

use access::{KeyScope, Role};
use axum::body::Body;
use directory::Seed;

use crate::visitor::{HERS, PASSWORD, Site, THEIRS, Visitor};

const STEP_MS: i64 = 30_000;
const MINUTE_MS: i64 = 60_000;

/// Sets an authenticator up on the pages; its seed and the recovery codes.
async fn set_up(site: &Site, visitor: &mut Visitor) -> (Seed, Vec<String>) {
    let page = visitor.get("/account/second-factor").await;
    assert_eq!(page.status, 200, "{}", page.location);
    let begun = visitor.submit("/account/second-factor/begin", &[("name", "Phone")]).await;
    assert_eq!((begun.status, begun.location.as_str()), (303, "/account/second-factor/set-up"));
    let page = visitor.get("/account/second-factor/set-up").await.text;
    assert!(page.contains("<svg role=\"img\"") && !page.contains("<?xml"));
    let secret = page.split_once("class=\"secret\">").unwrap().1.split('<').next().unwrap();
    let seed = Seed::parse(secret).unwrap();
    let wrong = visitor.submit("/account/second-factor/set-up", &[("code", "000000")]).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.text.contains(secret), "the same secret, so that she need not scan again");
    let code = seed.code(site.server.app.now());
    let before = visitor.cookie.clone();
    let done = visitor.submit("/account/second-factor/set-up", &[("code", &code)]).await;
    assert_eq!(done.status, 200, "{}", done.text);
    assert_ne!(visitor.cookie, before, "the session has another token");
    let codes = done.text.split("<li><code>").skip(1).map(|rest| rest.split('<').next().unwrap().to_owned()).collect();
    (seed, codes)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_not_enough_any_more() {
    let site = Site::start();
    site.user("ada@example.com", Role::Owner);
    let mut ada = site.signed_in("ada@example.com").await;
    let (seed, codes) = set_up(&site, &mut ada).await;
    assert_eq!(codes.len(), 10);
    assert_eq!(ada.get("/audit").await.status, 200);
    assert!(ada.get("/account").await.text.contains("You have 10 recovery codes left."));

    site.clock.advance_ms(2 * STEP_MS);
    let mut again = site.visitor(HERS);
    let asked = again.sign_in("ada@example.com", PASSWORD).await;
    assert_eq!((asked.status, again.cookie.as_str()), (200, ""));
    assert!(asked.text.contains("autocomplete=\"one-time-code\"") && !asked.text.contains(PASSWORD), "{}", asked.text);
    assert!(!asked.text.contains("ada@example.com"));
    assert_eq!(again.get("/audit").await.status, 303, "not yet");
    again.page = asked.text.clone();
    let code = seed.code(site.server.app.now());
    for wrong in ["000000", "12345", codes[0].trim_end_matches(char::is_alphanumeric)] {
        let answer = again.submit("/sign-in/second-factor", &[("code", wrong)]).await;
        assert_eq!(answer.status, 401, "{wrong}");
    }
    assert_eq!(again.submit("/sign-in/second-factor", &[("code", "")]).await.status, 422);
    let spaced = format!("{} {}", &code[..3], &code[3..]);
    let done = again.submit("/sign-in/second-factor", &[("code", &spaced)]).await;
    assert_eq!((done.status, done.location.as_str()), (303, "/audit"));
    assert_eq!(again.get("/audit").await.status, 200);

    // Neither the code nor the ticket is good again.
    let mut thief = site.visitor(THEIRS);
    thief.page = asked.text;
    let late = thief.submit("/sign-in/second-factor", &[("code", &codes[0])]).await;
    assert_eq!(late.status, 401);
    assert!(late.text.contains("That took too long"), "{}", late.text);
    thief.sign_in("ada@example.com", PASSWORD).await;
    assert_eq!(thief.submit("/sign-in/second-factor", &[("code", &code)]).await.status, 401, "replayed");
    // A recovery code is; the ticket of five minutes ago is not.
    let slow = thief.page.clone();
    site.clock.advance_ms(5 * MINUTE_MS);
    thief.page = slow;
    assert!(thief.submit("/sign-in/second-factor", &[("code", &codes[1])]).await.text.contains("too long"));
    let mut lost = site.visitor(HERS);
    lost.sign_in("ada@example.com", PASSWORD).await;
    let done = lost.submit("/sign-in/second-factor", &[("code", &codes[1].replace('-', ""))]).await;
    assert_eq!(done.location, "/audit");
    assert!(lost.get("/account").await.text.contains("You have 9 recovery codes left."));

    assert_eq!(site.total("action=VERIFY_2FA_SUCCESS").await, 2);
    assert_eq!(site.total("action=VERIFY_2FA_FAILURE").await, 4);
    assert_eq!(site.total("action=LOGIN&q=recovery_code").await, 1);
    assert_eq!(site.total("action=LOGIN&q=authenticator").await, 1);
    assert_eq!(site.total("action=ADD_TWO_FACTOR_AUTHENTICATOR").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_that_asks_for_it_gets_it() {
    let site = Site::start();
    site.user("ada@example.com", Role::Owner);
    site.user("grace@example.com", Role::Admin);
    let mut ada = site.signed_in("ada@example.com").await;
    assert_eq!(ada.get("/audit").await.status, 200);
    site.execute("UPDATE organizations SET second_factor_required = TRUE");

    // A session from before, and one from after: nothing but setting it up, and leaving.
    for visitor in [&mut ada, &mut site.signed_in("grace@example.com").await] {
        for path in ["/audit", "/account", "/account/sessions", "/audit/0190b6a2-0000-7000-8000-000000000000"] {
            let led = visitor.get(path).await;
            assert_eq!((led.status, led.location.as_str()), (303, "/account/second-factor"), "{path}");
        }
        for path in ["/v1/events", "/v1/filters", "/v1/catalog", "/v1/invitations"] {
            let refused = visitor.get(path).await;
            assert_eq!(refused.status, 403, "{path}");
            assert!(refused.text.contains("urn:acta:problem:second-factor-needed"), "{}", refused.text);
        }
        let page = visitor.get("/account/second-factor").await;
        assert!(page.text.contains("Your organization asks for a second factor"), "{}", page.text);
    }
    let (_, codes) = set_up(&site, &mut ada).await;
    assert_eq!(ada.get("/audit").await.status, 200);
    assert_eq!(ada.get("/v1/events").await.status, 200);

    // Whoever has one and was signed in without is asked for it, and cannot set up another first.
    site.execute("UPDATE sessions SET second_factor_at = NULL");
    let led = ada.get("/account/second-factor").await;
    assert_eq!((led.status, led.location.as_str()), (303, "/confirm?next=%2Faudit"));
    ada.get("/confirm?next=%2Faudit").await;
    let csrf = ada.page.split_once("name=\"csrf\" value=\"").unwrap().1.split('"').next().unwrap().to_owned();
    let begun = ada.post("/account/second-factor/begin", &[("csrf", &csrf), ("name", "Mine")]).await;
    assert_eq!(begun.location, "/confirm?next=%2Faccount%2Fsecond-factor");
    ada.get("/confirm?next=%2Faudit").await;
    let done = ada.submit("/confirm", &[("given", &codes[0])]).await;
    assert_eq!((done.status, done.location.as_str()), (303, "/audit"));
    assert_eq!(ada.get("/audit").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_can_lock_another_out() {
    let site = Site::start();
    site.user("ada@example.com", Role::Owner);
    let mut ada = site.signed_in("ada@example.com").await;
    let (seed, _) = set_up(&site, &mut ada).await;
    // A thief has the password, and guesses codes until he has to wait. A right password takes nothing of that back.
    let mut thief = site.visitor(THEIRS);
    thief.sign_in("ada@example.com", PASSWORD).await;
    let page = thief.page.clone();
    for guess in 0..5 {
        thief.page.clone_from(&page);
        assert_eq!(thief.submit("/sign-in/second-factor", &[("code", &format!("00000{guess}"))]).await.status, 401);
    }
    thief.sign_in("ada@example.com", PASSWORD).await;
    let refused = thief.submit("/sign-in/second-factor", &[("code", "000009")]).await;
    assert_eq!((refused.status, refused.headers["retry-after"].to_str().unwrap().len()), (429, 3));
    // He and others exhaust everything else that is counted.
    for network in 0..60 {
        let mut one = site.visitor(&format!("192.0.2.{network}"));
        one.sign_in("ada@example.com", "wrong wrong wrong").await;
        one.post("/forgot", &[("email", "ada@example.com")]).await;
        one.post("/sign-in/link", &[("email", "ada@example.com")]).await;
    }
    for _ in 0..6 {
        thief.sign_in("ada@example.com", "wrong wrong wrong").await;
    }
    assert_eq!(thief.sign_in("ada@example.com", PASSWORD).await.status, 429);
    // She signs in, from where she is.
    site.clock.advance_ms(2 * STEP_MS);
    let mut owner = site.visitor(HERS);
    owner.sign_in("ada@example.com", PASSWORD).await;
    let code = seed.code(site.server.app.now());
    assert_eq!(owner.submit("/sign-in/second-factor", &[("code", &code)]).await.location, "/audit");
    // And gets her mail: of the many that were asked for, some came, and those are good.
    assert_eq!(owner.post("/forgot", &[("email", "ada@example.com")]).await.status, 200);
    let links = site.links().await;
    let reset: Vec<_> = links.iter().filter(|link| link.starts_with("/reset")).collect();
    assert_eq!((reset.len(), links.len()), (5, 10));
    assert_eq!(owner.get(reset[0]).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_resets_anothers_but_not_an_owners() {
    let site = Site::start();
    let owner = site.user("owner@example.com", Role::Owner);
    let ada = site.user("ada@example.com", Role::Member);
    site.user("admin@example.com", Role::Admin);
    site.user("auditor@example.com", Role::Auditor);
    set_up(&site, &mut site.signed_in("owner@example.com").await).await;
    set_up(&site, &mut site.signed_in("ada@example.com").await).await;
    let path = |user: &directory::User| format!("/v1/users/{}/second-factor", user.id);
    let mut admin = site.signed_in("admin@example.com").await;
    let mut auditor = site.signed_in("auditor@example.com").await;
    assert_eq!(auditor.send("DELETE", &path(&ada), Body::empty()).await.status, 403);
    assert_eq!(admin.send("DELETE", &path(&owner), Body::empty()).await.status, 403);
    site.clock.advance_ms(10 * MINUTE_MS);
    let unconfirmed = admin.send("DELETE", &path(&ada), Body::empty()).await;
    assert!(unconfirmed.status == 403 && unconfirmed.text.contains("confirmation-needed"), "{}", unconfirmed.text);
    let mut admin = site.signed_in("admin@example.com").await;
    assert_eq!(admin.send("DELETE", &path(&ada), Body::empty()).await.status, 204);
    assert_eq!(admin.send("DELETE", &path(&ada), Body::empty()).await.status, 204);
    assert_eq!(admin.send("DELETE", "/v1/users/u_0000000000000000/second-factor", Body::empty()).await.status, 404);
    site.signed_in("ada@example.com").await;
    let key = site.server.new_key(&[KeyScope::DirectoryWrite], None);
    let request = site.server.request("DELETE", &path(&owner), &key).body(Body::empty()).unwrap();
    assert_eq!(site.server.send(request).await.status, 403);
    assert_eq!(site.total("action=DISABLE_TWO_FACTOR_AUTH").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn changing_it_needs_a_fresh_confirmation() {
    let site = Site::start();
    site.user("ada@example.com", Role::Owner);
    let mut ada = site.signed_in("ada@example.com").await;
    let (seed, codes) = set_up(&site, &mut ada).await;
    site.clock.advance_ms(11 * MINUTE_MS);
    for path in ["recovery-codes", "disable", "begin"] {
        ada.get("/account/second-factor").await;
        let led = ada.submit(&format!("/account/second-factor/{path}"), &[]).await;
        assert_eq!(led.location, "/confirm?next=%2Faccount%2Fsecond-factor", "{path}");
    }
    // With a code, not with the password.
    ada.get("/confirm?next=%2Faccount%2Fsecond-factor").await;
    assert_eq!(ada.submit("/confirm", &[("given", PASSWORD)]).await.status, 401);
    let old = ada.cookie.clone();
    let code = seed.code(site.server.app.now());
    let done = ada.submit("/confirm", &[("given", &code)]).await;
    assert_eq!(done.location, "/account/second-factor");
    let mut stale = site.visitor(HERS);
    stale.cookie = old;
    assert_eq!(stale.get("/account").await.status, 303, "the old token is worth nothing");
    ada.get("/account/second-factor").await;
    let page = ada.submit("/account/second-factor/recovery-codes", &[]).await;
    assert!(page.status == 200 && !page.text.contains(&codes[5]), "{}", page.text);
    ada.get("/account/second-factor").await;
    assert_eq!(ada.submit("/account/second-factor/disable", &[]).await.status, 303);
    site.signed_in("ada@example.com").await;
    assert_eq!(site.total("action=CONFIRM_SESSION").await, 2);
}
