//! Two people join, one leaves.

use std::ops::Range;

use fastrand::Rng;

use super::calendar::{DAY, HOUR, MINUTE, SECOND, workday};
use super::draft::{Draft, Outcome, Seat};
use super::people::{FATIMA, HANA, INGRID, KWAME, MATEUSZ, NOOR, Person, SAMUEL};

/// Someone's first day, and what they get on it.
struct Arrival {
    person: &'static Person,
    days_ago: i64,
    groups: [(&'static str, &'static str); 2],
    apps: [(&'static str, &'static str); 2],
}

static ARRIVALS: [Arrival; 2] = [
    Arrival {
        person: &HANA,
        days_ago: 58,
        groups: [("grp_support", "support"), ("grp_everyone", "everyone")],
        apps: [("ticket-triage", "Ticket triage"), ("customer-360", "Customer 360")],
    },
    Arrival {
        person: &KWAME,
        days_ago: 21,
        groups: [("grp_builders", "builders"), ("grp_everyone", "everyone")],
        apps: [("feature-flags", "Feature flags"), ("data-quality", "Data quality")],
    },
];

const LEAVES_DAYS_AGO: i64 = 34;

/// When a person works for the company within the window.
pub(super) fn employed(person: &Person, window: &Range<i64>) -> Range<i64> {
    if person.id == SAMUEL.id {
        return window.start..workday(&SAMUEL, window.end, LEAVES_DAYS_AGO) + 15 * HOUR;
    }
    for arrival in &ARRIVALS {
        if person.id == arrival.person.id {
            // The rest of the first morning goes by with the invitation.
            return workday(arrival.person, window.end, arrival.days_ago) + 11 * HOUR..window.end;
        }
    }
    window.clone()
}

/// Whether a person works there for all of the ninety days.
pub(super) fn always_there(person: &Person) -> bool {
    person.id != SAMUEL.id && ARRIVALS.iter().all(|arrival| arrival.person.id != person.id)
}

/// Writes both arrivals and the leave.
pub(super) fn write(rng: &mut Rng, now: i64, out: &mut Vec<Draft>) {
    for arrival in &ARRIVALS {
        arrive(rng, now, arrival, out);
    }
    leave(rng, now, out);
}

fn arrive(rng: &mut Rng, now: i64, arrival: &Arrival, out: &mut Vec<Draft>) {
    let person = arrival.person;
    let day = workday(person, now, arrival.days_ago);
    let admin = Seat::of(rng, &MATEUSZ, MATEUSZ.office);
    // Invited two days before; the mail got lost; invited again.
    let invited = workday(person, now, arrival.days_ago + 3) + 14 * HOUR + 12 * MINUTE;
    out.push(
        admin
            .event(rng, invited, "INVITE_USER")
            .on("invite", person.email, person.email)
            .note("role", person.role)
            .note("team", person.team),
    );
    out.push(
        admin
            .event(rng, day + 8 * HOUR + 41 * MINUTE, "RE_INVITE_USER")
            .on("invite", person.email, person.email)
            .note("reason", "the first mail did not arrive"),
    );
    let newcomer = Seat::of(rng, person, person.home);
    let mut at = day + 9 * HOUR + 3 * MINUTE + 11 * SECOND;
    out.push(newcomer.event(rng, at, "REDEEM_INVITE").on("invite", person.email, person.email));
    at += 900;
    out.push(
        newcomer
            .event(rng, at, "CREATE_USER")
            .on_person(person)
            .change("state", serde_json::Value::Null, "active")
            .note("email", person.email),
    );
    at += 41 * SECOND;
    out.push(newcomer.event(rng, at, "USER_EMAIL_VERIFY").on_person(person));
    at += 12 * SECOND;
    out.push(newcomer.event(rng, at, "LOGIN").on_person(person).note("method", "password").took(204));
    at += 55 * SECOND;
    out.push(newcomer.event(rng, at, "VERIFY_2FA_SUCCESS").on_person(person).note("method", "totp").note("first", true));
    // Before anyone has added them, the first door they try is shut.
    at += 3 * MINUTE;
    let [(app_id, app_name), _] = arrival.apps;
    out.push(
        newcomer
            .event(rng, at, "PAGE_VIEW")
            .on("page", app_id, app_name)
            .ended(Outcome::Denied)
            .note("reason", "no group has access"),
    );
    let mut at = day + 9 * HOUR + 34 * MINUTE;
    for (id, name) in arrival.groups {
        out.push(admin.event(rng, at, "ADD_USERS_TO_GROUP").on("group", id, name).on_person(person));
        at += 19 * SECOND;
    }
    for (id, name) in arrival.apps {
        at += 26 * SECOND;
        out.push(
            admin
                .event(rng, at, "DIRECTLY_SHARE_PAGE_WITH_USER")
                .on("page", id, name)
                .on_person(person)
                .note("access", "use"),
        );
    }
    at += 48 * SECOND;
    out.push(admin.event(rng, at, "MODIFY_PERMISSIONS").on_person(person).change("role", "viewer", person.role));
    at += 5 * MINUTE;
    for (id, name) in arrival.apps {
        at += 70 * SECOND;
        out.push(newcomer.event(rng, at, "PAGE_VIEW").on("page", id, name).took(388));
    }
}

fn leave(rng: &mut Rng, now: i64, out: &mut Vec<Draft>) {
    let day = workday(&SAMUEL, now, LEAVES_DAYS_AGO);
    let samuel = Seat::of(rng, &SAMUEL, SAMUEL.office);
    let mut at = day + 15 * HOUR + 9 * MINUTE;
    out.push(
        samuel
            .event(rng, at, "RETOOL_STORAGE_FILE_UPLOADED")
            .on("file", "data/handover-notes.md", "data/handover-notes.md")
            .note("size_bytes", 18_204),
    );
    at += 14 * MINUTE;
    let noor = Seat::of(rng, &NOOR, NOOR.office);
    out.push(noor.event(rng, at, "REASSIGN_USER_TASK").on("task", "task_18842", "Rebuild cohort tables").change(
        "assignee",
        SAMUEL.email,
        NOOR.email,
    ));
    at += 38 * MINUTE;
    out.push(samuel.event(rng, at, "LOGOUT"));

    let ingrid = Seat::of(rng, &INGRID, INGRID.office);
    let mut at = day + 16 * HOUR + 45 * MINUTE;
    for (id, name) in [("grp_data", "data"), ("grp_everyone", "everyone")] {
        out.push(ingrid.event(rng, at, "REMOVE_USERS_FROM_GROUP").on("group", id, name).on_person(&SAMUEL));
        at += 22 * SECOND;
    }
    out.push(
        ingrid.event(rng, at, "ACCESS_TOKEN_REVOKED").on("access-token", "tok_5be10f7c", "notebook").on_person(&SAMUEL),
    );
    at += 31 * SECOND;
    out.push(
        ingrid
            .event(rng, at, "DISABLE_USER")
            .on_person(&SAMUEL)
            .change("state", "active", "disabled")
            .note("reason", "last day"),
    );
    at += MINUTE;
    out.push(ingrid.event(rng, at, "CREDENTIAL_DELETED").on("credential", "cred_sferreira", "sferreira (warehouse)"));

    // An old telephone keeps trying for a morning.
    let phone = Seat::with_agent(rng, &SAMUEL, SAMUEL.home, super::people::PHONE);
    for attempt in 1..=2 {
        let at = day + DAY + 8 * HOUR + attempt * 7 * MINUTE;
        out.push(
            phone
                .event(rng, at, "LOGIN_FAILED")
                .on_person(&SAMUEL)
                .ended(Outcome::Denied)
                .note("method", "sso")
                .note("reason", "account disabled")
                .note("attempt", attempt),
        );
    }
    // Two weeks later his account goes to the archive.
    let archived = workday(&FATIMA, now, LEAVES_DAYS_AGO - 14) + 10 * HOUR + 2 * MINUTE;
    out.push(ingrid.event(rng, archived, "ARCHIVE_USER").on_person(&SAMUEL).change("state", "disabled", "archived"));
}
