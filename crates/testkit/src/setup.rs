use std::sync::Arc;

use record::parse::Parsed;
use record::{OrgId, Timestamp};
use store::disk::Disk;
use store::{Answer, AppendError, Idempotency, Options, Prepared, Store, StoreError};

use crate::{MemoryDisk, SeededChance, SeededClock, scope};

/// Everything a store is opened with.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Its files.
    pub disk: Arc<dyn Disk>,
    /// Its clock.
    pub clock: SeededClock,
    /// Its chance.
    pub chance: SeededChance,
    /// Its options.
    pub options: Options,
}

impl Setup {
    /// An empty disk in memory, and options for tests.
    pub fn new(seed: u64) -> Setup {
        Setup {
            disk: Arc::new(MemoryDisk::new()),
            clock: SeededClock::default(),
            chance: SeededChance::new(seed),
            options: Options::for_tests(),
        }
    }

    /// The same with another disk.
    #[must_use]
    pub fn on(self, disk: impl Disk + 'static) -> Setup {
        Setup { disk: Arc::new(disk), ..self }
    }

    /// Opens the store.
    pub fn try_open(&self) -> Result<Store, StoreError> {
        let (clock, chance) = (Arc::new(self.clock.clone()), Arc::new(self.chance.clone()));
        Store::open(self.disk.clone(), clock, chance, self.options.clone())
    }

    /// Opens the store, which must work.
    pub fn open(&self) -> Store {
        self.try_open().expect("the store opens")
    }

    /// Seals events' units.
    pub fn prepare(&self, org: OrgId, events: impl IntoIterator<Item = Parsed>) -> Vec<Prepared> {
        events.into_iter().map(|parsed| Prepared::new(parsed, org, Some("key_1"), &self.chance)).collect()
    }

    /// Appends one request and waits for its answers.
    pub fn append(
        &self,
        store: &Store,
        org: OrgId,
        events: impl IntoIterator<Item = Parsed>,
    ) -> Result<Vec<Answer>, AppendError> {
        store.append_wait(&scope(org), self.prepare(org, events), None)
    }

    /// Appends one request with an idempotency key and waits for its answers.
    pub fn append_once(
        &self,
        store: &Store,
        org: OrgId,
        events: impl IntoIterator<Item = Parsed>,
        idempotency: Idempotency,
    ) -> Result<Vec<Answer>, AppendError> {
        store.append_wait(&scope(org), self.prepare(org, events), Some(idempotency))
    }

    /// What the clock shows, without moving it.
    pub fn now(&self) -> Timestamp {
        use store::Clock;
        self.clock.set_step_ms(0);
        let now = self.clock.now();
        self.clock.set_step_ms(1);
        now
    }
}
