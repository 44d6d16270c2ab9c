//! The process from outside: its HTTP API, its command line, its durability. The files mirror the API's paths.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it left out"
)]

mod support;

mod catalog;
mod events_create;
mod events_list;
mod events_read;
mod facets;
mod filters;
mod hang_up;
mod health;
mod openapi;
mod own_events;
mod people;
mod permissions;

mod cli;
mod cli_people;
mod cloudtrail;
mod kill;
