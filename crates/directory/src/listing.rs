//! Lists that may be long, a part at a time.

use rusqlite::{Connection, Params, Row};

use crate::error::Fault;
use crate::name::folded;

/// Which part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// How many to pass over.
    pub offset: u64,
    /// How many at most.
    pub limit: u32,
}

impl Part {
    /// All of it, for those who know that it is short.
    pub const ALL: Part = Part { offset: 0, limit: u32::MAX };
}

/// A part of a list, and how long the whole is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    /// The part.
    pub items: Vec<T>,
    /// How many there are in all.
    pub total: u64,
}

impl Part {
    /// So much of a list that is in memory as a whole.
    pub fn of<T>(self, all: Vec<T>) -> Listed<T> {
        let total = all.len() as u64;
        let offset = usize::try_from(self.offset).unwrap_or(usize::MAX);
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        Listed { items: all.into_iter().skip(offset).take(limit).collect(), total }
    }
}

/// The pattern for `LIKE … ESCAPE '\\'` that finds a text anywhere in a column of folded names; it finds everything for none.
pub(crate) fn containing(text: Option<&str>) -> String {
    let mut pattern = "%".to_owned();
    for c in folded(text.unwrap_or_default().trim()).chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    if pattern.len() > 1 {
        pattern.push('%');
    }
    pattern
}

/// Reads a part of what `SELECT {columns} {from}` finds, in an order that leaves nothing open.
pub(crate) fn listed<T, P: Params + Clone>(
    connection: &Connection,
    columns: &str,
    from: &str,
    order: &str,
    values: P,
    part: Part,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Listed<T>, Fault> {
    let total: i64 = connection.query_row(&format!("SELECT count(*) {from}"), values.clone(), |row| row.get(0))?;
    let sql = format!("SELECT {columns} {from} ORDER BY {order} LIMIT {} OFFSET {}", part.limit, part.offset.min(1 << 62));
    let mut statement = connection.prepare(&sql)?;
    let items = statement.query_map(values, read)?.collect::<Result<_, _>>()?;
    Ok(Listed { items, total: total.unsigned_abs() })
}
