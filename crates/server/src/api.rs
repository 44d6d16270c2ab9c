//! The HTTP API. Handlers read: parse, permit, call, render.

pub mod catalog;
pub mod events;
pub mod filters;
pub mod health;
pub mod invitations;
pub mod listing;
pub mod openapi;
pub mod second_factor;
