//! Reading columns as what they are.

use std::error::Error;

use record::{OrgId, Timestamp};
use rusqlite::{Row, types::Type};

pub(crate) fn org(row: &Row<'_>, column: &str) -> rusqlite::Result<OrgId> {
    row.get(column).map(OrgId)
}

pub(crate) fn time(row: &Row<'_>, column: &str) -> rusqlite::Result<Timestamp> {
    row.get(column).map(Timestamp::from_millis)
}

pub(crate) fn optional_time(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp::from_millis))
}

/// A text column that holds a name of something; the error names the column if it does not.
pub(crate) fn parsed<T, E>(row: &Row<'_>, column: &str, parse: impl FnOnce(&str) -> Result<T, E>) -> rusqlite::Result<T>
where
    E: Error + Send + Sync + 'static,
{
    let text: String = row.get(column)?;
    convert(row, column, &text, parse)
}

/// The same for a column that may be empty.
pub(crate) fn optional<T, E>(
    row: &Row<'_>,
    column: &str,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> rusqlite::Result<Option<T>>
where
    E: Error + Send + Sync + 'static,
{
    let text: Option<String> = row.get(column)?;
    text.map(|text| convert(row, column, &text, parse)).transpose()
}

fn convert<T, E>(row: &Row<'_>, column: &str, text: &str, parse: impl FnOnce(&str) -> Result<T, E>) -> rusqlite::Result<T>
where
    E: Error + Send + Sync + 'static,
{
    let index = row.as_ref().column_index(column)?;
    parse(text).map_err(|error| rusqlite::Error::FromSqlConversionFailure(index, Type::Text, Box::new(error)))
}
