//! Everything that guardrails can know of a principal or an object beside its place in the hierarchies.
//!
//! Cedar's entities are made from these and nothing else, so whoever has the same attributes is the same to every guardrail.

use access::EnvironmentKind;
use cedar_policy::RestrictedExpression as Value;

use crate::engine::Names;

/// Of a principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum PrincipalAttributes {
    User {
        active: bool,
        second_factor: bool,
    },
    ServiceAccount {
        active: bool,
    },
    /// A user whom the organization does not have.
    UnknownUser,
    UnknownServiceAccount,
}

/// Of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ObjectAttributes {
    Organization { closed: bool, second_factor_required: bool },
    Team { known: bool },
    Folder { known: bool },
    App { known: bool, archived: bool, released: bool },
    Workflow { known: bool, archived: bool, enabled: bool },
    Resource { known: bool, archived: bool, environment: EnvironmentKind, sensitive: bool },
}

type Attributes = Vec<(&'static str, Value)>;

impl PrincipalAttributes {
    /// Whether the organization has it.
    pub(crate) fn known(self) -> bool {
        !matches!(self, PrincipalAttributes::UnknownUser | PrincipalAttributes::UnknownServiceAccount)
    }

    pub(crate) fn values(self, names: &Names) -> Attributes {
        let home = ("home", names.home(self.known()));
        let (active, second_factor) = match self {
            PrincipalAttributes::User { active, second_factor } => (active, Some(second_factor)),
            PrincipalAttributes::ServiceAccount { active } => (active, None),
            PrincipalAttributes::UnknownUser => (false, Some(false)),
            PrincipalAttributes::UnknownServiceAccount => (false, None),
        };
        let mut values = vec![home, ("active", Value::new_bool(active))];
        values.extend(second_factor.map(|value| ("second_factor", Value::new_bool(value))));
        values
    }
}

impl ObjectAttributes {
    /// Whether the organization has it.
    pub(crate) fn known(self) -> bool {
        match self {
            ObjectAttributes::Organization { .. } => true,
            ObjectAttributes::Team { known }
            | ObjectAttributes::Folder { known }
            | ObjectAttributes::App { known, .. }
            | ObjectAttributes::Workflow { known, .. }
            | ObjectAttributes::Resource { known, .. } => known,
        }
    }

    pub(crate) fn values(self, names: &Names) -> Attributes {
        let mut values = vec![("home", names.home(self.known()))];
        match self {
            ObjectAttributes::Organization { closed, second_factor_required } => {
                values.push(("closed", Value::new_bool(closed)));
                values.push(("second_factor_required", Value::new_bool(second_factor_required)));
            }
            ObjectAttributes::Team { .. } | ObjectAttributes::Folder { .. } => {}
            ObjectAttributes::App { archived, released, .. } => {
                values.push(("archived", Value::new_bool(archived)));
                values.push(("released", Value::new_bool(released)));
            }
            ObjectAttributes::Workflow { archived, enabled, .. } => {
                values.push(("archived", Value::new_bool(archived)));
                values.push(("enabled", Value::new_bool(enabled)));
            }
            ObjectAttributes::Resource { archived, environment, sensitive, .. } => {
                values.push(("archived", Value::new_bool(archived)));
                values.push(("environment_kind", Value::new_string(environment.as_str().to_owned())));
                values.push(("sensitive", Value::new_bool(sensitive)));
            }
        }
        values
    }
}
