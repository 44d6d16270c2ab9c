//! The process from outside: its HTTP API, its command line, its durability. The files mirror the API's paths.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it left out"
)]

mod group_grants;
mod receiver;
mod support;
mod tour;

mod authorization;
mod authorize;
mod catalog;
mod delivering;
mod destinations;
mod estate;
mod events_create;
mod events_list;
mod events_read;
mod facets;
mod filters;
mod hang_up;
mod health;
mod identifiers;
mod no_secrets;
mod openapi;
mod own_events;
mod people;
mod permissions;
mod redactions;
mod team_administrators;
mod visibility;

mod visitor;

mod account;
mod invitations;
mod links;
mod peers;
mod second_factor;

mod cli;
mod cli_people;
mod cloudtrail;
mod kill;
mod kill_change;
