//! The HTTP API. Handlers read: parse, permit, call, render.

pub mod catalog;
pub mod events;
pub mod facets;
pub mod filters;
pub mod health;
pub mod histogram;
pub mod listing;
pub mod openapi;
pub mod redactions;
