//! Who may do what.
//!
//! [`decide()`] turns a subject and an act into a [`Scope`] or a [`Denied`] with the reason. A `Scope` cannot be made in any other
//! way, and every function that reads the log takes one: reading without a decision does not compile. This crate knows nothing
//! of HTTP or SQL.

mod decide;
mod named;
mod narrowing;
mod permission;
mod powers;
mod role;
mod scope;
mod subject;

pub use decide::{Act, Denied, decide};
pub use named::UnknownName;
pub use narrowing::{BadNarrowing, Masked, Narrowing};
pub use permission::{Level, ObjectKind, Permission};
pub use powers::Powers;
pub use role::{BuiltInRole, KeyScope, Role};
pub use scope::{Facts, Looks, MASK, Masks, Scope, Sight};
pub use subject::{Held, Person, Subject};
