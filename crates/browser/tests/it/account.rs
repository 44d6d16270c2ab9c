//! The pages of coming in otherwise than with a password alone, and of one's own account: each without barriers, in light and in
//! dark, and on a narrow screen.

use directory::Seed;
use serde_json::json;

use crate::accessibility::check;
use crate::acta::Acta;
use crate::driver::Setup;
use crate::tab::{Tab, run_on};

/// Nobody is kept from using the page, however wide it is.
async fn look(tab: &Tab, page: &str) {
    check(tab, page).await;
    let narrow = json!({ "width": 320, "height": 640, "deviceScaleFactor": 1, "mobile": false });
    tab.browser("Emulation.setDeviceMetricsOverride", narrow).await;
    let fits = tab.script("return document.documentElement.scrollWidth <= innerWidth && innerWidth === 320").await;
    assert_eq!(fits, true, "{page}");
    assert_eq!(tab.barriers().await, "", "{page}, narrow");
    tab.browser("Emulation.clearDeviceMetricsOverride", json!({})).await;
}

#[test]
fn a_second_factor_from_setting_it_up_to_losing_it() {
    run_on(Setup::default(), Acta::new, async |tab| {
        tab.open(&tab.acta.link).await;
        look(&tab, "welcome").await;
        tab.fill("#password", "password1234").await;
        tab.follow("main button[type=submit]").await;
        tab.wait_for("[role=alert]").await;
        look(&tab, "welcome, refused").await;
        tab.set_first_password().await;

        tab.follow(".person a").await;
        assert_eq!(tab.path().await, "/account");
        look(&tab, "account").await;
        tab.follow_text("Set up a second factor").await;
        look(&tab, "second factor, off").await;
        tab.follow("form[action$='/begin'] button").await;
        assert_eq!(tab.focus().await, "input#code");
        look(&tab, "second factor, set up").await;
        let seed = Seed::parse(&tab.text(".secret").await).unwrap();
        tab.fill("#code", "000000").await;
        tab.follow("main form button").await;
        tab.wait_for("[role=alert]").await;
        look(&tab, "second factor, wrong code").await;
        tab.fill("#code", &tab.code(&seed, 0).await).await;
        tab.follow("main form button").await;
        let codes = tab.texts(".codes code").await;
        assert_eq!(codes.len(), 10);
        look(&tab, "recovery codes").await;
        tab.follow_text("I have kept them").await;
        look(&tab, "second factor, on").await;

        tab.follow("form[action='/sign-out'] button").await;
        let (email, password) = (tab.acta.email.clone(), tab.acta.password.clone());
        tab.sign_in_as(&email, &password).await;
        tab.wait_for("#code").await;
        assert_eq!(tab.focus().await, "input#code");
        look(&tab, "code").await;
        tab.fill("#code", "123456").await;
        tab.follow("main button[type=submit]").await;
        tab.wait_for("[role=alert]").await;
        look(&tab, "code, refused").await;
        tab.fill("#code", &tab.code(&seed, 1).await).await;
        tab.follow("main button[type=submit]").await;
        assert_eq!(tab.path().await, "/audit");

        // Without the app, with a recovery code.
        tab.follow("form[action='/sign-out'] button").await;
        tab.sign_in_as(&email, &password).await;
        tab.wait_for("#code").await;
        tab.fill("#code", &codes[0]).await;
        tab.follow("main button[type=submit]").await;
        assert_eq!(tab.path().await, "/audit");
        tab.open("/account/second-factor").await;
        assert!(tab.text("main").await.contains("You have 9 left."));
        tab.follow("form[action$='/disable'] button").await;
        assert!(tab.text("main").await.contains("Set up an authenticator app"));
        tab.open("/audit?action=VERIFY_2FA_SUCCESS").await;
        assert_eq!(tab.total().await, 2);
    });
}

#[test]
fn a_forgotten_password_and_a_link_to_sign_in() {
    run_on(Setup { no_scripts: true }, Acta::new, async |tab| {
        tab.set_first_password().await;
        tab.follow("form[action='/sign-out'] button").await;
        let email = tab.acta.email.clone();
        tab.follow_text("Forgot your password?").await;
        tab.fill("#email", &email).await;
        tab.follow("main button[type=submit]").await;
        assert!(tab.text("main").await.contains("Look into your mail"));
        tab.open_link_mailed_to(&email, "/reset").await;
        tab.fill("#password", "difference engine number 2").await;
        tab.follow("main button[type=submit]").await;
        assert_eq!(tab.text("[role=status]").await, "Your password is set. Sign in with it.");
        tab.sign_in_as(&email, "difference engine number 2").await;
        tab.wait_for("form[action='/sign-out']").await;
    });
}

#[test]
fn links_and_what_is_left_of_the_account() {
    run_on(Setup::default(), Acta::new, async |tab| {
        tab.set_first_password().await;
        // Asks somebody to join, as a page of ours could.
        let invited = tab
            .script_async(
                "const done = arguments[0];
                 fetch('/v1/invitations', {method: 'POST', headers: {'content-type': 'application/json'},
                   body: JSON.stringify({email: 'mary@example.com', role: 'auditor'})}).then((r) => r.json()).then(done, done)",
            )
            .await;
        assert_eq!(invited["state"], "pending", "{invited}");
        tab.open("/account/password").await;
        look(&tab, "password").await;
        tab.fill("#old", "not the password").await;
        tab.fill("#new", "difference engine number 2").await;
        tab.follow("main form button").await;
        assert_eq!(tab.text("#old-wrong").await, "This is not your password.");
        look(&tab, "password, refused").await;
        tab.open("/account/sessions").await;
        look(&tab, "sessions").await;
        tab.open("/confirm").await;
        look(&tab, "confirm").await;
        tab.open("/account").await;
        tab.click(".change > summary").await;
        tab.fill("#email", "countess@example.com").await;
        tab.follow(".change button").await;
        assert!(tab.text("[role=status]").await.contains("mailed a link"));
        look(&tab, "account, note").await;
        tab.open_link_mailed_to("countess@example.com", "/verify-email").await;
        look(&tab, "address").await;
        tab.follow("main button[type=submit]").await;
        look(&tab, "address, confirmed").await;
        tab.open("/audit").await;
        tab.follow("form[action='/sign-out'] button").await;

        tab.open_link_mailed_to("mary@example.com", "/invitation").await;
        look(&tab, "invitation").await;
        tab.fill("#name", "Mary Somerville").await;
        tab.fill("#password", "mechanism of the heavens 1831").await;
        tab.follow("main button[type=submit]").await;
        assert_eq!(tab.path().await, "/audit");
        assert!(tab.text(".person").await.contains("Mary Somerville"));
        tab.follow("form[action='/sign-out'] button").await;
        tab.back().await;
        tab.open("/invitation?token=00").await;
        look(&tab, "no such link").await;

        tab.open("/forgot").await;
        look(&tab, "forgot").await;
        tab.open("/sign-in").await;
        tab.follow_text("Sign in with a link").await;
        look(&tab, "link").await;
        tab.fill("#email", "mary@example.com").await;
        tab.follow("main button[type=submit]").await;
        look(&tab, "link, sent").await;
        tab.open_link_mailed_to("mary@example.com", "/sign-in/by-link").await;
        look(&tab, "link, opened").await;
        tab.follow("main button[type=submit]").await;
        assert_eq!(tab.path().await, "/audit");
    });
}
