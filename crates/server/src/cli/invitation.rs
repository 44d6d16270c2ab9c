//! `acta invitation`: who is asked to join.

use std::process::ExitCode;

use access::Role;
use anyhow::Context;
use clap::{Args, Subcommand};
use directory::{Invitation, InvitationId, Letter, NewInvitation, Part, Secret};
use record::{TeamId, Timestamp};
use serde_json::json;

use super::place::{Line, Opened, Place};
use crate::config::Config;
use crate::{letters, mail_settings};

/// What to do with invitations.
#[derive(Debug, Subcommand)]
pub(super) enum InvitationCommand {
    /// List invitations, the last one first, without their links.
    List(List),
    /// Ask somebody to join: shows the link this once, and mails it if the settings say how.
    Create(Create),
    /// Make a new link for an invitation; the old one is dead.
    Resend(One),
    /// Take an invitation back: its link is dead.
    Revoke(One),
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
pub(super) struct Create {
    #[command(flatten)]
    place: Place,
    /// Her e-mail address.
    #[arg(long, value_name = "E")]
    email: String,
    /// owner, admin, auditor or member.
    #[arg(long, value_name = "ROLE", default_value = "member")]
    role: Role,
    /// The team that she is to belong to.
    #[arg(long, value_name = "ID")]
    team: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct One {
    #[command(flatten)]
    place: Place,
    /// The invitation's id, as `acta invitation list` shows it.
    id: InvitationId,
}

impl InvitationCommand {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            InvitationCommand::List(List { place }) => {
                let opened = place.open()?;
                let all = opened.directory.invitations(opened.org(), Part::ALL)?.items;
                opened.show(&all.iter().map(|one| line(one, opened.now)).collect::<Vec<_>>());
            }
            InvitationCommand::Create(create) => create.run()?,
            InvitationCommand::Resend(One { place, id }) => {
                let (opened, config) = (place.open()?, place.config()?);
                let (directory, compose) = (&opened.directory, letter(&config));
                let (one, token) = directory.resend_invitation(&opened.by, opened.org(), &id, compose, opened.now)?;
                show_link(&opened, &config, &one, &token);
            }
            InvitationCommand::Revoke(One { place, id }) => {
                let opened = place.open()?;
                let one = opened.directory.revoke_invitation(&opened.by, opened.org(), &id, opened.now)?;
                opened.show(&[line(&one, opened.now)]);
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Create {
    fn run(self) -> anyhow::Result<()> {
        let (opened, config) = (self.place.open()?, self.place.config()?);
        let team = self.team.as_deref().map(TeamId::new).transpose().context("--team")?;
        let new = NewInvitation { email: &self.email, role: self.role, team };
        let (one, token) = opened.directory.invite(&opened.by, opened.org(), new, letter(&config), opened.now)?;
        show_link(&opened, &config, &one, &token);
        Ok(())
    }
}

/// The mail that a running server brings to her, if these settings send mail anywhere.
fn letter(config: &Config) -> impl FnOnce(&Invitation, &str, &Secret) -> Option<Letter> {
    let is_sent = mail_settings::leaves(config);
    move |invitation, organization, token| {
        is_sent.then(|| letters::invitation(config, invitation, organization, None, token))
    }
}

fn line(invitation: &Invitation, now: Timestamp) -> Line {
    vec![
        ("id", json!(invitation.id.as_str())),
        ("email", json!(invitation.email)),
        ("role", json!(invitation.role.as_str())),
        ("team", json!(invitation.team.as_ref().map(TeamId::as_str))),
        ("state", json!(invitation.state(now))),
        ("invited_by", json!(invitation.invited_by)),
        ("expires_at", json!(invitation.expires_at.to_string())),
    ]
}

fn show_link(opened: &Opened, config: &Config, invitation: &Invitation, token: &Secret) {
    let mut shown = line(invitation, opened.now);
    shown.push(("link", json!(letters::invitation_link(config, token))));
    opened.show(&[shown]);
    let mailed = if mail_settings::leaves(config) { " It is mailed to her when the server runs." } else { "" };
    eprintln!("{} opens the link once, within seven days. Give it to nobody else.{mailed}", invitation.email);
}
