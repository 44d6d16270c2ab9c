//! Turning pages.

use crate::driver::Setup;
use crate::tab::run;

#[test]
fn previous_next_first_last() {
    run(Setup::default(), async |tab| {
        tab.sign_in("/audit?action=QUERY_RUN&per_page=25").await;
        let total = tab.total().await;
        let pages = total.div_ceil(25);
        assert!(pages > 3, "{total}");
        let position = |page: u64| {
            let total = total.to_string();
            let total =
                if total.len() > 3 { format!("{},{}", &total[..total.len() - 3], &total[total.len() - 3..]) } else { total };
            format!("Page {page} of {pages} ({total} total)")
        };
        assert_eq!(tab.text(".position").await, position(1));
        for dead in ["First", "Previous"] {
            let xpath = tab.texts(".pager [aria-disabled]").await;
            assert!(xpath.contains(&dead.to_owned()), "{xpath:?}");
        }
        let first = tab.texts("table.events time").await;
        tab.follow_text("Next").await;
        assert_eq!(tab.text(".position").await, position(2));
        assert_eq!(tab.path().await, "/audit?action=QUERY_RUN&per_page=25&page=2");
        assert_ne!(tab.texts("table.events time").await, first);
        tab.follow_text("Last").await;
        assert_eq!(tab.text(".position").await, position(pages));
        assert_eq!(tab.texts("table.events tbody tr").await.len() as u64, total - (pages - 1) * 25);
        tab.follow_text("Previous").await;
        assert_eq!(tab.text(".position").await, position(pages - 1));
        tab.follow_text("First").await;
        assert_eq!(tab.path().await, "/audit?action=QUERY_RUN&per_page=25");
        assert_eq!(tab.texts("table.events time").await, first);

        // Beyond the end it says so, and leads back.
        tab.open("/audit?action=QUERY_RUN&per_page=25&page=1234567").await;
        assert_eq!(tab.text(".empty h2").await, "There is no page 1,234,567");
        tab.follow_text("Go to the last page").await;
        assert_eq!(tab.text(".position").await, position(pages));
    });
}
