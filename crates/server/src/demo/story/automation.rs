//! What the machines do: workflows by the clock, scenarios that keep data stores.

use fastrand::Rng;

use super::apps::{SCENARIOS, WORKFLOWS};
use super::calendar::{Cell, HOUR, MINUTE};
use super::dice;
use super::draft::{Draft, Outcome, Seat};
use super::people::{MAKE, SCHEDULER};
use super::shift::Shift;

/// Writes runs of workflows within an hour, about `length` events in all: at least one, at most `left`.
pub(super) fn run_workflows(rng: &mut Rng, cell: &Cell, length: usize, left: usize, out: &mut Vec<Draft>) {
    let end = out.len() + length.clamp(1, left);
    while out.len() < end {
        run_workflow(rng, cell, end - out.len(), out);
    }
}

/// Writes runs of scenarios within an hour, about `length` events in all: at least one, at most `left`.
pub(super) fn run_scenarios(rng: &mut Rng, cell: &Cell, length: usize, left: usize, out: &mut Vec<Draft>) {
    let end = out.len() + length.clamp(1, left);
    while out.len() < end {
        run_scenario(rng, cell, end - out.len(), out);
    }
}

fn run_workflow(rng: &mut Rng, cell: &Cell, left: usize, out: &mut Vec<Draft>) {
    let Some(workflow) = rng.choice(&WORKFLOWS) else { return };
    let seat = Seat::machine(rng, &SCHEDULER);
    let at = on_the_clock(rng, workflow.minutes, cell);
    let failed = dice::chance(rng, 12);
    let mut shift = Shift { rng, seat, at, until: cell.until, left, out };
    shift.log(0, "RUN_WORKFLOW", |rng, draft| {
        let total: u64 = workflow.blocks.iter().map(|block| block.median_ms).sum();
        let draft = draft
            .on("workflow", workflow.id, workflow.name)
            .note("trigger", "schedule")
            .note("schedule", workflow.schedule)
            .took(dice::around(rng, total));
        if failed {
            draft.ended(Outcome::Failure).note("error", serde_json::json!({ "message": "block failed after 3 retries" }))
        } else {
            draft
        }
    });
    for block in workflow.blocks {
        shift.run(
            block.median_ms,
            "QUERY_RUN",
            |draft| draft.on("workflow", workflow.id, workflow.name),
            block,
            "production",
        );
    }
}

fn run_scenario(rng: &mut Rng, cell: &Cell, left: usize, out: &mut Vec<Draft>) {
    let Some(scenario) = rng.choice(&SCENARIOS) else { return };
    let seat = Seat::machine(rng, &MAKE);
    let at = rng.i64(cell.starts.clone());
    let records = rng.usize(1..5).min(left);
    let mut shift = Shift { rng, seat, at, until: cell.until, left: records, out };
    let mut pause = 0;
    while shift.goes_on() {
        let action = dice::pick(
            shift.rng,
            [
                "data_store_record_updated",
                "data_store_record_updated",
                "data_store_record_created",
                "data_store_record_deleted",
            ],
        );
        shift.log(pause, action, |rng, draft| {
            let key = format!("{}", rng.u32(1_000..9_000));
            let draft = draft
                .on("data-store-record", &key, &key)
                .on_named("data-store", scenario.data_store)
                .on("scenario", scenario.id, scenario.name)
                .took(dice::around(rng, 60));
            match action {
                "data_store_record_updated" => draft.change("state", "open", dice::pick(rng, ["waiting", "done"])),
                _ => draft,
            }
        });
        pause = 900;
    }
}

/// A few seconds after one of the workflow's minutes, if the cell still has it.
fn on_the_clock(rng: &mut Rng, (first, between): (i64, i64), cell: &Cell) -> i64 {
    let hour = cell.starts.start.div_euclid(HOUR) * HOUR;
    let run = rng.i64(0..60 / between);
    let clock = hour + (first + run * between) * MINUTE + rng.i64(200..9_000);
    if cell.starts.contains(&clock) { clock } else { cell.starts.start }
}
