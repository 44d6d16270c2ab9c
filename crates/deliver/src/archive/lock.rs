//! Until when the store itself lets nobody change or remove an object.

use record::Timestamp;
use serde::{Deserialize, Serialize};

/// The longest time, in days: a hundred years.
const DAYS_MAX: u32 = 36_500;

/// Every object is locked for so long, from the moment it is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// Who may lift it.
    pub mode: LockMode,
    /// For how many days.
    pub days: u32,
}

/// Who may lift a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LockMode {
    /// Whoever has a permission of its own (S3: governance; Azure: unlocked).
    Governance,
    /// Nobody (S3: compliance; Azure: locked).
    Compliance,
}

impl Lock {
    /// What is wrong with it, by member.
    pub(crate) fn faults(self) -> Vec<(&'static str, String)> {
        if (1..=DAYS_MAX).contains(&self.days) { Vec::new() } else { vec![("days", format!("is from 1 to {DAYS_MAX}"))] }
    }

    /// When it ends.
    pub(crate) fn until(self, now: Timestamp) -> Timestamp {
        now.plus_millis(i64::from(self.days) * 86_400_000)
    }
}
