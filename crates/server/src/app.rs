//! The process's one shared state.

use std::path::Path;
use std::sync::Arc;

use directory::{Directory, DirectoryOptions};
use record::{Limits, Timestamp};
use store::disk::{Disk, RealDisk};
use store::{Chance, Clock, Store};

use crate::config::Config;
use crate::doors::{SystemChance, SystemClock};
use crate::keys::Keys;
use crate::looks::Looks;
use crate::metrics::Metrics;
use crate::tasks::Tasks;

/// The directory's database file, in the data directory.
pub const DATABASE: &str = "acta.db";

/// What every handler has at hand.
#[derive(Debug)]
pub struct App {
    /// Events.
    pub store: Store,
    /// Organizations, people, keys.
    pub directory: Arc<Directory>,
    /// Settings.
    pub config: Config,
    /// How large an event may be.
    pub limits: Limits,
    /// API keys that were looked up a moment ago.
    pub keys: Keys,
    /// Which reads were recorded a moment ago.
    pub looks: Looks,
    /// Figures.
    pub metrics: Metrics,
    /// Background tasks.
    pub tasks: Tasks,
    doors: Doors,
}

/// The doors to time, chance and files.
#[derive(Clone)]
pub struct Doors {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance, for events.
    pub chance: Arc<dyn Chance>,
    /// Chance, for secrets.
    pub secrets: Arc<dyn directory::Chance>,
    /// The data directory.
    pub disk: Arc<dyn Disk>,
}

impl std::fmt::Debug for Doors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Doors").field("disk", &self.disk).finish_non_exhaustive()
    }
}

impl Doors {
    /// The operating system's.
    pub fn system(data: &Path) -> std::io::Result<Doors> {
        Ok(Doors {
            clock: Arc::new(SystemClock::default()),
            chance: Arc::new(SystemChance),
            secrets: Arc::new(SystemChance),
            disk: Arc::new(RealDisk::open(data)?),
        })
    }
}

/// Opens the directory of a data directory.
pub fn open_directory(
    data: &Path,
    doors: &Doors,
    options: DirectoryOptions,
) -> Result<Directory, directory::DirectoryError> {
    Directory::open(&data.join(DATABASE), doors.secrets.clone(), options)
}

impl App {
    /// Opens the data directory that the configuration names.
    pub fn open(config: Config, doors: Doors, options: DirectoryOptions) -> anyhow::Result<App> {
        // The store first: it takes the data directory's lock.
        let store = Store::open(doors.disk.clone(), doors.clock.clone(), doors.chance.clone(), config.store_options())?;
        let directory = Arc::new(open_directory(&config.data, &doors, options)?);
        Ok(App {
            store,
            directory,
            limits: config.limits(),
            config,
            keys: Keys::default(),
            looks: Looks::default(),
            metrics: Metrics::default(),
            tasks: Tasks::default(),
            doors,
        })
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.doors.clock.now()
    }

    /// The clock, for measuring.
    pub fn clock(&self) -> &dyn Clock {
        &*self.doors.clock
    }

    /// Chance.
    pub fn chance(&self) -> &dyn Chance {
        &*self.doors.chance
    }
}

/// Runs what blocks (files, the database, hashing of passwords) where it holds nobody up.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, crate::problem::Problem> {
    tokio::task::spawn_blocking(work).await.map_err(crate::problem::Problem::internal)
}
