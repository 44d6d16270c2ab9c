//! What the bodies of apps, workflows, resources and folders have in common: a name, and where the thing lies.

use std::sync::Arc;

use access::{Act, Permission};
use directory::{FolderId, Place};
use policy::Object;
use record::TeamId;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::authority::{permit, permit_place};
use crate::body_json::{Parsed, given};
use crate::permit::Caller;
use crate::problem::Problem;

/// An app or a workflow to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewThing {
    /// Its name.
    pub name: String,
    /// The folder that it is to lie in.
    #[schema(value_type = Option<String>)]
    pub folder: Option<Parsed<FolderId>>,
    /// The team that it is to lie in, if in no folder.
    #[schema(value_type = Option<String>)]
    pub team: Option<TeamId>,
}

/// What is to be different; what is left out stays. A folder or a team stands for the whole place.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ThingPatch {
    /// The name.
    pub name: Option<String>,
    /// The folder; `null`: none.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub folder: Option<Option<Parsed<FolderId>>>,
    /// The team; `null`: none.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub team: Option<Option<TeamId>>,
    /// Whether it is archived: seen and deleted, nothing else.
    pub archived: Option<bool>,
}

/// A place from the members `folder` (or `parent`) and `team`.
pub fn place(folder: Option<Parsed<FolderId>>, team: Option<TeamId>) -> Place {
    Place { folder: folder.map(|folder| folder.0), team }
}

/// A place from the same members of a patch; `None` if neither is given. One that is given stands for both.
pub fn new_place(folder: Option<Option<Parsed<FolderId>>>, team: Option<Option<TeamId>>) -> Option<Place> {
    (folder.is_some() || team.is_some()).then(|| place(folder.flatten(), team.flatten()))
}

/// Lets through whoever may move the object, and may put something there; and everybody if it stays where it is.
pub async fn permit_move(
    state: &Arc<App>,
    caller: &Caller,
    permission: Permission,
    object: &Object,
    place: Option<&Place>,
) -> Result<(), Problem> {
    let Some(place) = place else { return Ok(()) };
    permit(state, caller, Act::ChangeDirectory, permission, object).await?;
    permit_place(state, caller, place).await?;
    Ok(())
}
