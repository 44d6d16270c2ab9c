//! Links by mail: what they do, how often, and what an outsider learns from asking for one.

use access::Role;

use crate::visitor::{HERS, PASSWORD, Site, THEIRS};

const NEW: &str = "jacquard loom weaving 1804";
const MINUTE_MS: i64 = 60_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_password() {
    let site = Site::start();
    site.user("ada@example.com", Role::Owner);
    let mut elsewhere = site.signed_in("ada@example.com").await;
    let mut ada = site.visitor(HERS);
    assert!(ada.get("/forgot").await.text.contains("Mail me a link"));
    assert_eq!(ada.submit("/forgot", &[("email", "")]).await.status, 422);
    assert_eq!(ada.submit("/forgot", &[("email", " Ada@Example.com ")]).await.status, 200);
    let links = site.links().await;
    let [link] = &links[..] else { panic!("{links:?}") };
    assert!(link.starts_with("/reset?token="), "{link}");
    // Programs that scan mail open it, and more than once.
    for _ in 0..3 {
        assert_eq!(site.visitor(THEIRS).get(link).await.status, 200);
    }
    let page = ada.get(link).await;
    assert!(page.text.contains("autocomplete=\"new-password\"") && page.text.contains("ada@example.com"));
    assert_eq!(page.headers["referrer-policy"], "same-origin");
    let weak = ada.submit("/reset", &[("password", "password1234")]).await;
    assert!(weak.status == 422 && weak.text.contains("first that anybody would try"), "{}", weak.text);
    let done = ada.submit("/reset", &[("password", NEW)]).await;
    assert_eq!((done.status, done.location.as_str(), ada.cookie.as_str()), (303, "/sign-in?password_set=1", ""));
    assert_eq!(elsewhere.get("/audit").await.status, 303, "her sessions have ended");
    let used = ada.get(link).await;
    assert!(used.status == 410 && used.text.contains("This link was used before"), "{}", used.text);
    assert_eq!(ada.get("/reset?token=00").await.status, 404);
    assert_eq!(ada.sign_in("ada@example.com", PASSWORD).await.status, 401);
    assert_eq!(ada.sign_in("ada@example.com", NEW).await.location, "/audit");

    ada.post("/forgot", &[("email", "ada@example.com")]).await;
    let late = site.links().await.remove(0);
    site.clock.advance_ms(60 * MINUTE_MS);
    assert!(ada.get(&late).await.text.contains("This link has expired"));
    assert_eq!(site.total("action=REQUEST_PASSWORD_RESET_LINK").await, 2);
    assert_eq!(site.total("action=CONFIRM_PASSWORD_RESET_LINK").await, 1);
    let token = link.split_once('=').unwrap().1;
    assert_eq!(site.total(&format!("q={token}")).await, 0, "no event holds it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_to_sign_in() {
    let site = Site::start();
    site.user("ada@example.com", Role::Owner);
    let mut ada = site.visitor(HERS);
    ada.get("/sign-in/link").await;
    assert_eq!(ada.submit("/sign-in/link", &[("email", "ada@example.com")]).await.status, 200);
    let link = site.links().await.remove(0);
    assert!(site.visitor(THEIRS).get(&link).await.text.contains("You sign in to Test as ada@example.com."));
    ada.get(&link).await;
    let page = ada.page.clone();
    let done = ada.submit("/sign-in/by-link", &[]).await;
    assert_eq!((done.status, done.location.as_str()), (303, "/audit"));
    assert_eq!(ada.get("/audit").await.status, 200);
    let mut thief = site.visitor(THEIRS);
    thief.page = page;
    assert_eq!(thief.submit("/sign-in/by-link", &[]).await.status, 410);
    for (action, count) in [("REQUEST_PASSWORDLESS_LOGIN", 1), ("SEND_MAGIC_LOGIN", 1), ("LOGIN&q=magic_link", 1)] {
        assert_eq!(site.total(&format!("action={action}")).await, count, "{action}");
    }
}

/// The answers to an address that is known and one that is not, but for the address itself and the request's id.
#[tokio::test(flavor = "multi_thread")]
async fn an_outsider_learns_nothing() {
    let site = Site::start();
    site.user("ada@example.com", Role::Owner);
    let grace = site.user("grace@example.com", Role::Member);
    let by = directory::ChangedBy::cli();
    let (directory, org) = (&site.server.app.directory, site.server.organization.id);
    directory.set_user_status(&by, org, &grace.id, directory::UserStatus::Disabled, site.server.app.now()).unwrap();
    for path in ["/sign-in", "/forgot", "/sign-in/link"] {
        let mut answers = Vec::new();
        for (email, password) in [
            ("ada@example.com", "wrong wrong wrong"),
            ("grace@example.com", PASSWORD),
            ("nobody@example.com", "wrong wrong wrong"),
        ] {
            let mut visitor = site.visitor(THEIRS);
            let answer = visitor.post(path, &[("email", email), ("password", password), ("next", "/audit")]).await;
            let mut headers: Vec<String> = answer
                .headers
                .iter()
                .filter(|(name, _)| *name != "x-request-id" && *name != "content-length")
                .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
                .collect();
            headers.sort();
            answers.push((answer.status, headers, answer.text.replace(email, "E")));
        }
        assert_eq!(answers[0], answers[1], "{path}");
        assert_eq!(answers[0], answers[2], "{path}");
    }
    assert_eq!(site.links().await.len(), 2, "only to her who has an account");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_send_mail_says_so() {
    let site = Site::without_mail();
    site.user("ada@example.com", Role::Owner);
    for path in ["/forgot", "/sign-in/link"] {
        for email in ["ada@example.com", "nobody@example.com"] {
            let mut visitor = site.visitor(HERS);
            let page = visitor.get(path).await;
            assert!(
                page.text.contains("This server cannot send mail")
                    && !page.text.contains("<form method=\"post\" action=\"/f")
            );
            assert_eq!(visitor.post(path, &[("email", email)]).await.status, 503);
        }
    }
    assert_eq!(site.total("action=REQUEST_PASSWORD_RESET_LINK").await, 0);
    let mut ada = site.signed_in("ada@example.com").await;
    assert!(!ada.get("/account").await.text.contains("/account/email"));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_address() {
    let site = Site::start();
    site.user("ada@example.com", Role::Owner);
    site.user("grace@example.com", Role::Member);
    let mut ada = site.signed_in("ada@example.com").await;
    ada.get("/account").await;
    let taken = ada.submit("/account/email", &[("email", "grace@example.com")]).await;
    assert!(taken.status == 422 && taken.text.contains("already has a user"), "{}", taken.text);
    let asked = ada.submit("/account/email", &[("email", "lovelace@example.com")]).await;
    assert_eq!(asked.location, "/account?done=email");
    let mails = site.mails().await;
    let to = |address: &str| mails.iter().find(|mail| mail.contains(&format!("To: {address}"))).unwrap();
    assert!(crate::visitor::link_in(to("ada@example.com")).is_none(), "a notice");
    let link = crate::visitor::link_in(to("lovelace@example.com")).unwrap();
    let mut reader = site.visitor(HERS);
    assert!(reader.get(&link).await.text.contains("becomes lovelace@example.com"));
    assert_eq!(site.visitor(HERS).sign_in("lovelace@example.com", PASSWORD).await.status, 401, "not yet");
    assert_eq!(reader.submit("/verify-email", &[]).await.status, 200);
    assert_eq!(reader.get(&link).await.status, 410);
    site.signed_in("lovelace@example.com").await;
    // It needs a fresh confirmation.
    site.clock.advance_ms(11 * MINUTE_MS);
    ada.get("/account").await;
    let led = ada.submit("/account/email", &[("email", "x@example.com")]).await;
    assert_eq!(led.location, "/confirm?next=%2Faccount");
    for (action, count) in [("USER_EMAIL_CHANGE", 1), ("USER_EMAIL_VERIFY", 1), ("USER_EMAIL_VERIFICATION_SENT", 1)] {
        assert_eq!(site.total(&format!("action={action}")).await, count, "{action}");
    }
}
