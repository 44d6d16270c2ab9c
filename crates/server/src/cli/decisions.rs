//! `acta authorize|who-can|what-can`: decisions at the command line, beside a running server or without one.

use std::process::ExitCode;

use access::Permission;
use anyhow::{Context, bail};
use clap::Args;
use policy::{Circumstances, Model, Object, Principal, Reason, Request};

use super::data;
use super::of::Of;
use crate::authority::Authority;

/// May she, and why. The exit code is 1 if she may not.
#[derive(Debug, Args)]
pub(super) struct Authorize {
    #[command(flatten)]
    of: Of,
    /// Who: user:ID or service_account:ID.
    who: String,
    /// What: app:run, resource:query, ….
    permission: Permission,
    /// With what: organization, team:ID, folder:ID, app:ID, workflow:ID, resource:ID:ENVIRONMENT.
    object: String,
    /// The app that a query of a resource comes from.
    #[arg(long, value_name = "ID")]
    via_app: Option<String>,
    /// Whether she showed a second factor; without it, she would if she has set one up.
    #[arg(long)]
    second_factor: Option<bool>,
    /// The user who approves, too.
    #[arg(long, value_name = "ID")]
    second_approver: Option<String>,
}

/// Who may.
#[derive(Debug, Args)]
pub(super) struct WhoCan {
    #[command(flatten)]
    of: Of,
    /// What: app:run, resource:query, ….
    permission: Permission,
    /// With what: organization, team:ID, folder:ID, app:ID, workflow:ID, resource:ID:ENVIRONMENT.
    object: String,
    /// The app that a query of a resource comes from.
    #[arg(long, value_name = "ID")]
    via_app: Option<String>,
}

/// What somebody may do.
#[derive(Debug, Args)]
pub(super) struct WhatCan {
    #[command(flatten)]
    of: Of,
    /// Who: user:ID or service_account:ID.
    who: String,
}

impl Authorize {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let model = model(&self.of)?;
        let (permission, object) = (self.permission, fitting(self.permission, &self.object)?);
        let circumstances = Circumstances {
            second_factor: self.second_factor,
            via_app: self.via_app.map(Into::into),
            second_approver: self.second_approver.map(Into::into),
            ..Circumstances::default()
        };
        let request = Request { principal: principal(&self.who)?, permission, object, circumstances };
        let decision = model.decide(&request, data::now());
        println!("{}\t{}", if decision.allowed { "yes" } else { "no" }, sentences(&decision.why));
        Ok(if decision.allowed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

impl WhoCan {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let model = model(&self.of)?;
        let object = fitting(self.permission, &self.object)?;
        let circumstances = Circumstances { via_app: self.via_app.map(Into::into), ..Circumstances::default() };
        for able in model.who_can(self.permission, &object, &circumstances, data::now()) {
            let answer = if able.allowed { "yes" } else { "no" };
            println!("{}\t{answer}\t{}", able.principal, sentences(&able.why));
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl WhatCan {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let model = model(&self.of)?;
        for held in model.what_can(&principal(&self.who)?, &Circumstances::default(), data::now()) {
            let permissions: Vec<&str> = held.permissions.iter().map(|permission| permission.as_str()).collect();
            let name = model.object_name(&held.object).unwrap_or_default();
            println!("{}\t{name}\t{}\t{}", held.object, permissions.join(","), sentences(&held.why));
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn model(of: &Of) -> anyhow::Result<std::sync::Arc<Model>> {
    let (directory, org) = of.open()?;
    Ok(Authority::new()?.model(&directory, org)?)
}

fn sentences(why: &[Reason]) -> String {
    why.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

fn principal(text: &str) -> anyhow::Result<Principal> {
    match text.split_once(':') {
        Some(("user", id)) => Ok(Principal::User(id.into())),
        Some(("service_account", id)) => Ok(Principal::ServiceAccount(id.into())),
        _ => bail!("{text} is neither user:ID nor service_account:ID"),
    }
}

fn fitting(permission: Permission, text: &str) -> anyhow::Result<Object> {
    let object = object(text).with_context(|| format!("{text} is no object"))?;
    if !object.takes(permission) {
        bail!("{permission} is about the {}, not about {object}", permission.object_kind());
    }
    Ok(object)
}

fn object(text: &str) -> Option<Object> {
    let parts: Vec<&str> = text.split(':').collect();
    match parts.as_slice() {
        ["organization"] => Some(Object::Organization),
        ["team", id] => Some(Object::Team((*id).into())),
        ["folder", id] => Some(Object::Folder((*id).into())),
        ["app", id] => Some(Object::App((*id).into())),
        ["workflow", id] => Some(Object::Workflow((*id).into())),
        ["resource", resource, environment] => {
            Some(Object::Resource { resource: (*resource).into(), environment: (*environment).into() })
        }
        _ => None,
    }
}
