//! Nothing keeps anybody from using a page: axe-core finds nothing, in light and in dark; and narrow screens do not scroll
//! sideways.

use fantoccini::key::Key;
use serde_json::json;

use crate::driver::Setup;
use crate::tab::{Tab, run};

pub(crate) async fn check(tab: &Tab, page: &str) {
    for scheme in ["light", "dark"] {
        // Without motion: colours that fade into one another would be measured on the way.
        let motion = json!({ "name": "prefers-reduced-motion", "value": "reduce" });
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }, motion] });
        tab.browser("Emulation.setEmulatedMedia", media).await;
        assert_eq!(tab.barriers().await, "", "{page}, {scheme}");
    }
}

#[test]
fn axe_finds_nothing() {
    run(Setup::default(), async |tab| {
        tab.open("/sign-in").await;
        check(&tab, "sign-in").await;
        tab.sign_in_as("owner@example.com", "wrong").await;
        tab.wait_for("[role=alert]").await;
        check(&tab, "sign-in, refused").await;
        tab.sign_in("/audit").await;
        check(&tab, "list").await;
        tab.click("[aria-describedby=events-label]").await;
        tab.wait_for("[data-find]").await;
        check(&tab, "list, event types").await;
        tab.open("/audit?action=LOGIN_FAILED&outcome=failure&ip=192.0.2.147&page=1").await;
        check(&tab, "list, filtered").await;
        tab.open("/audit?outcome=denied").await;
        tab.click("a[data-details]").await;
        tab.wait_for("dialog.event-dialog h1").await;
        check(&tab, "dialog").await;
        for (name, list) in [
            ("query", "/audit?action=QUERY_RUN"),
            ("change", "/audit?action=UPDATE_ROLE&action=MODIFY_PERMISSIONS"),
            ("own", "/audit?category=Log"),
        ] {
            tab.open(list).await;
            let url = tab.attribute("a[data-details]", "href").await.unwrap();
            tab.open(&url).await;
            check(&tab, name).await;
        }
        for (name, path) in [
            ("not found", "/nowhere"),
            ("no such event", "/audit/0190b6a2-0000-7000-8000-000000000000"),
            ("faults", "/audit?from=x&outcome=y&ip=10.0.0.0/99&acton=z"),
            ("nothing found", "/audit?q=nosuchthinganywhere"),
            ("beyond the end", "/audit?page=12345"),
        ] {
            tab.open(path).await;
            check(&tab, name).await;
        }
    });
}

#[test]
fn narrow_screens_do_not_scroll_sideways() {
    run(Setup::default(), async |tab| {
        let narrow = json!({ "width": 320, "height": 640, "deviceScaleFactor": 1, "mobile": false });
        tab.browser("Emulation.setDeviceMetricsOverride", narrow).await;
        let check = async |page: &str| {
            let fits = tab.script("return document.documentElement.scrollWidth <= innerWidth && innerWidth === 320").await;
            assert_eq!(fits, true, "{page}");
            assert_eq!(tab.barriers().await, "", "{page}");
        };
        tab.open("/sign-in").await;
        check("sign-in").await;
        tab.sign_in("/audit").await;
        check("list").await;
        tab.click("[aria-describedby=events-label]").await;
        tab.wait_for("[data-find]").await;
        check("event types").await;
        tab.press(Key::Escape).await;
        tab.click("[aria-describedby=team-label]").await;
        check("teams").await;
        tab.open("/audit?action=QUERY_RUN&action=LOGIN_FAILED&email=example.com&ip=203.0.113.0/24").await;
        check("filtered").await;
        tab.click("a[data-details]").await;
        tab.wait_for("dialog.event-dialog h1").await;
        check("dialog").await;
        let url = tab.path().await;
        tab.open(&url).await;
        check("event").await;
        tab.open("/audit?from=yesterday").await;
        check("faults").await;
        tab.open("/nowhere").await;
        check("not found").await;
    });
}
