//! Reading a segment: only the columns and the rows that are wanted.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, UInt32Type, UInt64Type};
use arrow_array::{
    Array, BinaryArray, FixedSizeBinaryArray, Int64Array, RecordBatch, StringArray, UInt32Array, UInt64Array,
};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection, RowSelector,
};
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};
use record::seal::Seed;
use record::{Action, Actor, Change, Context, Event, EventId, Index, Json, Kind, OrgId, Outcome, Target, TeamId, Timestamp};

use super::blocks::Blocks;
use super::{Segment, columns};
use crate::cache::Piece;
use crate::entry::{Entry, Request, Source};
use crate::error::StoreError;
use crate::row::TargetText;

/// The file's directory of row groups, columns and pages.
pub(super) fn footer(path: &str, file: &Blocks) -> Result<ArrowReaderMetadata, StoreError> {
    let mut reader = ParquetMetaDataReader::new().with_offset_index_policy(PageIndexPolicy::Optional);
    reader.try_parse(file).map_err(|e| file.error(e))?;
    let footer = reader.finish().map_err(|e| file.error(e))?;
    let version = footer
        .file_metadata()
        .key_value_metadata()
        .and_then(|pairs| pairs.iter().find(|pair| pair.key == "acta.segment"))
        .and_then(|pair| pair.value.as_deref());
    match version {
        Some(columns::VERSION | "1") => {
            // Parquet's own types say all; the Arrow schema that a writer may have put beside them is not trusted.
            let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
            ArrowReaderMetadata::try_new(Arc::new(footer), options).map_err(|e| file.error(e))
        }
        Some(other) => {
            let found = other.parse().unwrap_or(u32::MAX);
            Err(StoreError::TooNew { path: path.to_owned(), found, known: 2 })
        }
        None => Err(StoreError::corrupt(path, 0, "not a segment")),
    }
}

impl Segment {
    /// Every entry, in file order.
    pub(crate) fn scan_all(&self) -> Result<impl Iterator<Item = Result<Entry, StoreError>> + use<'_>, StoreError> {
        self.entries(std::slice::from_ref(&(0..self.meta.rows)))
    }

    /// The entries in these ranges of rows, which ascend and do not overlap.
    pub(crate) fn entries(
        &self,
        ranges: &[Range<u64>],
    ) -> Result<impl Iterator<Item = Result<Entry, StoreError>> + use<'_>, StoreError> {
        let batches = self.batches(None, ranges)?;
        Ok(batches.flat_map(move |batch| {
            let decoded: Vec<Result<Entry, StoreError>> = match batch {
                Err(e) => vec![Err(e)],
                Ok(batch) => {
                    let columns = Columns::of(&batch);
                    (0..batch.num_rows()).map(|row| columns.entry(row).ok_or_else(|| self.undecodable(row))).collect()
                }
            };
            decoded
        }))
    }

    /// Where the entry in one row is remembered after it was read.
    pub(crate) fn remembered(&self, row: u64) -> Piece {
        Piece { segment: self.meta.id, sort: b'e', at: row }
    }

    /// Calls `each`, for each row in these ranges, which ascend, with the texts of some columns in it.
    pub(crate) fn texts(
        &self,
        names: &[&str],
        ranges: &[Range<u64>],
        mut each: impl FnMut(&[Option<&str>]),
    ) -> Result<(), StoreError> {
        for batch in self.batches(Some(names), ranges)? {
            let batch = batch?;
            let arrays: Vec<Option<&StringArray>> =
                names.iter().map(|name| batch.column_by_name(name)?.as_string_opt::<i32>()).collect();
            let mut texts = Vec::with_capacity(arrays.len());
            for row in 0..batch.num_rows() {
                texts.clear();
                texts.extend(arrays.iter().map(|array| text(*array, row)));
                each(&texts);
            }
        }
        Ok(())
    }

    /// The row in which an event id stands, among some rows.
    pub(crate) fn row_of_event_id(&self, rows: Range<u64>, event_id: &[u8; 16]) -> Result<Option<u64>, StoreError> {
        let mut at = rows.start;
        for batch in self.batches(Some(&[columns::EVENT_ID]), &[rows])? {
            let batch = batch?;
            let ids = Columns::of(&batch).event_id.ok_or_else(|| self.undecodable(0))?;
            for row in 0..batch.num_rows() {
                if ids.value(row) == event_id {
                    return Ok(Some(at));
                }
                at += 1;
            }
        }
        Ok(None)
    }

    fn undecodable(&self, row: usize) -> StoreError {
        StoreError::corrupt(&self.meta.id.path(), 0, format!("row {row} of a batch is not an entry"))
    }

    /// The rows in some ranges, with the columns of these names, or all.
    fn batches(
        &self,
        names: Option<&[&str]>,
        ranges: &[Range<u64>],
    ) -> Result<impl Iterator<Item = Result<RecordBatch, StoreError>> + use<'_>, StoreError> {
        let file = self.ask(|| self.file())?.fresh();
        let footer = self.footer()?;
        let schema = footer.metadata().file_metadata().schema_descr();
        let (groups, selection) = select(footer.metadata(), ranges);
        let mask = match names {
            Some(names) => ProjectionMask::columns(schema, names.iter().copied()),
            None => present(footer.metadata(), &groups),
        };
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file.clone(), (*footer).clone())
            .with_projection(mask)
            .with_row_groups(groups)
            .with_row_selection(selection)
            .with_batch_size(1_024)
            .build()
            .map_err(|e| file.error(e))?;
        Ok(reader.map(move |batch| batch.map_err(|e| file.error(e))))
    }
}

/// The columns that have a value in some of these row groups, as far as the file says.
fn present(footer: &ParquetMetaData, groups: &[usize]) -> ProjectionMask {
    let schema = footer.file_metadata().schema_descr();
    let is_absent = |column: usize| {
        groups.iter().filter_map(|group| footer.row_groups().get(*group)).all(|group| {
            let nulls = group.columns().get(column).and_then(|it| it.statistics()).and_then(|it| it.null_count_opt());
            nulls.is_some() && nulls == u64::try_from(group.num_rows()).ok()
        })
    };
    ProjectionMask::leaves(schema, (0..schema.num_columns()).filter(|column| !is_absent(*column)))
}

/// The row groups that hold some of the rows, and which rows of those.
fn select(footer: &ParquetMetaData, ranges: &[Range<u64>]) -> (Vec<usize>, RowSelection) {
    let mut groups = Vec::new();
    let mut selectors: Vec<RowSelector> = Vec::new();
    let mut start = 0_u64;
    for (group, meta) in footer.row_groups().iter().enumerate() {
        let end = start + u64::try_from(meta.num_rows()).unwrap_or(0);
        let inside: Vec<_> = ranges
            .iter()
            .map(|range| range.start.max(start)..range.end.min(end))
            .filter(|range| range.start < range.end)
            .collect();
        if !inside.is_empty() {
            groups.push(group);
            let mut at = start;
            for range in inside {
                push(&mut selectors, range.start - at, false);
                push(&mut selectors, range.end - range.start, true);
                at = range.end;
            }
            push(&mut selectors, end - at, false);
        }
        start = end;
    }
    (groups, RowSelection::from(selectors))
}

fn push(selectors: &mut Vec<RowSelector>, rows: u64, select: bool) {
    let rows = usize::try_from(rows).unwrap_or(usize::MAX);
    if rows > 0 {
        selectors.push(if select { RowSelector::select(rows) } else { RowSelector::skip(rows) });
    }
}

/// A batch's columns by name; absent where the reader did not ask for them.
struct Columns<'a> {
    org: Option<&'a UInt32Array>,
    index: Option<&'a UInt64Array>,
    event_id: Option<&'a FixedSizeBinaryArray>,
    occurred_at: Option<&'a Int64Array>,
    action: Option<&'a StringArray>,
    team: Option<&'a StringArray>,
    outcome: Option<&'a StringArray>,
    actor_type: Option<&'a StringArray>,
    actor_id: Option<&'a StringArray>,
    actor_name: Option<&'a StringArray>,
    actor_email: Option<&'a StringArray>,
    targets: Option<&'a StringArray>,
    ip: Option<&'a StringArray>,
    user_agent: Option<&'a StringArray>,
    session_id: Option<&'a StringArray>,
    request_id: Option<&'a StringArray>,
    response_time_ms: Option<&'a UInt64Array>,
    changes: Option<&'a StringArray>,
    metadata: Option<&'a StringArray>,
    id: Option<&'a StringArray>,
    key: Option<&'a StringArray>,
    salts: Option<&'a FixedSizeBinaryArray>,
    /// Version 1 had salts of any length.
    salts_before: Option<&'a BinaryArray>,
    log_record: Option<&'a StringArray>,
    request: Option<&'a BinaryArray>,
}

fn text<'a>(array: Option<&'a StringArray>, row: usize) -> Option<&'a str> {
    array.filter(|array| array.is_valid(row)).map(|array| array.value(row))
}

fn bytes<'a>(array: Option<&'a BinaryArray>, row: usize) -> Option<&'a [u8]> {
    array.filter(|array| array.is_valid(row)).map(|array| array.value(row))
}

impl<'a> Columns<'a> {
    fn of(batch: &'a RecordBatch) -> Columns<'a> {
        let any = |name| batch.column_by_name(name);
        let strings = |name| any(name).and_then(|array| array.as_string_opt::<i32>());
        let binary = |name| any(name).and_then(|array| array.as_binary_opt::<i32>());
        Columns {
            org: any(columns::ORG).and_then(|a| a.as_primitive_opt::<UInt32Type>()),
            index: any(columns::INDEX).and_then(|a| a.as_primitive_opt::<UInt64Type>()),
            event_id: any(columns::EVENT_ID).and_then(|a| a.as_fixed_size_binary_opt()),
            occurred_at: any(columns::OCCURRED_AT).and_then(|a| a.as_primitive_opt::<Int64Type>()),
            action: strings(columns::ACTION),
            team: strings(columns::TEAM),
            outcome: strings(columns::OUTCOME),
            actor_type: strings(columns::ACTOR_TYPE),
            actor_id: strings(columns::ACTOR_ID),
            actor_name: strings(columns::ACTOR_NAME),
            actor_email: strings(columns::ACTOR_EMAIL),
            targets: strings(columns::TARGETS),
            ip: strings(columns::IP),
            user_agent: strings(columns::USER_AGENT),
            session_id: strings(columns::SESSION_ID),
            request_id: strings(columns::REQUEST_ID),
            response_time_ms: any(columns::RESPONSE_TIME_MS).and_then(|a| a.as_primitive_opt::<UInt64Type>()),
            changes: strings(columns::CHANGES),
            metadata: strings(columns::METADATA),
            id: strings(columns::ID),
            key: strings(columns::KEY),
            salts: any(columns::SALTS).and_then(|a| a.as_fixed_size_binary_opt()),
            salts_before: binary(columns::SALTS),
            log_record: strings(columns::LOG_RECORD),
            request: binary(columns::REQUEST),
        }
    }

    fn salts(&self, row: usize) -> Option<&'a [u8]> {
        let fixed = self.salts.filter(|array| array.is_valid(row)).map(|array| array.value(row));
        fixed.or_else(|| bytes(self.salts_before, row))
    }

    /// The whole entry; `None` if the columns do not hold one.
    fn entry(&self, row: usize) -> Option<Entry> {
        let owned = |array| text(array, row).map(Into::into);
        let source = match text(self.log_record, row) {
            Some(record) => Source::Log { record: record.into() },
            None => Source::Sent { key: owned(self.key), seed: Seed(self.salts(row)?.try_into().ok()?) },
        };
        let event = Event {
            id: owned(self.id),
            action: Action::new(text(self.action, row)?).ok()?,
            occurred_at: Timestamp::from_millis(self.occurred_at?.value(row)),
            team: text(self.team, row).map(TeamId::new).transpose().ok()?,
            actor: Actor {
                kind: Kind::new(text(self.actor_type, row)?).ok()?,
                id: owned(self.actor_id)?,
                name: owned(self.actor_name),
                email: owned(self.actor_email),
            },
            targets: text(self.targets, row).map_or(Some(Vec::new()), targets)?,
            context: Context {
                ip: owned(self.ip),
                user_agent: owned(self.user_agent),
                session_id: owned(self.session_id),
                request_id: owned(self.request_id),
            },
            outcome: text(self.outcome, row).map_or(Some(None), |name| Outcome::parse(name).map(Some))?,
            response_time_ms: self.response_time_ms.filter(|a| a.is_valid(row)).map(|a| a.value(row)),
            changes: text(self.changes, row).map_or(Some(Vec::new()), changes)?,
            metadata: text(self.metadata, row).map(Json::trusted),
        };
        Some(Entry {
            org: OrgId(self.org?.value(row)),
            index: Index(self.index?.value(row)),
            event_id: EventId::from_bytes(self.event_id?.value(row).try_into().ok()?),
            event,
            source,
            request: bytes(self.request, row).map_or(Some(None), |bytes| request(bytes).map(Some))?,
        })
    }
}

fn targets(text: &str) -> Option<Vec<Target>> {
    let targets: Vec<TargetText<'_>> = serde_json::from_str(text).ok()?;
    let owned = |text: std::borrow::Cow<'_, str>| text.into_owned().into_boxed_str();
    targets
        .into_iter()
        .map(|target| {
            Some(Target {
                kind: Kind::new(&target.kind).ok()?,
                id: target.id.map(owned),
                name: target.name.map(owned),
                environment: target.environment.map(owned),
            })
        })
        .collect()
}

pub(crate) fn changes(text: &str) -> Option<Vec<Change>> {
    #[derive(serde::Deserialize)]
    struct ChangeText<'a> {
        #[serde(borrow)]
        field: std::borrow::Cow<'a, str>,
        #[serde(borrow, default, deserialize_with = "present")]
        before: Option<&'a serde_json::value::RawValue>,
        #[serde(borrow, default, deserialize_with = "present")]
        after: Option<&'a serde_json::value::RawValue>,
    }
    /// A null is a value; only a missing member is none.
    fn present<'de, D: serde::Deserializer<'de>>(d: D) -> Result<Option<&'de serde_json::value::RawValue>, D::Error> {
        serde::Deserialize::deserialize(d).map(Some)
    }
    let changes: Vec<ChangeText<'_>> = serde_json::from_str(text).ok()?;
    let json = |raw: &serde_json::value::RawValue| Json::trusted(raw.get());
    Some(
        changes
            .into_iter()
            .map(|change| Change {
                field: change.field.into_owned().into(),
                before: change.before.map(json),
                after: change.after.map(json),
            })
            .collect(),
    )
}

fn request(bytes: &[u8]) -> Option<Box<Request>> {
    let (key, body) = bytes.split_at_checked(16)?;
    Some(Box::new(Request { item: key.try_into().ok()?, body: body.try_into().ok()? }))
}
