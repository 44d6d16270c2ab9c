//! What an administrator sets of a destination: where to, how, and with which credentials.
//!
//! A receiver's settings are a struct with a [`Receiver`]; the list at the end of this file names them all. Which members are
//! secret is said there, so that nobody else needs to know: what is shown, and what is kept when settings are changed, follows.

use std::fmt::Debug;
use std::sync::Arc;

use follow::Transport;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::doors::Doors;
use crate::net::{AllowedNetworks, Endpoint};

mod lenient;
mod merge;

/// A mistake in settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mistake {
    /// The member at fault, as a JSON pointer; empty for the whole.
    pub member: String,
    /// What is wrong, as the end of a sentence about the member.
    pub text: String,
}

impl Mistake {
    /// A mistake.
    pub fn new(member: impl Into<String>, text: impl Into<String>) -> Mistake {
        Mistake { member: member.into(), text: text.into() }
    }
}

/// Settings that are right in form, but nothing can be sent with them: an address that is not allowed, a key that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct OpenError(pub String);

impl From<crate::net::NetError> for OpenError {
    fn from(error: crate::net::NetError) -> OpenError {
        OpenError(error.to_string())
    }
}

/// The settings of one kind of receiver. The struct has `#[serde(deny_unknown_fields)]` and [`crate::secret::Secret`] for what is never
/// shown.
pub trait Receiver: DeserializeOwned + Serialize + Debug + Clone + PartialEq + Send + Sync + 'static {
    /// Its name in the API.
    const TYPE: &'static str;
    /// The secret members, as JSON pointers. A `*` at the end means every member below: `/headers/*`.
    const SECRETS: &'static [&'static str];
    /// The members that say to whom secrets are sent. If one changes, secrets that are not given anew are forgotten: otherwise who
    /// may change a destination could have its secrets sent to herself.
    const PLACES: &'static [&'static str];

    /// Settings that are right, with every member: an example for people, and what stands in for a wrong member while the
    /// others are looked at.
    fn sample() -> Value;

    /// What is wrong though each member has its right type.
    fn mistakes(&self) -> Vec<Mistake> {
        Vec::new()
    }

    /// Where it connects to, as far as it is a URL, with the member.
    fn endpoints(&self) -> Vec<(&'static str, Endpoint)> {
        Vec::new()
    }

    /// The way there. Connects to nothing yet.
    ///
    /// # Errors
    /// If nothing can be sent with these settings.
    fn open(&self, doors: &Doors) -> Result<Arc<dyn Transport>, OpenError>;
}

/// A type of destination, for people.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Kind {
    /// Its name.
    #[serde(rename = "type")]
    pub name: &'static str,
    /// Settings with every member.
    pub sample: Value,
    /// The secret members, as JSON pointers.
    pub secrets: &'static [&'static str],
}

macro_rules! receivers {
    ($($name:ident: $settings:ty,)*) => {
        /// The settings of one destination, by the receiver's type.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Settings {
            $(#[doc = concat!("[`", stringify!($settings), "`].")] $name(Box<$settings>),)*
        }

        impl Settings {
            /// The types there are, with a sample of each one's settings.
            pub fn kinds() -> Vec<Kind> {
                vec![$(Kind {
                    name: <$settings>::TYPE,
                    sample: <$settings>::sample(),
                    secrets: <$settings>::SECRETS,
                },)*]
            }

            /// Reads settings.
            ///
            /// # Errors
            /// Every mistake, with its member.
            pub fn parse(kind: &str, value: &Value) -> Result<Settings, Vec<Mistake>> {
                match kind {
                    $(<$settings>::TYPE => {
                        lenient::parse::<$settings>(value).map(|settings| Settings::$name(Box::new(settings)))
                    })*
                    _ => Err(vec![Settings::unknown(kind)]),
                }
            }

            /// New settings, with the secrets of the old ones where the new ones do not say: where a secret member is absent or
            /// is [`crate::secret::HIDDEN`]. `null` takes a secret away. Secrets are not kept if the receiver changes.
            pub fn merged(kind: &str, old: &Value, new: &Value) -> Value {
                match kind {
                    $(<$settings>::TYPE => merge::merged(<$settings>::SECRETS, <$settings>::PLACES, old, new),)*
                    _ => new.clone(),
                }
            }

            /// The type.
            pub fn kind(&self) -> &'static str {
                match self { $(Settings::$name(_) => <$settings>::TYPE,)* }
            }

            /// The settings with [`crate::secret::HIDDEN`] for every secret.
            pub fn shown(&self) -> Value {
                match self { $(Settings::$name(settings) => serde_json::to_value(settings).unwrap_or_default(),)* }
            }

            /// Mistakes that depend on the operator: places that are not allowed. A name's addresses are judged when it is
            /// connected to.
            pub fn refused(&self, allowed: &AllowedNetworks) -> Vec<Mistake> {
                let endpoints = match self { $(Settings::$name(settings) => settings.endpoints(),)* };
                let refused = |(member, at): (&str, Endpoint)| at.check(allowed).err().map(|e| Mistake::new(member, e.to_string()));
                endpoints.into_iter().filter_map(refused).collect()
            }

            /// The way there. Connects to nothing yet.
            ///
            /// # Errors
            /// If nothing can be sent with these settings.
            pub fn open(&self, doors: &Doors) -> Result<Arc<dyn Transport>, OpenError> {
                if let Some(mistake) = self.refused(doors.dial.allowed()).into_iter().next() {
                    return Err(OpenError(mistake.text));
                }
                match self { $(Settings::$name(settings) => settings.open(doors),)* }
            }
        }
    };
}

receivers! {
    Webhook: crate::webhook::Webhook,
    Stdout: crate::stdout::StdoutSettings,
    File: crate::file::FileSettings,
    Syslog: crate::syslog::SyslogSettings,
    Kafka: crate::kafka::KafkaSettings,
    Nats: crate::nats::NatsSettings,
}

impl Settings {
    fn unknown(kind: &str) -> Mistake {
        let known: Vec<&str> = Settings::kinds().iter().map(|kind| kind.name).collect();
        Mistake::new("/type", format!("{kind:?} is no type of destination; there are {}", known.join(", ")))
    }
}
