//! `acta destination`: where events are delivered, and how that goes. Secrets come from files, never from the command line, which
//! everybody on the machine can read.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::destination_asking::{Asking, put, read_text};
use super::place::{Line, show};

/// What to do with destinations.
#[derive(Debug, Subcommand)]
pub(super) enum Destination {
    /// Add a destination; prints its id. Delivery begins at once.
    Add(Box<Add>),
    /// List the destinations.
    List(List),
    /// Show a destination's settings, without secrets.
    Show(One),
    /// Send an event that tells of this test, and show what the receiver says. The exit code is 1 if it did not arrive.
    Test(One),
    /// Deliver nothing for now. Nothing is lost.
    Pause(One),
    /// Deliver again.
    Resume(Resume),
    /// Send events again that were recorded in some places, or at some time; or list and cancel such replays.
    Replay(Replay),
    /// Show how delivery goes: lag, last answer, rate, what has not arrived.
    Status(One),
    /// Delete a destination. What has not arrived there by now never will.
    Remove(One),
    /// List what the receiver refused; send it again; give it up.
    DeadLetters(DeadLetters),
    /// List what has not arrived though it should have.
    Gaps(One),
}

#[derive(Debug, Args)]
pub(super) struct Add {
    #[command(flatten)]
    asking: Asking,
    /// What it is called.
    #[arg(long, value_name = "N")]
    name: String,
    /// The type of the receiver, such as webhook or splunk.
    #[arg(long = "type", value_name = "TYPE")]
    kind: String,
    /// A file with the settings as a JSON object, secrets and all; - for standard input.
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// A setting that is no secret: `url=https://siem.example.com`. JSON, or text. Repeat it for several; `a.b=…` for a member of an
    /// object.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// A secret setting and the file that holds it in its first line: token=/run/secrets/token; - for standard input. Repeat it for several.
    #[arg(long = "secret", value_name = "NAME=FILE")]
    secret: Vec<String>,
    /// The format of the events; the native one unless given.
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// Only events of this action; a * at its end stands for anything. Repeat it for several.
    #[arg(long = "action", value_name = "A")]
    actions: Vec<String>,
    /// Only events of this category. Repeat it for several.
    #[arg(long = "category", value_name = "C")]
    categories: Vec<String>,
    /// Only events about this team. Repeat it for several.
    #[arg(long = "of-team", value_name = "TEAM")]
    teams: Vec<String>,
    /// Only events of this outcome. Repeat it for several.
    #[arg(long = "outcome", value_name = "O")]
    outcomes: Vec<String>,
    /// Only events of this severity or a higher one.
    #[arg(long, value_name = "S")]
    severity: Option<String>,
    /// A member that it does not get, such as /context/ip. Repeat it for several.
    #[arg(long, value_name = "PATH")]
    hide: Vec<String>,
    /// Confine it to what this team may see.
    #[arg(long, value_name = "TEAM")]
    team: Option<String>,
    /// Deliver all that was ever recorded, too.
    #[arg(long)]
    from_beginning: bool,
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    asking: Asking,
}

#[derive(Debug, Args)]
pub(super) struct One {
    #[command(flatten)]
    asking: Asking,
    /// The destination's id or name.
    destination: String,
}

#[derive(Debug, Args)]
pub(super) struct Resume {
    #[command(flatten)]
    one: One,
    /// Pass over what was recorded during the pause. It stays listed as a gap until a replay delivers it.
    #[arg(long)]
    skip: bool,
}

#[derive(Debug, Args)]
pub(super) struct Replay {
    #[command(flatten)]
    one: One,
    /// The first index.
    #[arg(long, value_name = "INDEX", conflicts_with_all = ["since", "until"])]
    from: Option<u64>,
    /// The last index.
    #[arg(long, value_name = "INDEX", conflicts_with_all = ["since", "until"])]
    to: Option<u64>,
    /// What was recorded then or later: RFC 3339.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// What was recorded then or earlier: RFC 3339.
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Cancel the replay of this number.
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["from", "to", "since", "until"])]
    cancel: Option<u64>,
}

#[derive(Debug, Args)]
pub(super) struct DeadLetters {
    #[command(flatten)]
    one: One,
    /// Send them all again, or those named with --id.
    #[arg(long, conflicts_with = "discard")]
    retry: bool,
    /// Give them all up, or those named with --id. They are not sent any more.
    #[arg(long)]
    discard: bool,
    /// Only the one of this number. Repeat it for several.
    #[arg(long = "id", value_name = "NUMBER")]
    ids: Vec<i64>,
}

impl Destination {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Destination::Add(add) => add.run()?,
            Destination::List(list) => list.run()?,
            Destination::Show(one) => print(&one.ask("GET", "", None)?)?,
            Destination::Test(one) => return one.test(),
            Destination::Pause(one) => {
                one.ask("POST", "/pause", None)?;
                eprintln!("Paused. What is recorded from now on waits.");
            }
            Destination::Resume(resume) => {
                resume.one.ask("POST", "/resume", Some(&json!({"skip": resume.skip})))?;
                eprintln!("Resumed.");
            }
            Destination::Replay(replay) => replay.run()?,
            Destination::Status(one) => one.status()?,
            Destination::Remove(one) => {
                one.ask("DELETE", "", None)?;
                eprintln!("{} is removed.", one.destination);
            }
            Destination::DeadLetters(letters) => letters.run()?,
            Destination::Gaps(one) => {
                let answer = one.ask("GET", "/gaps", None)?;
                one.list(&answer, "gaps", &["kind", "from", "to", "opened", "reason"]);
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Add {
    fn run(self) -> anyhow::Result<()> {
        let mut settings = match &self.settings {
            None => Map::new(),
            Some(file) => serde_json::from_str(&read_text(file)?).context("the settings are not a JSON object")?,
        };
        for given in &self.set {
            let (name, text) = given.split_once('=').with_context(|| format!("{given:?} is not NAME=VALUE"))?;
            put(&mut settings, name, serde_json::from_str(text).unwrap_or_else(|_| text.into()))?;
        }
        for given in &self.secret {
            let (name, file) =
                given.split_once('=').with_context(|| format!("{name} is not NAME=FILE", name = "--secret"))?;
            let text = read_text(&PathBuf::from(file))?;
            let secret = text.lines().next().unwrap_or_default();
            if secret.is_empty() {
                bail!("{file} holds no secret in its first line");
            }
            put(&mut settings, name, secret.into())?;
        }
        let mut filter = Map::new();
        let lists =
            [("actions", self.actions), ("categories", self.categories), ("teams", self.teams), ("outcomes", self.outcomes)];
        filter.extend(
            lists.into_iter().filter(|(_, list)| !list.is_empty()).map(|(name, list)| (name.to_owned(), list.into())),
        );
        if let Some(severity) = self.severity {
            filter.insert("severity".to_owned(), severity.into());
        }
        let mut body = json!({
            "name": self.name, "type": self.kind, "settings": settings, "filter": filter, "hide": self.hide,
            "begin": if self.from_beginning { "beginning" } else { "now" },
        });
        for (name, value) in [("format", self.format), ("team", self.team)] {
            if let (Some(value), Some(body)) = (value, body.as_object_mut()) {
                body.insert(name.to_owned(), value.into());
            }
        }
        let made = self.asking.ask("POST", "/destinations", Some(&body))?;
        if self.asking.json {
            return print(&made);
        }
        println!("{}", made["id"].as_str().unwrap_or_default());
        Ok(())
    }
}

impl List {
    fn run(self) -> anyhow::Result<()> {
        let answer = self.asking.ask("GET", "/destinations?per_page=1000", None)?;
        let lines = answer["destinations"].as_array().into_iter().flatten().map(|one| {
            let state = if one["paused_at"].is_null() { "active" } else { "paused" };
            let text = |name: &'static str| (name, one[name].clone());
            vec![text("id"), text("name"), text("type"), text("format"), ("state", state.into()), text("team")]
        });
        show(self.asking.json, &lines.collect::<Vec<Line>>());
        Ok(())
    }
}

impl One {
    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let id = self.asking.find(&self.destination)?;
        self.asking.ask(method, &format!("/destinations/{id}{path}"), body)
    }

    fn test(&self) -> anyhow::Result<ExitCode> {
        let tested = self.ask("POST", "/test", None)?;
        if self.asking.json {
            print(&tested)?;
        } else {
            println!("{}", tested["answer"].as_str().unwrap_or_default());
            let word = if tested["delivered"] == true { "Delivered" } else { "Not delivered" };
            eprintln!(
                "{word}, in {} ms; the event is {}.",
                tested["took_ms"],
                tested["event_id"].as_str().unwrap_or_default()
            );
        }
        Ok(if tested["delivered"] == true { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn status(&self) -> anyhow::Result<()> {
        let status = self.ask("GET", "/status", None)?;
        if self.asking.json {
            return print(&status);
        }
        for (name, value) in status.as_object().into_iter().flatten() {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            println!("{:<20}{text}", name.replace('_', " "));
        }
        Ok(())
    }

    fn list(&self, answer: &Value, name: &str, columns: &[&'static str]) {
        let lines = answer[name].as_array().into_iter().flatten();
        let lines = lines.map(|line| columns.iter().map(|column| (*column, line[*column].clone())).collect());
        show(self.asking.json, &lines.collect::<Vec<Line>>());
    }
}

impl Replay {
    fn run(self) -> anyhow::Result<()> {
        if let Some(number) = self.cancel {
            self.one.ask("DELETE", &format!("/replays/{number}"), None)?;
            eprintln!("Cancelled.");
            return Ok(());
        }
        let mut body = Map::new();
        for (name, value) in [("from", self.from.map(Value::from)), ("to", self.to.map(Value::from))] {
            body.extend(value.map(|value| (name.to_owned(), value)));
        }
        for (name, value) in [("since", self.since), ("until", self.until)] {
            body.extend(value.map(|value| (name.to_owned(), value.into())));
        }
        if body.is_empty() {
            let answer = self.one.ask("GET", "/replays", None)?;
            self.one.list(&answer, "replays", &["id", "kind", "from", "to", "state", "delivered", "dead", "created"]);
            return Ok(());
        }
        let made = self.one.ask("POST", "/replays", Some(&Value::Object(body)))?;
        if self.one.asking.json {
            return print(&made);
        }
        println!("{}", made["id"]);
        Ok(())
    }
}

impl DeadLetters {
    fn run(self) -> anyhow::Result<()> {
        let which = if self.ids.is_empty() { json!({"all": true}) } else { json!({"ids": self.ids}) };
        let doing = if self.retry { Some("retry") } else { self.discard.then_some("discard") };
        let Some(doing) = doing else {
            let answer = self.one.ask("GET", "/dead-letters?limit=1000", None)?;
            self.one.list(&answer, "dead_letters", &["id", "index", "event_id", "part", "at", "attempts", "reason"]);
            return Ok(());
        };
        let done = self.one.ask("POST", &format!("/dead-letters/{doing}"), Some(&which))?;
        eprintln!("{} of them.", done["count"]);
        Ok(())
    }
}

fn print(value: &Value) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string_pretty(value)?);
    Ok(())
}
