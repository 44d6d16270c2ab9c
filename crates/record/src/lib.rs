//! The event model, catalogs, sealing and the Merkle tree.
//!
//! Pure: no file, no clock, no chance, no async. Time and salts come in as arguments. An auditor who wants to check a record
//! against its disclosures, or a record against a tree, needs this crate and nothing else.
//!
//! In reading order: an [`Event`] is read from JSON by [`parse`] within [`Limits`], looked up in the [`Catalogs`], rid by
//! [`redact`] of what it must not tell, turned by [`seal`] into the record that is hashed, put into a tree by [`merkle`], and brought back by [`open`].

pub mod event;
pub mod json;
pub mod limits;
pub mod parse;

pub mod catalog;
pub mod redact;
pub mod text;

pub mod merkle;
pub mod open;
pub mod seal;

pub mod id;
pub mod time;
pub mod word;

pub use catalog::Catalogs;
pub use event::{Actor, Change, Context, Event, Outcome, Redaction, Target};
pub use id::{EventId, Index, OrgId};
pub use json::Json;
pub use limits::Limits;
pub use time::Timestamp;
pub use word::{Action, Kind, TeamId};
