//! The columns of Retool's audit table `audit_trail_events`, for searches and dashboards that were made for it, and after
//! them everything that Acta's own form has. The column `metadata` is the member of that name.

use super::json;
use super::known::of_kind;
use super::native::Native;
use crate::recorded::Recorded;

/// What a page is called: Retool's column holds the name of an app, a module, a workflow or a page.
const PAGES: [&str; 4] = ["page", "app", "module", "workflow"];
/// What a resource is called.
const RESOURCES: [&str; 4] = ["resource", "data_source", "datasource", "database"];

/// Appends it as one line of JSON, without a line break. A column that has no value is null, as in the table.
pub fn write(recorded: &Recorded, out: &mut Vec<u8>) {
    let event = &recorded.event;
    let named = |kinds: &[&str]| of_kind(event, kinds).and_then(|target| target.name.as_deref().or(target.id.as_deref()));
    json::object(out, |o| {
        let mut column = |name: &str, value: Option<&str>| match value {
            Some(value) => o.text(name, value),
            None => o.bare(name, "null"),
        };
        column("actionType", Some(event.action.as_str()));
        column("userId", Some(&event.actor.id));
        column("ipAddress", event.context.ip.as_deref());
        column("pageName", named(&PAGES));
        column("queryName", named(&["query"]));
        column("resourceName", named(&RESOURCES));
        match event.response_time_ms {
            Some(millis) => o.bare("responseTimeMs", millis),
            None => o.bare("responseTimeMs", "null"),
        }
        Native::of(recorded).members(o);
        if event.metadata.is_none() {
            o.bare("metadata", "null");
        }
    });
}
