//! The `acta` process: HTTP API, pages, command line, and the one place that asks `access`.
//!
//! In reading order: [`router`] says which path is answered by whom; [`permit`] turns a request into a caller and a scope;
//! [`api`] and [`ui`] are the handlers; [`app`] is the state they share; [`cli`] starts it all. What this crate does not know:
//! how events lie on disk (`store`), what is allowed (`access`), how tables look (`directory`).

pub mod cli;
pub mod config;
pub mod destination_settings;
pub mod serve;

pub mod api;
pub mod router;
pub mod routes;
pub mod ui;

pub mod app;
pub mod authority;
pub mod body;
pub mod body_json;
pub mod buckets;
pub mod changing;
pub mod delivering;
pub mod keys;
mod letters;
pub mod looks;
pub mod mail_settings;
pub mod mailing;
pub mod params;
pub mod permit;
pub mod problem;
pub mod record_own;
pub mod redaction;
pub mod request_id;
pub mod view;

pub mod demo;
pub mod import;

pub mod doors;
pub mod metrics;
pub mod tasks;
