//! The loop and its ledger, under a time that stands still until everybody waits.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::cast_possible_truncation,
    reason = "a test that cannot set up its world fails"
)]

mod apart;
mod batches;
mod chaos;
mod control;
mod dead_letters;
mod hidden;
mod ledger;
mod outage;
mod replays;
mod support;
mod verdicts;
mod wanted;
