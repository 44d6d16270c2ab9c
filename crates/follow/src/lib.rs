//! Reading the log behind the writer, and acting on it: delivery to destinations.
//!
//! A destination is a form ([`mod@format`]: events → messages), a [`Transport`] (messages → a receiver, and what its answer
//! means) and a cursor, the index up to which everything has arrived. One loop serves them all. What goes on inside the store,
//! and how bytes reach a receiver, this crate does not know: the log comes in by the trait of [`log`], the way out by that of
//! [`transport`].

mod backoff;
mod batch;
mod caught;
mod collect;
pub mod control;
pub mod doors;
pub mod encode;
pub mod follower;
pub mod format;
pub mod hide;
pub mod ledger;
pub mod log;
pub mod message;
pub mod recorded;
pub mod route;
mod runs;
mod source;
pub mod status;
mod tally;
pub mod transport;
pub mod verdict;
pub mod wanted;

pub use control::Control;
pub use doors::{Chance, Clock};
pub use encode::Encode;
pub use follower::{Follower, FollowerParts};
pub use format::Format;
pub use hide::Hide;
pub use ledger::Ledger;
pub use log::{Log, LogError, Read};
pub use message::Message;
pub use recorded::Recorded;
pub use route::{DestinationId, Route};
pub use status::{State, Status};
pub use transport::{Limits, Transport};
pub use verdict::{Answer, Fate, Verdict};
pub use wanted::Wanted;

/// What an asynchronous method of a trait object gives.
pub type Later<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;
