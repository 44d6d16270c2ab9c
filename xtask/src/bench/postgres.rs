//! PostgreSQL under measurement: a cluster of its own below the target folder, with the durability that it has by default.
//!
//! It refuses to run as root, so root starts it as the user `postgres` that Debian's package makes.

mod fill;
pub(crate) mod scale;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};

use super::process::{self, Server};
use super::round::Round;
use crate::stopwatch::wait_until;
use crate::tools;
pub(crate) use fill::{Rows, write_rows};

/// The trail as an application keeps it in its own database, with the indexes that its questions need.
pub(crate) const TABLE: &str = r#"
DROP TABLE IF EXISTS audit_trail_events;
CREATE TABLE audit_trail_events (
    id bigserial PRIMARY KEY,
    "createdAt" timestamptz NOT NULL,
    "actionType" text NOT NULL,
    "userId" text,
    "ipAddress" text,
    "responseTimeMs" int,
    "pageName" text,
    "queryName" text,
    "resourceName" text,
    metadata jsonb
);
CREATE INDEX ON audit_trail_events ("createdAt" DESC);
CREATE INDEX ON audit_trail_events ("actionType", "createdAt");
CREATE INDEX ON audit_trail_events ("userId", "createdAt");
CREATE INDEX ON audit_trail_events ("ipAddress");
CREATE INDEX ON audit_trail_events ("pageName");
CHECKPOINT;
"#;

/// What differs from the defaults: room, so that small defaults do not slow it down. `fsync` and `synchronous_commit` stay on.
pub(crate) const SETTINGS: [&str; 3] = ["listen_addresses=", "shared_buffers=1GB", "max_wal_size=4GB"];

/// An empty cluster.
#[derive(Debug)]
pub(crate) struct Cluster {
    programs: Programs,
    /// Data, log and what the clients write.
    folder: PathBuf,
    /// A socket's path may have about a hundred bytes, so it is not below the target folder.
    sockets: PathBuf,
}

/// Where its programs are and whether they must be started as another user.
#[derive(Debug, Clone)]
pub(crate) struct Programs {
    folder: PathBuf,
    /// `PostgreSQL 15.18`.
    pub(crate) version: String,
    as_postgres: bool,
}

impl Programs {
    /// Finds them; otherwise a sentence on what is missing.
    pub(crate) fn find() -> Result<Programs, String> {
        let folder = folders()
            .into_iter()
            .find(|folder| ["postgres", "initdb", "psql", "pgbench"].iter().all(|one| folder.join(one).is_file()));
        let folder =
            folder.ok_or("no folder has postgres, initdb, psql and pgbench; `apt-get install postgresql` brings them")?;
        let as_postgres = tools::is_root();
        if as_postgres && (tools::find("setpriv").is_none() || tools::output(Command::new("id").arg("postgres")).is_err()) {
            return Err("PostgreSQL does not run as root, and the user postgres or the program setpriv is missing".into());
        }
        let said = tools::output(Command::new(folder.join("postgres")).arg("--version")).map_err(|e| e.to_string())?;
        // `postgres (PostgreSQL) 15.18 (Debian …)`
        let version = format!("PostgreSQL {}", said.split_whitespace().nth(2).unwrap_or("of unknown version"));
        Ok(Programs { folder, version, as_postgres })
    }

    /// A program of the server, as the user that it must run as.
    fn as_owner(&self, program: &str) -> Command {
        let path = self.folder.join(program);
        if !self.as_postgres {
            return Command::new(path);
        }
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]).arg(path);
        command
    }

    fn give_to_owner(&self, folder: &Path) -> anyhow::Result<()> {
        std::fs::create_dir_all(folder).with_context(|| format!("could not create {}", folder.display()))?;
        if self.as_postgres {
            tools::output(Command::new("chown").arg("postgres:postgres").arg(folder))?;
        }
        Ok(())
    }
}

/// The folders that may hold the programs, the newest version first.
fn folders() -> Vec<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = Vec::new();
    for entry in std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten() {
        if let Some(version) = entry.file_name().to_str().and_then(|name| name.parse().ok()) {
            versions.push((version, entry.path().join("bin")));
        }
    }
    versions.sort_by(|a, b| b.cmp(a));
    let on_path = tools::find("postgres").and_then(|path| path.canonicalize().ok()?.parent().map(Path::to_path_buf));
    versions.into_iter().map(|(_, folder)| folder).chain(on_path).collect()
}

impl Cluster {
    /// Makes one in that folder, which must not be there.
    pub(crate) fn create(programs: Programs, folder: PathBuf) -> anyhow::Result<Cluster> {
        let sockets = std::env::temp_dir().join(format!("acta-bench-{}", std::process::id()));
        programs.give_to_owner(&folder)?;
        programs.give_to_owner(&sockets)?;
        let cluster = Cluster { programs, folder, sockets };
        let mut initdb = cluster.programs.as_owner("initdb");
        initdb.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--pgdata"]);
        tools::output(initdb.arg(cluster.data()).current_dir(&cluster.folder))?;
        Ok(cluster)
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Starts it and waits until it takes connections.
    fn start(&self) -> anyhow::Result<Server> {
        self.start_with(&SETTINGS)
    }

    fn start_with(&self, settings: &[&str]) -> anyhow::Result<Server> {
        let log_path = self.folder.join("postgres.log");
        let log = File::create(&log_path)?;
        let mut postgres = self.programs.as_owner("postgres");
        postgres.arg("-D").arg(self.data()).arg("-k").arg(&self.sockets).current_dir(&self.folder);
        for setting in settings {
            postgres.args(["-c", *setting]);
        }
        let mut server = Server::start("postgres", postgres.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log))?;
        let ready = wait_until(Duration::from_secs(60), || {
            let mut asked = self.client("pg_isready");
            (server.ended().is_some() || tools::output(asked.arg("--quiet")).is_ok()).then_some(())
        });
        if ready.is_none() || server.ended().is_some() {
            bail!("PostgreSQL did not start: {}", std::fs::read_to_string(&log_path).unwrap_or_default());
        }
        Ok(server)
    }

    /// A program that connects to it.
    fn client(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.folder.join(program));
        command.arg("--host").arg(&self.sockets).arg("--username=postgres").current_dir(&self.folder);
        command
    }

    /// `psql` that ignores everybody's settings and ends at the first error.
    fn psql(&self) -> Command {
        let mut command = self.client("psql");
        command.args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--dbname=postgres"]);
        command
    }

    fn sql(&self, text: &str) -> anyhow::Result<String> {
        let printed = tools::output(self.psql().args(["--tuples-only", "--no-align", "--command", text]))?;
        Ok(printed.trim().to_owned())
    }

    /// Records everything in a fresh table.
    pub(crate) fn round(&self, rows: &Rows) -> anyhow::Result<Round> {
        let server = self.start()?;
        // One command each: several in one are one transaction, and CHECKPOINT refuses to be part of one.
        for statement in TABLE.split_inclusive(';').filter(|statement| !statement.trim().is_empty()) {
            self.sql(statement)?;
        }
        let batches = self.with_cpu(&server, || fill::batches(self, rows))?;
        let singles = self.with_cpu(&server, || fill::singles(self, rows))?;
        let count: usize = self.sql("SELECT count(*) FROM audit_trail_events")?.parse()?;
        if count != batches.events + singles.events {
            bail!("PostgreSQL holds {count} rows where {} were written", batches.events + singles.events);
        }
        let bytes = self.sql("SELECT pg_total_relation_size('audit_trail_events')")?.parse()?;
        server.stop("INT")?;
        Ok(Round { batches, singles, bytes, peak_bytes: None, questions: Vec::new() })
    }

    fn with_cpu(
        &self,
        server: &Server,
        work: impl FnOnce() -> anyhow::Result<super::round::Ingest>,
    ) -> anyhow::Result<super::round::Ingest> {
        let before = self.settled_cpu_seconds(server)?;
        let mut ingest = work()?;
        ingest.cpu_seconds = self.settled_cpu_seconds(server)? - before;
        Ok(ingest)
    }

    /// The processor time once all connections are gone, so that none is missed between two readings.
    fn settled_cpu_seconds(&self, server: &Server) -> anyhow::Result<f64> {
        let others =
            "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
        let settled = wait_until(Duration::from_secs(10), || (self.sql(others).ok()? == "0").then_some(()));
        settled.context("connections to PostgreSQL stay open")?;
        process::cpu_seconds_of_family(server.pid())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.sockets);
    }
}
