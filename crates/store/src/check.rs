//! `acta check`: everything against everything, on a stopped data directory.

use std::collections::{BTreeMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use record::merkle::Tree;
use record::{Index, OrgId, Timestamp};

use crate::disk::{self, Disk};
use crate::entry::Entry;
use crate::error::StoreError;
use crate::journal::{self, read_file};
use crate::manifest::Manifest;
use crate::segment::{self, Meta, Run, Segment};
use crate::sidecar;
use crate::store::{LOCK, nothing_is_recorded};

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Events looked at.
    pub events: u64,
    /// Of these, in segments.
    pub sealed: u64,
    /// Segments looked at.
    pub segments: u64,
    /// Journal files looked at.
    pub journal_files: u64,
    /// Bytes at the journal's end of a batch that nobody was answered for; a crash leaves them, a start removes them.
    pub torn_bytes: u64,
    /// Each organization's log: entries and root, in hexadecimal.
    pub logs: BTreeMap<OrgId, (u64, String)>,
    /// What is wrong, a sentence each. Empty if all is well.
    pub faults: Vec<String>,
}

#[derive(Default)]
struct LogState {
    tree: Tree,
    /// The index that is due. Follows what is found, so that one gap is one fault.
    due: u64,
    recorded_at: Option<Timestamp>,
    last_id: Option<record::EventId>,
    ids: HashSet<Box<str>>,
}

struct Checker<'p> {
    report: Report,
    logs: BTreeMap<OrgId, LogState>,
    progress: &'p mut dyn FnMut(u64),
}

/// Checks a data directory: every file's checksum, every record's hash against the trees, indexes, times, ids, sidecars.
/// `progress` is told the number of events looked at, now and then.
pub fn check(disk: &dyn Disk, progress: &mut dyn FnMut(u64)) -> Result<Report, StoreError> {
    let _guard = disk.lock(LOCK).map_err(|e| match e.kind() {
        std::io::ErrorKind::WouldBlock => StoreError::Locked,
        _ => StoreError::io(LOCK)(e),
    })?;
    let mut checker = Checker { report: Report::default(), logs: BTreeMap::new(), progress };
    match Manifest::load(disk) {
        Ok(Some(manifest)) => checker.run(disk, &manifest),
        Ok(None) => {
            if let Err(e) = nothing_is_recorded(disk) {
                checker.report.faults.push(e.to_string());
            }
        }
        Err(e) => checker.report.faults.push(e.to_string()),
    }
    let logs = checker
        .logs
        .iter()
        .map(|(org, log)| (*org, (log.tree.size(), log.tree.root().iter().map(|byte| format!("{byte:02x}")).collect())));
    checker.report.logs = logs.collect();
    Ok(checker.report)
}

impl Checker<'_> {
    fn run(&mut self, disk: &dyn Disk, manifest: &Manifest) {
        for meta in &manifest.segments {
            if let Err(e) = self.segment(disk, meta) {
                self.report.faults.push(e.to_string());
            }
            self.report.segments += 1;
        }
        self.sealed_trees(manifest);
        self.report.sealed = self.report.events;
        if let Err(e) = self.journal(disk, manifest) {
            self.report.faults.push(e.to_string());
        }
    }

    fn segment(&mut self, disk: &dyn Disk, meta: &Meta) -> Result<(), StoreError> {
        let checksums = match segment::checksums_of(disk, meta) {
            Ok(checksums) => checksums,
            Err(e) => {
                self.report.faults.push(e.to_string());
                self.damaged_rows(disk, meta);
                return Ok(());
            }
        };
        let beside = disk::read(disk, &meta.id.sidecar_path()).ok();
        let segment = Segment::open_unchecked(disk, meta.clone())?;
        let runs = self.rows(&segment)?;
        if runs != meta.runs {
            self.report.faults.push(format!("{} does not hold what the manifest says", meta.id.path()));
        }
        let derived = sidecar::build(meta, &checksums, segment.scan_all()?)?;
        // One of an earlier version is not used; it is made again at the next start.
        if beside.is_some_and(|beside| beside != derived && !sidecar::is_outdated(&beside)) {
            self.report.faults.push(format!("{} does not follow from its segment", meta.id.sidecar_path()));
        }
        Ok(())
    }

    fn rows(&mut self, segment: &Segment) -> Result<Vec<Run>, StoreError> {
        let path = segment.meta.id.path();
        let mut runs = Vec::new();
        for (row, entry) in (0..).zip(segment.scan_all()?) {
            let entry = entry?;
            self.entry(&entry, &path);
            segment::note(&mut runs, row, &entry);
        }
        Ok(runs)
    }

    /// Looks at the rows of a file that is not what was sealed: what is wrong in them says what was changed. The Parquet
    /// reader may well panic over it.
    fn damaged_rows(&mut self, disk: &dyn Disk, meta: &Meta) {
        let read = AssertUnwindSafe(|| self.rows(&Segment::open_unchecked(disk, meta.clone())?).map(drop));
        let unreadable = match catch_unwind(read) {
            Ok(read) => read.err().map(|e| e.to_string()),
            Err(_) => Some(format!("{} cannot be read to its end", meta.id.path())),
        };
        self.report.faults.extend(unreadable);
    }

    fn sealed_trees(&mut self, manifest: &Manifest) {
        let ours: BTreeMap<OrgId, Tree> = self.logs.iter().map(|(org, log)| (*org, log.tree.clone())).collect();
        let theirs: BTreeMap<OrgId, Option<Tree>> = manifest.logs.iter().map(|log| (log.org, log.tree())).collect();
        for org in ours.keys().chain(theirs.keys()).collect::<std::collections::BTreeSet<_>>() {
            if ours.get(org) != theirs.get(org).and_then(Option::as_ref) {
                let what = "the records in the segments do not hash to the root in the manifest";
                self.report.faults.push(format!("organization {org}: {what}"));
            }
        }
    }

    fn journal(&mut self, disk: &dyn Disk, manifest: &Manifest) -> Result<(), StoreError> {
        let files = journal::files(disk, manifest)?;
        for (at, &number) in files.iter().enumerate() {
            let path = number.path();
            let tail = read_file(disk, number, at + 1 == files.len(), |entry, leaf| {
                if entry.leaf() != leaf {
                    self.report.faults.push(format!("{path}: index {} of {} has another hash", entry.index, entry.org));
                }
                self.entry(&entry, &path);
                Ok(())
            })?;
            self.report.journal_files += 1;
            self.report.torn_bytes += tail.torn_bytes;
        }
        Ok(())
    }

    fn entry(&mut self, entry: &Entry, path: &str) {
        let log = self.logs.entry(entry.org).or_default();
        let place = format!("{path}: index {} of organization {}", entry.index, entry.org);
        let mut fault = |what: &str| self.report.faults.push(format!("{place} {what}"));
        if entry.index != Index(log.due) {
            fault(&format!("stands where index {} is due", log.due));
        }
        if log.recorded_at.is_some_and(|before| entry.recorded_at() < before) {
            fault("was recorded before its predecessor");
        }
        if log.last_id.is_some_and(|before| entry.event_id <= before) {
            fault("has an event_id that does not ascend");
        }
        if let Some(id) = &entry.event.id
            && !log.ids.insert(id.clone())
        {
            fault(&format!("repeats the id {id:?}"));
        }
        log.tree.push(entry.leaf());
        log.due = entry.index.0.saturating_add(1);
        log.recorded_at = Some(entry.recorded_at());
        log.last_id = Some(entry.event_id);
        self.report.events += 1;
        if self.report.events.is_multiple_of(1_000) {
            (self.progress)(self.report.events);
        }
    }
}
