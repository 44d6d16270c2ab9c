//! What the people do who build: previews, releases, resources, configuration, cloud sessions, scenarios.

use super::apps::{APPS, CLOUD, CONFIG_VARS, RESOURCES, SCENARIOS, WORKFLOWS};
use super::calendar::MINUTE;
use super::dice;
use super::draft::{Outcome, Seat};
use super::people::{BROKER, Person};
use super::shift::Shift;

/// The usual time between two steps of building something.
const THOUGHT_MS: u64 = 40_000;

/// Free-hand queries in the library.
const EXPLORATIONS: [(&str, &str); 6] = [
    (
        "warehouse",
        "select country, count(distinct customer_id) from mart.customer_orders group by country order by 2 desc limit 50",
    ),
    (
        "warehouse",
        "select date_trunc('week', placed_at) as week, avg(net_cents) from mart.customer_orders group by 1 order by 1 desc limit 26",
    ),
    ("orders-db", "explain analyze select id from orders where status = 'placed' and placed_at < now() - interval '2 days'"),
    ("orders-db", "select state, count(*) from refunds where requested_at > now() - interval '7 days' group by state"),
    ("inventory-db", "select sku, sum(on_hand) from stock group by sku having sum(on_hand) < 5 limit 200"),
    ("crm-db", "select tier, count(*) from customers group by tier"),
];

/// Changes an app, a workflow, a resource or a variable.
pub(super) fn build(shift: &mut Shift<'_>, person: &Person) {
    match shift.rng.u32(..100) {
        0..=61 => preview(shift),
        62..=76 => block(shift),
        77..=83 => release(shift),
        84..=89 => variable(shift),
        90..=94 => resource(shift, person),
        95 | 96 => trigger(shift),
        _ => token(shift),
    }
}

/// Tries the queries of an app while editing it.
fn preview(shift: &mut Shift<'_>) {
    let Some(app) = shift.rng.choice(&APPS) else { return };
    for _ in 0..dice::around(shift.rng, 4) {
        if let Some(query) = shift.rng.choice(app.queries) {
            shift.run(THOUGHT_MS, "QUERY_PREVIEW", |draft| draft.on("page", app.id, app.name), query, "staging");
        }
    }
}

/// Tries a block of a workflow.
fn block(shift: &mut Shift<'_>) {
    let Some(workflow) = shift.rng.choice(&WORKFLOWS) else { return };
    shift.log(THOUGHT_MS, "VIEW_WORKFLOW", |_, draft| draft.on("workflow", workflow.id, workflow.name));
    for query in workflow.blocks {
        shift.run(
            THOUGHT_MS,
            "RUN_WORKFLOW_BLOCK",
            |draft| draft.on("workflow", workflow.id, workflow.name),
            query,
            "staging",
        );
    }
}

fn release(shift: &mut Shift<'_>) {
    let Some(workflow) = shift.rng.choice(&WORKFLOWS) else { return };
    let minor = shift.rng.u32(1..40);
    shift.log(THOUGHT_MS, "RELEASE_WORKFLOW", |rng, draft| {
        draft
            .on("workflow", workflow.id, workflow.name)
            .change("version", format!("2.{minor}.0"), format!("2.{}.0", minor + 1))
            .note(
                "message",
                dice::pick(rng, ["retry on 429", "smaller batches", "log the batch size", "skip closed accounts"]),
            )
    });
}

fn variable(shift: &mut Shift<'_>) {
    let name = dice::pick(shift.rng, CONFIG_VARS);
    shift.log(THOUGHT_MS, "CONFIG_VAR_UPDATE", |rng, draft| {
        let before = rng.u32(4..60) * 5;
        draft.within("config-var", name, name, dice::pick(rng, ["staging", "staging", "production"])).change(
            "value",
            before,
            before + 10,
        )
    });
}

/// Edits a resource; only admins may do so in production.
fn resource(shift: &mut Shift<'_>, person: &Person) {
    let resource = dice::pick(shift.rng, RESOURCES);
    let environment = dice::pick(shift.rng, ["staging", "staging", "production"]);
    shift.log(THOUGHT_MS, "UPDATE_RESOURCE", |rng, draft| {
        let draft = draft.within("resource", resource.id, resource.name, environment);
        if environment == "production" && person.role != "admin" {
            return draft.ended(Outcome::Denied).note("reason", "needs the role admin");
        }
        let before = rng.u32(2..9) * 5;
        draft.change(dice::pick(rng, ["pool_size", "timeout_seconds", "max_rows_thousands"]), before, before + 5)
    });
}

fn trigger(shift: &mut Shift<'_>) {
    let Some(workflow) = shift.rng.choice(&WORKFLOWS) else { return };
    shift.log(THOUGHT_MS, "DISABLE_TRIGGER", |_, draft| {
        draft.on("workflow", workflow.id, workflow.name).change("enabled", true, false)
    });
    shift.log(6 * THOUGHT_MS, "ENABLE_TRIGGER", |_, draft| {
        draft.on("workflow", workflow.id, workflow.name).change("enabled", false, true)
    });
}

fn token(shift: &mut Shift<'_>) {
    let id = format!("tok_{}", dice::hex(shift.rng, 8));
    shift.log(THOUGHT_MS, "ACCESS_TOKEN_CREATED", |rng, draft| {
        draft
            .on("access-token", &id, dice::pick(rng, ["ci pipeline", "local testing", "git sync"]))
            .note("scopes", serde_json::json!(["apps:read", "source_control:write"]))
            .note("expires_in_days", 30)
    });
    shift.log(20 * THOUGHT_MS, "ACCESS_TOKEN_REVOKED", |_, draft| draft.on("access-token", &id, "local testing"));
}

/// Free-hand SQL in the query library.
pub(super) fn explore(shift: &mut Shift<'_>) {
    let (resource, text) = dice::pick(shift.rng, EXPLORATIONS);
    shift.log(THOUGHT_MS, "PLAYGROUND_QUERY_RUN", |rng, draft| {
        let draft = draft.on_named("query", "untitled").on_named("resource", resource).note("query", text);
        if dice::chance(rng, 60) {
            let error = serde_json::json!({ "code": "42601", "message": "syntax error at or near \"form\"" });
            draft.took(dice::around(rng, 14)).ended(Outcome::Failure).note("error", error)
        } else {
            draft.took(dice::around(rng, 1_100)).note("rows", rng.u32(1..200))
        }
    });
}

/// A session on a cloud resource: for a reason, for a limited time.
pub(super) fn cloud_session(shift: &mut Shift<'_>, person: &Person) {
    let (name, environment) = dice::pick(shift.rng, CLOUD);
    let id = format!("cs_{}", dice::hex(shift.rng, 8));
    let minutes = dice::pick(shift.rng, [30, 60, 60, 120]);
    let reason =
        dice::pick(shift.rng, ["stuck migration", "slow query", "restore check", "quarterly patch", "customer escalation"]);
    let ticket = format!("OPS-{}", shift.rng.u32(400..1_900));
    if dice::chance(shift.rng, 300) {
        shift.log(THOUGHT_MS, "USER_LOGIN", |_, draft| draft.on_person(person).note("method", "sso"));
    }
    shift.log(THOUGHT_MS, "SESSION_STARTED", |rng, draft| {
        draft
            .on("session", &id, &ticket)
            .within("cloud-resource", name, name, environment)
            .note("reason", reason)
            .note("duration_minutes", minutes)
            .took(dice::around(rng, 2_400))
    });
    if dice::chance(shift.rng, 180) {
        shift.log(9 * THOUGHT_MS, "SESSION_EXTENDED", |_, draft| {
            draft.on("session", &id, &ticket).within("cloud-resource", name, name, environment).change(
                "duration_minutes",
                minutes,
                minutes + 30,
            )
        });
    }
    if dice::chance(shift.rng, 800) {
        shift.log(12 * THOUGHT_MS, "SESSION_STOPPED", |rng, draft| {
            draft
                .on("session", &id, &ticket)
                .within("cloud-resource", name, name, environment)
                .note("commands", rng.u32(2..60))
        });
    } else {
        expire(shift, &id, &ticket, (name, environment), minutes);
    }
}

/// Nobody ended the session, so the broker did.
fn expire(shift: &mut Shift<'_>, id: &str, ticket: &str, (name, environment): (&str, &str), minutes: i64) {
    let broker = Seat::machine(shift.rng, &BROKER);
    let at = shift.at + minutes * MINUTE;
    if shift.left > 0 && at < shift.until {
        let draft = broker
            .event(shift.rng, at, "SESSION_EXPIRED")
            .on("session", id, ticket)
            .within("cloud-resource", name, name, environment)
            .note("duration_minutes", minutes);
        shift.left -= 1;
        shift.out.push(draft);
    }
}

/// Work on a scenario in Make.
pub(super) fn scenario(shift: &mut Shift<'_>) {
    let Some(scenario) = shift.rng.choice(&SCENARIOS) else { return };
    let id = dice::hex(shift.rng, 6);
    match shift.rng.u32(..100) {
        0..=44 => shift.log(THOUGHT_MS, "scenario_updated", |rng, draft| {
            let before = rng.u32(4..14);
            draft.on("scenario", scenario.id, scenario.name).change("modules", before, before + 1)
        }),
        45..=52 => shift.log(THOUGHT_MS, "scenario_created", |_, draft| {
            draft.on("scenario", &format!("scn_{id}"), &format!("{} (copy)", scenario.name))
        }),
        53..=66 => shift.log(THOUGHT_MS, "connection_authorized", |_, draft| {
            draft
                .on("connection", &format!("con_{id}"), scenario.connection)
                .note("scopes", serde_json::json!(["read", "write"]))
        }),
        67..=74 => shift.log(THOUGHT_MS, "webhook_created", |_, draft| {
            draft.on("webhook", &format!("hook_{id}"), scenario.name).on("scenario", scenario.id, scenario.name)
        }),
        75..=82 => shift.log(THOUGHT_MS, "scenario_deactivated", |_, draft| {
            draft.on("scenario", scenario.id, scenario.name).change("active", true, false)
        }),
        83..=90 => shift.log(THOUGHT_MS, "scenario_activated", |_, draft| {
            draft.on("scenario", scenario.id, scenario.name).change("active", false, true)
        }),
        _ => shift.log(THOUGHT_MS, "data_store_record_updated", |rng, draft| {
            let key = format!("{}", rng.u32(1_000..9_000));
            draft
                .on("data-store-record", &key, &key)
                .on_named("data-store", scenario.data_store)
                .change("state", "open", "done")
        }),
    }
}
