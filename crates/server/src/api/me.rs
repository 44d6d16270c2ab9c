//! `GET /v1/me`: who am I here, and what may I do?

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use access::{Held, Permission};
use axum::extract::State;
use axum::response::Response;
use directory::{ApiKey, HeldAssignment, SignedIn};
use serde::Serialize;
use utoipa::ToSchema;

use super::api_keys::ApiKeyView;
use super::events::json;
use super::role_assignments::HeldView;
use super::sessions::SessionView;
use super::users::UserView;
use crate::app::App;
use crate::changing::ask;
use crate::permit::{Caller, Who};
use crate::problem::Problem;

/// The caller.
#[derive(Debug, Serialize, ToSchema)]
pub struct Me {
    /// The organization that this is about.
    pub organization: MyOrganization,
    /// The person who is signed in.
    pub user: Option<UserView>,
    /// The API key that was sent.
    pub api_key: Option<ApiKeyView>,
    /// What is permitted everywhere in the organization. With a narrowed role, `log:read` is for a part of the log.
    pub permissions: Vec<&'static str>,
    /// What is permitted in single teams besides.
    pub teams: Vec<MyTeam>,
    /// The roles that she holds beside her standing, and how she comes by them.
    pub roles: Vec<HeldView>,
    /// When she showed a second factor in this session.
    #[schema(format = DateTime)]
    pub second_factor_at: Option<String>,
    /// The session.
    pub session: Option<SessionView>,
}

/// The organization that a caller is in.
#[derive(Debug, Serialize, ToSchema)]
pub struct MyOrganization {
    /// Its number.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Whether everybody shows a second factor.
    pub second_factor_required: bool,
}

/// A team in which something is permitted.
#[derive(Debug, Serialize, ToSchema)]
pub struct MyTeam {
    /// Its id.
    pub id: String,
    /// What is permitted there.
    pub permissions: Vec<&'static str>,
}

impl Me {
    fn of_key(organization: MyOrganization, key: &ApiKey) -> Me {
        let permissions: BTreeSet<Permission> = key.scopes.iter().flat_map(|scope| scope.permissions()).collect();
        let (everywhere, teams) = match &key.team {
            None => (permissions, Vec::new()),
            Some(team) => (BTreeSet::new(), vec![MyTeam { id: team.to_string(), permissions: names(&permissions) }]),
        };
        Me {
            organization,
            user: None,
            api_key: Some(ApiKeyView::of(key)),
            permissions: names(&everywhere),
            teams,
            roles: Vec::new(),
            second_factor_at: None,
            session: None,
        }
    }

    fn of_person(organization: MyOrganization, signed_in: &SignedIn, held: &[HeldAssignment]) -> Me {
        let mut everywhere: BTreeSet<Permission> = signed_in.user.role.permissions().into_iter().collect();
        let mut teams: BTreeMap<String, BTreeSet<Permission>> = BTreeMap::new();
        for Held { permissions, team, .. } in held.iter().map(|held| held.assignment.held()) {
            match team {
                None => everywhere.extend(permissions),
                Some(team) => teams.entry(team.to_string()).or_default().extend(permissions),
            }
        }
        let session = &signed_in.session;
        Me {
            organization,
            user: Some(UserView::of(&signed_in.user)),
            api_key: None,
            permissions: names(&everywhere),
            teams: teams.into_iter().map(|(id, held)| MyTeam { id, permissions: names(&held) }).collect(),
            roles: held.iter().map(HeldView::of).collect(),
            second_factor_at: session.second_factor_at.map(|at| at.to_string()),
            session: Some(SessionView::of(session, Some(session.id.as_str()))),
        }
    }
}

fn names(permissions: &BTreeSet<Permission>) -> Vec<&'static str> {
    permissions.iter().map(|permission| permission.as_str()).collect()
}

/// Shows the caller to herself.
#[utoipa::path(get, path = "/v1/me", tag = "sessions", operation_id = "readMe",
    responses((status = 200, description = "The caller, and what she may do", body = Me)))]
pub async fn read_me(State(app): State<Arc<App>>, caller: Caller) -> Result<Response, Problem> {
    let org = caller.subject().org();
    let user = match &caller.who {
        Who::Person(signed_in) => Some(signed_in.user.id.clone()),
        Who::Key(_) => None,
    };
    let (found, held) = ask(&app, move |directory, now| {
        let held = user.map(|user| directory.held_by(org, &user, now)).transpose()?;
        Ok((directory.organization(org)?, held.unwrap_or_default()))
    })
    .await?;
    let organization = MyOrganization {
        id: u64::from(found.id.0),
        name: found.name,
        second_factor_required: found.settings.second_factor_required,
    };
    json(&match &caller.who {
        Who::Key(key) => Me::of_key(organization, key),
        Who::Person(signed_in) => Me::of_person(organization, signed_in, &held),
    })
}
