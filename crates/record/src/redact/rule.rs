//! One rule of an organization: of which events which members are taken out, and how.

use serde::{Deserialize, Serialize};

use super::mark::{AS_HASH, AS_HIDDEN, HIDDEN, HashKey, hash_of};
use super::member_path::MemberPath;
use super::pattern::Pattern;
use crate::event::Event;

/// Of which events which members are taken out, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its id, which the events that it changed tell.
    pub id: Box<str>,
    /// What it is called.
    pub name: Box<str>,
    /// Which events it is for.
    pub when: When,
    /// What it takes out of them.
    pub members: Vec<MemberPath>,
    /// What it leaves in the place.
    pub how: How,
}

/// Which events a rule is for: those that every part of it covers. A part that is absent covers all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct When {
    /// Their actions; none for all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<Pattern>,
    /// Id or name of a target of type `app` or `page`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app: Option<Pattern>,
    /// Id or name of a target of type `query`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<Pattern>,
    /// Id or name of a target of type `resource`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<Pattern>,
}

/// What a rule leaves in a value's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// That there was one.
    Hide,
    /// A keyed hash of it, so that the same value can be found again.
    Hash,
}

impl When {
    /// Whether the rule is for this event.
    pub fn covers(&self, event: &Event) -> bool {
        let target = |pattern: &Option<Pattern>, kinds: &[&str]| {
            let Some(pattern) = pattern else { return true };
            event
                .targets
                .iter()
                .filter(|target| kinds.contains(&target.kind.as_str()))
                .any(|target| [&target.id, &target.name].into_iter().flatten().any(|text| pattern.covers(text)))
        };
        (self.actions.is_empty() || self.actions.iter().any(|pattern| pattern.covers(event.action.as_str())))
            && target(&self.app, &["app", "page"])
            && target(&self.query, &["query"])
            && target(&self.resource, &["resource"])
    }
}

impl How {
    /// What is left of a value, and how its redaction is described.
    pub(super) fn mark(self, key: &HashKey, value: &[u8]) -> (String, &'static str) {
        match self {
            How::Hide => (HIDDEN.to_owned(), AS_HIDDEN),
            How::Hash => (hash_of(key, value), AS_HASH),
        }
    }
}
