//! The HTTP API. Handlers read: parse, permit, call, render.

pub mod api_keys;
pub mod catalog;
pub mod events;
pub mod facets;
pub mod filters;
pub mod groups;
pub mod health;
pub mod histogram;
pub mod listing;
pub mod me;
pub mod openapi;
pub mod organization;
pub mod role_assignments;
pub mod roles;
pub mod service_accounts;
pub mod sessions;
pub mod teams;
pub mod users;
