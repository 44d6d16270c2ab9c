//! Those that Acta is compared with, and what is measured of each.

use std::io::Write;

use anyhow::bail;

use super::asking::Times;
use super::sql::Dialect;
use super::story::Story;

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    Postgres,
    Sqlite,
    DuckDb,
    ClickHouse,
}

impl Peer {
    pub(crate) const ALL: [Peer; 4] = [Peer::Postgres, Peer::Sqlite, Peer::DuckDb, Peer::ClickHouse];

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Peer::Postgres => "postgres",
            Peer::Sqlite => "sqlite",
            Peer::DuckDb => "duckdb",
            Peer::ClickHouse => "clickhouse",
        }
    }

    /// Its SQL.
    pub(crate) fn dialect(self) -> Dialect {
        match self {
            Peer::Postgres => Dialect::Postgres,
            Peer::Sqlite => Dialect::Sqlite,
            Peer::DuckDb => Dialect::DuckDb,
            Peer::ClickHouse => Dialect::ClickHouse,
        }
    }

    /// By their names, separated by commas. Acta itself is always measured, so that it may be named too.
    pub(crate) fn parse_list(names: &str) -> anyhow::Result<Vec<Peer>> {
        let mut peers = Vec::new();
        for name in names.split(',').filter(|name| !matches!(*name, "" | "acta" | "none")) {
            match Peer::ALL.into_iter().find(|peer| peer.name() == name) {
                Some(peer) => peers.push(peer),
                None => bail!("`{name}` is no peer; acta, postgres, sqlite, duckdb and clickhouse are"),
            }
        }
        Ok(peers)
    }
}

/// What was measured of a peer.
#[derive(Debug)]
pub(crate) struct Measured {
    /// With its version.
    pub(crate) name: String,
    /// From the first row until everything is indexed and at rest.
    pub(crate) load_seconds: f64,
    pub(crate) load_cpu_seconds: f64,
    pub(crate) bytes: u64,
    pub(crate) times: Vec<Times>,
    pub(crate) asking_cpu_seconds: f64,
    /// The most memory while questions were asked.
    pub(crate) peak_bytes: u64,
}

/// Writes the rows of all events, telling now and then how far it is.
pub(crate) fn write_rows(who: &str, story: &Story, to: &mut impl Write) -> anyhow::Result<()> {
    let mut rows = String::new();
    for number in 0..story.count {
        story.get(number).push_row(&mut rows);
        if rows.len() > 256 * 1_024 {
            to.write_all(rows.as_bytes())?;
            rows.clear();
        }
        if number % 1_000_000 == 999_999 {
            println!("{who}: {} million rows", (number + 1) / 1_000_000);
        }
    }
    to.write_all(rows.as_bytes())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_are_known_by_name() {
        assert_eq!(Peer::parse_list("acta,duckdb,postgres").unwrap(), [Peer::DuckDb, Peer::Postgres]);
        assert_eq!(Peer::parse_list("acta").unwrap(), []);
        assert!(Peer::parse_list("oracle").is_err());
    }

    #[test]
    fn every_event_is_one_row() {
        let mut rows = Vec::new();
        write_rows("test", &Story::new(1, 2_345, 0), &mut rows).unwrap();
        assert_eq!(String::from_utf8(rows).unwrap().lines().count(), 2_345);
    }
}
