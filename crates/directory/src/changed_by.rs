//! Who changes the directory.

use std::net::IpAddr;

use record::{Kind, Timestamp};

use crate::authority::Authority;
use crate::user::User;

/// The actor of a change, and from where: what its audit event will say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedBy {
    /// What sort of actor: `user`, `access_token`, `system`.
    pub actor_type: Kind,
    /// Her id, or its.
    pub actor_id: String,
    /// The name to show.
    pub actor_name: Option<String>,
    /// Her address.
    pub actor_email: Option<String>,
    /// Where the request came from.
    pub ip: Option<IpAddr>,
    /// The program that sent it.
    pub user_agent: Option<String>,
    /// The session it belongs to.
    pub session_id: Option<String>,
    /// The request's id.
    pub request_id: Option<String>,
    /// When the request arrived, so that the event can tell how long it took.
    pub started_at: Option<Timestamp>,
    /// What the actor holds: nobody gives more.
    pub authority: Authority,
}

impl ChangedBy {
    /// Somebody at the command line of the machine that Acta runs on.
    pub fn cli() -> ChangedBy {
        ChangedBy::one(kind("system"), "acta-cli")
    }

    /// A signed-in person. `ip` and `user_agent` are for the caller to add.
    pub fn user(user: &User) -> ChangedBy {
        ChangedBy {
            actor_name: Some(user.name.clone()),
            actor_email: Some(user.email.clone()),
            authority: Authority::Person(user.id.clone()),
            ..ChangedBy::one(kind("user"), user.id.as_str())
        }
    }

    /// Any other actor, acting as Acta itself: whoever acts for a caller sets `authority`.
    pub fn one(actor_type: Kind, actor_id: impl Into<String>) -> ChangedBy {
        ChangedBy {
            actor_type,
            actor_id: actor_id.into(),
            actor_name: None,
            actor_email: None,
            ip: None,
            user_agent: None,
            session_id: None,
            request_id: None,
            started_at: None,
            authority: Authority::Acta,
        }
    }
}

fn kind(word: &'static str) -> Kind {
    Kind::new(word).expect("a word in lower case")
}
