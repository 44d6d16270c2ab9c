//! Making a part from the parts of neighbouring segments: to the byte what would be made of all their events.
//!
//! So `acta check` compares it with the events as any other, and merging does not cut texts into words a second time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use bytes::Bytes;

use super::dictionary::{Dictionary, pack};
use super::{Field, Part, build};
use crate::error::StoreError;
use crate::postings;
use crate::tokens::Grams;

/// Appends the bytes of the part that has the events of some parts, in their order. `marks` are those of its rows. `pause` is
/// called now and then; what it fails with ends it.
pub(crate) fn merge(
    parts: &[Part],
    marks: &[u64],
    pause: &mut dyn FnMut() -> Result<(), StoreError>,
    out: &mut Vec<u8>,
) -> Result<(), StoreError> {
    let rows = parts.iter().map(Part::rows).sum();
    let (mut sections, places) = begin(parts, marks, rows)?;
    for field in Field::ALL {
        pause()?;
        let (dictionary, lists) = merge_field(parts, field, &places, rows)?;
        sections.extend([dictionary, lists]);
    }
    for field in Field::ALL.into_iter().filter(|field| field.is_text()) {
        let mut grams = Grams::default();
        for part in parts {
            part.grams(field)?.into_iter().for_each(|its| grams.or(&its));
        }
        sections.push(grams.bytes().map_or_else(Vec::new, |bytes| pack(&bytes)));
    }
    build::end(rows, &sections, out);
    Ok(())
}

/// For each part, where its positions are in all.
type Places = Vec<Vec<u32>>;

/// The first sections, and where the parts' positions are.
fn begin(parts: &[Part], marks: &[u64], rows: u32) -> Result<(Vec<Vec<u8>>, Places), StoreError> {
    let mut times = vec![0; rows as usize];
    let mut places = Vec::with_capacity(parts.len());
    let mut start = 0;
    for part in parts {
        let mut own = part.all_rows()?;
        own.iter_mut().for_each(|row| *row += start);
        for (row, time) in own.iter().zip(part.all_times()?) {
            if let Some(place) = times.get_mut(*row as usize) {
                *place = time;
            }
        }
        places.push(own);
        start += part.rows();
    }
    let (sections, positions) = build::begin(times, marks);
    if let Some(positions) = positions {
        for row in places.iter_mut().flatten() {
            *row = positions.get(*row as usize).copied().unwrap_or(0);
        }
    }
    Ok((sections, places))
}

/// The next value of one of the parts: its bytes, which part, which number.
type Next<'d> = Reverse<(&'d [u8], usize, usize)>;

fn merge_field(parts: &[Part], field: Field, places: &[Vec<u32>], rows: u32) -> Result<(Vec<u8>, Vec<u8>), StoreError> {
    let sources = parts.iter().map(|part| part.uncached(field)).collect::<Result<Vec<(Dictionary, Bytes)>, StoreError>>()?;
    let next = |of: usize, number: usize| -> Option<Next<'_>> {
        let (dictionary, _) = sources.get(of)?;
        (number < dictionary.len()).then(|| Reverse((dictionary.value(number), of, number)))
    };
    let mut heap: BinaryHeap<Next<'_>> = (0..sources.len()).filter_map(|of| next(of, 0)).collect();
    let (mut listed, mut lists, mut list) = (Vec::new(), Vec::new(), Vec::new());
    while let Some(&Reverse((value, ..))) = heap.peek() {
        list.clear();
        while let Some(mut top) = heap.peek_mut()
            && top.0.0 == value
        {
            let Reverse((_, of, number)) = *top;
            if let (Some((dictionary, bytes)), Some(part), Some(places)) = (sources.get(of), parts.get(of), places.get(of)) {
                let place = |at: u32| places.get(at as usize).copied().unwrap_or(0);
                let read = dictionary.entry(number).and_then(|entry| {
                    let bytes = bytes.get(entry.list)?;
                    postings::decode(bytes, entry.count, part.rows(), |at| list.push(place(at)))
                });
                read.ok_or_else(|| part.corrupt("a list is malformed"))?;
            }
            match next(of, number + 1) {
                Some(next) => *top = next,
                None => drop(PeekMut::pop(top)),
            }
        }
        build::sort(&mut list, rows);
        let before = lists.len();
        postings::encode(&list, rows, &mut lists);
        listed.push((value, u32::try_from(list.len()).unwrap_or(u32::MAX), lists.len() - before));
    }
    Ok((Dictionary::write(&listed), lists))
}
