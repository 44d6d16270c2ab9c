//! Times stand in the zone of whoever looks, with UTC beside them.

use crate::driver::Setup;
use crate::tab::run;

#[test]
fn the_browsers_zone_and_utc() {
    run(Setup::default(), async |tab| {
        // The browser is in Berlin, and nobody had to say so.
        tab.sign_in("/audit").await;
        assert!(tab.text(".zone").await.starts_with("Times in Europe/Berlin (+0"));
        let instant = tab.attribute("table.events time", "datetime").await.unwrap();
        let utc = tab.text("table.events .time .sub").await;
        assert!(utc.ends_with("UTC") && utc.contains(&instant[11..19]), "{utc} {instant}");
        let local = tab
            .script("return new Date(document.querySelector('table.events time').dateTime).toLocaleTimeString('en-GB')")
            .await;
        assert_eq!(local, tab.text("table.events .clock").await);

        tab.follow_text("Show UTC").await;
        assert_eq!(tab.path().await, "/audit?tz=UTC");
        assert!(tab.text(".zone").await.starts_with("Times in UTC"));
        assert_eq!(tab.text("table.events .time .sub").await, "UTC");
        // The event opens in the zone that was chosen for the list.
        assert!(tab.attribute("a[data-details]", "href").await.unwrap().ends_with("?tz=UTC"));
        tab.follow_text("Show Europe/Berlin").await;
        assert!(tab.text(".zone").await.contains("Europe/Berlin"));
        tab.open("/audit?tz=Asia%2FKolkata").await;
        assert!(tab.text(".zone").await.starts_with("Times in Asia/Kolkata (+05:30)"));
    });
}
