//! `/v1/apps`: what people build and others use.

use std::sync::Arc;

use access::{Act, ObjectKind, Permission};
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use directory::{AppId, Find, ThingChange};
use policy::Object;
use serde::Serialize;
use utoipa::ToSchema;

use super::events::json;
use super::listing::{SearchQuery, created, gone, id, page_of, parameters};
use super::thing::{NewThing, ThingPatch, new_place, permit_move, place};
use crate::app::App;
use crate::authority::{permit, permit_key, permit_place, permit_seeing, seen};
use crate::body_json;
use crate::changing::{ask, change};
use crate::permit::Caller;
use crate::problem::Problem;

/// An app.
#[derive(Debug, Serialize, ToSchema)]
pub struct AppView {
    /// Its id.
    id: String,
    /// Its name.
    name: String,
    /// The folder that it lies in.
    #[serde(skip_serializing_if = "Option::is_none")]
    folder: Option<String>,
    /// The team that it lies in, if it lies in no folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    team: Option<String>,
    /// When a version of it was last released.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    released_at: Option<String>,
    /// When it was archived.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    archived_at: Option<String>,
    /// When it was created.
    #[schema(format = DateTime)]
    created_at: String,
}

page_of! {
    /// Apps.
    AppPage, apps: AppView
}

impl AppView {
    fn of(app: &directory::App) -> AppView {
        AppView {
            id: app.id.to_string(),
            name: app.name.clone(),
            folder: app.place.folder.as_ref().map(ToString::to_string),
            team: app.place.team.as_ref().map(ToString::to_string),
            released_at: app.released_at.map(|at| at.to_string()),
            archived_at: app.archived_at.map(|at| at.to_string()),
            created_at: app.created_at.to_string(),
        }
    }
}

fn object(id: &AppId) -> Object {
    Object::App(id.as_str().into())
}

/// Lists the apps that the caller may see, by name.
#[utoipa::path(get, path = "/v1/apps", tag = "apps", operation_id = "listApps", params(SearchQuery),
    responses((status = 200, description = "Apps", body = AppPage)))]
pub async fn list_apps(
    State(state): State<Arc<App>>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let (given, paging) = parameters(query.as_deref(), &["q"])?;
    let (org, only) = seen(&state, &caller, ObjectKind::App).await?;
    let find = Find { q: given.first("q").map(str::to_owned), only };
    let listed = ask(&state, move |directory, _| directory.apps(org, &find, paging.part())).await?;
    paging.answer("apps", &listed, AppView::of)
}

/// Creates an app: for administrators, and for whoever may change the folder or manages the team that it is to lie in.
#[utoipa::path(post, path = "/v1/apps", tag = "apps", operation_id = "createApp", request_body = NewThing,
    responses(
        (status = 201, description = "The app", body = AppView),
        (status = 409, description = "The name is taken", body = Problem)))]
pub async fn create_app(
    State(state): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    permit_key(&caller, Act::ChangeDirectory)?;
    let NewThing { name, folder, team } = body_json::read(&state, &headers, body).await?;
    let place = place(folder, team);
    let org = permit_place(&state, &caller, &place).await?;
    let app = change(&state, &caller, move |directory, by, now| directory.create_app(by, org, &name, &place, now)).await?;
    created(&AppView::of(&app))
}

/// Shows one app.
#[utoipa::path(get, path = "/v1/apps/{app_id}", tag = "apps", operation_id = "readApp",
    params(("app_id" = String, Path, description = "The app's id")),
    responses(
        (status = 200, description = "The app", body = AppView),
        (status = 404, description = "There is none", body = Problem)))]
pub async fn read_app(State(state): State<Arc<App>>, caller: Caller, Path(app): Path<String>) -> Result<Response, Problem> {
    let app: AppId = id(&app, "app")?;
    let org = permit_seeing(&state, &caller, &object(&app)).await?;
    json(&AppView::of(&ask(&state, move |directory, _| directory.app(org, &app)).await?))
}

/// Renames, moves or archives an app.
#[utoipa::path(patch, path = "/v1/apps/{app_id}", tag = "apps", operation_id = "updateApp", request_body = ThingPatch,
    params(("app_id" = String, Path, description = "The app's id")),
    responses(
        (status = 200, description = "The app", body = AppView),
        (status = 404, description = "There is none", body = Problem),
        (status = 409, description = "The name is taken", body = Problem)))]
pub async fn update_app(
    State(state): State<Arc<App>>,
    caller: Caller,
    Path(app): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let app: AppId = id(&app, "app")?;
    let org = permit(&state, &caller, Act::ChangeDirectory, Permission::AppEdit, &object(&app)).await?;
    let ThingPatch { name, folder, team, archived } = body_json::read(&state, &headers, body).await?;
    let place = new_place(folder, team);
    permit_move(&state, &caller, Permission::AppMove, &object(&app), place.as_ref()).await?;
    let changed = change(&state, &caller, move |directory, by, now| {
        directory.change_app(by, org, &app, &ThingChange { name: name.as_deref(), place, archived }, now)
    });
    json(&AppView::of(&changed.await?))
}

/// Notes that a version of an app was released.
#[utoipa::path(post, path = "/v1/apps/{app_id}/release", tag = "apps", operation_id = "releaseApp",
    params(("app_id" = String, Path, description = "The app's id")),
    responses(
        (status = 200, description = "The app", body = AppView),
        (status = 404, description = "There is none", body = Problem)))]
pub async fn release_app(
    State(state): State<Arc<App>>,
    caller: Caller,
    Path(app): Path<String>,
) -> Result<Response, Problem> {
    let app: AppId = id(&app, "app")?;
    let org = permit(&state, &caller, Act::ChangeDirectory, Permission::AppRelease, &object(&app)).await?;
    let released = change(&state, &caller, move |directory, by, now| directory.release_app(by, org, &app, now)).await?;
    json(&AppView::of(&released))
}

/// Deletes an app and the grants on it.
#[utoipa::path(delete, path = "/v1/apps/{app_id}", tag = "apps", operation_id = "deleteApp",
    params(("app_id" = String, Path, description = "The app's id")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "There is none", body = Problem)))]
pub async fn delete_app(
    State(state): State<Arc<App>>,
    caller: Caller,
    Path(app): Path<String>,
) -> Result<Response, Problem> {
    let app: AppId = id(&app, "app")?;
    let org = permit(&state, &caller, Act::ChangeDirectory, Permission::AppDelete, &object(&app)).await?;
    change(&state, &caller, move |directory, by, now| directory.delete_app(by, org, &app, now)).await?;
    Ok(gone())
}
