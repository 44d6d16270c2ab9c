//! Reading a segment: only the columns and the rows that are wanted.

use std::ops::Range;
use std::sync::Arc;

use access::Looks;
use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, UInt32Type, UInt64Type};
use arrow_array::{
    Array, BinaryArray, FixedSizeBinaryArray, Int64Array, RecordBatch, StringArray, UInt32Array, UInt64Array,
};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection, RowSelector,
};
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use record::seal::Seed;
use record::{Action, Actor, Change, Context, Event, EventId, Index, Json, Kind, OrgId, Outcome, Target, TeamId, Timestamp};

use super::blocks::Blocks;
use super::{Segment, columns};
use crate::entry::{Entry, Request, Source};
use crate::error::StoreError;
use crate::filter::Filter;
use crate::row::{Row, TargetText, Targets};

/// The file's directory of row groups and columns.
pub(super) fn footer(path: &str, file: &Blocks) -> Result<Arc<ParquetMetaData>, StoreError> {
    let footer = ParquetMetaDataReader::new().parse_and_finish(file).map_err(|e| file.error(e))?;
    let version = footer
        .file_metadata()
        .key_value_metadata()
        .and_then(|pairs| pairs.iter().find(|pair| pair.key == "acta.segment"))
        .and_then(|pair| pair.value.as_deref());
    match version {
        Some(columns::VERSION) => Ok(Arc::new(footer)),
        Some(other) => {
            let found = other.parse().unwrap_or(u32::MAX);
            Err(StoreError::TooNew { path: path.to_owned(), found, known: 1 })
        }
        None => Err(StoreError::corrupt(path, 0, "not a segment")),
    }
}

/// Which columns a reader needs.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wanted<'f> {
    /// All, to build whole entries.
    All,
    /// Those that say which event stands where.
    EventIds,
    /// Those that hold values to filter by, and what a scope looks at.
    Values(Looks),
    /// Those that a filter looks at, and a scope.
    For { filter: &'f Filter, looks: Looks },
}

impl Wanted<'_> {
    /// Whether rows must be read as whole events.
    fn all(&self) -> bool {
        match self {
            Wanted::All => true,
            Wanted::EventIds | Wanted::Values(_) => false,
            Wanted::For { filter, .. } => !filter.words.is_empty(),
        }
    }

    fn names(&self) -> Vec<&'static str> {
        let (filter, looks) = match self {
            Wanted::All => return Vec::new(),
            Wanted::EventIds => return vec![columns::INDEX, columns::EVENT_ID],
            Wanted::Values(looks) => {
                let mut names = vec![columns::INDEX, columns::OCCURRED_AT, columns::ACTION, columns::TEAM];
                names.extend([columns::ACTOR_ID, columns::ACTOR_NAME, columns::ACTOR_EMAIL]);
                names.extend(looks.people.then_some(columns::TARGETS));
                return names;
            }
            Wanted::For { filter, looks } => (filter, looks),
        };
        let mut names = vec![columns::INDEX, columns::OCCURRED_AT];
        let mut want = |needed: bool, name| {
            if needed {
                names.push(name);
            }
        };
        want(filter.actions.is_some() || looks.parts, columns::ACTION);
        want(!filter.teams.is_empty() || looks.parts, columns::TEAM);
        want(filter.outcome.is_some(), columns::OUTCOME);
        want(filter.actor.is_some() || looks.people, columns::ACTOR_ID);
        want(filter.email.is_some() || looks.people, columns::ACTOR_EMAIL);
        want(filter.ip.is_some(), columns::IP);
        want(filter.target.is_some() || filter.target_type.is_some() || looks.people, columns::TARGETS);
        names
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
        let batches = self.batches(Wanted::All, ranges)?;
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

    /// Calls `each` with the index, and the parts that the filter looks at, of every row in a range.
    pub(crate) fn rows(
        &self,
        wanted: Wanted<'_>,
        range: Range<u64>,
        mut each: impl FnMut(Index, &Row<'_>),
    ) -> Result<(), StoreError> {
        for batch in self.batches(wanted, &[range])? {
            let batch = batch?;
            let columns = Columns::of(&batch);
            for row in 0..batch.num_rows() {
                let index = columns.index.map(|array| Index(array.value(row))).unwrap_or(Index(0));
                if wanted.all() {
                    let entry = columns.entry(row).ok_or_else(|| self.undecodable(row))?;
                    each(index, &Row::of(&entry.event));
                } else {
                    each(index, &columns.row(row));
                }
            }
        }
        Ok(())
    }

    /// Calls `each` with the index and the event id of every row in a range.
    pub(crate) fn event_ids(&self, range: Range<u64>, mut each: impl FnMut(Index, &[u8])) -> Result<(), StoreError> {
        for batch in self.batches(Wanted::EventIds, &[range])? {
            let batch = batch?;
            let columns = Columns::of(&batch);
            let (Some(indexes), Some(ids)) = (columns.index, columns.event_id) else { return Err(self.undecodable(0)) };
            for row in 0..batch.num_rows() {
                each(Index(indexes.value(row)), ids.value(row));
            }
        }
        Ok(())
    }

    fn undecodable(&self, row: usize) -> StoreError {
        StoreError::corrupt(&self.meta.id.path(), 0, format!("row {row} of a batch is not an entry"))
    }

    fn batches(
        &self,
        wanted: Wanted<'_>,
        ranges: &[Range<u64>],
    ) -> Result<impl Iterator<Item = Result<RecordBatch, StoreError>> + use<'_>, StoreError> {
        let file = self.file.fresh();
        // Parquet's own types say all; the Arrow schema that a writer may have put beside them is not trusted.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let metadata = ArrowReaderMetadata::try_new(self.footer.clone(), options).map_err(|e| file.error(e))?;
        let schema = self.footer.file_metadata().schema_descr();
        let mask = if wanted.all() { ProjectionMask::all() } else { ProjectionMask::columns(schema, wanted.names()) };
        let (groups, selection) = self.select(ranges);
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file.clone(), metadata)
            .with_projection(mask)
            .with_row_groups(groups)
            .with_row_selection(selection)
            .with_batch_size(4_096)
            .build()
            .map_err(|e| file.error(e))?;
        Ok(reader.map(move |batch| batch.map_err(|e| file.error(e))))
    }

    /// The row groups that hold some of the rows, and which rows of those.
    fn select(&self, ranges: &[Range<u64>]) -> (Vec<usize>, RowSelection) {
        let mut groups = Vec::new();
        let mut selectors: Vec<RowSelector> = Vec::new();
        let mut start = 0_u64;
        for (group, meta) in self.footer.row_groups().iter().enumerate() {
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
    salts: Option<&'a BinaryArray>,
    log_record: Option<&'a StringArray>,
    request: Option<&'a BinaryArray>,
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
            salts: binary(columns::SALTS),
            log_record: strings(columns::LOG_RECORD),
            request: binary(columns::REQUEST),
        }
    }

    /// What a filter looks at.
    fn row(&self, row: usize) -> Row<'a> {
        Row {
            occurred_at: self.occurred_at.map_or(0, |array| array.value(row)),
            action: text(self.action, row).unwrap_or_default(),
            team: text(self.team, row),
            outcome: text(self.outcome, row).and_then(Outcome::parse),
            actor_id: text(self.actor_id, row).unwrap_or_default(),
            actor_name: text(self.actor_name, row),
            actor_email: text(self.actor_email, row),
            ip: text(self.ip, row),
            targets: text(self.targets, row).map_or(Targets::None, Targets::Text),
            event: None,
        }
    }

    /// The whole entry; `None` if the columns do not hold one.
    fn entry(&self, row: usize) -> Option<Entry> {
        let owned = |array| text(array, row).map(Into::into);
        let source = match text(self.log_record, row) {
            Some(record) => Source::Log { record: record.into() },
            None => Source::Sent { key: owned(self.key), seed: Seed(bytes(self.salts, row)?.try_into().ok()?) },
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

fn changes(text: &str) -> Option<Vec<Change>> {
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
