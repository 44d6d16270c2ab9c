//! Receivers that speak no HTTP: against receivers written here, which misbehave as asked, and against other people's.
#![allow(clippy::disallowed_methods, reason = "tests move files, and end their own tasks")]

mod certificates;
mod events;
mod file;
mod kafka;
mod kafka_broker;
mod nats;
mod peer;
mod stdout;
mod syslog;
mod syslog_peers;
