//! One event.

use fantoccini::key::Key;
use serde_json::{Value, json};

use crate::driver::Setup;
use crate::tab::{Tab, run};

const QUERIES: &str = "/audit?action=QUERY_RUN&q=getOrders";

/// What the clipboard holds.
async fn clipboard(tab: &Tab) -> String {
    let script = "const done = arguments[0]; navigator.clipboard.readText().then(done, (e) => done(String(e)))";
    tab.script_async(script).await.as_str().unwrap().to_owned()
}

async fn allow_clipboard(tab: &Tab) {
    let origin = tab.acta.url.clone();
    let permissions = json!({ "origin": origin, "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"] });
    tab.browser("Browser.grantPermissions", permissions).await;
}

#[test]
fn details_in_a_dialog_with_copy() {
    run(Setup::default(), async |tab| {
        tab.sign_in(QUERIES).await;
        allow_clipboard(&tab).await;
        let list = tab.path().await;
        let url = tab.attribute("a[data-details]", "href").await.unwrap();
        tab.click("a[data-details]").await;
        tab.wait_for("dialog.event-dialog h1").await;
        assert_eq!(tab.path().await, url);
        assert!(tab.text("dialog h1").await.contains(" ran the query getOrders"));
        tab.until("the focus in the dialog", async || (tab.focus().await == "h1#event-sentence").then_some(())).await;

        tab.click("dialog [data-copy]").await;
        tab.wait_for_text("dialog [data-copy]", "Copied").await;
        tab.until("the announcement", async || {
            let said = tab.script("return document.querySelector('dialog [role=status]').textContent").await;
            (said == "Copied").then_some(())
        })
        .await;
        let copied: Value = serde_json::from_str(&clipboard(&tab).await).unwrap();
        assert_eq!(copied["action"], "QUERY_RUN");
        assert_eq!(url, format!("/audit/{}", copied["event_id"].as_str().unwrap()));
        assert!(copied["record"].as_str().unwrap().contains("_sd"));
        // What was copied is what the API gives.
        let script = format!(
            "const done = arguments[0]; fetch('/v1/events/{}').then((a) => a.text()).then(done)",
            copied["event_id"].as_str().unwrap()
        );
        let api: Value = serde_json::from_str(tab.script_async(&script).await.as_str().unwrap()).unwrap();
        assert_eq!(copied, api);

        // Escape closes, the address is the list's again, and the focus is where it was.
        tab.press(Key::Escape).await;
        tab.wait_until_gone("dialog.event-dialog").await;
        tab.wait_for_path(|path| path == list).await;
        tab.until("the focus on the link", async || {
            let at = tab.script("return document.activeElement.getAttribute('href')").await;
            (at == url.as_str()).then_some(())
        })
        .await;

        // So do the button and the browser's way back; a click on the row opens as well.
        tab.click("table.events tbody tr:nth-child(2) .details").await;
        tab.wait_for("dialog.event-dialog h1").await;
        tab.click("dialog [data-close]").await;
        tab.wait_until_gone("dialog.event-dialog").await;
        tab.click("table.events tbody tr:nth-child(3) a[data-details]").await;
        tab.wait_for("dialog.event-dialog h1").await;
        tab.back().await;
        tab.wait_until_gone("dialog.event-dialog").await;
        tab.wait_for_path(|path| path == list).await;
    });
}

#[test]
fn details_by_address_and_the_ways_from_there() {
    run(Setup::default(), async |tab| {
        tab.sign_in(QUERIES).await;
        allow_clipboard(&tab).await;
        let url = tab.attribute("a[data-details]", "href").await.unwrap();
        tab.open(&url).await;
        assert!(tab.text("h1").await.contains(" ran the query getOrders"));
        let page = tab.text("main").await;
        for part in
            ["Who", "When", "Where", "What", "Targets", "Query", "Parameters", "Metadata", "JSON", "In the log", "Leaf hash"]
        {
            assert!(page.contains(part), "{part}");
        }
        tab.click("[data-copy]").await;
        tab.wait_for_text("[data-copy]", "Copied").await;
        let json: Value = serde_json::from_str(&clipboard(&tab).await).unwrap();

        // Each link leads to a list in which the event is.
        let event_id = json["event_id"].as_str().unwrap();
        let links = tab.script("return [...document.querySelectorAll('a.same')].map((a) => a.getAttribute('href'))").await;
        let links: Vec<String> = serde_json::from_value(links).unwrap();
        let begins = |start: &str| links.iter().any(|link| link.starts_with(start));
        for start in [
            "/audit?action=",
            "/audit?actor=",
            "/audit?ip=",
            "/audit?q=s_",
            "/audit?q=req_",
            "/audit?team=",
            "/audit?target_type=",
        ] {
            assert!(begins(start), "{start} {links:?}");
        }
        for link in &links {
            tab.open(&format!("{link}&per_page=200")).await;
            assert!(tab.total().await >= 1, "{link}");
        }
        tab.open(&format!("/audit?q={}", json["context"]["request_id"].as_str().unwrap())).await;
        assert!(tab.attribute("a[data-details]", "href").await.unwrap().contains("/audit/"));

        // A change shows what was, and what is.
        tab.open("/audit?action=UPDATE_ROLE&action=MODIFY_PERMISSIONS&action=team_role_updated").await;
        let url = tab.attribute("a[data-details]", "href").await.unwrap();
        tab.open(&url).await;
        assert!(tab.text(".diff").await.contains("Before"), "{event_id}");
        assert!(tab.text(".diff del").await.starts_with('−') || tab.text(".diff ins").await.starts_with('+'));

        // The file is the same JSON.
        let file = format!(
            "const done = arguments[0]; fetch('/audit/{event_id}.json').then(async (a) => done([a.headers.get('content-disposition'), \
             await a.text()]))"
        );
        let file = tab.script_async(&file).await;
        assert_eq!(file[0], format!("attachment; filename=\"event-{event_id}.json\""));
        assert_eq!(serde_json::from_str::<Value>(file[1].as_str().unwrap()).unwrap(), json);
    });
}
