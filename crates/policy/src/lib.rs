//! Who may do what to which object of an organization, and why.
//!
//! A [`Model`] holds one organization's facts in memory and answers three questions: [`Model::decide`] (may she?),
//! [`Model::who_can`] (who may?) and [`Model::what_can`] (what may she?). Grants and roles are links of Cedar templates, and about
//! a dozen and a half fixed guardrails forbid what none of them can permit; the texts are in `policies/`.
//!
//! A decision is Cedar's, over the links that can concern it. The lists are worked out from the same links set by set, because
//! asking Cedar once for each of thousands takes seconds; which guardrail stops whom is Cedar's answer there, too. A property
//! test holds both against Cedar with the whole organization before it.
//!
//! This crate is pure: it reads nothing, knows no SQL and no HTTP, and time is a parameter.

#![deny(missing_docs)]

mod attributes;
mod circumstances;
mod decide;
mod engine;
mod error;
mod graph;
mod link;
mod model;
mod object;
mod reason;
mod slice;
mod what_can;
mod who_can;

pub use circumstances::{Beneficiary, Circumstances, Review};
pub use decide::{Decision, Request};
pub use engine::{Engine, GRANT_TEMPLATES, GUARDRAILS, SCHEMA, given_by_roles};
pub use error::PolicyError;
pub use model::Model;
pub use object::{Id, Object, Principal};
pub use reason::{Named, Place, Reason};
pub use what_can::Held;
pub use who_can::Able;
