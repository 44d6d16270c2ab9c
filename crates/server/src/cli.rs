//! The command line. Data goes to stdout, words about it to stderr; the exit code is 0, 1 for a failure, 2 for wrong usage, 3
//! for a check that found faults.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the command line talks on the terminal")]

mod assignment;
mod check;
mod data;
mod decisions;
mod demo;
mod destination;
mod destination_asking;
mod estate;
mod group;
mod import;
mod init;
mod invitation;
mod key;
mod logging;
mod of;
mod organization;
mod place;
mod redaction;
mod reset_link;
mod role;
mod serve;
mod service_account;
mod session;
mod team;
mod user;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// An organization's audit trail: record, prove, search, stream, review.
#[derive(Debug, Parser)]
#[command(name = "acta", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Set up a data directory: the first organization and its owner.
    Init(init::Init),
    /// Create, list and revoke API keys. Works while the server runs and while it does not.
    #[command(subcommand)]
    Key(key::Key),
    /// Set what is taken out of events before they are recorded.
    #[command(subcommand)]
    Redaction(redaction::Redaction),
    /// Deliver events to others: a SIEM, a webhook, an archive. Asks a running server.
    #[command(subcommand)]
    Destination(destination::Destination),
    /// Print a link by which somebody sets a new password. Works while the server runs and while it does not.
    ResetLink(reset_link::ResetLink),
    /// Organizations: list, create, change, archive. These, too, work while the server runs.
    #[command(subcommand)]
    Organization(organization::OrganizationCommand),
    /// Teams: list, create, rename, delete.
    #[command(subcommand)]
    Team(team::TeamCommand),
    /// People: list, add, change, disable, archive, delete, take away a second factor that was lost.
    #[command(subcommand)]
    User(user::UserCommand),
    /// Invitations: list, create, send again, revoke.
    #[command(subcommand)]
    Invitation(invitation::InvitationCommand),
    /// Sessions: list, revoke.
    #[command(subcommand)]
    Session(session::SessionCommand),
    /// Service accounts: list, create, disable, delete.
    #[command(subcommand)]
    ServiceAccount(service_account::ServiceAccountCommand),
    /// Groups: list, create, fill, delete.
    #[command(subcommand)]
    Group(group::GroupCommand),
    /// Roles: list, create, change, delete.
    #[command(subcommand)]
    Role(role::RoleCommand),
    /// Give roles and take them away.
    #[command(subcommand)]
    Assignment(assignment::AssignmentCommand),
    /// List, create, rename and delete environments.
    #[command(subcommand)]
    Environment(estate::Environment),
    /// List, create, rename, move and delete folders.
    #[command(subcommand)]
    Folder(estate::Thing),
    /// List, create, rename, move, release and delete apps.
    #[command(subcommand)]
    App(estate::Thing),
    /// List, create, rename, move, release, enable, disable and delete workflows.
    #[command(subcommand)]
    Workflow(estate::Thing),
    /// List, create and delete resources, put them into environments and take them out.
    #[command(subcommand)]
    Resource(estate::Resource),
    /// List, give and take back grants.
    #[command(subcommand)]
    Grant(estate::Grant),
    /// Ask whether somebody may do something, and why.
    Authorize(decisions::Authorize),
    /// List who may do something, and why.
    WhoCan(decisions::WhoCan),
    /// List what somebody may do, and why.
    WhatCan(decisions::WhatCan),
    /// Run the server.
    Serve(serve::Serve),
    /// Run the server on a small company's worth of events.
    Demo(demo::Demo),
    /// Check a stopped data directory: everything against everything.
    Check(check::Check),
    /// Send events from a file to a running server.
    Import(import::Import),
    /// List the settings with their values.
    Config(serve::ShowConfig),
    /// Print the API's description, OpenAPI 3.1.
    Openapi,
}

/// Settings that several commands take.
#[derive(Debug, Clone, clap::Args)]
struct Settings {
    /// A TOML file with settings.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The data directory.
    #[arg(long, value_name = "DIR")]
    data: Option<String>,
}

impl Settings {
    fn load(&self, listen: Option<&String>) -> Result<crate::config::Config, crate::config::Mistakes> {
        self.load_with(vec![("listen", listen.cloned())])
    }

    /// The same with more flags of a command's own.
    fn load_with(&self, mut flags: Vec<(&str, Option<String>)>) -> Result<crate::config::Config, crate::config::Mistakes> {
        flags.push(("data", self.data.clone()));
        crate::config::Config::load(self.config.as_deref(), variables(), &flags)
    }
}

/// The environment, as far as it is text.
fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// Runs the command that the arguments name.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match arguments.command {
        Command::Init(init) => init.run(),
        Command::Key(key) => key.run(),
        Command::Redaction(redaction) => redaction.run(),
        Command::Destination(destination) => destination.run(),
        Command::ResetLink(link) => link.run(),
        Command::Organization(organization) => organization.run(),
        Command::Team(team) => team.run(),
        Command::User(user) => user.run(),
        Command::Invitation(invitation) => invitation.run(),
        Command::Session(session) => session.run(),
        Command::ServiceAccount(account) => account.run(),
        Command::Group(group) => group.run(),
        Command::Role(role) => role.run(),
        Command::Assignment(assignment) => assignment.run(),
        Command::Environment(environment) => environment.run(),
        Command::Folder(folder) => folder.run(estate::Sort::Folder),
        Command::App(app) => app.run(estate::Sort::App),
        Command::Workflow(workflow) => workflow.run(estate::Sort::Workflow),
        Command::Resource(resource) => resource.run(),
        Command::Grant(grant) => grant.run(),
        Command::Authorize(authorize) => authorize.run(),
        Command::WhoCan(who_can) => who_can.run(),
        Command::WhatCan(what_can) => what_can.run(),
        Command::Serve(serve) => serve.run(),
        Command::Demo(demo) => demo.run(),
        Command::Check(check) => check.run(),
        Command::Import(import) => import.run(),
        Command::Config(show) => show.run(),
        Command::Openapi => crate::api::openapi::text().map_err(Into::into).map(|text| {
            println!("{text}");
            ExitCode::SUCCESS
        }),
    };
    result.unwrap_or_else(|e| {
        eprintln!("acta: {e:#}");
        ExitCode::FAILURE
    })
}

/// A runtime for commands that serve.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}
