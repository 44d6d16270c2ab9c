//! `acta key`: API keys.

use std::collections::BTreeSet;
use std::process::ExitCode;

use access::KeyScope;
use anyhow::Context;
use clap::{Args, Subcommand};
use directory::{ChangedBy, KeyId, NewApiKey, ServiceAccountId};
use record::{TeamId, Timestamp};

use super::data;
use super::of::Of;

/// What to do with API keys.
#[derive(Debug, Subcommand)]
pub(super) enum Key {
    /// Create a key and print it: this once, and nothing else, on stdout.
    Create(Create),
    /// List keys, without their secrets.
    List(Of),
    /// Make a key useless from now on.
    Revoke(Revoke),
}

#[derive(Debug, Args)]
pub(super) struct Create {
    #[command(flatten)]
    of: Of,
    /// What the key may do: events:write, events:read, events:export, directory:read, directory:write.
    #[arg(long, value_name = "A,B", value_delimiter = ',', required = true)]
    scopes: Vec<KeyScope>,
    /// What the key is for.
    #[arg(long, value_name = "N", default_value = "key")]
    name: String,
    /// Confine the key to one team.
    #[arg(long, value_name = "ID")]
    team: Option<String>,
    /// The service account it belongs to.
    #[arg(long, value_name = "ID")]
    service_account: Option<ServiceAccountId>,
    /// When it expires: RFC 3339.
    #[arg(long, value_name = "TIME")]
    expires_at: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Revoke {
    #[command(flatten)]
    of: Of,
    /// The key's id, as `acta key list` shows it.
    id: String,
}

impl Key {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Key::Create(create) => create.run(),
            Key::List(of) => list(&of),
            Key::Revoke(revoke) => revoke.run(),
        }
    }
}

impl Create {
    fn run(self) -> anyhow::Result<ExitCode> {
        let (directory, org) = self.of.open()?;
        let time = |text: &String| Timestamp::parse(text).with_context(|| format!("--expires-at {text:?}"));
        let new = NewApiKey {
            team: self.team.as_deref().map(TeamId::new).transpose().context("--team")?,
            service_account: self.service_account,
            name: &self.name,
            scopes: BTreeSet::from_iter(self.scopes),
            expires_at: self.expires_at.as_ref().map(time).transpose()?,
        };
        let (_, secret) = directory.create_api_key(&ChangedBy::cli(), org, new, data::now())?;
        println!("{}", secret.expose());
        Ok(ExitCode::SUCCESS)
    }
}

fn list(of: &Of) -> anyhow::Result<ExitCode> {
    let (directory, org) = of.open()?;
    for key in directory.api_keys(org)? {
        let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.as_str()).collect();
        let state = match (key.revoked_at, key.expires_at) {
            (Some(at), _) => format!("revoked {at}"),
            (None, Some(at)) => format!("expires {at}"),
            (None, None) => "valid".to_owned(),
        };
        let team = key.team.as_ref().map_or("", |team| team.as_str());
        println!("{}\t{}…\t{}\t{}\t{team}\t{state}", key.id, key.prefix, key.name, scopes.join(","));
    }
    Ok(ExitCode::SUCCESS)
}

impl Revoke {
    fn run(self) -> anyhow::Result<ExitCode> {
        let (directory, org) = self.of.open()?;
        let id = KeyId::parse(&self.id)?;
        let key = directory.revoke_api_key(&ChangedBy::cli(), org, &id, data::now())?;
        eprintln!("{} ({}) is revoked; a running server refuses it within a second.", key.id, key.name);
        Ok(ExitCode::SUCCESS)
    }
}
