//! Coming and going.

use crate::driver::Setup;
use crate::tab::run;

#[test]
fn signing_in_and_out() {
    run(Setup::default(), async |tab| {
        // Whoever is not signed in is asked to, and then gets what she asked for.
        tab.open("/audit?outcome=failure&q=two%20words").await;
        assert_eq!(tab.path().await, "/sign-in?next=%2Faudit%3Foutcome%3Dfailure%26q%3Dtwo%2520words");
        tab.sign_in_as("owner@example.com", "not the password").await;
        assert_eq!(tab.text("[role=alert]").await, "! The e-mail address or the password is not right.");
        assert_eq!(tab.status().await, 401);
        assert_eq!(tab.value("#email").await, "owner@example.com");
        assert_eq!(tab.value("#password").await, "");
        tab.sign_in_as("nobody@example.com", "not the password").await;
        assert_eq!(tab.text("[role=alert]").await, "! The e-mail address or the password is not right.");
        let (email, password) = (tab.acta.email.clone(), tab.acta.password.clone());
        tab.sign_in_as(&email, &password).await;
        tab.wait_for("form[action='/sign-out']").await;
        assert_eq!(tab.path().await, "/audit?outcome=failure&q=two%20words");
        assert!(tab.text("header.top").await.contains("Fernweh Outfitters"));
        // Who is signed in need not do it again.
        tab.open("/sign-in").await;
        assert_eq!(tab.path().await, "/audit");
        tab.open("/").await;
        assert_eq!(tab.path().await, "/audit");

        // Both failures and the success are events.
        let failed = "/audit?action=LOGIN_FAILED&email=owner%40example.com";
        let count = async |path: &str| {
            tab.open(path).await;
            tab.total().await
        };
        tab.until("the failed sign-in", async || (count(failed).await == 1).then_some(())).await;
        tab.until("the unknown user's", async || {
            (count("/audit?action=LOGIN_FAILED&email=nobody").await == 1).then_some(())
        })
        .await;
        assert_eq!(count("/audit?action=LOGIN&email=owner%40example.com").await, 1);

        tab.follow("form[action='/sign-out'] button").await;
        assert_eq!(tab.text("[role=status]").await, "You are signed out.");
        tab.open("/audit").await;
        assert_eq!(tab.path().await, "/sign-in");
        tab.sign_in("/audit?action=LOGOUT&email=owner").await;
        assert_eq!(tab.total().await, 1);
    });
}

#[test]
fn too_many_attempts_have_to_wait() {
    run(Setup::default(), async |tab| {
        tab.open("/sign-in").await;
        for attempt in 1..=5 {
            tab.fill("#email", "owner@example.com").await;
            tab.fill("#password", &format!("guess {attempt}")).await;
            tab.follow("main button[type=submit]").await;
            assert_eq!(tab.status().await, 401, "{attempt}");
        }
        // Not even with the right password.
        let (email, password) = (tab.acta.email.clone(), tab.acta.password.clone());
        tab.sign_in_as(&email, &password).await;
        tab.wait_for_text("[role=alert]", "Too many attempts. Try again in 15 minutes.").await;
        assert_eq!(tab.status().await, 429);
    });
}
