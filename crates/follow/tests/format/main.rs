//! What goes out, in every form.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and says what it left out"
)]

mod any_text;
mod golden;
mod lines;
mod ocsf;
mod peers;
mod samples;
