//! Test doubles for every door: time, chance and files, and short ways to make events.
//!
//! Everything here is driven by a seed, so that a failure can be replayed: [`seeds`] reads it from `ACTA_SEED`.

mod chance;
mod clock;
mod events;
mod faulty_disk;
mod memory_disk;
mod setup;

pub use chance::SeededChance;
pub use clock::SeededClock;
pub use events::{actor, event, json, scope, team_scope};
pub use faulty_disk::{Deed, Fault, FaultyDisk, Step};
pub use memory_disk::MemoryDisk;
pub use setup::Setup;

/// The seeds to run: the one in `ACTA_SEED`, or else the first `count`.
pub fn seeds(count: u64) -> Vec<u64> {
    match std::env::var("ACTA_SEED").ok().and_then(|text| text.parse().ok()) {
        Some(seed) => vec![seed],
        None => (0..count).collect(),
    }
}
