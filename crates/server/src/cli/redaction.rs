//! `acta redaction`: rules that take members out of events before they are recorded.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use directory::{ChangedBy, RedactionId, RedactionRule};
use record::redact::{How, MemberPath, Pattern, When};
use serde_json::{Value, json};

use super::data;
use super::of::Of;

/// What to do with redaction rules.
#[derive(Debug, Subcommand)]
pub(super) enum Redaction {
    /// List the rules.
    List(Of),
    /// Add a rule; prints its id. A running server follows it within a second.
    Add(Add),
    /// Remove a rule. What it took out stays out.
    Remove(Remove),
    /// Ask a running server what a rule would have done to past events. Changes nothing.
    Try(Try),
}

#[derive(Debug, Args)]
pub(super) struct Add {
    #[command(flatten)]
    of: Of,
    /// What the rule is called.
    #[arg(long, value_name = "N")]
    name: String,
    #[command(flatten)]
    rule: Rule,
}

#[derive(Debug, Args)]
pub(super) struct Remove {
    #[command(flatten)]
    of: Of,
    /// The rule's id, as `acta redaction list` shows it.
    id: String,
}

#[derive(Debug, Args)]
pub(super) struct Try {
    #[command(flatten)]
    rule: Rule,
    /// Only events that occurred then or later: RFC 3339.
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Only events that occurred then or earlier: RFC 3339.
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// Events to show.
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: u32,
    /// The server's address.
    #[arg(long, value_name = "URL", env = "ACTA_URL", default_value = "http://127.0.0.1:8450")]
    url: String,
    /// An API key with the scopes directory:read and events:read. Better in ACTA_KEY or a file than on the command line.
    #[arg(long, value_name = "KEY", env = "ACTA_KEY", hide_env_values = true)]
    key: Option<String>,
    /// A file that holds the key.
    #[arg(long, value_name = "FILE", conflicts_with = "key")]
    key_file: Option<PathBuf>,
}

/// A rule, as flags.
#[derive(Debug, Args)]
struct Rule {
    /// A member to take out, such as /metadata/params, /metadata/params/*/ssn or /context/ip. Repeat it for several.
    #[arg(long = "member", value_name = "PATH", required = true, value_parser = MemberPath::parse)]
    members: Vec<MemberPath>,
    /// Keep a keyed hash that the value can be looked up by, instead of nothing.
    #[arg(long)]
    hash: bool,
    /// Only events of this action; a * at its end stands for anything. Repeat it for several.
    #[arg(long = "action", value_name = "A", value_parser = Pattern::parse)]
    actions: Vec<Pattern>,
    /// Only events of this app or page, by id or name.
    #[arg(long, value_name = "NAME", value_parser = Pattern::parse)]
    app: Option<Pattern>,
    /// Only events of this query, by id or name.
    #[arg(long, value_name = "NAME", value_parser = Pattern::parse)]
    query: Option<Pattern>,
    /// Only events of this resource, by id or name.
    #[arg(long, value_name = "NAME", value_parser = Pattern::parse)]
    resource: Option<Pattern>,
}

impl Rule {
    fn rule(self) -> RedactionRule {
        let when = When { actions: self.actions, app: self.app, query: self.query, resource: self.resource };
        RedactionRule { when, members: self.members, how: if self.hash { How::Hash } else { How::Hide } }
    }
}

impl Redaction {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Redaction::List(of) => list(&of),
            Redaction::Add(add) => add.run(),
            Redaction::Remove(remove) => remove.run(),
            Redaction::Try(trial) => trial.run(),
        }
    }
}

fn list(of: &Of) -> anyhow::Result<ExitCode> {
    let (directory, org) = of.open()?;
    for rule in directory.redactions(org)? {
        println!("{}\t{}\t{}", rule.id, rule.name, serde_json::to_string(&rule.rule)?);
    }
    Ok(ExitCode::SUCCESS)
}

impl Add {
    fn run(self) -> anyhow::Result<ExitCode> {
        let (directory, org) = self.of.open()?;
        let rule = self.rule.rule();
        let made = directory.create_redaction(&ChangedBy::cli(), org, &self.name, rule, data::now())?;
        println!("{}", made.id);
        Ok(ExitCode::SUCCESS)
    }
}

impl Remove {
    fn run(self) -> anyhow::Result<ExitCode> {
        let (directory, org) = self.of.open()?;
        let id = RedactionId::parse(&self.id).with_context(|| self.id.clone())?;
        directory.delete_redaction(&ChangedBy::cli(), org, &id, data::now())?;
        eprintln!("{id} is removed; a running server follows within a second.");
        Ok(ExitCode::SUCCESS)
    }
}

impl Try {
    fn run(self) -> anyhow::Result<ExitCode> {
        let key = match (self.key, &self.key_file) {
            (Some(key), _) => key,
            (None, Some(file)) => {
                std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?
            }
            (None, None) => bail!("an API key is needed: --key, --key-file or ACTA_KEY; `acta key create` makes one"),
        };
        let mut body = json!({"rule": self.rule.rule(), "limit": self.limit});
        for (name, time) in [("from", self.from), ("to", self.to)] {
            if let (Some(time), Some(body)) = (time, body.as_object_mut()) {
                body.insert(name.to_owned(), time.into());
            }
        }
        let answer = ask(&self.url, key.trim(), &body)?;
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        for event in answer["events"].as_array().into_iter().flatten() {
            println!("{}\t{}\t{}", text(&event["event_id"]), text(&event["action"]), text(&event["occurred_at"]));
            for member in event["members"].as_array().into_iter().flatten() {
                println!("\t{}\t{}", text(&member["member"]), text(&member["becomes"]));
            }
        }
        let all = if answer["complete"] == true { "" } else { " (there are older ones)" };
        eprintln!("{} events looked at{all}, {} would have been changed", answer["looked_at"], answer["matched"]);
        Ok(ExitCode::SUCCESS)
    }
}

fn ask(url: &str, key: &str, body: &Value) -> anyhow::Result<Value> {
    let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(Duration::from_secs(60)));
    let agent: ureq::Agent = config.build().into();
    let mut response = agent
        .post(format!("{}/v1/redactions/try", url.trim_end_matches('/')))
        .header("authorization", format!("Bearer {key}"))
        .header("content-type", "application/json")
        .send(serde_json::to_vec(body)?)
        .with_context(|| format!("cannot reach {url}"))?;
    let status = response.status().as_u16();
    let text = response.body_mut().read_to_string().context("the server's answer cannot be read")?;
    if status != 200 {
        let problem: Option<Value> = serde_json::from_str(&text).ok();
        let detail = problem.as_ref().and_then(|problem| problem.get("detail")).and_then(Value::as_str);
        bail!("the server refused: {} (status {status})", detail.unwrap_or("no reason given"));
    }
    serde_json::from_str(&text).context("the server's answer cannot be read; is this Acta?")
}
