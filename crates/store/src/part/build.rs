//! Making a part from an organization's events, in the order of their rows.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use record::text::{LOOK, push_lower};
use record::{Outcome, TeamId};

use super::dictionary::{Dictionary, pack, put_members};
use super::{Field, MARK_ROWS, OPAQUE, PRESENT, SECTIONS, times};
use crate::bits::Bits;
use crate::entry::Entry;
use crate::postings::{self, number, put_number};
use crate::tokens::{self, Grams};

/// A part that is being made. Takes the memory of its different values, and some bytes for each of their occurrences.
#[derive(Debug, Default)]
pub(crate) struct PartBuilder {
    rows: u32,
    times: Vec<i64>,
    marks: Vec<u64>,
    fields: [Values; Field::ALL.len()],
    grams: [Grams; 3],
    /// Room for what is made of each event.
    lower: String,
    members: Vec<u8>,
}

/// The different values of a field, each with the rows that have it. Values come from outside, so the hash is seeded.
#[derive(Debug, Default)]
struct Values(HashMap<Box<[u8]>, Rows, RandomState>);

/// Ascending rows, as gaps.
#[derive(Debug)]
struct Rows {
    first: u32,
    last: u32,
    count: u32,
    gaps: Vec<u8>,
}

impl Values {
    fn add(&mut self, value: &[u8], row: u32) {
        match self.0.get_mut(value) {
            Some(rows) => rows.add(row),
            None => drop(self.0.insert(value.into(), Rows { first: row, last: row, count: 1, gaps: Vec::new() })),
        }
    }
}

impl Rows {
    fn add(&mut self, row: u32) {
        if row != self.last {
            put_number(&mut self.gaps, u64::from(row - self.last));
            self.last = row;
            self.count += 1;
        }
    }

    fn list(&self) -> Vec<u32> {
        let mut list = Vec::with_capacity(self.count as usize);
        let (mut row, mut gaps) = (self.first, &*self.gaps);
        list.push(row);
        while let Some(gap) = number(&mut gaps) {
            row += u32::try_from(gap).unwrap_or(0);
            list.push(row);
        }
        list
    }
}

impl PartBuilder {
    /// Adds the event in the next row.
    pub(crate) fn add(&mut self, entry: &Entry) {
        let row = self.rows;
        let event = &entry.event;
        if row.is_multiple_of(MARK_ROWS) {
            self.marks.push(mark(entry.event_id.as_bytes()));
        }
        self.times.push(event.occurred_at.as_millis());
        self.value(Field::Action, Some(event.action.as_str()));
        self.value(Field::Team, event.team.as_ref().map(TeamId::as_str));
        self.value(Field::Outcome, event.outcome.map(Outcome::as_str));
        let actor = &event.actor;
        let members = [Some(&*actor.id), Some(actor.kind.as_str()), actor.name.as_deref(), actor.email.as_deref()];
        self.members(Field::Actor, members);
        for target in &event.targets {
            let (name, environment) = (target.name.as_deref(), target.environment.as_deref());
            self.members(Field::Target, [target.id.as_deref(), Some(target.kind.as_str()), name, environment]);
        }
        let context = &event.context;
        self.value(Field::Ip, context.ip.as_deref());
        self.value(Field::Agent, context.user_agent.as_deref());
        self.value(Field::Key, entry.key());
        for text in [&event.id, &context.session_id, &context.request_id].into_iter().flatten() {
            self.text(Field::Words, text);
        }
        for change in &event.changes {
            self.text(Field::Words, &change.field);
            for value in [&change.before, &change.after].into_iter().flatten() {
                self.value(Field::Changes, Some(PRESENT));
                value.each_text(|text| self.text(Field::Changes, text));
            }
        }
        // What a look was looking for is not text: see `record::text`.
        if let Some(metadata) = event.metadata.as_ref().filter(|_| event.action.as_str() != LOOK) {
            self.value(Field::Metadata, Some(PRESENT));
            metadata.each_text(|text| self.text(Field::Metadata, text));
        }
        self.rows += 1;
    }

    fn put(&mut self, field: Field, value: &[u8]) {
        let row = self.rows;
        if let Some(values) = self.fields.get_mut(field as usize) {
            values.add(value, row);
        }
    }

    fn value(&mut self, field: Field, value: Option<&str>) {
        if let Some(value) = value {
            self.put(field, value.as_bytes());
        }
    }

    fn members(&mut self, field: Field, members: [Option<&str>; 4]) {
        let mut value = std::mem::take(&mut self.members);
        value.clear();
        put_members(&mut value, members);
        self.put(field, &value);
        self.members = value;
    }

    fn text(&mut self, field: Field, text: &str) {
        let mut lower = std::mem::take(&mut self.lower);
        lower.clear();
        push_lower(&mut lower, text);
        for token in tokens::tokens(&lower) {
            if tokens::is_opaque(token) {
                self.put(field, OPAQUE.as_bytes());
                if let Some(grams) = self.grams.get_mut(field as usize - Field::Words as usize) {
                    grams.add(token);
                }
                tokens::runs_of_letters(token).for_each(|run| self.put(field, run.as_bytes()));
            } else {
                self.put(field, token.as_bytes());
            }
        }
        self.lower = lower;
    }

    /// Appends the part's bytes.
    pub(crate) fn finish(self, out: &mut Vec<u8>) {
        let (mut sections, positions) = begin(self.times, &self.marks);
        for values in self.fields {
            let (dictionary, lists) = write_values(values, positions.as_deref(), self.rows);
            sections.extend([dictionary, lists]);
        }
        for grams in self.grams {
            sections.push(grams.bytes().map_or_else(Vec::new, |bytes| pack(&bytes)));
        }
        end(self.rows, &sections, out);
    }
}

/// The sections before those of fields, from the times of rows; and which position each row is, unless rows are positions.
pub(super) fn begin(times: Vec<i64>, marks: &[u64]) -> (Vec<Vec<u8>>, Option<Vec<u32>>) {
    let mut sections: Vec<Vec<u8>> = Vec::with_capacity(SECTIONS);
    let order = order(&times);
    let times: Vec<i64> = match &order {
        None => times,
        Some(order) => order.iter().filter_map(|row| times.get(*row as usize).copied()).collect(),
    };
    let (directory, data) = times::write(&times);
    drop(times);
    sections.extend([directory, data]);
    match &order {
        None => sections.extend([Vec::new(), Vec::new()]),
        Some(order) => {
            let (directory, data) = times::write(&order.iter().map(|row| i64::from(*row)).collect::<Vec<_>>());
            sections.extend([directory, data]);
        }
    }
    sections.push(marks.iter().flat_map(|mark| mark.to_le_bytes()).collect());
    (sections, order.map(|order| inverse(&order)))
}

/// Appends a part's bytes, when all sections are there.
pub(super) fn end(rows: u32, sections: &[Vec<u8>], out: &mut Vec<u8>) {
    put_number(out, u64::from(rows));
    sections.iter().for_each(|section| put_number(out, section.len() as u64));
    sections.iter().for_each(|section| out.extend(section));
}

/// What is kept of an event id: its time and the number within it.
pub(crate) fn mark(event_id: &[u8; 16]) -> u64 {
    u64::from_be_bytes(event_id.first_chunk().copied().unwrap_or_default())
}

fn write_values(values: Values, positions: Option<&[u32]>, rows: u32) -> (Vec<u8>, Vec<u8>) {
    // Most values differ in their first bytes, which are compared at once.
    let head = |value: &[u8]| {
        let mut head = [0; 8];
        head.iter_mut().zip(value).for_each(|(to, from)| *to = *from);
        u64::from_be_bytes(head)
    };
    let mut sorted: Vec<(u64, Box<[u8]>, Rows)> =
        values.0.into_iter().map(|(value, in_rows)| (head(&value), value, in_rows)).collect();
    sorted.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
    let mut lists = Vec::new();
    let mut listed = Vec::with_capacity(sorted.len());
    for (_, value, in_rows) in &mut sorted {
        let mut list = in_rows.list();
        if let Some(positions) = positions {
            list.iter_mut().for_each(|row| *row = positions.get(*row as usize).copied().unwrap_or(0));
            sort(&mut list, rows);
        }
        in_rows.gaps = Vec::new();
        let before = lists.len();
        postings::encode(&list, rows, &mut lists);
        listed.push((&**value, in_rows.count, lists.len() - before));
    }
    (Dictionary::write(&listed), lists)
}

/// Sorts different numbers below `len`, which are nearly in order.
pub(super) fn sort(list: &mut Vec<u32>, len: u32) {
    if list.is_sorted() {
        return;
    }
    if list.len() < (len / 32) as usize {
        // This one looks for what is sorted already.
        list.sort();
        return;
    }
    let mut set = Bits::none(len);
    list.iter().for_each(|at| set.insert(*at));
    list.clear();
    list.extend(set.iter());
}

/// The rows in the order of their times; `None` if they stand in it.
fn order(times: &[i64]) -> Option<Vec<u32>> {
    if times.is_sorted() {
        return None;
    }
    let mut order: Vec<(i64, u32)> = times.iter().copied().zip(0..).collect();
    order.sort_unstable();
    Some(order.into_iter().map(|(_, row)| row).collect())
}

/// Which position each row is.
fn inverse(order: &[u32]) -> Vec<u32> {
    let mut positions = vec![0; order.len()];
    for (row, at) in order.iter().zip(0..) {
        if let Some(place) = positions.get_mut(*row as usize) {
            *place = at;
        }
    }
    positions
}
