//! Lists of things by name.

use record::OrgId;
use rusqlite::{Connection, Row, params};

use crate::error::Fault;
use crate::listing::{Listed, Part, listed};
use crate::name::folded;

/// Which things of a list are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Find {
    /// Part of the name, in any capitals; space around it does not count.
    pub q: Option<String>,
    /// Only these ids: what the caller may know of. `None`: all.
    pub only: Option<Vec<String>>,
}

impl Find {
    /// Those with a text in their names; all if there is none.
    pub fn named(text: Option<&str>) -> Find {
        Find { q: text.map(str::to_owned), only: None }
    }
}

/// A part of the things of an organization, by name.
pub(crate) fn found<T>(
    connection: &Connection,
    table: &str,
    columns: &str,
    org: OrgId,
    find: &Find,
    part: Part,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Listed<T>, Fault> {
    let only = find.only.as_ref().map(|ids| serde_json::Value::from(ids.as_slice()).to_string());
    let from = format!(
        "FROM {table} WHERE org = ?1 AND (?2 IS NULL OR instr(name_key, ?2) > 0) \
         AND (?3 IS NULL OR id IN (SELECT value FROM json_each(?3)))"
    );
    let values = params![org.0, find.q.as_deref().map(|text| folded(text.trim())), only];
    listed(connection, columns, &from, "name_key, id", values, part, read)
}
