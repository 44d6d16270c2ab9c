//! The acts of those who keep the house: a table of what happened once, and the rounds that come every week or two.

use fastrand::Rng;
use serde_json::Value;

use super::calendar::{HOUR, MINUTE, SECOND, workday};
use super::draft::{Draft, Seat};
use super::people::{DEPLOYER, ELIF, HENRIK, INGRID, LEILA, LIAM, MATEUSZ, NOOR, PRIYA, Person, TENDAI, TOMAS};

/// Something that happened once.
struct Milestone {
    days_ago: i64,
    /// Local hour and minute.
    clock: (i64, i64),
    who: &'static Person,
    action: &'static str,
    /// Type, id, name.
    target: (&'static str, &'static str, &'static str),
    about: Option<&'static Person>,
    /// Field, before, after, as JSON.
    change: Option<(&'static str, &'static str, &'static str)>,
    note: Option<(&'static str, &'static str)>,
}

const NOTHING: Milestone = Milestone {
    days_ago: 0,
    clock: (0, 0),
    who: &INGRID,
    action: "",
    target: ("", "", ""),
    about: None,
    change: None,
    note: None,
};

static MILESTONES: [Milestone; 37] = [
    Milestone {
        days_ago: 87,
        clock: (9, 40),
        action: "CREATE_GROUP",
        target: ("group", "grp_payout_reviewers", "payout-reviewers"),
        ..NOTHING
    },
    Milestone {
        days_ago: 87,
        clock: (9, 42),
        action: "ADD_USERS_TO_GROUP",
        target: ("group", "grp_payout_reviewers", "payout-reviewers"),
        about: Some(&TENDAI),
        ..NOTHING
    },
    Milestone {
        days_ago: 87,
        clock: (9, 43),
        action: "ADD_USERS_TO_GROUP",
        target: ("group", "grp_payout_reviewers", "payout-reviewers"),
        about: Some(&ELIF),
        ..NOTHING
    },
    Milestone {
        days_ago: 87,
        clock: (9, 47),
        action: "ADD_PAGE_TO_GROUP",
        target: ("group", "grp_payout_reviewers", "payout-reviewers"),
        note: Some(("page", "Seller payouts")),
        ..NOTHING
    },
    Milestone {
        days_ago: 83,
        clock: (11, 5),
        who: &MATEUSZ,
        action: "CREATE_RESOURCE",
        target: ("resource", "res_carrier_sandbox", "carrier-sandbox"),
        note: Some(("engine", "rest")),
        ..NOTHING
    },
    Milestone {
        days_ago: 80,
        clock: (15, 22),
        who: &MATEUSZ,
        action: "UPDATE_RESOURCE",
        target: ("resource", "res_orders", "orders-db"),
        change: Some(("statement_timeout_ms", "15000", "30000")),
        ..NOTHING
    },
    Milestone {
        days_ago: 78,
        clock: (10, 31),
        who: &PRIYA,
        action: "CONFIG_VAR_CREATE",
        target: ("config-var", "FRAUD_HOLD_SCORE", "FRAUD_HOLD_SCORE"),
        change: Some(("value", "null", "0.8")),
        ..NOTHING
    },
    Milestone {
        days_ago: 75,
        clock: (13, 50),
        action: "CREATE_ROLE",
        target: ("role", "role_reader", "incident-reader"),
        note: Some(("permissions", "audit:read")),
        ..NOTHING
    },
    Milestone {
        days_ago: 72,
        clock: (16, 8),
        who: &TOMAS,
        action: "CREATE_WORKFLOW",
        target: ("workflow", "wf_stale_carts", "Stale carts"),
        ..NOTHING
    },
    Milestone {
        days_ago: 71,
        clock: (10, 12),
        who: &TOMAS,
        action: "RELEASE_WORKFLOW",
        target: ("workflow", "wf_stale_carts", "Stale carts"),
        change: Some(("version", "null", "\"1.0.0\"")),
        ..NOTHING
    },
    Milestone {
        days_ago: 71,
        clock: (10, 15),
        who: &TOMAS,
        action: "ENABLE_WORKFLOW",
        target: ("workflow", "wf_stale_carts", "Stale carts"),
        change: Some(("enabled", "false", "true")),
        ..NOTHING
    },
    Milestone {
        days_ago: 68,
        clock: (9, 58),
        who: &MATEUSZ,
        action: "UPDATE_GROUP",
        target: ("group", "grp_support", "support"),
        change: Some(("refund_limit_cents", "5000", "10000")),
        note: Some(("reason", "summer sale")),
        ..NOTHING
    },
    Milestone {
        days_ago: 66,
        clock: (14, 27),
        who: &PRIYA,
        action: "SOURCE_CONTROL_CONFIG_UPDATE",
        target: ("repository", "repo_apps", "internal-apps"),
        change: Some(("branch", "\"master\"", "\"main\"")),
        ..NOTHING
    },
    Milestone {
        days_ago: 63,
        clock: (11, 19),
        who: &NOOR,
        action: "DATASOURCE_CREATE",
        target: ("data-source", "ds_campaigns", "campaign-costs"),
        ..NOTHING
    },
    Milestone {
        days_ago: 61,
        clock: (12, 2),
        who: &NOOR,
        action: "ANALYTICS_CONFIG_UPDATED",
        target: ("analytics", "an_usage", "Usage analytics"),
        change: Some(("sampling_percent", "100", "25")),
        ..NOTHING
    },
    Milestone {
        days_ago: 55,
        clock: (10, 44),
        who: &LEILA,
        action: "RETOOL_STORAGE_FOLDER_CREATED",
        target: ("folder", "inventory/audits", "inventory/audits"),
        ..NOTHING
    },
    Milestone {
        days_ago: 52,
        clock: (17, 1),
        who: &TOMAS,
        action: "DISABLE_WORKFLOW",
        target: ("workflow", "wf_stale_carts", "Stale carts"),
        change: Some(("enabled", "true", "false")),
        note: Some(("reason", "mails went out twice")),
        ..NOTHING
    },
    Milestone {
        days_ago: 51,
        clock: (11, 38),
        who: &TOMAS,
        action: "RELEASE_WORKFLOW",
        target: ("workflow", "wf_stale_carts", "Stale carts"),
        change: Some(("version", "\"1.0.0\"", "\"1.0.1\"")),
        ..NOTHING
    },
    Milestone {
        days_ago: 51,
        clock: (11, 40),
        who: &TOMAS,
        action: "ENABLE_WORKFLOW",
        target: ("workflow", "wf_stale_carts", "Stale carts"),
        change: Some(("enabled", "false", "true")),
        ..NOTHING
    },
    Milestone {
        days_ago: 48,
        clock: (9, 15),
        action: "UPDATE_BILLING_PLAN",
        target: ("billing-plan", "business", "Business"),
        change: Some(("seats", "25", "30")),
        ..NOTHING
    },
    Milestone {
        days_ago: 46,
        clock: (13, 33),
        action: "RETOOL_AI_FEATURE_CHANGED",
        target: ("organization", "org_fernweh", "Fernweh Outfitters"),
        change: Some(("query_suggestions", "true", "false")),
        note: Some(("reason", "no customer data in prompts")),
        ..NOTHING
    },
    // The door that the incident goes through: meant for a week, forgotten for a month.
    Milestone {
        days_ago: 41,
        clock: (17, 46),
        who: &MATEUSZ,
        action: "MODIFY_PERMISSIONS",
        target: ("group", "grp_finance", "finance"),
        change: Some(("manage_users", "false", "true")),
        note: Some(("reason", "quarter close: finance adds the external auditors; take back next Friday")),
        ..NOTHING
    },
    Milestone {
        days_ago: 40,
        clock: (9, 21),
        who: &HENRIK,
        action: "INVITE_USER",
        target: ("invite", "auditor@example.com", "auditor@example.com"),
        note: Some(("role", "viewer")),
        ..NOTHING
    },
    Milestone {
        days_ago: 38,
        clock: (10, 10),
        who: &LIAM,
        action: "REMOVE_TWO_FACTOR_AUTHENTICATOR",
        target: ("authenticator", "auth_liam_1", "old telephone"),
        about: Some(&LIAM),
        ..NOTHING
    },
    Milestone {
        days_ago: 37,
        clock: (14, 55),
        who: &MATEUSZ,
        action: "DELETE_RESOURCE",
        target: ("resource", "res_legacy_crm", "legacy-crm"),
        note: Some(("reason", "moved to crm-db")),
        ..NOTHING
    },
    Milestone {
        days_ago: 37,
        clock: (15, 4),
        who: &MATEUSZ,
        action: "RESOURCE_DELETED",
        target: ("cloud-resource", "cr_legacy_crm", "legacy-crm"),
        ..NOTHING
    },
    Milestone {
        days_ago: 33,
        clock: (11, 29),
        who: &MATEUSZ,
        action: "RESOURCE_CREATED",
        target: ("cloud-resource", "cr_ledger_replica", "ledger-replica"),
        note: Some(("region", "eu-north")),
        ..NOTHING
    },
    Milestone {
        days_ago: 33,
        clock: (11, 36),
        who: &MATEUSZ,
        action: "CREDENTIAL_CREATED",
        target: ("credential", "cred_ledger_replica_1", "ledger-replica"),
        ..NOTHING
    },
    Milestone {
        days_ago: 30,
        clock: (16, 17),
        who: &PRIYA,
        action: "CONFIG_VAR_DELETE",
        target: ("config-var", "LEGACY_CRM_URL", "LEGACY_CRM_URL"),
        change: Some(("value", "\"https://crm.example.com\"", "null")),
        ..NOTHING
    },
    Milestone {
        days_ago: 27,
        clock: (10, 3),
        who: &NOOR,
        action: "CREATE_GROUP",
        target: ("group", "grp_dashboards", "dashboards"),
        ..NOTHING
    },
    Milestone {
        days_ago: 26,
        clock: (15, 41),
        who: &LEILA,
        action: "team_variable_created",
        target: ("variable", "var_carrier", "DEFAULT_CARRIER"),
        change: Some(("value", "null", "\"postal\"")),
        ..NOTHING
    },
    Milestone {
        days_ago: 24,
        clock: (13, 13),
        action: "UPDATE_ROLE",
        target: ("role", "role_reader", "incident-reader"),
        change: Some(("permissions", "[\"audit:read\"]", "[\"audit:read\",\"users:read\"]")),
        ..NOTHING
    },
    Milestone {
        days_ago: 19,
        clock: (9, 50),
        action: "UPDATE_ORGANIZATION",
        target: ("organization", "org_fernweh", "Fernweh Outfitters"),
        change: Some(("session_hours", "24", "12")),
        ..NOTHING
    },
    Milestone {
        days_ago: 17,
        clock: (11, 11),
        who: &LEILA,
        action: "scenario_deleted",
        target: ("scenario", "scn_7650", "Old newsletter"),
        ..NOTHING
    },
    Milestone {
        days_ago: 8,
        clock: (10, 20),
        action: "UPDATE_ORGANIZATION",
        target: ("organization", "org_fernweh", "Fernweh Outfitters"),
        change: Some(("require_two_factor", "\"recommended\"", "\"always\"")),
        note: Some(("incident", "INC-27")),
        ..NOTHING
    },
    Milestone {
        days_ago: 8,
        clock: (10, 41),
        action: "CREATE_GROUP",
        target: ("group", "grp_break_glass", "break-glass"),
        note: Some(("incident", "INC-27")),
        ..NOTHING
    },
    Milestone {
        days_ago: 5,
        clock: (14, 9),
        who: &MATEUSZ,
        action: "ROLE_UPDATED",
        target: ("role", "role_db_admin", "database-admin"),
        change: Some(("max_session_minutes", "480", "120")),
        note: Some(("incident", "INC-27")),
        ..NOTHING
    },
];

/// Writes all of it.
pub(super) fn write(rng: &mut Rng, now: i64, out: &mut Vec<Draft>) {
    for milestone in &MILESTONES {
        once(rng, now, milestone, out);
    }
    for week in 0..12 {
        deploy(rng, now, week, out);
    }
    for fortnight in 0..5 {
        review(rng, now, 20 + 14 * fortnight, out);
    }
}

fn once(rng: &mut Rng, now: i64, milestone: &Milestone, out: &mut Vec<Draft>) {
    let seat = Seat::of(rng, milestone.who, milestone.who.office);
    let (hour, minute) = milestone.clock;
    let at = workday(milestone.who, now, milestone.days_ago) + hour * HOUR + minute * MINUTE + rng.i64(0..MINUTE);
    let (kind, id, name) = milestone.target;
    let mut draft = seat.event(rng, at, milestone.action).on(kind, id, name);
    if let Some(person) = milestone.about {
        draft = draft.on_person(person);
    }
    if let Some((field, before, after)) = milestone.change {
        draft = draft.change(field, value(before), value(after));
    }
    if let Some((key, text)) = milestone.note {
        draft = draft.note(key, text);
    }
    out.push(draft);
}

/// A value out of the table; text that is no JSON stands for itself.
fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| text.into())
}

/// The weekly release of the apps.
fn deploy(rng: &mut Rng, now: i64, week: i64, out: &mut Vec<Draft>) {
    let seat = Seat::machine(rng, &DEPLOYER);
    let at = workday(&PRIYA, now, 3 + 7 * week) + 16 * HOUR + rng.i64(0..40 * MINUTE);
    let commit = super::dice::hex(rng, 12);
    out.push(
        seat.event(rng, at, "SOURCE_CONTROL_DEPLOYMENT_FINISHED")
            .within("repository", "repo_apps", "internal-apps", "production")
            .note("commit", commit)
            .note("apps_changed", rng.u32(1..9))
            .took(rng.u64(38_000..95_000)),
    );
}

/// The access review that comes every two weeks.
fn review(rng: &mut Rng, now: i64, days_ago: i64, out: &mut Vec<Draft>) {
    let seat = Seat::of(rng, &INGRID, INGRID.office);
    let at = workday(&INGRID, now, days_ago) + 15 * HOUR + rng.i64(0..20 * MINUTE);
    out.push(seat.event(rng, at, "PAGE_VIEW").on("page", "audit", "Audit log").took(281));
    out.push(
        seat.event(rng, at + 90 * SECOND, "DOWNLOAD_AUDIT_LOGS")
            .on("audit-log", "audit-log", "Audit log")
            .note("format", "csv")
            .note("days", 14)
            .note("reason", "access review")
            .took(5_204),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_in_the_table_is_json() {
        for milestone in &MILESTONES {
            if let Some((_, before, after)) = milestone.change {
                for text in [before, after] {
                    assert!(serde_json::from_str::<Value>(text).is_ok(), "{text}");
                }
            }
        }
    }
}
