//! `acta environment|folder|app|workflow|resource|grant`: the estate, beside a running server or without one.

use std::process::ExitCode;
use std::str::FromStr;

use access::{EnvironmentKind, GrantObject, Level, SubjectKind};
use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use directory::{
    AppId, ChangedBy, EnvironmentId, Find, FolderId, GrantFind, GrantId, NewGrant, Part, Place, ResourceEnvironment,
    ResourceId, ThingChange, WorkflowId,
};
use record::{TeamId, Timestamp};

use super::data;
use super::of::Of;

/// Where a thing is to lie.
#[derive(Debug, Args)]
pub(super) struct In {
    /// The folder that it is to lie in.
    #[arg(long, value_name = "ID")]
    folder: Option<FolderId>,
    /// The team that it is to lie in, if in no folder.
    #[arg(long, value_name = "ID")]
    team: Option<String>,
}

/// What to do with environments.
#[derive(Debug, Subcommand)]
pub(super) enum Environment {
    /// List environments: id, name, kind.
    List(Of),
    /// Create an environment and print its id.
    Create {
        #[command(flatten)]
        of: Of,
        /// Its name.
        name: String,
        /// What it is for: development, staging, production.
        #[arg(long)]
        kind: EnvironmentKind,
    },
    /// Give an environment another name.
    Rename {
        #[command(flatten)]
        of: Of,
        /// Its id.
        id: EnvironmentId,
        /// The new name.
        name: String,
    },
    /// Delete an environment in which no resource is any more.
    Delete {
        #[command(flatten)]
        of: Of,
        /// Its id.
        id: EnvironmentId,
    },
}

/// What to do with folders, apps and workflows.
#[derive(Debug, Subcommand)]
pub(super) enum Thing {
    /// List them: id, name, where each lies, and how it stands.
    List(Of),
    /// Create one and print its id.
    Create {
        #[command(flatten)]
        of: Of,
        /// Its name.
        name: String,
        #[command(flatten)]
        place: In,
    },
    /// Give one another name.
    Rename {
        #[command(flatten)]
        of: Of,
        /// Its id.
        id: String,
        /// The new name.
        name: String,
    },
    /// Put one elsewhere; without a folder and a team, out of both.
    Move {
        #[command(flatten)]
        of: Of,
        /// Its id.
        id: String,
        #[command(flatten)]
        place: In,
    },
    /// Note that a version of an app or a workflow was released.
    Release {
        #[command(flatten)]
        of: Of,
        /// Its id.
        id: String,
    },
    /// Let a workflow run.
    Enable {
        #[command(flatten)]
        of: Of,
        /// Its id.
        id: String,
    },
    /// Keep a workflow from running.
    Disable {
        #[command(flatten)]
        of: Of,
        /// Its id.
        id: String,
    },
    /// Delete one, with the grants on it.
    Delete {
        #[command(flatten)]
        of: Of,
        /// Its id.
        id: String,
    },
}

/// What to do with resources.
#[derive(Debug, Subcommand)]
pub(super) enum Resource {
    /// List resources: id, name, kind, and in which environments each is.
    List(Of),
    /// Create a resource and print its id.
    Create {
        #[command(flatten)]
        of: Of,
        /// Its name.
        name: String,
        /// What it is: postgresql, restapi, ….
        #[arg(long)]
        kind: String,
        #[command(flatten)]
        place: In,
    },
    /// Put a resource into an environment.
    Put {
        #[command(flatten)]
        of: Of,
        /// The resource's id.
        id: ResourceId,
        /// The environment's id.
        environment: EnvironmentId,
        /// Its data there asks for more care.
        #[arg(long)]
        sensitive: bool,
    },
    /// Take a resource out of an environment, with the grants on it there.
    Take {
        #[command(flatten)]
        of: Of,
        /// The resource's id.
        id: ResourceId,
        /// The environment's id.
        environment: EnvironmentId,
    },
    /// Delete a resource, with the grants on it.
    Delete {
        #[command(flatten)]
        of: Of,
        /// Its id.
        id: ResourceId,
    },
}

/// What to do with grants.
#[derive(Debug, Subcommand)]
pub(super) enum Grant {
    /// List grants: id, to whom, how much, with what, until when.
    List(Of),
    /// Grant, and print the grant's id.
    Create {
        #[command(flatten)]
        of: Of,
        /// To whom: user:ID, service_account:ID or group:ID.
        #[arg(long, value_name = "WHO")]
        to: String,
        /// How much: use, edit, own.
        #[arg(long)]
        level: Level,
        /// With what: app:ID, workflow:ID, folder:ID, team:ID, resource:ID:ENVIRONMENT, all:apps, all:workflows, all:folders,
        /// all:resources:ENVIRONMENT.
        #[arg(long, value_name = "WHAT")]
        on: String,
        /// When it expires: RFC 3339.
        #[arg(long, value_name = "TIME")]
        expires_at: Option<String>,
    },
    /// Take a grant back.
    Delete {
        #[command(flatten)]
        of: Of,
        /// Its id.
        id: GrantId,
    },
}

/// Which sort of thing a command is about.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sort {
    Folder,
    App,
    Workflow,
}

impl In {
    fn place(self) -> anyhow::Result<Place> {
        Ok(Place { folder: self.folder, team: self.team.as_deref().map(TeamId::new).transpose().context("--team")? })
    }
}

fn done() -> anyhow::Result<ExitCode> {
    Ok(ExitCode::SUCCESS)
}

/// A line of values, for people and for `cut`.
fn line(values: &[&dyn std::fmt::Display]) {
    let texts: Vec<String> = values.iter().map(ToString::to_string).collect();
    println!("{}", texts.join("\t"));
}

fn shown(place: &Place) -> String {
    match (&place.folder, &place.team) {
        (Some(folder), _) => folder.to_string(),
        (None, Some(team)) => format!("team {team}"),
        (None, None) => "-".to_owned(),
    }
}

impl Environment {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let (by, now) = (ChangedBy::cli(), data::now());
        match self {
            Environment::List(of) => {
                let (directory, org) = of.open()?;
                for one in directory.environments(org, &Find::default(), Part::ALL)?.items {
                    line(&[&one.id, &one.name, &one.kind]);
                }
            }
            Environment::Create { of, name, kind } => {
                let (directory, org) = of.open()?;
                println!("{}", directory.create_environment(&by, org, &name, kind, now)?.id);
            }
            Environment::Rename { of, id, name } => {
                let (directory, org) = of.open()?;
                directory.rename_environment(&by, org, &id, &name, now)?;
            }
            Environment::Delete { of, id } => {
                let (directory, org) = of.open()?;
                directory.delete_environment(&by, org, &id, now)?;
            }
        }
        done()
    }
}

impl Thing {
    pub(super) fn run(self, sort: Sort) -> anyhow::Result<ExitCode> {
        let (by, now) = (ChangedBy::cli(), data::now());
        match self {
            Thing::List(of) => return list(&of, sort),
            Thing::Create { of, name, place } => {
                let ((directory, org), place) = (of.open()?, place.place()?);
                match sort {
                    Sort::Folder => println!("{}", directory.create_folder(&by, org, &name, &place, now)?.id),
                    Sort::App => println!("{}", directory.create_app(&by, org, &name, &place, now)?.id),
                    Sort::Workflow => println!("{}", directory.create_workflow(&by, org, &name, &place, now)?.id),
                }
            }
            Thing::Rename { of, id, name } => change(&of, sort, &id, Some(&name), None)?,
            Thing::Move { of, id, place } => change(&of, sort, &id, None, Some(place.place()?))?,
            Thing::Release { of, id } => {
                let (directory, org) = of.open()?;
                match sort {
                    Sort::Folder => bail!("folders are not released"),
                    Sort::App => drop(directory.release_app(&by, org, &AppId::parse(&id)?, now)?),
                    Sort::Workflow => drop(directory.release_workflow(&by, org, &WorkflowId::parse(&id)?, now)?),
                }
            }
            Thing::Enable { of, id } => enable(&of, sort, &id, true)?,
            Thing::Disable { of, id } => enable(&of, sort, &id, false)?,
            Thing::Delete { of, id } => {
                let (directory, org) = of.open()?;
                match sort {
                    Sort::Folder => directory.delete_folder(&by, org, &FolderId::parse(&id)?, now)?,
                    Sort::App => directory.delete_app(&by, org, &AppId::parse(&id)?, now)?,
                    Sort::Workflow => directory.delete_workflow(&by, org, &WorkflowId::parse(&id)?, now)?,
                }
            }
        }
        done()
    }
}

fn list(of: &Of, sort: Sort) -> anyhow::Result<ExitCode> {
    let ((directory, org), all) = (of.open()?, Find::default());
    let state = |archived: bool, released: bool| match (archived, released) {
        (true, _) => "archived",
        (false, true) => "released",
        (false, false) => "not released",
    };
    match sort {
        Sort::Folder => {
            for one in directory.folders(org, &all, Part::ALL)?.items {
                line(&[&one.id, &one.name, &shown(&one.place)]);
            }
        }
        Sort::App => {
            for one in directory.apps(org, &all, Part::ALL)?.items {
                let state = state(one.archived_at.is_some(), one.released_at.is_some());
                line(&[&one.id, &one.name, &shown(&one.place), &state]);
            }
        }
        Sort::Workflow => {
            for one in directory.workflows(org, &all, Part::ALL)?.items {
                let state = state(one.archived_at.is_some(), one.released_at.is_some());
                line(&[&one.id, &one.name, &shown(&one.place), &state, if one.enabled { &"enabled" } else { &"disabled" }]);
            }
        }
    }
    done()
}

fn change(of: &Of, sort: Sort, id: &str, name: Option<&str>, place: Option<Place>) -> anyhow::Result<()> {
    let ((directory, org), by, now) = (of.open()?, ChangedBy::cli(), data::now());
    match sort {
        Sort::Folder => {
            directory.change_folder(&by, org, &FolderId::parse(id)?, name, place.as_ref(), now)?;
        }
        Sort::App => {
            directory.change_app(&by, org, &AppId::parse(id)?, &ThingChange { name, place, archived: None }, now)?;
        }
        Sort::Workflow => {
            let change = ThingChange { name, place, archived: None };
            directory.change_workflow(&by, org, &WorkflowId::parse(id)?, &change, now)?;
        }
    }
    Ok(())
}

fn enable(of: &Of, sort: Sort, id: &str, enabled: bool) -> anyhow::Result<()> {
    let Sort::Workflow = sort else { bail!("only workflows are enabled and disabled") };
    let (directory, org) = of.open()?;
    directory.set_workflow_enabled(&ChangedBy::cli(), org, &WorkflowId::parse(id)?, enabled, data::now())?;
    Ok(())
}

impl Resource {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let (by, now) = (ChangedBy::cli(), data::now());
        match self {
            Resource::List(of) => {
                let (directory, org) = of.open()?;
                for one in directory.resources(org, &Find::default(), Part::ALL)?.items {
                    let places: Vec<&str> = one.environments.iter().map(|entry| entry.environment.as_str()).collect();
                    line(&[&one.id, &one.name, &one.kind, &places.join(",")]);
                }
            }
            Resource::Create { of, name, kind, place } => {
                let ((directory, org), place) = (of.open()?, place.place()?);
                println!("{}", directory.create_resource(&by, org, &name, &kind, &place, now)?.id);
            }
            Resource::Put { of, id, environment, sensitive } => {
                let (directory, org) = of.open()?;
                let entry = ResourceEnvironment { environment, sensitive };
                directory.put_resource_environment(&by, org, &id, &entry, now)?;
            }
            Resource::Take { of, id, environment } => {
                let (directory, org) = of.open()?;
                directory.delete_resource_environment(&by, org, &id, &environment, now)?;
            }
            Resource::Delete { of, id } => {
                let (directory, org) = of.open()?;
                directory.delete_resource(&by, org, &id, now)?;
            }
        }
        done()
    }
}

impl Grant {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let (by, now) = (ChangedBy::cli(), data::now());
        match self {
            Grant::List(of) => {
                let (directory, org) = of.open()?;
                for one in directory.grants(org, &GrantFind::default(), Part::ALL)?.items {
                    let end = one.expires_at.map(|at| at.to_string()).unwrap_or_default();
                    let to = format!("{}:{}", one.subject, one.subject_id);
                    line(&[&one.id, &to, &one.level, &object_text(&one.object), &end]);
                }
            }
            Grant::Create { of, to, level, on, expires_at } => {
                let (directory, org) = of.open()?;
                let (kind, id) = to.split_once(':').context("--to is user:ID, service_account:ID or group:ID")?;
                let end = expires_at.as_deref().map(Timestamp::parse).transpose().context("--expires-at")?;
                let subject = SubjectKind::from_str(kind).context("--to")?;
                let object = object(&on).with_context(|| format!("--on {on}"))?;
                let new = NewGrant { subject, subject_id: id.to_owned(), level, object, expires_at: end };
                println!("{}", directory.create_grant(&by, org, &new, now)?.id);
            }
            Grant::Delete { of, id } => {
                let (directory, org) = of.open()?;
                directory.delete_grant(&by, org, &id, now)?;
            }
        }
        done()
    }
}

fn object(text: &str) -> anyhow::Result<GrantObject> {
    let parts: Vec<&str> = text.split(':').collect();
    Ok(match parts.as_slice() {
        ["app", id] => GrantObject::App((*id).to_owned()),
        ["workflow", id] => GrantObject::Workflow((*id).to_owned()),
        ["folder", id] => GrantObject::Folder((*id).to_owned()),
        ["team", id] => GrantObject::Team((*id).to_owned()),
        ["all", "apps"] => GrantObject::AllApps,
        ["all", "workflows"] => GrantObject::AllWorkflows,
        ["all", "folders"] => GrantObject::AllFolders,
        ["all", "resources", environment] => GrantObject::AllResources { environment: (*environment).to_owned() },
        ["resource", resource, environment] => {
            GrantObject::Resource { resource: (*resource).to_owned(), environment: (*environment).to_owned() }
        }
        _ => bail!("is none of app:ID, workflow:ID, folder:ID, team:ID, resource:ID:ENVIRONMENT, all:apps, …"),
    })
}

fn object_text(object: &GrantObject) -> String {
    match object {
        GrantObject::App(id) => format!("app:{id}"),
        GrantObject::Workflow(id) => format!("workflow:{id}"),
        GrantObject::Folder(id) => format!("folder:{id}"),
        GrantObject::Team(id) => format!("team:{id}"),
        GrantObject::Resource { resource, environment } => format!("resource:{resource}:{environment}"),
        GrantObject::AllApps => "all:apps".to_owned(),
        GrantObject::AllWorkflows => "all:workflows".to_owned(),
        GrantObject::AllFolders => "all:folders".to_owned(),
        GrantObject::AllResources { environment } => format!("all:resources:{environment}"),
    }
}
