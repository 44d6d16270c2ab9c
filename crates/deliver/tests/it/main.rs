//! Deliveries through real connections: the guard, and each receiver against a double that is as strict as the real one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it left out"
)]

mod doubles;
mod support;

mod archives;
mod datadog;
mod elastic;
mod guard;
mod net;
mod otlp;
mod panther;
mod secops;
mod sentinel;
mod settings;
mod splunk;
mod stores;
mod sumo;
mod tls;
mod webhook;
