//! Without a mouse.

use fantoccini::key::Key;

use crate::driver::Setup;
use crate::tab::run;

#[test]
fn the_list_by_keyboard() {
    run(Setup::default(), async |tab| {
        tab.sign_in("/audit").await;
        let rows = async || {
            let at = "return [...document.querySelectorAll('table.events tbody tr')].findIndex((r) => r.contains(document.activeElement))";
            tab.script(at).await.as_i64().unwrap()
        };
        // The first key leads past everything that is on every page.
        tab.press(Key::Tab).await;
        let first = tab.script("return document.activeElement.textContent").await;
        assert_eq!(first, "Skip to the content");
        tab.press(Key::Enter).await;
        assert_eq!(tab.focus().await, "main#main");

        tab.type_text("j").await;
        assert_eq!(rows().await, 0);
        tab.type_text("jj").await;
        assert_eq!(rows().await, 2);
        tab.type_text("k").await;
        assert_eq!(rows().await, 1);
        tab.press(Key::Enter).await;
        tab.wait_for("dialog.event-dialog h1").await;
        tab.press(Key::Escape).await;
        tab.wait_until_gone("dialog.event-dialog").await;
        tab.until("the focus back on the row", async || (rows().await == 1).then_some(())).await;

        tab.type_text("/").await;
        assert_eq!(tab.focus().await, "input#q");
        assert_eq!(tab.value("#q").await, "");
        tab.type_text("j?").await;
        assert_eq!(tab.value("#q").await, "j?");
        tab.press(Key::Escape).await;
        tab.type_text("?").await;
        tab.wait_for("dialog.help-dialog").await;
        assert!(tab.text("dialog.help-dialog").await.contains("Go to the search field"));
        tab.press(Key::Escape).await;
        tab.wait_until_gone("dialog.help-dialog").await;

        // The list of event types: opened by Enter, closed by Escape, with the focus where it began.
        tab.script("document.querySelector('[aria-describedby=events-label]').focus()").await;
        tab.press(Key::Enter).await;
        tab.wait_for("[data-find]").await;
        tab.until("the focus on the field", async || {
            let at = tab.script("return document.activeElement.hasAttribute('data-find')").await;
            (at == true).then_some(())
        })
        .await;
        tab.type_text("page viewed").await;
        tab.press(Key::Tab).await;
        tab.press(Key::Escape).await;
        tab.wait_until_gone("[data-find]").await;
        assert_eq!(tab.focus().await, "summary");
    });
}
