//! `acta check`: everything against everything, on a stopped data directory.

use std::collections::{BTreeMap, HashSet};

use record::merkle::Tree;
use record::{Index, OrgId, Timestamp};
use sha2::{Digest, Sha256};

use crate::disk::{self, Disk};
use crate::entry::Entry;
use crate::error::StoreError;
use crate::journal::{self, read_file};
use crate::manifest::Manifest;
use crate::segment::{Meta, Segment};
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
        let path = meta.id.path();
        let bytes = disk::read(disk, &path).map_err(StoreError::io(&path))?;
        let sha256: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        if sha256 != meta.sha256 || bytes.len() as u64 != meta.bytes {
            // Its rows are read all the same: what is wrong in them says what was changed.
            self.report.faults.push(format!("{path} is not the file that was sealed: its SHA-256 is {sha256}"));
        }
        let beside = disk::read(disk, &meta.id.sidecar_path()).ok();
        let segment = Segment::open_unrepaired(disk, meta.clone())?;
        let mut runs = Vec::new();
        for (row, entry) in (0..).zip(segment.scan_all()?) {
            let entry = entry?;
            self.entry(&entry, &path);
            crate::segment::note(&mut runs, row, &entry);
        }
        if runs != meta.runs {
            self.report.faults.push(format!("{path} does not hold what the manifest says"));
        }
        let derived = sidecar::build(segment.scan_all()?)?;
        if beside.is_some_and(|beside| beside != derived) {
            self.report.faults.push(format!("{} does not follow from its segment", meta.id.sidecar_path()));
        }
        Ok(())
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
        if entry.index != Index(log.tree.size()) {
            fault(&format!("stands where index {} is due", log.tree.size()));
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
        log.recorded_at = Some(entry.recorded_at());
        log.last_id = Some(entry.event_id);
        self.report.events += 1;
        if self.report.events.is_multiple_of(1_000) {
            (self.progress)(self.report.events);
        }
    }
}
