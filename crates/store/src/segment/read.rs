//! Reading a segment: only the columns and the rows that are wanted.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, UInt32Type, UInt64Type};
use arrow_array::{
    Array, BinaryArray, FixedSizeBinaryArray, Int64Array, ListArray, RecordBatch, StringArray, UInt32Array, UInt64Array,
    new_null_array,
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

/// Rows of a batch that is read.
const BATCH_ROWS: usize = 2_048;

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

    /// The first of some entries that does not stand in its row, if one does not; they are all that the segment has.
    pub(crate) fn first_different<'e>(
        &self,
        mut entries: impl Iterator<Item = &'e Entry>,
    ) -> Result<Option<&'e Entry>, StoreError> {
        for batch in self.batches_from(0)? {
            let batch = batch?;
            let columns = Columns::of(&batch);
            for (row, entry) in (0..batch.num_rows()).zip(entries.by_ref()) {
                if columns.holds(row, entry) != Some(true) {
                    return Ok(Some(entry));
                }
            }
        }
        Ok(entries.next())
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

    /// All rows from one on, in file order.
    pub(crate) fn batches_from(&self, row: u64) -> Result<Batches<'_>, StoreError> {
        Ok(Box::new(self.batches(None, std::slice::from_ref(&(row..self.meta.rows)))?))
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
        let rows: u64 = ranges.iter().map(|range| range.end - range.start).sum();
        let (groups, selection) = select(footer.metadata(), ranges);
        let mask = match names {
            Some(names) => ProjectionMask::columns(schema, names.iter().copied()),
            None => present(footer.metadata(), &groups),
        };
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file.clone(), (*footer).clone())
            .with_projection(mask)
            .with_row_groups(groups)
            .with_row_selection(selection)
            .with_batch_size(usize::try_from(rows).unwrap_or(BATCH_ROWS).clamp(1, BATCH_ROWS))
            .build()
            .map_err(|e| file.error(e))?;
        Ok(reader.map(move |batch| batch.map_err(|e| file.error(e))))
    }
}

/// Rows as they are read.
pub(crate) type Batches<'s> = Box<dyn Iterator<Item = Result<RecordBatch, StoreError>> + 's>;

/// Whether both are the same rows, however they are cut into batches.
pub(crate) fn same_rows(mut mine: Batches<'_>, mut theirs: Batches<'_>) -> Result<bool, StoreError> {
    let (mut a, mut b): (Option<RecordBatch>, Option<RecordBatch>) = (None, None);
    loop {
        if a.as_ref().is_none_or(|batch| batch.num_rows() == 0) {
            a = mine.next().transpose()?;
        }
        if b.as_ref().is_none_or(|batch| batch.num_rows() == 0) {
            b = theirs.next().transpose()?;
        }
        let (Some(left), Some(right)) = (&a, &b) else { return Ok(a.is_none() && b.is_none()) };
        let count = left.num_rows().min(right.num_rows());
        if !same(&left.slice(0, count), &right.slice(0, count)) {
            return Ok(false);
        }
        a = Some(left.slice(count, left.num_rows() - count));
        b = Some(right.slice(count, right.num_rows() - count));
    }
}

/// Rows that were read as this version writes them; `None` if they do not hold entries.
pub(crate) fn conform(batch: &RecordBatch) -> Option<RecordBatch> {
    let rows = batch.num_rows();
    let column = |field: &Arc<arrow_schema::Field>| match batch.column_by_name(field.name()) {
        Some(array) => (array.data_type() == field.data_type()).then(|| array.clone()),
        None => Some(new_null_array(field.data_type(), rows)),
    };
    if let Some(arrays) = columns::SCHEMA.fields().iter().map(column).collect() {
        return RecordBatch::try_new(columns::SCHEMA.clone(), arrays).ok();
    }
    // Of another version.
    let columns = Columns::of(batch);
    let entries: Vec<Entry> = (0..rows).map(|row| columns.entry(row)).collect::<Option<_>>()?;
    super::rows_of(&entries).ok()
}

/// Calls `each` for each row with the organization, the event's id, the sender's, and the item of a request.
pub(crate) fn each_place(
    batch: &RecordBatch,
    mut each: impl FnMut(OrgId, &[u8; 16], Option<&str>, Option<&[u8; 16]>),
) -> Option<()> {
    let columns = Columns::of(batch);
    for row in 0..batch.num_rows() {
        let event_id = columns.event_id?.value(row).try_into().ok()?;
        let item = bytes(columns.request, row).and_then(|request| request.first_chunk());
        each(OrgId(columns.org?.value(row)), event_id, text(columns.id, row), item);
    }
    Some(())
}

/// Whether two batches of as many rows hold the same entries. A column that was not read has no values.
fn same(a: &RecordBatch, b: &RecordBatch) -> bool {
    columns::SCHEMA.fields().iter().all(|field| match (a.column_by_name(field.name()), b.column_by_name(field.name())) {
        (Some(a), Some(b)) if a.data_type() == b.data_type() => a == b,
        (None, None) => true,
        (Some(one), None) | (None, Some(one)) => one.null_count() == one.len(),
        // Of another version: what counts is what they are read as.
        (Some(_), Some(_)) => {
            let (a, b) = (Columns::of(a), Columns::of(b));
            (0..b.rows()).all(|row| a.entry(row) == b.entry(row))
        }
    })
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
    targets: Option<&'a ListArray>,
    /// Version 1 had one text for all targets.
    targets_before: Option<&'a StringArray>,
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
    /// Absent also from segments of releases that could not redact.
    redactions: Option<&'a StringArray>,
}

fn text(array: Option<&StringArray>, row: usize) -> Option<&str> {
    array.filter(|array| array.is_valid(row)).map(|array| array.value(row))
}

fn bytes(array: Option<&BinaryArray>, row: usize) -> Option<&[u8]> {
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
            targets: any(columns::TARGETS).and_then(|a| a.as_list_opt::<i32>()),
            targets_before: strings(columns::TARGETS),
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
            redactions: strings(columns::REDACTIONS),
        }
    }

    fn rows(&self) -> usize {
        self.org.map_or(0, |array| array.len())
    }

    fn targets(&self, row: usize) -> Option<Vec<Target>> {
        if let Some(before) = text(self.targets_before, row) {
            return serde_json::from_str::<Vec<TargetText<'_>>>(before).ok()?.into_iter().map(target).collect();
        }
        let Some(lists) = self.targets.filter(|lists| lists.is_valid(row)) else { return Some(Vec::new()) };
        let texts = lists.values().as_string_opt::<i32>()?;
        let bound = |at: usize| lists.value_offsets().get(at).and_then(|offset| usize::try_from(*offset).ok());
        (bound(row)?..bound(row + 1)?).map(|at| target(serde_json::from_str(text(Some(texts), at)?).ok()?)).collect()
    }

    fn salts(&self, row: usize) -> Option<&'a [u8]> {
        let fixed = self.salts.filter(|array| array.is_valid(row)).map(|array| array.value(row));
        fixed.or_else(|| bytes(self.salts_before, row))
    }

    /// Whether a row holds this entry: what would be read of it is compared, without making it.
    fn holds(&self, row: usize, entry: &Entry) -> Option<bool> {
        let event = &entry.event;
        let is = |array, wanted: Option<&str>| text(array, row) == wanted;
        let source = match &entry.source {
            Source::Log { record } => is(self.log_record, Some(record)),
            Source::Sent { key, seed } => {
                is(self.log_record, None) && is(self.key, key.as_deref()) && self.salts(row) == Some(&seed.0)
            }
        };
        let place = self.org?.value(row) == entry.org.0
            && self.index?.value(row) == entry.index.0
            && self.event_id?.value(row) == entry.event_id.as_bytes()
            && self.occurred_at?.value(row) == event.occurred_at.as_millis();
        let (actor, context) = (&event.actor, &event.context);
        let texts = is(self.action, Some(event.action.as_str()))
            && is(self.team, event.team.as_ref().map(TeamId::as_str))
            && is(self.outcome, event.outcome.map(Outcome::as_str))
            && is(self.actor_type, Some(actor.kind.as_str()))
            && is(self.actor_id, Some(&actor.id))
            && is(self.actor_name, actor.name.as_deref())
            && is(self.actor_email, actor.email.as_deref())
            && is(self.ip, context.ip.as_deref())
            && is(self.user_agent, context.user_agent.as_deref())
            && is(self.session_id, context.session_id.as_deref())
            && is(self.request_id, context.request_id.as_deref())
            && is(self.metadata, event.metadata.as_ref().map(Json::as_str))
            && is(self.id, event.id.as_deref());
        let took = self.response_time_ms.filter(|a| a.is_valid(row)).map(|a| a.value(row)) == event.response_time_ms;
        let request = bytes(self.request, row).map_or(Some(None), |bytes| request(bytes).map(Some))? == entry.request;
        let changes = text(self.changes, row).map_or(Some(Vec::new()), changes)? == event.changes;
        let redactions: Vec<record::Redaction> =
            text(self.redactions, row).map_or(Some(Vec::new()), |text| serde_json::from_str(text).ok())?;
        let redactions = redactions == event.redactions;
        Some(source && place && texts && took && request && changes && redactions && self.has_targets(row, &event.targets)?)
    }

    fn has_targets(&self, row: usize, wanted: &[Target]) -> Option<bool> {
        let Some(lists) = self.targets.filter(|lists| lists.is_valid(row)) else { return Some(wanted.is_empty()) };
        let texts = lists.values().as_string_opt::<i32>()?;
        let bound = |at: usize| lists.value_offsets().get(at).and_then(|offset| usize::try_from(*offset).ok());
        let found = bound(row)?..bound(row + 1)?;
        if found.len() != wanted.len() {
            return Some(false);
        }
        for (at, wanted) in found.zip(wanted) {
            let target: TargetText<'_> = serde_json::from_str(text(Some(texts), at)?).ok()?;
            let same = target.kind == wanted.kind.as_str()
                && target.id.as_deref() == wanted.id.as_deref()
                && target.name.as_deref() == wanted.name.as_deref()
                && target.environment.as_deref() == wanted.environment.as_deref();
            if !same {
                return Some(false);
            }
        }
        Some(true)
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
            targets: self.targets(row)?,
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
            redactions: text(self.redactions, row).map_or(Some(Vec::new()), |text| serde_json::from_str(text).ok())?,
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

fn target(text: TargetText<'_>) -> Option<Target> {
    let owned = |text: std::borrow::Cow<'_, str>| text.into_owned().into_boxed_str();
    Some(Target {
        kind: Kind::new(&text.kind).ok()?,
        id: text.id.map(owned),
        name: text.name.map(owned),
        environment: text.environment.map(owned),
    })
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
