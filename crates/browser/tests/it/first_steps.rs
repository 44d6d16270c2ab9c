//! A log that nobody has sent anything to.

use crate::acta::Acta;
use crate::driver::Setup;
use crate::tab::run_on;

#[test]
fn a_new_log_says_how_to_send_the_first_event() {
    run_on(Setup::default(), Acta::new, async |tab| {
        tab.set_first_password().await;
        let steps = tab.text(".first-steps").await;
        assert!(steps.contains("No application has sent events yet"), "{steps}");
        assert!(steps.contains("acta key create") && steps.contains(&format!("curl {}/v1/events", tab.acta.url)), "{steps}");
        // What Acta itself recorded is there all the same.
        assert!(tab.texts(".events tbody th code").await.contains(&"LOGIN".to_owned()));
        assert_eq!(tab.barriers().await, "");
        tab.open("/audit?action=LOGIN").await;
        assert!(!tab.is_shown(".first-steps").await);
    });
}
