//! `/v1/users`: the people of an organization.

pub mod change;
pub mod create;
pub mod list;
pub mod read;
pub mod status;

use directory::{Membership, User};
use serde::Serialize;
use utoipa::ToSchema;

use super::listing::page_of;
use super::role_assignments::HeldView;

/// A person.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserView {
    /// Her id: what events name.
    pub id: String,
    /// Her e-mail address.
    pub email: String,
    /// Her name.
    pub name: String,
    /// Her standing: owner, admin, auditor or member.
    pub role: String,
    /// active, disabled or archived.
    pub status: String,
    /// When she was added.
    #[schema(format = DateTime)]
    pub created_at: String,
}

/// A person, with what she holds.
#[derive(Debug, Serialize, ToSchema)]
pub struct WholeUser {
    /// She.
    #[serde(flatten)]
    pub user: UserView,
    /// The roles that she holds beside her standing, and how she comes by them.
    pub roles: Vec<HeldView>,
}

/// A group that somebody is in.
#[derive(Debug, Serialize, ToSchema)]
pub struct MembershipView {
    /// The group's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether she is in it herself, and not through another.
    pub direct: bool,
    /// The groups that lead to it, from the one that she is in.
    pub through: Vec<Step>,
}

/// A group on the way to another.
#[derive(Debug, Serialize, ToSchema)]
pub struct Step {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

page_of! {
    /// People.
    UserPage, users: UserView
}

page_of! {
    /// Groups that somebody is in.
    MembershipPage, groups: MembershipView
}

impl UserView {
    /// As she is shown.
    pub fn of(user: &User) -> UserView {
        UserView {
            id: user.id.to_string(),
            email: user.email.clone(),
            name: user.name.clone(),
            role: user.role.to_string(),
            status: user.status.to_string(),
            created_at: user.created_at.to_string(),
        }
    }
}

impl MembershipView {
    fn of(membership: &Membership) -> MembershipView {
        MembershipView {
            id: membership.group.to_string(),
            name: membership.name.clone(),
            direct: membership.through.len() == 1,
            through: Step::all(&membership.through),
        }
    }
}

impl Step {
    /// A way through groups.
    pub fn all(way: &[(directory::GroupId, String)]) -> Vec<Step> {
        way.iter().map(|(id, name)| Step { id: id.to_string(), name: name.clone() }).collect()
    }
}
