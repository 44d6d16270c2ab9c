//! The peers' table, and every question as they are asked it.

use super::question::{FIELDS, PAGE, Question, Wanted, Where};
use super::story::{COLUMNS, DAY_MS};

/// Whose SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Postgres,
    Sqlite,
    DuckDb,
    ClickHouse,
}

use Dialect::{ClickHouse, DuckDb, Postgres, Sqlite};

const TABLE: &str = "audit_trail_events";

impl Dialect {
    /// The type of a column.
    fn kind(self, column: &str) -> &'static str {
        let nullable = matches!(column, "team" | "page" | "query" | "resource" | "environment");
        match (self, column) {
            (ClickHouse, "occurred_ms") => "Int64 CODEC(DoubleDelta, ZSTD)",
            (ClickHouse, "seq") => "Int64 CODEC(Delta, ZSTD)",
            (ClickHouse, "org" | "took_ms" | "customer") => "Int32",
            (ClickHouse, "request_id" | "message" | "metadata") => "String CODEC(ZSTD)",
            (ClickHouse, _) if nullable => "LowCardinality(Nullable(String))",
            (ClickHouse, _) => "LowCardinality(String)",
            (Sqlite, "seq") => "INTEGER PRIMARY KEY",
            (_, "occurred_ms" | "seq") => "BIGINT NOT NULL",
            (_, "org" | "took_ms" | "customer") => "INTEGER NOT NULL",
            (Postgres, "metadata") => "JSONB NOT NULL",
            _ if nullable => "TEXT",
            _ => "TEXT NOT NULL",
        }
    }

    /// Names and types, for files as well as for the table.
    pub(crate) fn columns(self) -> String {
        COLUMNS.map(|column| format!("{column} {}", self.kind(column))).join(", ")
    }

    /// What is done before the events come.
    pub(crate) fn create(self) -> Vec<String> {
        let columns = self.columns();
        match self {
            Postgres => vec![
                "CREATE EXTENSION IF NOT EXISTS pg_trgm".into(),
                format!("DROP TABLE IF EXISTS {TABLE}"),
                format!("CREATE TABLE {TABLE} ({columns})"),
            ],
            Sqlite => [
                "PRAGMA page_size = 8192",
                "PRAGMA journal_mode = WAL",
                "PRAGMA synchronous = FULL",
                "PRAGMA cache_size = -1000000",
            ]
            .map(str::to_owned)
            .into_iter()
            .chain([format!("CREATE TABLE {TABLE} ({columns})")])
            .collect(),
            DuckDb => vec!["SET threads = 2".into(), format!("CREATE TABLE {TABLE} ({columns})")],
            ClickHouse => vec![
                "CREATE DATABASE IF NOT EXISTS bench".into(),
                format!(
                    "CREATE TABLE bench.{TABLE} ({columns}, \
                     INDEX by_seq seq TYPE minmax GRANULARITY 1, \
                     INDEX by_action action TYPE set(0) GRANULARITY 1, \
                     INDEX by_actor actor_id TYPE bloom_filter GRANULARITY 1, \
                     INDEX by_message message TYPE text(tokenizer = splitByNonAlpha) GRANULARITY 100000000) \
                     ENGINE = MergeTree ORDER BY (org, occurred_ms, seq)"
                ),
            ],
        }
    }

    /// How a file of rows is taken in, for engines that read files; `{file}` is its path.
    pub(crate) fn insert(self) -> String {
        match self {
            Postgres => format!("COPY {TABLE} FROM STDIN"),
            Sqlite => format!("INSERT INTO {TABLE} VALUES ({})", COLUMNS.map(|_| "?").join(", ")),
            DuckDb => {
                let columns = COLUMNS.map(|column| {
                    let kind = DuckDb.kind(column).trim_end_matches(" NOT NULL");
                    format!("'{column}': '{}'", if kind == "TEXT" { "VARCHAR" } else { kind })
                });
                format!(
                    "INSERT INTO {TABLE} SELECT * FROM read_csv('{{file}}', delim = '\\t', header = false, quote = '', \
                     escape = '', nullstr = '\\N', auto_detect = false, columns = {{{}}})",
                    columns.join(", ")
                )
            }
            ClickHouse => {
                let columns = COLUMNS.map(|column| {
                    let kind = ClickHouse.kind(column).split(" CODEC").next().unwrap_or_default();
                    format!("{column} {kind}")
                });
                format!("INSERT INTO bench.{TABLE} SELECT * FROM file('{{file}}', 'TSV', '{}')", columns.join(", "))
            }
        }
    }

    /// What is done once all events are there: indexes, and what makes questions faster.
    pub(crate) fn finish(self) -> Vec<String> {
        let index = |columns: &str| format!("CREATE INDEX ON {TABLE} ({columns})");
        let of = ["org, occurred_ms, seq"].into_iter().map(str::to_owned);
        let of = of
            .chain(["action", "actor_id", "team", "outcome", "resource"].map(|one| format!("org, {one}, occurred_ms, seq")));
        match self {
            Postgres => of
                .map(|columns| index(&columns))
                .chain([
                    format!("ALTER TABLE {TABLE} ADD PRIMARY KEY (seq)"),
                    format!("CREATE INDEX ON {TABLE} USING gin (message gin_trgm_ops)"),
                    format!("CREATE INDEX ON {TABLE} USING gin (actor_email gin_trgm_ops)"),
                    format!("VACUUM (ANALYZE) {TABLE}"),
                    "CHECKPOINT".into(),
                ])
                .collect(),
            Sqlite => of
                .enumerate()
                .map(|(at, columns)| format!("CREATE INDEX by_{at} ON {TABLE} ({columns})"))
                .chain([
                    format!(
                        "CREATE VIRTUAL TABLE search USING fts5(message, actor_email, tokenize = 'trigram', \
                         content = '{TABLE}', content_rowid = 'seq')"
                    ),
                    "INSERT INTO search (search) VALUES ('rebuild')".into(),
                    "INSERT INTO search (search) VALUES ('optimize')".into(),
                    "ANALYZE".into(),
                    "PRAGMA wal_checkpoint(TRUNCATE)".into(),
                ])
                .collect(),
            DuckDb => vec![format!("CREATE UNIQUE INDEX by_seq ON {TABLE} (seq)"), "CHECKPOINT".into()],
            ClickHouse => vec![format!("OPTIMIZE TABLE bench.{TABLE} FINAL")],
        }
    }

    /// What a connection that asks begins with.
    pub(crate) fn begin(self) -> Vec<String> {
        match self {
            Postgres => vec!["SET jit = off".into()],
            Sqlite => vec!["PRAGMA cache_size = -1000000".into(), "PRAGMA mmap_size = 8000000000".into()],
            DuckDb => vec!["SET threads = 2".into()],
            ClickHouse => vec!["USE bench".into(), "SET max_threads = 2".into()],
        }
    }

    /// The statements of a question, in the order in which their answers are read.
    pub(crate) fn statements(self, question: &Question) -> Vec<String> {
        let wheres: Vec<String> = question.wheres.iter().map(|one| self.condition(one)).collect();
        let wheres = std::iter::once("org = 0".to_owned()).chain(wheres).collect::<Vec<_>>().join(" AND ");
        let page = |offset: usize| {
            format!("SELECT * FROM {TABLE} WHERE {wheres} ORDER BY occurred_ms DESC, seq DESC LIMIT {PAGE} OFFSET {offset}")
        };
        let count = format!("SELECT count(*) FROM {TABLE} WHERE {wheres}");
        match &question.wanted {
            Wanted::Newest => vec![page(0)],
            Wanted::Page(number) => vec![page((number - 1) * PAGE), count],
            Wanted::One { number, .. } => vec![format!("SELECT * FROM {TABLE} WHERE seq = {number}")],
            Wanted::Counts { from } => {
                let field = |field: &str| {
                    let field = if field == "actor" { "actor_id" } else { field };
                    format!(
                        "SELECT {field}, count(*) AS n, count(*) OVER () AS different FROM {TABLE} WHERE {wheres} AND {field} IS NOT NULL \
                         GROUP BY {field} ORDER BY n DESC, {field} LIMIT 10"
                    )
                };
                let day = match self {
                    DuckDb => format!("(occurred_ms - {from}) // {DAY_MS}"),
                    ClickHouse => format!("intDiv(occurred_ms - {from}, {DAY_MS})"),
                    Postgres | Sqlite => format!("(occurred_ms - {from}) / {DAY_MS}"),
                };
                let days = format!("SELECT {day} AS day, count(*) FROM {TABLE} WHERE {wheres} GROUP BY 1 ORDER BY 1");
                FIELDS.into_iter().map(field).chain([days]).collect()
            }
        }
    }

    fn condition(self, one: &Where) -> String {
        match one {
            Where::Action(name) => format!("action = '{name}'"),
            Where::Actor(id) => format!("actor_id = '{id}'"),
            Where::Team(id) => format!("team = '{id}'"),
            Where::Outcome(name) => format!("outcome = '{name}'"),
            Where::Resource(name) => format!("resource = '{name}'"),
            Where::From(at) => format!("occurred_ms >= {at}"),
            Where::To(at) => format!("occurred_ms <= {at}"),
            Where::Email(part) => self.contains("actor_email", std::slice::from_ref(part)),
            Where::Words(words) => self.contains("message", words),
            Where::SeenBy(team, hidden) if hidden.is_empty() => format!("team = '{team}'"),
            Where::SeenBy(team, hidden) => {
                let hidden: Vec<String> = hidden.iter().map(|action| format!("'{action}'")).collect();
                format!("team = '{team}' AND action NOT IN ({})", hidden.join(", "))
            }
        }
    }

    /// All of the parts stand in the column, without regard to case.
    fn contains(self, column: &str, parts: &[String]) -> String {
        if self == Sqlite {
            // The trigram index finds substrings.
            let parts: Vec<String> = parts.iter().map(|part| format!("{column} : \"{part}\"")).collect();
            return format!("seq IN (SELECT rowid FROM search WHERE search MATCH '{}')", parts.join(" AND "));
        }
        let parts: Vec<String> = parts.iter().map(|part| format!("{column} ILIKE '%{part}%'")).collect();
        parts.join(" AND ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_in_every_dialect() {
        let words = Where::Words(vec!["kalo".into(), "mipu".into()]);
        let question = Question { wanted: Wanted::Page(2), wheres: vec![words, Where::To(9)] };
        let told = [Postgres, Sqlite, DuckDb, ClickHouse].map(|dialect| dialect.statements(&question)[1].clone());
        let like = "message ILIKE '%kalo%' AND message ILIKE '%mipu%'";
        let count =
            |text: &str| format!("SELECT count(*) FROM audit_trail_events WHERE org = 0 AND {text} AND occurred_ms <= 9");
        let matched = "seq IN (SELECT rowid FROM search WHERE search MATCH 'message : \"kalo\" AND message : \"mipu\"')";
        assert_eq!(told, [count(like), count(matched), count(like), count(like)]);
        assert!(Postgres.statements(&question)[0].ends_with("LIMIT 50 OFFSET 50"));
    }

    #[test]
    fn every_column_has_a_type_of_its_own_for_files() {
        for dialect in [DuckDb, ClickHouse] {
            assert!(dialect.insert().contains("customer"), "{dialect:?}");
            assert!(!dialect.insert().contains("NOT NULL") && !dialect.insert().contains("CODEC"), "{dialect:?}");
        }
    }
}
