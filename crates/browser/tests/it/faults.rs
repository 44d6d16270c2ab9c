//! What goes wrong is said, with what to do next.

use crate::driver::Setup;
use crate::tab::run;

#[test]
fn mistakes_are_told_in_words_and_nothing_typed_is_lost() {
    run(Setup::default(), async |tab| {
        tab.sign_in("/audit").await;
        tab.open("/audit?acton=LOGIN&action=PAGE_VIEW&outcome=maybe&from=yesterday&q=kept&email=ingrid&ip=10.0.0.0/40")
            .await;
        assert_eq!(tab.status().await, 422);
        let faults = tab.text(".faults").await;
        for part in [
            "4 filters are not valid",
            "did you mean action?",
            "Outcome must be success, failure or denied.",
            "From is neither a date such as 2026-11-20",
            "IP is not an address",
        ] {
            assert!(faults.contains(part), "{part}: {faults}");
        }
        assert_eq!(tab.value("#from").await, "yesterday");
        assert_eq!(tab.value("#outcome").await, "maybe");
        assert_eq!(tab.value("#q").await, "kept");
        assert_eq!(tab.value("#email").await, "ingrid");
        assert_eq!(tab.value("#ip").await, "10.0.0.0/40");
        assert_eq!(tab.text("[aria-describedby=events-label]").await, "Page viewed");
        assert!(!tab.is_shown("table.events").await);
        // Correct the three that have a field; the mistyped parameter is gone with the form.
        tab.fill("#from", "2020-01-01").await;
        tab.fill("#ip", "").await;
        tab.fill("#q", "").await;
        tab.select("#outcome", "success").await;
        tab.follow(".apply button.primary").await;
        assert_eq!(tab.status().await, 200);
        assert!(tab.total().await > 0);

        tab.open("/audit?page=0").await;
        assert!(tab.text(".faults").await.contains("Page is at least 1."));
        tab.open("/audit?after=5").await;
        assert!(tab.text(".faults").await.contains("is for programs"));
        tab.open("/audit?tz=Mars%2FBase").await;
        assert!(tab.text(".faults").await.contains("Time zone is not an IANA time zone"));
    });
}

#[test]
fn nothing_found_and_nothing_there() {
    run(Setup::default(), async |tab| {
        tab.sign_in("/audit?q=nosuchthinganywhere&outcome=denied").await;
        let empty = tab.text(".empty").await;
        for part in ["No event matches these filters", "Outcome: Denied", "Text: nosuchthinganywhere"] {
            assert!(empty.contains(part), "{part}: {empty}");
        }
        assert_eq!(tab.text(".position").await, "Page 1 of 1 (0 total)");
        tab.follow(".empty .primary").await;
        assert_eq!(tab.path().await, "/audit");

        for (path, detail) in [
            ("/nowhere", "There is nothing at this address."),
            (
                "/audit/0190b6a2-0000-7000-8000-000000000000",
                "There is no event 0190b6a2-0000-7000-8000-000000000000 in this log",
            ),
            ("/audit/nonsense", "There is no event nonsense in this log"),
            ("/static/none.css", "There is nothing at this address."),
        ] {
            tab.open(path).await;
            assert_eq!(tab.status().await, 404, "{path}");
            let page = tab.text("main").await;
            assert!(page.contains("Not found") && page.contains(detail) && page.contains("Request id"), "{path}: {page}");
            assert!(tab.is_shown("a[href='/audit'].primary").await, "{path}");
        }

        // A form that another site sends, or that is not of this session, does nothing.
        let send =
            "const done = arguments[0]; fetch('/sign-out', {method: 'POST', body: new URLSearchParams({csrf: 'guess'})})
                    .then((answer) => done(answer.status))";
        tab.open("/audit").await;
        assert_eq!(tab.script_async(send).await, 403);
        tab.open("/audit").await;
        assert!(tab.is_shown("form[action='/sign-out']").await);
    });
}
