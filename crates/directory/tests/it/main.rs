//! The directory through its public face, on real files and in memory.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its world fails")]

mod api_keys;
mod atomic;
mod destinations;
mod estate;
mod groups;
mod invitations;
mod links;
mod mails;
mod opening;
mod organizations;
mod outbox;
mod redactions;
mod roles;
mod second_factors;
mod secrets;
mod service_accounts;
mod sessions;
mod sign_in;
mod support;
mod teams;
mod users;
