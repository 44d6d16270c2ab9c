//! Writing a segment: one pass, bounded memory, hashed as it goes.

use std::io;
use std::sync::Arc;

use arrow_array::builder::{
    BinaryBuilder, FixedSizeBinaryBuilder, Int64Builder, ListBuilder, StringBuilder, UInt32Builder, UInt64Builder,
};
use arrow_array::{ArrayRef, RecordBatch};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use record::seal::{changes_text, redactions_text};
use record::{Json, Outcome, TeamId};
use sha2::{Digest, Sha256};

use super::{Meta, PAGE_ROWS, ROW_GROUP_ROWS, Run, SegmentId, columns};
use crate::disk::{Append, Disk};
use crate::entry::{Entry, Source};
use crate::error::StoreError;

/// Writes rows, which must come sorted by organization and index as the runs say, into a new segment file and makes it durable.
/// It exists once the manifest says so.
pub(crate) fn write(
    disk: &dyn Disk,
    id: SegmentId,
    effort: Effort,
    runs: Vec<Run>,
    batches: impl Iterator<Item = Result<RecordBatch, StoreError>>,
) -> Result<Meta, StoreError> {
    let path = id.path();
    let parquet = |e: parquet::errors::ParquetError| StoreError::Io { path: id.path(), source: io::Error::other(e) };
    let file = disk.create(&path).map_err(StoreError::io(&path))?;
    let sink = Sink { file, hash: Sha256::new(), bytes: 0 };
    let options = ArrowWriterOptions::new().with_properties(properties(effort)).with_skip_arrow_metadata(true);
    let mut writer = ArrowWriter::try_new_with_options(sink, columns::SCHEMA.clone(), options).map_err(parquet)?;
    for batch in batches {
        writer.write(&batch?).map_err(parquet)?;
    }
    let mut sink = writer.into_inner().map_err(parquet)?;
    sink.file.sync().map_err(StoreError::io(&path))?;
    let sha256 = sink.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let rows = runs.iter().map(|run| run.rows).sum();
    Ok(Meta { id, bytes: sink.bytes, sha256, rows, runs, class: String::new() })
}

/// Rows of a batch that is written at once.
const BATCH_ROWS: usize = 4_096;

/// Entries as rows.
pub(crate) fn batches<'e>(
    entries: impl Iterator<Item = &'e Entry>,
) -> impl Iterator<Item = Result<RecordBatch, StoreError>> {
    let mut entries = entries.fuse();
    let mut batch = Batch::default();
    std::iter::from_fn(move || {
        entries.by_ref().take(BATCH_ROWS).for_each(|entry| batch.push(entry));
        (batch.rows > 0).then(|| batch.take())
    })
}

/// Entries as one batch of rows.
pub(super) fn rows_of(entries: &[Entry]) -> Result<RecordBatch, StoreError> {
    let mut batch = Batch::default();
    entries.iter().for_each(|entry| batch.push(entry));
    batch.take()
}

/// Where each organization's entries lie among some that come sorted.
pub(crate) fn runs<'e>(entries: impl Iterator<Item = &'e Entry>) -> Vec<Run> {
    let mut runs = Vec::new();
    (0..).zip(entries).for_each(|(row, entry)| note(&mut runs, row, entry));
    runs
}

/// How hard to compress.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Effort {
    /// What comes from the journal, soon to be merged.
    Quick,
    /// What stays.
    Thorough,
}

fn properties(effort: Effort) -> WriterProperties {
    // What is different in every event: a dictionary of it is the column once more.
    let plain = [columns::SALTS, columns::REQUEST];
    // Numbers that begin alike: each byte of them apart compresses better.
    let split = [columns::EVENT_ID, columns::OCCURRED_AT];
    let lengths = [columns::ID, columns::REQUEST_ID, columns::SESSION_ID, columns::METADATA, columns::CHANGES];
    let level = match effort {
        Effort::Quick => 1,
        Effort::Thorough => 3,
    };
    let mut builder = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(level).unwrap_or_default()))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_write_batch_size(PAGE_ROWS)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_created_by(format!("acta {}", env!("CARGO_PKG_VERSION")))
        .set_key_value_metadata(Some(vec![KeyValue::new("acta.segment".to_owned(), columns::VERSION.to_owned())]));
    // Where it is absent from a whole row group, which is usual, it need not be read.
    let rare = [
        columns::ID,
        columns::SESSION_ID,
        columns::CHANGES,
        columns::LOG_RECORD,
        columns::REQUEST,
        columns::KEY,
        columns::REDACTIONS,
    ];
    // Small already, or incompressible: to unpack them costs more than it saves.
    let bare = [
        columns::ORG,
        columns::INDEX,
        columns::ACTION,
        columns::ACTOR_TYPE,
        columns::OUTCOME,
        columns::TEAM,
        columns::USER_AGENT,
        columns::KEY,
        columns::SALTS,
    ];
    for name in rare {
        builder = builder.set_column_statistics_enabled(ColumnPath::from(name), EnabledStatistics::Chunk);
    }
    for name in bare {
        builder = builder.set_column_compression(ColumnPath::from(name), Compression::UNCOMPRESSED);
    }
    let targets = ColumnPath::new([columns::TARGETS, "list", "item"].map(ToOwned::to_owned).to_vec());
    builder = builder.set_column_compression(targets, Compression::UNCOMPRESSED);
    let mut plainly = |name: &str, encoding| {
        let path = ColumnPath::from(name);
        builder = std::mem::take(&mut builder)
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_encoding(path, encoding);
    };
    plain.iter().for_each(|name| plainly(name, Encoding::PLAIN));
    split.iter().for_each(|name| plainly(name, Encoding::BYTE_STREAM_SPLIT));
    lengths.iter().for_each(|name| plainly(name, Encoding::DELTA_LENGTH_BYTE_ARRAY));
    plainly(columns::INDEX, Encoding::DELTA_BINARY_PACKED);
    builder.build()
}

/// Extends the last run by an entry, or begins one.
pub(crate) fn note(runs: &mut Vec<Run>, row: u64, entry: &Entry) {
    let at = entry.event.occurred_at;
    match runs.last_mut() {
        Some(run) if run.org == entry.org => {
            assert_eq!(run.end_index(), entry.index, "indexes of organization {} are dense", entry.org);
            run.rows += 1;
            run.occurred_min = run.occurred_min.min(at);
            run.occurred_max = run.occurred_max.max(at);
            run.recorded_max = entry.recorded_at();
        }
        last => {
            assert!(last.is_none_or(|run| run.org < entry.org), "entries come sorted by organization");
            runs.push(Run {
                org: entry.org,
                first_row: row,
                rows: 1,
                first_index: entry.index,
                occurred_min: at,
                occurred_max: at,
                recorded_min: entry.recorded_at(),
                recorded_max: entry.recorded_at(),
            });
        }
    }
}

#[derive(Debug)]
struct Batch {
    rows: usize,
    org: UInt32Builder,
    index: UInt64Builder,
    event_id: FixedSizeBinaryBuilder,
    occurred_at: Int64Builder,
    /// action, team, outcome, actor_type, actor_id, actor_name, actor_email.
    texts: [StringBuilder; 7],
    targets: ListBuilder<StringBuilder>,
    /// ip, user_agent, session_id, request_id.
    context: [StringBuilder; 4],
    response_time_ms: UInt64Builder,
    /// changes, metadata, id, key.
    more: [StringBuilder; 4],
    salts: FixedSizeBinaryBuilder,
    log_record: StringBuilder,
    request: BinaryBuilder,
    redactions: StringBuilder,
}

impl Default for Batch {
    fn default() -> Batch {
        Batch {
            rows: 0,
            org: UInt32Builder::default(),
            index: UInt64Builder::default(),
            event_id: FixedSizeBinaryBuilder::new(16),
            occurred_at: Int64Builder::default(),
            texts: Default::default(),
            targets: ListBuilder::new(StringBuilder::new()),
            context: Default::default(),
            response_time_ms: UInt64Builder::default(),
            more: Default::default(),
            salts: FixedSizeBinaryBuilder::new(16),
            log_record: StringBuilder::default(),
            request: BinaryBuilder::default(),
            redactions: StringBuilder::default(),
        }
    }
}

impl Batch {
    fn push(&mut self, entry: &Entry) {
        let event = &entry.event;
        let context = &event.context;
        self.rows += 1;
        self.org.append_value(entry.org.0);
        self.index.append_value(entry.index.0);
        #[expect(clippy::expect_used, reason = "an event id has sixteen bytes")]
        self.event_id.append_value(entry.event_id.as_bytes()).expect("sixteen bytes");
        self.occurred_at.append_value(event.occurred_at.as_millis());
        let texts = [
            Some(event.action.as_str()),
            event.team.as_ref().map(TeamId::as_str),
            event.outcome.map(Outcome::as_str),
            Some(event.actor.kind.as_str()),
            Some(&*event.actor.id),
            event.actor.name.as_deref(),
            event.actor.email.as_deref(),
        ];
        for (builder, text) in self.texts.iter_mut().zip(texts) {
            builder.append_option(text);
        }
        for target in &event.targets {
            // Texts alone are in it, which can always be told as JSON.
            self.targets.values().append_option(serde_json::to_string(target).ok());
        }
        self.targets.append(!event.targets.is_empty());
        for (builder, text) in
            self.context.iter_mut().zip([&context.ip, &context.user_agent, &context.session_id, &context.request_id])
        {
            builder.append_option(text.as_deref());
        }
        self.response_time_ms.append_option(event.response_time_ms);
        let changes = (!event.changes.is_empty()).then(|| changes_text(event));
        let more = [changes.as_deref(), event.metadata.as_ref().map(Json::as_str), event.id.as_deref(), entry.key()];
        for (builder, text) in self.more.iter_mut().zip(more) {
            builder.append_option(text);
        }
        match &entry.source {
            Source::Sent { seed, .. } => {
                #[expect(clippy::expect_used, reason = "a seed has sixteen bytes")]
                self.salts.append_value(seed.0).expect("sixteen bytes");
                self.log_record.append_null();
            }
            Source::Log { record } => {
                self.salts.append_null();
                self.log_record.append_value(record);
            }
        }
        match &entry.request {
            Some(request) => self.request.append_value([request.item, request.body].concat()),
            None => self.request.append_null(),
        }
        self.redactions.append_option((!event.redactions.is_empty()).then(|| redactions_text(event)));
    }

    /// The rows so far as one batch; empties this one.
    fn take(&mut self) -> Result<RecordBatch, StoreError> {
        let mut arrays: Vec<ArrayRef> = vec![
            Arc::new(self.org.finish()),
            Arc::new(self.index.finish()),
            Arc::new(self.event_id.finish()),
            Arc::new(self.occurred_at.finish()),
        ];
        arrays.extend(self.texts.iter_mut().map(|builder| Arc::new(builder.finish()) as ArrayRef));
        arrays.push(Arc::new(self.targets.finish()));
        arrays.extend(self.context.iter_mut().map(|builder| Arc::new(builder.finish()) as ArrayRef));
        arrays.push(Arc::new(self.response_time_ms.finish()));
        arrays.extend(self.more.iter_mut().map(|builder| Arc::new(builder.finish()) as ArrayRef));
        arrays.push(Arc::new(self.salts.finish()));
        arrays.push(Arc::new(self.log_record.finish()));
        arrays.push(Arc::new(self.request.finish()));
        arrays.push(Arc::new(self.redactions.finish()));
        self.rows = 0;
        RecordBatch::try_new(columns::SCHEMA.clone(), arrays)
            .map_err(|e| StoreError::Io { path: super::DIR.to_owned(), source: io::Error::other(e) })
    }
}

/// The file, hashed while it is written.
struct Sink {
    file: Box<dyn Append>,
    hash: Sha256,
    bytes: u64,
}

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write_all(bytes)?;
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
