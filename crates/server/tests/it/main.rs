//! The process from outside: its HTTP API, its command line, its durability. The files mirror the API's paths.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it left out"
)]

mod support;

mod authorize;
mod catalog;
mod estate;
mod events_create;
mod events_list;
mod events_read;
mod filters;
mod health;
mod openapi;
mod own_events;
mod permissions;

mod cli;
mod cloudtrail;
mod kill;
