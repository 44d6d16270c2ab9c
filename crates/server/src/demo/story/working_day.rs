//! What a person does at work: sign in, look at pages, run queries, now and then something rarer.

use fastrand::Rng;

use super::apps::{APPS, App, FILES, WORKFLOWS};
use super::calendar::{Cell, DAY, HOUR, MINUTE, is_weekend};
use super::draft::{Draft, Outcome, Seat};
use super::people::{PEOPLE, PHONE, Person};
use super::shift::Shift;
use super::{building, dice, joiners};

/// The usual time between two things that a person does.
const BREATH_MS: u64 = 24_000;

/// Writes one stretch of work: at least one event, at most `left`.
pub(super) fn write(rng: &mut Rng, person: &'static Person, cell: &Cell, length: usize, left: usize, out: &mut Vec<Draft>) {
    let at = rng.i64(cell.starts.clone());
    let seat = seat_at(rng, person, at);
    let wanted = dice::around_count(rng, length).max(1);
    let mut shift = Shift { rng, seat, at, until: cell.until, left: wanted.min(left), out };
    // The rest come back to a tab that is still signed in.
    if dice::chance(shift.rng, 550) {
        sign_in(&mut shift, person);
    } else {
        open(&mut shift, person, 0);
    }
    while shift.goes_on() {
        something(&mut shift, person);
    }
}

/// Where a person sits: at the office on three workdays of five, from nine to six; else at home, sometimes with a telephone.
/// The same for all of a day, so that nobody seems to be in two places.
fn seat_at(rng: &mut Rng, person: &'static Person, at: i64) -> Seat {
    let local = at + person.utc_offset_minutes * MINUTE;
    let (day, time) = (local.div_euclid(DAY), local.rem_euclid(DAY));
    let pace = i64::try_from(person.pace).unwrap_or(0);
    if !(9 * HOUR..18 * HOUR).contains(&time) {
        let agent = if dice::chance(rng, 200) { PHONE } else { person.agent };
        return Seat::with_agent(rng, person, person.home, agent);
    }
    let office = !is_weekend(local) && (day * 2 + pace).rem_euclid(5) < 3;
    Seat::of(rng, person, if office { person.office } else { person.home })
}

/// Signs in, with the mistakes that people make.
fn sign_in(shift: &mut Shift<'_>, person: &Person) {
    let mut pause = 0;
    if person.password {
        let slips = match shift.rng.u32(..100) {
            0..=8 => 1,
            9..=10 => 2,
            11 => 4,
            _ => 0,
        };
        for slip in 1..=slips {
            shift.log(pause, "LOGIN_FAILED", |_, draft| {
                draft
                    .on_person(person)
                    .ended(Outcome::Failure)
                    .note("method", "password")
                    .note("reason", "wrong password")
                    .note("attempt", slip)
            });
            pause = 7_000;
        }
        if slips > 2 {
            shift.log(11_000, "REQUEST_PASSWORD_RESET_LINK", |_, draft| draft.on_person(person));
            shift.log(70_000, "CONFIRM_PASSWORD_RESET_LINK", |_, draft| draft.on_person(person));
        }
        shift.log(pause, "LOGIN", |rng, draft| {
            draft.on_person(person).note("method", "password").took(dice::around(rng, 210))
        });
        if dice::chance(shift.rng, 40) {
            shift.log(9_000, "VERIFY_2FA_FAILURE", |_, draft| {
                draft.on_person(person).ended(Outcome::Failure).note("method", "totp").note("reason", "code expired")
            });
        }
        shift.log(8_000, "VERIFY_2FA_SUCCESS", |_, draft| draft.on_person(person).note("method", "totp"));
    } else {
        shift.log(pause, "LOGIN", |rng, draft| draft.on_person(person).note("method", "sso").took(dice::around(rng, 160)));
    }
}

/// The next thing that somebody does, by what they are paid for.
fn something(shift: &mut Shift<'_>, person: &'static Person) {
    let roll = shift.rng.u32(..1_000);
    match (person.team, roll) {
        ("engineering", 0..300) => building::build(shift, person),
        ("engineering" | "data", 300..335) | ("operations", 300..306) => building::cloud_session(shift, person),
        ("data", 0..160) | ("engineering", 335..400) => building::explore(shift),
        ("operations" | "data", 400..412) | ("support", 400..404) => building::scenario(shift),
        ("operations" | "support" | "finance", 500..540) => task(shift),
        (_, 600..625) => storage(shift),
        (_, 640..652) => workflow(shift),
        ("finance" | "operations" | "data", 660..672) | (_, 660..664) => export(shift, person),
        (_, 680..686) => suggest(shift, person),
        (_, 700..735) => {
            shift.log(BREATH_MS, "LOGOUT", |_, draft| draft);
            // Whoever signs out is done.
            shift.left = 0;
        }
        _ => open(shift, person, BREATH_MS),
    }
}

/// One of the apps that a person's team uses.
fn app_of(rng: &mut Rng, person: &Person) -> &'static App {
    let usual = APPS.iter().filter(|app| app.teams.contains(&person.team));
    let many = usual.clone().count().max(1);
    // The smaller of two draws: the first apps of the list are the busiest.
    let which = rng.usize(..many).min(rng.usize(..many));
    usual.clone().nth(which).unwrap_or(&APPS[0])
}

fn environment_of(rng: &mut Rng, person: &Person) -> &'static str {
    let staging = if person.team == "engineering" { 480 } else { 15 };
    if dice::chance(rng, staging) { "staging" } else { "production" }
}

/// Opens an app, lets it load, and works with it for a while.
fn open(shift: &mut Shift<'_>, person: &'static Person, pause_ms: u64) {
    let app = app_of(shift.rng, person);
    let environment = environment_of(shift.rng, person);
    shift.log(pause_ms, "PAGE_VIEW", |rng, draft| {
        draft.on("page", app.id, app.name).took(dice::around(rng, 340)).note("environment", environment)
    });
    for query in app.queries.iter().filter(|query| query.on_load) {
        shift.run(90, "QUERY_RUN", |draft| draft.on("page", app.id, app.name), query, environment);
    }
    for _ in 0..dice::around(shift.rng, 3) {
        if let Some(query) = shift.rng.choice(app.queries) {
            shift.run(BREATH_MS, "QUERY_RUN", |draft| draft.on("page", app.id, app.name), query, environment);
        }
    }
}

/// A task that waits for somebody's approval.
fn task(shift: &mut Shift<'_>) {
    let id = format!("task_{}", shift.rng.u32(20_000..90_000));
    let name = dice::pick(
        shift.rng,
        ["Approve refund above limit", "Check new seller", "Confirm stock correction", "Release held order"],
    );
    let action = dice::pick(
        shift.rng,
        ["SUBMIT_USER_TASK", "SUBMIT_USER_TASK", "CREATE_USER_TASK", "REASSIGN_USER_TASK", "CANCEL_USER_TASK"],
    );
    shift.log(BREATH_MS, action, |rng, draft| {
        let draft = draft.on("task", &id, name);
        match action {
            "SUBMIT_USER_TASK" => draft.note("decision", dice::pick(rng, ["approved", "approved", "approved", "rejected"])),
            "REASSIGN_USER_TASK" => draft.change("assignee_group", "first line", "second line"),
            _ => draft,
        }
    });
}

fn storage(shift: &mut Shift<'_>) {
    let file = dice::pick(shift.rng, FILES);
    let folder = file.split('/').next().unwrap_or(file);
    match shift.rng.u32(..10) {
        0..=2 => shift.log(BREATH_MS, "RETOOL_STORAGE_FILES_LISTED", |rng, draft| {
            draft.on("folder", folder, folder).note("files", rng.u32(3..90))
        }),
        3 | 4 => shift.log(BREATH_MS, "RETOOL_STORAGE_FILE_UPLOADED", |rng, draft| {
            draft.on("file", file, file).note("size_bytes", dice::around(rng, 480_000)).took(dice::around(rng, 1_300))
        }),
        5 => shift.log(BREATH_MS, "RETOOL_STORAGE_FILE_METADATA_RETRIEVED", |_, draft| draft.on("file", file, file)),
        6 => shift.log(BREATH_MS, "RETOOL_STORAGE_FILE_MOVED", |_, draft| {
            draft.on("file", file, file).change("path", file, format!("archive/{file}"))
        }),
        _ => shift.log(BREATH_MS, "RETOOL_STORAGE_FILE_ACCESSED", |rng, draft| {
            draft.on("file", file, file).took(dice::around(rng, 190))
        }),
    }
}

/// Looks at a workflow, and perhaps runs it by hand.
fn workflow(shift: &mut Shift<'_>) {
    let Some(workflow) = shift.rng.choice(&WORKFLOWS) else { return };
    shift.log(BREATH_MS, "VIEW_WORKFLOW", |_, draft| draft.on("workflow", workflow.id, workflow.name));
    if dice::chance(shift.rng, 350) {
        shift.log(BREATH_MS, "RUN_WORKFLOW", |rng, draft| {
            draft.on("workflow", workflow.id, workflow.name).note("trigger", "manual").took(dice::around(rng, 1_900))
        });
    }
}

fn export(shift: &mut Shift<'_>, person: &Person) {
    let app = app_of(shift.rng, person);
    shift.log(BREATH_MS, "PAGE_EXPORT", |rng, draft| {
        draft
            .on("page", app.id, app.name)
            .note("format", dice::pick(rng, ["csv", "xlsx"]))
            .note("rows", dice::around(rng, 180))
    });
}

/// Shares an app with a colleague.
fn suggest(shift: &mut Shift<'_>, person: &Person) {
    let app = app_of(shift.rng, person);
    let colleague = dice::pick(shift.rng, PEOPLE);
    // Colleagues come and go; these have been here all along.
    let known = joiners::always_there(colleague) && colleague.id != person.id;
    let action = if known && person.role != "agent" { "DIRECTLY_SHARE_PAGE_WITH_USER" } else { "SUGGEST_USER" };
    shift.log(BREATH_MS, action, |_, draft| {
        let draft = draft.on("page", app.id, app.name);
        if known { draft.on_person(colleague).note("access", "use") } else { draft.note("typed", "support") }
    });
}
