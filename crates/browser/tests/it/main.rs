//! The pages in a real Chromium, as people use them: with scripts and without, by mouse and by keyboard, wide and narrow, light
//! and dark. Each test starts a server of its own, on events that are the same everywhere.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod acta;
mod driver;
mod tab;

mod accessibility;
mod account;
mod details;
mod faults;
mod filters;
mod first_steps;
mod keyboard;
mod paging;
mod sign_in;
mod without_scripts;
mod zones;
