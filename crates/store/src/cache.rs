//! What has been read and computed from segments, as long as there is room. Segments never change, so nothing in here is ever
//! wrong; at worst it is gone.

use std::any::Any;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::StoreError;
use crate::segment::SegmentId;

/// Bytes that parsed pieces of segments and sidecars may take.
const PIECES_BYTES: usize = 136 << 20;
/// Bytes that counts may take.
const COUNTS_BYTES: usize = 8 << 20;

/// A piece of a segment: which, and where in it. Places are told apart by their offset, sorts by a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Piece {
    pub(crate) segment: SegmentId,
    pub(crate) sort: u8,
    pub(crate) at: u64,
}

/// The hash of a question: a scope and a filter.
pub(crate) type Question = [u8; 16];

/// All caches of a store.
#[derive(Debug)]
pub(crate) struct Cache {
    pieces: Mutex<Bounded<Piece, Arc<dyn Any + Send + Sync>>>,
    counts: Mutex<Bounded<(SegmentId, Question), u64>>,
}

impl Default for Cache {
    fn default() -> Cache {
        Cache { pieces: Mutex::new(Bounded::new(PIECES_BYTES)), counts: Mutex::new(Bounded::new(COUNTS_BYTES)) }
    }
}

impl Cache {
    /// A piece, made unless it is there. `make` also says how many bytes it takes. Two threads may make the same at once.
    pub(crate) fn piece<T: Any + Send + Sync>(
        &self,
        piece: Piece,
        make: impl FnOnce() -> Result<(T, usize), StoreError>,
    ) -> Result<Arc<T>, StoreError> {
        if let Some(held) = self.held(piece) {
            return Ok(held);
        }
        let (made, bytes) = make()?;
        let made = Arc::new(made);
        self.keep(piece, made.clone(), bytes);
        Ok(made)
    }

    /// A piece that is there.
    pub(crate) fn held<T: Any + Send + Sync>(&self, piece: Piece) -> Option<Arc<T>> {
        let held = self.pieces.lock().unwrap_or_else(PoisonError::into_inner).get(&piece).cloned();
        held.and_then(|held| held.downcast().ok())
    }

    /// Keeps a piece that takes so many bytes.
    pub(crate) fn keep<T: Any + Send + Sync>(&self, piece: Piece, made: Arc<T>, bytes: usize) {
        self.pieces.lock().unwrap_or_else(PoisonError::into_inner).put(piece, made, bytes + 128);
    }

    /// How many events of a segment answer a question, if that was counted.
    pub(crate) fn count(&self, segment: SegmentId, question: Question) -> Option<u64> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).get(&(segment, question)).copied()
    }

    /// Remembers a count.
    pub(crate) fn counted(&self, segment: SegmentId, question: Question, count: u64) {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).put((segment, question), count, 96);
    }
}

/// A map that lets go of what was longest not used when it is full.
#[derive(Debug)]
struct Bounded<K, V> {
    held: HashMap<K, Held<V>>,
    bytes: usize,
    bytes_max: usize,
    uses: u64,
}

#[derive(Debug)]
struct Held<V> {
    value: V,
    bytes: usize,
    used: u64,
}

impl<K: Hash + Eq + Copy, V> Bounded<K, V> {
    fn new(bytes_max: usize) -> Bounded<K, V> {
        Bounded { held: HashMap::new(), bytes: 0, bytes_max, uses: 0 }
    }

    fn get(&mut self, key: &K) -> Option<&V> {
        self.uses += 1;
        let held = self.held.get_mut(key)?;
        held.used = self.uses;
        Some(&held.value)
    }

    fn put(&mut self, key: K, value: V, bytes: usize) {
        if bytes > self.bytes_max / 4 {
            return; // It would drive out everything else.
        }
        self.uses += 1;
        let before = self.held.insert(key, Held { value, bytes, used: self.uses });
        self.bytes += bytes;
        self.bytes -= before.map_or(0, |before| before.bytes);
        if self.bytes > self.bytes_max {
            self.shrink();
        }
    }

    /// Lets go of the older part, so that this is not done for every new one.
    fn shrink(&mut self) {
        let mut ages: Vec<(u64, K)> = self.held.iter().map(|(key, held)| (held.used, *key)).collect();
        ages.sort_unstable_by_key(|(used, _)| *used);
        for (_, key) in ages {
            if self.bytes <= self.bytes_max / 4 * 3 {
                break;
            }
            self.bytes -= self.held.remove(&key).map_or(0, |held| held.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_last_stays_and_the_bound_holds() {
        let mut bounded: Bounded<u32, u32> = Bounded::new(1_000);
        for n in 0..100 {
            bounded.put(n, n, 50);
            assert!(bounded.bytes <= 1_000);
            assert_eq!(bounded.get(&0), Some(&0), "used all the time");
        }
        assert_eq!(bounded.get(&99), Some(&99));
        assert_eq!(bounded.get(&1), None);
        bounded.put(200, 0, 500);
        assert_eq!(bounded.get(&200), None, "too large to be kept");
        bounded.put(99, 7, 60);
        assert_eq!(bounded.get(&99), Some(&7));
        let bytes: usize = bounded.held.values().map(|held| held.bytes).sum();
        assert_eq!(bounded.bytes, bytes);
    }
}
