//! Decisions, from the outside: what each guardrail forbids, and that all three questions agree with Cedar.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on says so")]

mod agreement;
mod guardrails;
mod oracle;
mod random;
mod reasons;
mod world;
