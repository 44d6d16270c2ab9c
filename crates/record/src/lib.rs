//! The event model, catalogs, sealing and the Merkle tree.
//!
//! Pure: no file, no clock, no chance, no async. Time and salts come in as arguments. An auditor who wants to check a record
//! against its disclosures, or a record against a tree, needs this crate and nothing else.

pub mod id;
pub mod time;
pub mod word;

pub use id::{EventId, Index, OrgId};
pub use time::Timestamp;
pub use word::{Action, Kind, TeamId};
