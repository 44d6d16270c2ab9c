//! The night on which somebody else was the payouts accountant, and the morning after.
//!
//! Worth finding: guesses from one address that nobody works at, a sign-in at an hour at which she sleeps, no second factor
//! any more, a role that she gave herself through a right that her group should have lost weeks ago (see [`super::upkeep`]),
//! queries that take more each time, sessions that nobody asked for, and a log that was downloaded twice: once by the thief, once by those who look for one.

use std::ops::Range;

use fastrand::Rng;
use serde_json::json;

use super::apps::{CRM, LEDGER, ORDERS, RETOOL_DB, Resource};
use super::calendar::{DAY, HOUR, MINUTE, SECOND, is_midweek, midnight, workday};
use super::draft::{Draft, Outcome, Seat};
use super::people::{ELIF, FATIMA, HENRIK, INGRID, MARGUERITE, MATEUSZ, Person, TENDAI};

/// Where the thief calls from. Nobody else in the story uses this network.
pub(super) const ADDRESS: &str = "192.0.2.147";

const SCRIPT: &str = "python-requests/2.32.3";
const BROWSER: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0";

/// How often the password is guessed before it is right.
const GUESSES: i64 = 43;

/// The thief's sessions on the ledger, and the second of 08:12 in which each is stopped.
const SESSIONS: [(&str, i64); 3] = [("cs_70aa14e2", 12), ("cs_70aa1533", 29), ("cs_70aa15c9", 44)];

/// One of the thief's queries.
struct Taking {
    /// After midnight.
    minute: i64,
    resource: &'static Resource,
    text: &'static str,
    limit: u64,
    took: u64,
    error: Option<(Outcome, &'static str, &'static str)>,
}

const CUSTOMERS: &str = "select id, full_name, email, phone, country from customers order by id limit :limit";
const OPEN_PAYOUTS: &str = "select p.id, s.legal_name, s.iban, p.amount_cents, p.due_on from payouts p join sellers s on s.id = p.seller_id where p.state = 'open' limit :limit";
const PAYOUTS: &str = "select p.id, s.legal_name, s.iban, p.amount_cents, p.due_on from payouts p join sellers s on s.id = p.seller_id limit :limit";
const ADDRESSES: &str = "select customer_id, total_cents, shipping_address from orders order by placed_at desc limit :limit";
const TABLES: &str = "select table_name from information_schema.tables order by table_name limit :limit";
const CARDS: &str = "select customer_id, card_brand, card_last4 from payment_methods limit :limit";

const TIMEOUT: (Outcome, &str, &str) = (Outcome::Failure, "57014", "canceling statement due to statement timeout");
const NO_CARDS: (Outcome, &str, &str) = (Outcome::Denied, "42501", "permission denied for table payment_methods");

const fn taking(minute: i64, resource: &'static Resource, text: &'static str, limit: u64, took: u64) -> Taking {
    Taking { minute, resource, text, limit, took, error: None }
}

/// What is taken, in order.
static TAKEN: [Taking; 15] = [
    taking(179, &RETOOL_DB, TABLES, 100, 61),
    taking(181, &CRM, "select * from customers limit :limit", 10, 27),
    taking(182, &CRM, CUSTOMERS, 100, 58),
    taking(184, &CRM, CUSTOMERS, 1_000, 212),
    taking(187, &CRM, CUSTOMERS, 10_000, 1_904),
    taking(191, &CRM, CUSTOMERS, 50_000, 9_377),
    taking(194, &LEDGER, "select * from payouts limit :limit", 10, 33),
    taking(195, &LEDGER, OPEN_PAYOUTS, 100, 126),
    taking(197, &LEDGER, PAYOUTS, 1_000, 480),
    taking(199, &LEDGER, PAYOUTS, 10_000, 3_018),
    Taking { error: Some(TIMEOUT), ..taking(202, &LEDGER, PAYOUTS, 250_000, 30_012) },
    taking(204, &LEDGER, PAYOUTS, 100_000, 21_645),
    taking(207, &ORDERS, ADDRESSES, 10_000, 2_377),
    taking(209, &ORDERS, ADDRESSES, 100_000, 19_260),
    Taking { error: Some(NO_CARDS), ..taking(212, &ORDERS, CARDS, 100_000, 14) },
];

/// The midnight, in the accountant's zone, that began the night: twelve days ago, or the nearest day in the middle of a week.
pub(super) fn night(now: i64) -> i64 {
    let candidates = [12, 13, 11, 14, 10].map(|days_ago| midnight(&MARGUERITE, now, days_ago));
    let [first, ..] = candidates;
    candidates.into_iter().find(|at| is_midweek(&MARGUERITE, *at)).unwrap_or(first)
}

/// When her account was in the wrong hands or disabled, so that she herself did nothing on an ordinary day's list.
pub(super) fn locked_out(person: &Person, now: i64) -> Option<Range<i64>> {
    let night = night(now);
    (person.id == MARGUERITE.id).then(|| night..night + DAY + 10 * HOUR)
}

/// Writes all of it.
pub(super) fn write(rng: &mut Rng, now: i64, out: &mut Vec<Draft>) {
    let night = night(now);
    probe(rng, night - 3 * DAY, out);
    break_in(rng, night, out);
    take(rng, night, out);
    notice(rng, night, out);
    contain(rng, night, out);
    recover(rng, night + DAY, out);
    tidy_up(rng, now, night, out);
}

/// Three nights before, somebody tries the doors of the whole finance team.
fn probe(rng: &mut Rng, night: i64, out: &mut Vec<Draft>) {
    let mut at = night + 3 * HOUR + 17 * MINUTE;
    for person in [&HENRIK, &MARGUERITE, &TENDAI, &ELIF] {
        let seat = Seat::with_agent(rng, person, ADDRESS, SCRIPT);
        at += rng.i64(21..48) * SECOND;
        out.push(guess(seat.event(rng, at, "LOGIN_FAILED"), person, 1));
    }
}

fn guess(draft: Draft, person: &Person, attempt: i64) -> Draft {
    draft
        .on_person(person)
        .ended(Outcome::Failure)
        .note("method", "password")
        .note("reason", "wrong password")
        .note("attempt", attempt)
}

/// 02:11 to 02:40, her time.
fn break_in(rng: &mut Rng, night: i64, out: &mut Vec<Draft>) {
    let script = Seat::with_agent(rng, &MARGUERITE, ADDRESS, SCRIPT);
    let mut at = night + 2 * HOUR + 11 * MINUTE;
    for attempt in 1..=GUESSES {
        out.push(guess(script.event(rng, at, "LOGIN_FAILED"), &MARGUERITE, attempt));
        at += rng.i64(28 * SECOND..40 * SECOND);
    }
    let thief = Seat::with_agent(rng, &MARGUERITE, ADDRESS, BROWSER);
    out.push(
        thief
            .event(rng, night + 2 * HOUR + 40 * MINUTE + 7_312, "LOGIN")
            .on_person(&MARGUERITE)
            .note("method", "password")
            .note("new_device", true)
            .took(231),
    );
    // She is asked on her telephone until she taps "yes" in her sleep.
    for (attempt, second) in [(1, 14), (2, 31), (3, 52)] {
        out.push(
            thief
                .event(rng, night + 2 * HOUR + 40 * MINUTE + second * SECOND, "VERIFY_2FA_FAILURE")
                .on_person(&MARGUERITE)
                .ended(Outcome::Failure)
                .note("method", "push")
                .note("reason", "not answered")
                .note("attempt", attempt),
        );
    }
    out.push(
        thief
            .event(rng, night + 2 * HOUR + 41 * MINUTE + 20_118, "VERIFY_2FA_SUCCESS")
            .on_person(&MARGUERITE)
            .note("method", "push")
            .note("attempt", 4),
    );
}

/// 02:43 to 03:52, her time.
fn take(rng: &mut Rng, night: i64, out: &mut Vec<Draft>) {
    let thief = Seat::with_agent(rng, &MARGUERITE, ADDRESS, BROWSER);
    let clock = |minutes: i64, millis: i64| night + minutes * MINUTE + millis;
    out.push(
        thief
            .event(rng, clock(163, 8_404), "DISABLE_TWO_FACTOR_AUTH")
            .on_person(&MARGUERITE)
            .change("two_factor", true, false)
            .note("reason", "lost telephone"),
    );
    out.push(thief.event(rng, clock(164, 22_871), "PAGE_VIEW").on("page", "seller-payouts", "Seller payouts").took(412));
    out.push(
        thief
            .event(rng, clock(166, 5_240), "PAGE_VIEW")
            .on("page", "settings-resources", "Settings: resources")
            .ended(Outcome::Denied)
            .note("reason", "needs the role admin"),
    );
    out.push(
        thief
            .event(rng, clock(168, 47_006), "MODIFY_PERMISSIONS")
            .on_person(&MARGUERITE)
            .change("role", "analyst", "admin")
            .note("granted_through", "group finance: manage_users"),
    );
    out.push(
        thief.event(rng, clock(170, 2_515), "PAGE_VIEW").on("page", "settings-resources", "Settings: resources").took(377),
    );
    out.push(
        thief
            .event(rng, clock(171, 38_930), "ACCESS_TOKEN_CREATED")
            .on("access-token", "tok_c41d77e0", "backup")
            .note("scopes", json!(["resources:read", "audit:read", "users:write"]))
            .note("expires_in_days", 365),
    );
    out.push(thief.event(rng, clock(174, 11_774), "REVEAL_RETOOLDB_CONNECTION_STRING").within(
        "resource",
        RETOOL_DB.id,
        RETOOL_DB.name,
        "production",
    ));
    for taking in &TAKEN {
        let at = clock(taking.minute, rng.i64(1_000..55_000));
        let draft = thief
            .event(rng, at, "QUERY_RUN")
            .on("page", "query-library", "Query library")
            .on_named("query", "untitled")
            .within("resource", taking.resource.id, taking.resource.name, "production")
            .note("query", taking.text)
            .note("params", json!({ "limit": taking.limit }))
            .took(taking.took);
        out.push(match taking.error {
            Some((outcome, code, message)) => {
                draft.ended(outcome).note("error", json!({ "code": code, "message": message }))
            }
            // There are no more payouts and orders than that.
            None => draft.note("rows", taking.limit.min(67_204)),
        });
    }
    for (minute, id, name, rows) in [
        (192, "customer-360", "Customer 360", 50_000),
        (205, "seller-payouts", "Seller payouts", 67_204),
        (213, "payroll-review", "Payroll review", 238),
    ] {
        out.push(
            thief
                .event(rng, clock(minute, 56_020), "PAGE_EXPORT")
                .on("page", id, name)
                .note("format", "csv")
                .note("rows", rows)
                .took(4_000 + u64::from(rng.u16(..3_000))),
        );
    }
    out.push(thief.event(rng, clock(214, 30_772), "USER_LOGIN").on_person(&MARGUERITE).note("method", "password"));
    for ((id, _), minute) in SESSIONS.into_iter().zip([215, 216, 218]) {
        out.push(
            thief
                .event(rng, clock(minute, 12_090), "SESSION_STARTED")
                .on("session", id, "FIN-1")
                .within("cloud-resource", "ledger-replica", "ledger-replica", "production")
                .note("reason", "month end")
                .note("duration_minutes", 480)
                .took(2_204),
        );
    }
    out.push(
        thief
            .event(rng, clock(221, 9_661), "DOWNLOAD_AUDIT_LOGS")
            .on("audit-log", "audit-log", "Audit log")
            .note("format", "csv")
            .note("days", 30)
            .took(6_118),
    );
    out.push(thief.event(rng, clock(232, 40_000), "LOGOUT"));
}

/// Twenty to eight, over coffee: she cannot explain the mails she got.
fn notice(rng: &mut Rng, night: i64, out: &mut Vec<Draft>) {
    let marguerite = Seat::of(rng, &MARGUERITE, MARGUERITE.home);
    let ingrid = Seat::of(rng, &INGRID, INGRID.home);
    let clock = |hour: i64, minute: i64, second: i64| night + hour * HOUR + minute * MINUTE + second * SECOND;
    out.push(marguerite.event(rng, clock(7, 41, 20), "LOGIN").on_person(&MARGUERITE).note("method", "password").took(188));
    out.push(
        marguerite
            .event(rng, clock(7, 43, 2), "CREATE_USER_TASK")
            .on("task", "task_31007", "Was this sign-in me? Mail says 02:40")
            .note("assignee", INGRID.email)
            .note("priority", "urgent"),
    );
    out.push(ingrid.event(rng, clock(7, 58, 41), "LOGIN").on_person(&INGRID).note("method", "sso").took(171));
    out.push(ingrid.event(rng, clock(7, 59, 30), "PAGE_VIEW").on("page", "audit", "Audit log").took(265));
    out.push(
        ingrid
            .event(rng, clock(8, 6, 12), "DOWNLOAD_AUDIT_LOGS")
            .on("audit-log", "audit-log", "Audit log")
            .note("format", "csv")
            .note("days", 7)
            .note("filter", json!({ "actor": MARGUERITE.id, "ip": ADDRESS }))
            .took(2_930),
    );
}

/// Ten past eight to eleven: account, sessions, tokens, credentials, role, in that order.
fn contain(rng: &mut Rng, night: i64, out: &mut Vec<Draft>) {
    let ingrid = Seat::of(rng, &INGRID, INGRID.home);
    let mateusz = Seat::of(rng, &MATEUSZ, MATEUSZ.home);
    let clock = |hour: i64, minute: i64, second: i64| night + hour * HOUR + minute * MINUTE + second * SECOND;
    let why = "INC-27";
    out.push(
        ingrid
            .event(rng, clock(8, 9, 55), "DISABLE_USER")
            .on_person(&MARGUERITE)
            .change("state", "active", "disabled")
            .note("incident", why)
            .note("reason", "account taken over"),
    );
    for (id, second) in SESSIONS {
        out.push(
            mateusz
                .event(rng, clock(8, 12, second), "SESSION_STOPPED")
                .on("session", id, "FIN-1")
                .within("cloud-resource", "ledger-replica", "ledger-replica", "production")
                .on_person(&MARGUERITE)
                .note("incident", why)
                .note("forced", true),
        );
    }
    out.push(
        mateusz
            .event(rng, clock(8, 14, 3), "ACCESS_TOKEN_REVOKED")
            .on("access-token", "tok_c41d77e0", "backup")
            .on_person(&MARGUERITE)
            .note("incident", why),
    );
    // The thief comes back for more, and finds the door shut.
    let script = Seat::with_agent(rng, &MARGUERITE, ADDRESS, BROWSER);
    for (attempt, second) in [(1, 8), (2, 40)] {
        out.push(
            script
                .event(rng, clock(8, 21, second), "LOGIN_FAILED")
                .on_person(&MARGUERITE)
                .ended(Outcome::Denied)
                .note("method", "password")
                .note("reason", "account disabled")
                .note("attempt", attempt),
        );
    }
    out.push(
        ingrid
            .event(rng, clock(8, 24, 17), "MODIFY_PERMISSIONS")
            .on_person(&MARGUERITE)
            .change("role", "admin", "analyst")
            .note("incident", why),
    );
    out.push(
        mateusz
            .event(rng, clock(8, 31, 50), "RESET_RETOOLDB_PASSWORD")
            .within("resource", RETOOL_DB.id, RETOOL_DB.name, "production")
            .note("incident", why),
    );
    for (resource, minute, version) in [(&CRM, 38, 6), (&LEDGER, 44, 11), (&ORDERS, 49, 9)] {
        out.push(
            mateusz
                .event(rng, clock(8, minute, 20), "CREDENTIAL_CREATED")
                .within("credential", &format!("cred_{}_{}", resource.name, version + 1), resource.name, "production")
                .note("incident", why),
        );
        out.push(
            mateusz
                .event(rng, clock(8, minute + 1, 5), "UPDATE_RESOURCE")
                .within("resource", resource.id, resource.name, "production")
                .change("credential_version", version, version + 1)
                .note("incident", why)
                .note("reason", "credential rotated"),
        );
        out.push(
            mateusz
                .event(rng, clock(8, minute + 2, 31), "CREDENTIAL_DELETED")
                .within("credential", &format!("cred_{}_{version}", resource.name), resource.name, "production")
                .note("incident", why),
        );
    }
    out.push(
        ingrid
            .event(rng, clock(9, 12, 26), "MODIFY_PERMISSIONS")
            .on("group", "grp_finance", "finance")
            .change("manage_users", true, false)
            .note("incident", why)
            .note("reason", "was meant to last until quarter close"),
    );
    let henrik = Seat::of(rng, &HENRIK, HENRIK.office);
    out.push(
        henrik
            .event(rng, clock(9, 40, 9), "DISABLE_WORKFLOW")
            .on("workflow", "wf_payout_send", "Send payouts")
            .change("enabled", true, false)
            .note("incident", why)
            .note("reason", "no payout leaves before bank details are checked"),
    );
    out.push(
        ingrid
            .event(rng, clock(10, 55, 2), "UPDATE_ORGANIZATION")
            .on("organization", "org_fernweh", super::people::COMPANY)
            .change("two_factor_self_disable", true, false)
            .note("incident", why),
    );
}

/// The day after, she gets her account back.
fn recover(rng: &mut Rng, day: i64, out: &mut Vec<Draft>) {
    let ingrid = Seat::of(rng, &INGRID, INGRID.office);
    let marguerite = Seat::of(rng, &MARGUERITE, MARGUERITE.office);
    let clock = |minute: i64, second: i64| day + 9 * HOUR + minute * MINUTE + second * SECOND;
    out.push(
        ingrid
            .event(rng, clock(5, 12), "ENABLE_USER")
            .on_person(&MARGUERITE)
            .change("state", "disabled", "active")
            .note("incident", "INC-27"),
    );
    out.push(marguerite.event(rng, clock(8, 33), "REQUEST_PASSWORD_RESET_LINK").on_person(&MARGUERITE));
    out.push(marguerite.event(rng, clock(10, 2), "CONFIRM_PASSWORD_RESET_LINK").on_person(&MARGUERITE));
    out.push(marguerite.event(rng, clock(11, 47), "LOGIN").on_person(&MARGUERITE).note("method", "password").took(203));
    out.push(
        marguerite
            .event(rng, clock(13, 20), "VERIFY_2FA_SUCCESS")
            .on_person(&MARGUERITE)
            .note("method", "security key")
            .note("first", true),
    );
}

/// In the days after: payouts run again, the number is in the report, the drill is in the calendar.
fn tidy_up(rng: &mut Rng, now: i64, night: i64, out: &mut Vec<Draft>) {
    let henrik = Seat::of(rng, &HENRIK, HENRIK.office);
    let ingrid = Seat::of(rng, &INGRID, INGRID.office);
    let fatima = Seat::of(rng, &FATIMA, FATIMA.office);
    out.push(
        henrik
            .event(rng, night + DAY + 14 * HOUR + 20 * MINUTE, "ENABLE_WORKFLOW")
            .on("workflow", "wf_payout_send", "Send payouts")
            .change("enabled", false, true)
            .note("incident", "INC-27"),
    );
    out.push(
        fatima
            .event(rng, night + DAY + 15 * HOUR + 6 * MINUTE, "RETOOL_STORAGE_FILE_UPLOADED")
            .on("file", "support/macros-incident-notice.json", "support/macros-incident-notice.json")
            .note("incident", "INC-27")
            .note("size_bytes", 9_120),
    );
    let at = workday(&INGRID, now, 6) + 11 * HOUR + 30 * MINUTE;
    out.push(
        ingrid
            .event(rng, at, "DOWNLOAD_AUDIT_LOGS")
            .on("audit-log", "audit-log", "Audit log")
            .note("format", "csv")
            .note("days", 30)
            .note("incident", "INC-27")
            .note("reason", "report to the authority")
            .took(8_402),
    );
}
