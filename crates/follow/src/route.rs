//! What is followed: one organization's log, on behalf of one destination.

use std::fmt;
use std::sync::Arc;

use record::OrgId;
use serde::{Deserialize, Serialize};

/// A destination's id, as the directory gives it (`dest_…`). Here it is a name only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct DestinationId(Arc<str>);

impl DestinationId {
    /// The destination of that id.
    pub fn new(id: &str) -> DestinationId {
        DestinationId(id.into())
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for DestinationId {
    fn from(id: String) -> DestinationId {
        DestinationId(id.into())
    }
}

impl From<DestinationId> for String {
    fn from(id: DestinationId) -> String {
        id.as_str().to_owned()
    }
}

impl fmt::Display for DestinationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One organization's log on its way to one destination. Each has a cursor, gaps, receipts and dead letters of its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Route {
    /// Where to.
    pub destination: DestinationId,
    /// Whose log.
    pub organization: OrgId,
}

impl Route {
    /// The way of that organization's events to that destination.
    pub fn new(destination: &str, organization: OrgId) -> Route {
        Route { destination: DestinationId::new(destination), organization }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of organization {}", self.destination, self.organization)
    }
}
