//! `acta session`: signed-in browsers.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use directory::{Session, SessionId};
use serde_json::json;

use super::place::{Line, Place};

/// What to do with sessions.
#[derive(Debug, Subcommand)]
pub(super) enum SessionCommand {
    /// List somebody's sessions, the last used first.
    List(List),
    /// End a session, or all of somebody's.
    Revoke(Revoke),
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    place: Place,
    /// Her id or e-mail address.
    user: String,
}

#[derive(Debug, Args)]
pub(super) struct Revoke {
    #[command(flatten)]
    place: Place,
    /// The session's id, as `acta session list` shows it.
    #[arg(required_unless_present = "user", conflicts_with = "user")]
    id: Option<SessionId>,
    /// All sessions of this user, by id or e-mail address.
    #[arg(long, value_name = "USER")]
    user: Option<String>,
}

impl SessionCommand {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            SessionCommand::List(List { place, user }) => {
                let opened = place.open()?;
                let user = opened.user(&user)?;
                let sessions = opened.directory.sessions(opened.org(), &user.id, opened.now)?;
                opened.show(&sessions.iter().map(line).collect::<Vec<_>>());
            }
            SessionCommand::Revoke(Revoke { place, id, user }) => {
                let opened = place.open()?;
                let (directory, by, org, now) = (&opened.directory, &opened.by, opened.org(), opened.now);
                if let Some(id) = id {
                    directory.revoke_session(by, org, &id, now)?;
                    eprintln!("{id} is over.");
                }
                if let Some(user) = user {
                    let user = opened.user(&user)?;
                    let count = directory.revoke_sessions(by, org, &user.id, now)?;
                    eprintln!("{count} sessions of {} are over.", user.email);
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn line(session: &Session) -> Line {
    vec![
        ("id", json!(session.id.as_str())),
        ("created_at", json!(session.created_at.to_string())),
        ("last_seen_at", json!(session.last_seen_at.to_string())),
        ("ip", json!(session.ip.map(|ip| ip.to_string()))),
        ("method", json!(session.method)),
        ("second_factor_at", json!(session.second_factor_at.map(|at| at.to_string()))),
        ("user_agent", json!(session.user_agent)),
    ]
}
