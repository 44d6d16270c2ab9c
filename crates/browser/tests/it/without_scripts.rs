//! The same with a browser that runs no scripts.

use crate::driver::Setup;
use crate::tab::run;

#[test]
fn everything_works_without_scripts() {
    run(Setup { no_scripts: true }, async |tab| {
        tab.open("/audit").await;
        assert_eq!(tab.path().await, "/sign-in");
        tab.sign_in_as("owner@example.com", "not the password").await;
        assert!(tab.text("[role=alert]").await.contains("is not right"));
        tab.sign_in("/audit").await;
        // The browser could not say where it is.
        assert_eq!(tab.text(".zone").await, "Times in UTC");
        let all = tab.total().await;
        assert!(all >= 2_000);

        // Several event types, a team, an outcome, a text.
        tab.click("[aria-describedby=events-label]").await;
        tab.click("input[name=action][value=LOGIN_FAILED]").await;
        tab.click("input[name=action][value=PAGE_VIEW]").await;
        tab.follow(".picker[open] button.primary").await;
        assert_eq!(tab.path().await, "/audit?action=PAGE_VIEW&action=LOGIN_FAILED");
        let both = tab.total().await;
        assert!((1..all).contains(&both));
        assert_eq!(tab.text("[aria-describedby=events-label]").await, "2 selected");
        tab.select("#outcome", "failure").await;
        tab.fill("#email", "example.com").await;
        tab.follow(".apply button.primary").await;
        assert!((1..both).contains(&tab.total().await));
        assert_eq!(tab.texts(".chip").await.len(), 4);
        tab.follow("a[aria-label='Remove the filter Outcome: Failure']").await;
        assert!(!tab.path().await.contains("outcome"));
        tab.follow_text("Clear filters").await;
        assert_eq!(tab.path().await, "/audit");

        // A day; its zone stands in the address.
        let day = tab.attribute("table.events tbody tr:last-child time", "datetime").await.unwrap()[..10].to_owned();
        tab.fill_date("#from", &day).await;
        tab.fill_date("#to", &day).await;
        tab.follow(".apply button.primary").await;
        assert_eq!(tab.path().await, format!("/audit?from={day}&to={day}&tz=UTC"));
        assert!((1..all).contains(&tab.total().await));

        tab.open("/audit?per_page=25").await;
        tab.follow_text("Next").await;
        assert!(tab.text(".position").await.starts_with("Page 2 of "));
        tab.follow_text("Previous").await;
        assert!(tab.text(".position").await.starts_with("Page 1 of "));

        // Details are a page, and the list is still there behind it.
        tab.open("/audit?action=QUERY_RUN&per_page=25").await;
        let url = tab.attribute("a[data-details]", "href").await.unwrap();
        tab.follow("a[data-details]").await;
        assert_eq!(tab.path().await, url);
        assert!(tab.text("h1").await.contains(" ran the query "));
        assert!(!tab.is_shown("[data-copy]").await, "a button that does nothing is not shown");
        assert!(tab.text("#event-json").await.contains("\"action\": \"QUERY_RUN\""));
        tab.follow(".back a").await;
        assert_eq!(tab.path().await, "/audit?action=QUERY_RUN&per_page=25");

        tab.open("/audit?from=yesterday&q=kept").await;
        assert!(tab.text(".faults").await.contains("From is neither a date"));
        assert_eq!(tab.value("#q").await, "kept");
        tab.open("/audit?page=99999").await;
        assert_eq!(tab.text(".empty h2").await, "There is no page 99,999");
        tab.open("/nowhere").await;
        assert!(tab.text("main").await.contains("There is nothing at this address."));
        tab.open("/audit").await;
        tab.follow("form[action='/sign-out'] button").await;
        assert_eq!(tab.text("[role=status]").await, "You are signed out.");
    });
}
