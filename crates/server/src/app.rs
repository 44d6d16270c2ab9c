//! The process's one shared state.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use directory::{Directory, DirectoryOptions};
use record::{Limits, Timestamp};
use store::disk::{Disk, RealDisk};
use store::{Cancel, Chance, Clock, Reader, Store};
use tokio::sync::{Notify, Semaphore};

use crate::authority::Authority;
use crate::config::Config;
use crate::delivering::Delivering;
use crate::doors::{SystemChance, SystemClock};
use crate::keys::Keys;
use crate::looks::Looks;
use crate::mail_settings;
use crate::metrics::Metrics;
use crate::problem::Problem;
use crate::redaction;
use crate::tasks::Tasks;

/// The directory's database file, in the data directory.
pub const DATABASE: &str = "acta.db";

/// Reads of the log at once.
const READS_MAX: usize = 4;
/// How long a read may wait for its turn.
const READ_PATIENCE: Duration = Duration::from_secs(10);
/// KiB of bodies in memory at once.
const BODIES_KIB_MAX: usize = 192 * 1024;

/// What every handler has at hand.
#[derive(Debug)]
pub struct App {
    /// Events.
    pub store: Store,
    /// Organizations, people, keys.
    pub directory: Arc<Directory>,
    /// Who may do what with the organization's things.
    pub authority: Authority,
    /// Settings.
    pub config: Config,
    /// How large an event may be.
    pub limits: Limits,
    /// API keys that were looked up a moment ago.
    pub keys: Keys,
    /// What is taken out of each organization's events.
    pub policies: redaction::Policies,
    /// Which reads were recorded a moment ago.
    pub looks: Looks,
    /// What delivers events to destinations.
    pub delivering: Delivering,
    /// Figures.
    pub metrics: Metrics,
    /// Background tasks.
    pub tasks: Tasks,
    /// How many reads of the log run at once, so that no reader keeps events from being recorded.
    reads: Arc<Semaphore>,
    /// What sends mails; without it, the server cannot.
    pub mailer: Option<mail::Mailer>,
    /// Told when a mail waits to be sent.
    pub mail_waits: Notify,
    /// Bytes of bodies that may be in memory at once, in KiB.
    pub bodies_kib: Semaphore,
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
        let mailer = mail_settings::mailer(&config).map_err(|(name, what)| anyhow::anyhow!("{name} {what}"))?;
        let delivering = Delivering::open(&config, doors.clock.clone(), doors.chance.clone())?;
        Ok(App {
            store,
            delivering,
            mailer,
            mail_waits: Notify::new(),
            directory,
            authority: Authority::new()?,
            limits: config.limits(),
            config,
            keys: Keys::default(),
            policies: redaction::Policies::default(),
            looks: Looks::default(),
            metrics: Metrics::default(),
            tasks: Tasks::default(),
            reads: Arc::new(Semaphore::new(READS_MAX)),
            bodies_kib: Semaphore::new(BODIES_KIB_MAX),
            doors,
        })
    }

    /// Reads the log where it holds nobody up. So many reads at once, and so many waiting; the next is told to come back.
    /// When the client hangs up, this future is dropped, and what is read through the [`Reader`] ends early.
    pub async fn reading<T: Send + 'static>(
        self: &Arc<App>,
        work: impl FnOnce(&App, &Reader<'_>) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let permit = tokio::time::timeout(READ_PATIENCE, self.reads.clone().acquire_owned()).await;
        let Ok(Ok(permit)) = permit else { return Err(store::StoreError::Busy.into()) };
        let app = self.clone();
        let on_hang_up = OnDrop(Cancel::default());
        let cancel = on_hang_up.0.clone();
        blocking(move || {
            // Held until the work has ended, also where nobody waits for it any more.
            let _permit = permit;
            work(&app, &app.store.reader(&cancel))
        })
        .await
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

/// Sets its flag when it goes.
struct OnDrop(Cancel);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Runs what blocks (files, the database, hashing of passwords) where it holds nobody up.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(Problem::internal)
}
