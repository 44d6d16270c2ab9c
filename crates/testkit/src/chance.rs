use std::sync::{Arc, Mutex, PoisonError};

/// Random bytes that are the same for the same seed. Clones share one sequence.
#[derive(Debug, Clone)]
pub struct SeededChance(Arc<Mutex<fastrand::Rng>>);

impl SeededChance {
    /// Chance from a seed.
    pub fn new(seed: u64) -> SeededChance {
        SeededChance(Arc::new(Mutex::new(fastrand::Rng::with_seed(seed))))
    }
}

impl store::Chance for SeededChance {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill(bytes);
    }
}
