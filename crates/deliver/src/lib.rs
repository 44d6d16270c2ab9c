//! The ways events go out. One file for each receiver: what it wants, its limits, and what its answers mean.
//!
//! A receiver's settings are parsed by [`settings`], which names every mistake by its member; each then makes a
//! [`follow::Transport`]. No address that somebody typed is connected to but through [`net`], which refuses what lies in
//! private networks unless the operator allows it.

pub mod archive;
mod data;
pub mod datadog;
pub mod doors;
pub mod elastic;
mod headers;
pub mod net;
mod oauth;
pub mod otlp;
pub mod panther;
pub mod secops;
pub mod secret;
pub mod sentinel;
pub mod settings;
pub mod splunk;
pub mod sumo;
pub mod webhook;

pub use doors::Doors;
pub use settings::{Mistake, Receiver, Settings};
