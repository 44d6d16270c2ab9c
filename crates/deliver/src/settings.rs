//! What an administrator sets of a destination: where to, how, and with which credentials.

use serde::{Deserialize, Serialize};

/// The settings of one destination, by the receiver's type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Settings {}
