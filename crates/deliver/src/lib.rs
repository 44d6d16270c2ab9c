//! The ways events go out. One file for each receiver: what it wants, its limits, and what its answers mean.
//!
//! A receiver's settings are parsed by [`settings`], which names every mistake by its member; each then makes a
//! [`follow::Transport`]. No address that somebody typed is connected to but through [`net`], which refuses what lies in private
//! networks unless the operator allows it.

pub mod doors;
pub mod file;
pub mod kafka;
pub mod nats;
pub mod net;
pub mod secret;
pub mod settings;
pub mod socket;
pub mod stdout;
pub mod syslog;
pub mod webhook;

pub use doors::Doors;
pub use settings::{Mistake, Receiver, Settings};
