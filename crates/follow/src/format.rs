//! The forms in which events go out. One file for each: what a receiver of that form reads where.
//!
//! Every form is one line of UTF-8 without a line break, whatever the event holds. What an action is in somebody else's schema
//! is data of the catalogs; a form knows only where it stands. No form leaves out what it has no place for: OCSF puts it into
//! `unmapped`, ECS below `acta`, CEF and LEEF into labelled texts.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::encode::Encode;
use crate::recorded::Recorded;

pub mod cef;
pub mod cloud_events;
pub mod ecs;
mod json;
mod known;
pub mod leef;
pub mod native;
pub mod ocsf;
pub mod retool;
mod visible;

/// The product's name and its vendor's, wherever a form asks for them.
pub(crate) const PRODUCT: &str = "Acta";
/// The version of the product that made a message.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A form for events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// As the API shows them, with the organization's name.
    Native,
    /// The columns of Retool's audit table, then as [`Format::Native`].
    Retool,
    /// Open Cybersecurity Schema Framework 1.8.0.
    Ocsf,
    /// Elastic Common Schema 9.
    Ecs,
    /// CloudEvents 1.0, structured.
    #[serde(rename = "cloudevents")]
    CloudEvents,
    /// ArcSight Common Event Format, version 0.
    Cef,
    /// IBM Log Event Extended Format 2.0.
    Leef,
}

impl Format {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Format; 7] =
        [Format::Native, Format::Retool, Format::Ocsf, Format::Ecs, Format::CloudEvents, Format::Cef, Format::Leef];

    /// The name in settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Format::Native => "native",
            Format::Retool => "retool",
            Format::Ocsf => "ocsf",
            Format::Ecs => "ecs",
            Format::CloudEvents => "cloudevents",
            Format::Cef => "cef",
            Format::Leef => "leef",
        }
    }

    /// The form of that name.
    pub fn parse(text: &str) -> Option<Format> {
        Format::ALL.into_iter().find(|one| one.as_str() == text)
    }

    /// Whether each message is a JSON object, so that a receiver may put it into a JSON array.
    pub fn is_json(self) -> bool {
        !matches!(self, Format::Cef | Format::Leef)
    }

    /// The event's messages: one line each, without a line break. One, except where OCSF wants one for each member of a
    /// group. The error, for the list of what could not be sent, says why there is none.
    pub fn encode(self, recorded: &Recorded) -> Result<Vec<Bytes>, String> {
        if self == Format::Ocsf {
            return Ok(ocsf::messages(recorded).into_iter().map(Bytes::from).collect());
        }
        let mut out = Vec::with_capacity(1_024);
        match self {
            Format::Native | Format::Ocsf => native::Native::of(recorded).write(&mut out),
            Format::Retool => retool::write(recorded, &mut out),
            Format::Ecs => ecs::write(recorded, &mut out),
            Format::CloudEvents => cloud_events::write(recorded, &mut out),
            Format::Cef => cef::write(recorded, &mut out),
            Format::Leef => leef::write(recorded, &mut out),
        }
        Ok(vec![Bytes::from(out)])
    }
}

impl Encode for Format {
    fn encode(&self, recorded: &Recorded) -> Result<Vec<Bytes>, String> {
        Format::encode(*self, recorded)
    }
}
