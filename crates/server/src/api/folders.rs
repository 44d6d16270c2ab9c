//! `/v1/folders`: of apps, workflows, resources and folders.

use std::sync::Arc;

use access::{Act, ObjectKind, Permission};
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use directory::{Find, FolderId};
use policy::Object;
use record::TeamId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::events::json;
use super::listing::{SearchQuery, created, gone, id, page_of, parameters};
use super::thing::{new_place, permit_move, place};
use crate::app::App;
use crate::authority::{permit, permit_key, permit_place, permit_seeing, seen};
use crate::body_json::{self, Parsed, given};
use crate::changing::{ask, change};
use crate::permit::Caller;
use crate::problem::Problem;

/// A folder.
#[derive(Debug, Serialize, ToSchema)]
pub struct FolderView {
    /// Its id.
    id: String,
    /// Its name.
    name: String,
    /// The folder that it lies in.
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
    /// The team that it lies in, if it lies in no folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    team: Option<String>,
    /// When it was created.
    #[schema(format = DateTime)]
    created_at: String,
}

page_of! {
    /// Folders.
    FolderPage, folders: FolderView
}

/// A folder to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewFolder {
    /// Its name.
    name: String,
    /// The folder that it is to lie in.
    #[schema(value_type = Option<String>)]
    parent: Option<Parsed<FolderId>>,
    /// The team that it is to lie in, if in no folder.
    #[schema(value_type = Option<String>)]
    team: Option<TeamId>,
}

/// What is to be different; what is left out stays. A folder or a team stands for the whole place.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FolderPatch {
    /// The name.
    name: Option<String>,
    /// The folder; `null`: none.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    parent: Option<Option<Parsed<FolderId>>>,
    /// The team; `null`: none.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    team: Option<Option<TeamId>>,
}

impl FolderView {
    fn of(folder: &directory::Folder) -> FolderView {
        FolderView {
            id: folder.id.to_string(),
            name: folder.name.clone(),
            parent: folder.place.folder.as_ref().map(ToString::to_string),
            team: folder.place.team.as_ref().map(ToString::to_string),
            created_at: folder.created_at.to_string(),
        }
    }
}

fn object(id: &FolderId) -> Object {
    Object::Folder(id.as_str().into())
}

/// Lists the folders that the caller may see, by name.
#[utoipa::path(get, path = "/v1/folders", tag = "folders", operation_id = "listFolders", params(SearchQuery),
    responses((status = 200, description = "Folders", body = FolderPage)))]
pub async fn list_folders(
    State(state): State<Arc<App>>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let (given, paging) = parameters(query.as_deref(), &["q"])?;
    let (org, only) = seen(&state, &caller, ObjectKind::Folder).await?;
    let find = Find { q: given.first("q").map(str::to_owned), only };
    let listed = ask(&state, move |directory, _| directory.folders(org, &find, paging.part())).await?;
    paging.answer("folders", &listed, FolderView::of)
}

/// Creates a folder: for administrators, and for whoever may change the folder or manages the team that it is to lie in.
#[utoipa::path(post, path = "/v1/folders", tag = "folders", operation_id = "createFolder", request_body = NewFolder,
    responses(
        (status = 201, description = "The folder", body = FolderView),
        (status = 409, description = "The name is taken", body = Problem)))]
pub async fn create_folder(
    State(state): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    permit_key(&caller, Act::ChangeDirectory)?;
    let NewFolder { name, parent, team } = body_json::read(&state, &headers, body).await?;
    let place = place(parent, team);
    let org = permit_place(&state, &caller, &place).await?;
    let folder =
        change(&state, &caller, move |directory, by, now| directory.create_folder(by, org, &name, &place, now)).await?;
    created(&FolderView::of(&folder))
}

/// Shows one folder.
#[utoipa::path(get, path = "/v1/folders/{folder_id}", tag = "folders", operation_id = "readFolder",
    params(("folder_id" = String, Path, description = "The folder's id")),
    responses(
        (status = 200, description = "The folder", body = FolderView),
        (status = 404, description = "There is none", body = Problem)))]
pub async fn read_folder(
    State(state): State<Arc<App>>,
    caller: Caller,
    Path(folder): Path<String>,
) -> Result<Response, Problem> {
    let folder: FolderId = id(&folder, "folder")?;
    let org = permit_seeing(&state, &caller, &object(&folder)).await?;
    json(&FolderView::of(&ask(&state, move |directory, _| directory.folder(org, &folder)).await?))
}

/// Renames or moves a folder.
#[utoipa::path(patch, path = "/v1/folders/{folder_id}", tag = "folders", operation_id = "updateFolder", request_body = FolderPatch,
    params(("folder_id" = String, Path, description = "The folder's id")),
    responses(
        (status = 200, description = "The folder", body = FolderView),
        (status = 404, description = "There is none", body = Problem),
        (status = 409, description = "The name is taken", body = Problem)))]
pub async fn update_folder(
    State(state): State<Arc<App>>,
    caller: Caller,
    Path(folder): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let folder: FolderId = id(&folder, "folder")?;
    let org = permit(&state, &caller, Act::ChangeDirectory, Permission::FolderEdit, &object(&folder)).await?;
    let FolderPatch { name, parent, team } = body_json::read(&state, &headers, body).await?;
    let place = new_place(parent, team);
    permit_move(&state, &caller, Permission::FolderMove, &object(&folder), place.as_ref()).await?;
    let changed = change(&state, &caller, move |directory, by, now| {
        directory.change_folder(by, org, &folder, name.as_deref(), place.as_ref(), now)
    });
    json(&FolderView::of(&changed.await?))
}

/// Deletes a folder in which nothing is any more, and the grants on it.
#[utoipa::path(delete, path = "/v1/folders/{folder_id}", tag = "folders", operation_id = "deleteFolder",
    params(("folder_id" = String, Path, description = "The folder's id")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 409, description = "Something is in it", body = Problem),
        (status = 404, description = "There is none", body = Problem)))]
pub async fn delete_folder(
    State(state): State<Arc<App>>,
    caller: Caller,
    Path(folder): Path<String>,
) -> Result<Response, Problem> {
    let folder: FolderId = id(&folder, "folder")?;
    let org = permit(&state, &caller, Act::ChangeDirectory, Permission::FolderMove, &object(&folder)).await?;
    change(&state, &caller, move |directory, by, now| directory.delete_folder(by, org, &folder, now)).await?;
    Ok(gone())
}
