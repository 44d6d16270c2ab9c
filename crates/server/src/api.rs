//! The HTTP API. Handlers read: parse, permit, call, render.

pub mod apps;
pub mod authorize;
pub mod catalog;
pub mod environments;
pub mod events;
pub mod filters;
pub mod folders;
pub mod grants;
pub mod health;
pub mod listing;
pub mod lookup;
pub mod naming;
pub mod openapi;
pub mod resources;
pub mod workflows;
