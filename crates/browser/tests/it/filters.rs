//! Choosing events.

use crate::driver::Setup;
use crate::tab::{Tab, run};

/// The text of a column in every row.
async fn column(tab: &Tab, css: &str) -> Vec<String> {
    tab.texts(&format!("table.events tbody tr {css}")).await
}

#[test]
fn every_filter_narrows_the_list() {
    run(Setup::default(), async |tab| {
        tab.sign_in("/audit").await;
        let all = tab.total().await;
        assert!(all >= 2_000, "{all}");
        assert_eq!(column(&tab, ".open").await.len(), 50);

        let fewer = async |what: &str| {
            let total = tab.total().await;
            assert!((1..all).contains(&total), "{what}: {total} of {all}");
            total
        };

        tab.fill("#email", "INGRID").await;
        tab.follow(".apply button.primary").await;
        assert_eq!(tab.path().await, "/audit?email=INGRID");
        fewer("email").await;
        let users = column(&tab, "[data-label=User]").await;
        assert!(users.iter().all(|user| user.contains("ingrid.solheim@example.com")), "{users:?}");
        assert_eq!(tab.value("#email").await, "INGRID");
        assert_eq!(tab.texts(".chip span").await, ["E-mail contains: INGRID"]);

        tab.open("/audit").await;
        tab.select("#outcome", "denied").await;
        tab.follow(".apply button.primary").await;
        let denied = fewer("outcome").await;
        let marks = column(&tab, ".outcome-denied").await;
        assert_eq!(marks.len() as u64, denied.min(50));

        tab.open("/audit").await;
        tab.fill("#q", "refund STUCK").await;
        tab.follow(".apply button.primary").await;
        fewer("text").await;
        let details = column(&tab, ".details").await;
        assert!(details.iter().all(|text| text.to_lowercase().contains("refund")), "{details:?}");

        // A day of the list, in the zone of the browser.
        tab.open("/audit?page=20").await;
        let day = tab
            .script("return new Date(document.querySelector('table.events time').dateTime).toLocaleDateString('sv-SE')")
            .await;
        let (day, shown) = (day.as_str().unwrap(), tab.text("table.events .date").await);
        tab.open("/audit").await;
        tab.fill_date("#from", day).await;
        tab.fill_date("#to", day).await;
        tab.follow(".apply button.primary").await;
        assert_eq!(tab.path().await, format!("/audit?from={day}&to={day}&tz=Europe%2FBerlin"));
        fewer("date").await;
        let dates = column(&tab, ".date").await;
        assert!(dates.iter().all(|date| *date == shown), "{dates:?}");

        // Teams, several.
        tab.open("/audit").await;
        tab.click("[aria-describedby=team-label]").await;
        tab.click("input[name=team][value=finance]").await;
        assert_eq!(tab.text("[aria-describedby=team-label]").await, "Finance");
        tab.click("input[name=team][value=data]").await;
        assert_eq!(tab.text("[aria-describedby=team-label]").await, "2 selected");
        tab.follow(".picker[open] button.primary").await;
        let both = fewer("teams").await;
        assert_eq!(tab.texts(".chip strong").await, ["Data", "Finance"]);
        tab.follow("a[aria-label='Remove the filter Team: Data']").await;
        let one = fewer("team").await;
        assert!(one < both);
        assert_eq!(tab.path().await, "/audit?team=finance");

        // The fields that few need.
        tab.open("/audit").await;
        tab.click(".more > summary").await;
        tab.fill("#ip", "203.0.113.0/24").await;
        tab.follow(".apply button.primary").await;
        fewer("ip").await;
        let ips = column(&tab, ".ip").await;
        assert!(ips.iter().all(|ip| ip.starts_with("203.0.113.")), "{ips:?}");
        assert!(tab.is_shown("#ip").await, "a filter in force is in sight");
        tab.fill("#ip", "").await;
        tab.fill("#target_type", "page").await;
        tab.fill("#target", "Refunds").await;
        tab.follow(".apply button.primary").await;
        fewer("target").await;
        let details = column(&tab, ".details").await;
        assert!(details.iter().all(|text| text.contains("Refunds")), "{details:?}");
        tab.fill("#target", "").await;
        tab.fill("#target_type", "").await;
        tab.fill("#actor", "u_101").await;
        tab.follow(".apply button.primary").await;
        fewer("actor").await;
        assert_eq!(tab.texts(".chip span").await, ["User: Ingrid Solheim"]);

        tab.open("/audit").await;
        tab.select("#per_page", "25").await;
        tab.follow(".apply button.primary").await;
        assert_eq!(column(&tab, ".open").await.len(), 25);
        assert_eq!(tab.path().await, "/audit?per_page=25");
    });
}

#[test]
fn several_event_types_at_once_and_none_again() {
    run(Setup::default(), async |tab| {
        tab.sign_in("/audit").await;
        let events = "[aria-describedby=events-label]";
        assert_eq!(tab.text(events).await, "All events");
        tab.click(events).await;
        // What is typed narrows the list of types, not the list of events.
        tab.fill("[data-find]", "login failed").await;
        tab.wait_until_gone("input[value=QUERY_RUN]").await;
        tab.click("input[name=action][value=LOGIN_FAILED]").await;
        assert_eq!(tab.text(events).await, "Login failed");
        tab.fill("[data-find]", "no such type").await;
        tab.wait_for("[data-none]").await;
        tab.fill("[data-find]", "PAGE_VIEW").await;
        tab.click("input[name=action][value=PAGE_VIEW]").await;
        assert_eq!(tab.text(events).await, "2 selected");
        tab.follow(".picker[open] button.primary").await;
        assert_eq!(tab.path().await, "/audit?action=PAGE_VIEW&action=LOGIN_FAILED");
        assert_eq!(tab.text(events).await, "2 selected");
        let both = tab.total().await;
        tab.open("/audit?action=LOGIN_FAILED").await;
        let one = tab.total().await;
        assert!(tab.texts(".events tbody th code").await.iter().all(|action| action == "LOGIN_FAILED"));
        tab.open("/audit?action=PAGE_VIEW").await;
        assert_eq!(one + tab.total().await, both);

        // A whole category.
        tab.open("/audit").await;
        tab.click(events).await;
        tab.click("input[name=category][value=Sign-in]").await;
        tab.follow(".picker[open] button.primary").await;
        assert_eq!(tab.texts(".chip span").await, ["Category: Sign-in"]);
        assert!(tab.total().await > one);

        tab.follow_text("Clear filters").await;
        assert_eq!(tab.path().await, "/audit");
        assert_eq!(tab.text(events).await, "All events");
        assert_eq!(tab.texts(".chip").await, Vec::<String>::new());
        assert!(tab.total().await >= 2_000);
    });
}
