//! The directory through its public face, on real files and in memory.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its world fails")]

mod api_keys;
mod atomic;
mod groups;
mod opening;
mod organizations;
mod outbox;
mod roles;
mod secrets;
mod service_accounts;
mod sessions;
mod sign_in;
mod support;
mod teams;
mod users;
