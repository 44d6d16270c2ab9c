//! Setting up, changing and switching off one's own second factor.

use std::borrow::Borrow;
use std::sync::Arc;

use askama::Template;
use axum::extract::{FromRequest, FromRequestParts, RawQuery, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use directory::{AuthenticatorId, Confirmed, Secret, Shown};
use qrcode::QrCode;
use qrcode::render::svg;

use crate::app::{App, blocking};
use crate::changing::change;
use crate::params::Given;
use crate::problem::Problem;
use crate::ui::session::{LimitedViewer, Viewer};
use crate::ui::zone::Zone;
use crate::ui::{confirm, forms, links, page};

/// What an authenticator is called unless she says otherwise.
const NAME: &str = "Authenticator app";
const SET_UP: &str = "/account/second-factor/set-up";

#[derive(Debug, Template)]
#[template(path = "account_second_factor.html")]
struct SecondFactorPage<'a> {
    account: Option<page::Account>,
    authenticators: Vec<Row>,
    recovery_codes_left: u32,
    /// Whether she must have one before she can do anything else.
    is_needed: bool,
    csrf: &'a str,
    wrong: Option<String>,
}

#[derive(Debug)]
struct Row {
    id: String,
    name: String,
    since: String,
}

#[derive(Debug, Template)]
#[template(path = "second_factor_set_up.html")]
struct SetUpPage<'a> {
    account: Option<page::Account>,
    /// The QR code, as SVG.
    picture: String,
    /// The same to be typed, in groups of four.
    secret: String,
    csrf: &'a str,
    wrong: Option<&'static str>,
}

#[derive(Debug, Template)]
#[template(path = "recovery_codes.html")]
struct CodesPage<'a> {
    account: Option<page::Account>,
    codes: Vec<&'a str>,
    is_new: bool,
}

/// A form of these pages from somebody who has shown a moment ago that it is still she. Whoever has not is led to where she can.
#[derive(Debug)]
pub(in crate::ui) struct Asked<V> {
    viewer: V,
    headers: HeaderMap,
    form: Given,
}

impl<V> FromRequest<Arc<App>> for Asked<V>
where
    V: FromRequestParts<Arc<App>, Rejection = Response> + Borrow<Viewer> + Send + Sync,
{
    type Rejection = Response;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Asked<V>, Response> {
        let (mut parts, body) = request.into_parts();
        let viewer = V::from_request_parts(&mut parts, app).await?;
        let form = forms::read_signed(app, viewer.borrow(), &parts.headers, body).await;
        let form = form.map_err(IntoResponse::into_response)?;
        match not_yet(app, viewer.borrow()) {
            Some(response) => Err(response),
            None => Ok(Asked { viewer, headers: parts.headers, form }),
        }
    }
}

/// Shows her authenticators, and the form for one more.
pub(in crate::ui) async fn show_second_factor(
    State(app): State<Arc<App>>,
    LimitedViewer(viewer): LimitedViewer,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    // She has one and has not shown it in this session.
    if viewer.signed_in.lacks_second_factor() && viewer.signed_in.has_second_factor() {
        return Ok(Redirect::to(&links::confirm(links::LIST)).into_response());
    }
    let zone = Zone::of(&Given::parse(query.as_deref()), &headers);
    show(&app, &viewer, &zone, StatusCode::OK, None).await
}

async fn show(
    app: &Arc<App>,
    viewer: &Viewer,
    zone: &Zone,
    status: StatusCode,
    wrong: Option<String>,
) -> Result<Response, Problem> {
    let (shared, user) = (app.clone(), viewer.signed_in.user.clone());
    let (authenticators, recovery_codes_left) = blocking(move || {
        let authenticators = shared.directory.authenticators(user.org, &user.id)?;
        Ok::<_, directory::DirectoryError>((authenticators, shared.directory.recovery_codes_left(user.org, &user.id)?))
    })
    .await??;
    let rows = authenticators.into_iter().map(|one| Row {
        id: one.id.to_string(),
        name: one.name,
        since: zone.show(one.confirmed_at.unwrap_or(one.created_at)).date,
    });
    let page = SecondFactorPage {
        account: Some(page::Account::of(viewer)),
        authenticators: rows.collect(),
        recovery_codes_left,
        is_needed: viewer.signed_in.lacks_second_factor(),
        csrf: viewer.signed_in.csrf.expose(),
        wrong,
    };
    Ok(page::html(status, &page))
}

/// Begins to set one up.
pub(in crate::ui) async fn begin(
    State(app): State<Arc<App>>,
    Asked { viewer: LimitedViewer(viewer), form, .. }: Asked<LimitedViewer>,
) -> Result<Response, Problem> {
    let name = form.first("name").map(str::trim).filter(|name| !name.is_empty()).unwrap_or(NAME).to_owned();
    let (shared, user, now) = (app.clone(), viewer.signed_in.user.clone(), app.now());
    match blocking(move || shared.directory.begin_authenticator(user.org, &user.id, &name, now)).await? {
        Ok(_) => Ok(Redirect::to(SET_UP).into_response()),
        Err(error) => {
            let wrong = Some(forms::fault(error)?);
            show(&app, &viewer, &Zone::utc(), StatusCode::UNPROCESSABLE_ENTITY, wrong).await
        }
    }
}

/// Shows the secret of the one that she is setting up.
pub(in crate::ui) async fn show_set_up(
    State(app): State<Arc<App>>,
    LimitedViewer(viewer): LimitedViewer,
) -> Result<Response, Problem> {
    set_up_page(&app, &viewer, StatusCode::OK, None).await
}

async fn set_up_page(
    app: &Arc<App>,
    viewer: &Viewer,
    status: StatusCode,
    wrong: Option<&'static str>,
) -> Result<Response, Problem> {
    if let Some(response) = not_yet(app, viewer) {
        return Ok(response);
    }
    let (shared, user) = (app.clone(), viewer.signed_in.user.clone());
    let begun = blocking(move || shared.directory.begun_authenticator(user.org, &user.id)).await??;
    let Some((_, seed)) = begun else { return Ok(Redirect::to(links::SECOND_FACTOR).into_response()) };
    let uri = seed.uri(&format!("Acta {}", viewer.signed_in.organization.name), &viewer.signed_in.user.email);
    let letters: Vec<char> = seed.base32().chars().collect();
    let page = SetUpPage {
        account: Some(page::Account::of(viewer)),
        picture: picture(&uri)?,
        secret: letters.chunks(4).map(String::from_iter).collect::<Vec<_>>().join(" "),
        csrf: viewer.signed_in.csrf.expose(),
        wrong,
    };
    Ok(page::html(status, &page))
}

/// Ends setting one up, with its first code. This session has shown a second factor by it.
pub(in crate::ui) async fn end_set_up(
    State(app): State<Arc<App>>,
    Asked { viewer: LimitedViewer(viewer), headers, form }: Asked<LimitedViewer>,
) -> Result<Response, Problem> {
    let code = form.first("code").unwrap_or_default().to_owned();
    let user = viewer.signed_in.user.clone();
    let confirmed = change(&app, &viewer.caller, move |directory, by, now| {
        directory.confirm_authenticator(by, user.org, &user.id, &code, now)
    });
    let mut response = match confirmed.await? {
        Confirmed::WrongCode => {
            let wrong = Some(
                "This code is not right. Enter the one that your app shows now; the clock of your device must be right.",
            );
            return set_up_page(&app, &viewer, StatusCode::UNPROCESSABLE_ENTITY, wrong).await;
        }
        Confirmed::Added { recovery_codes } if recovery_codes.is_empty() => {
            Redirect::to(links::SECOND_FACTOR).into_response()
        }
        Confirmed::Added { recovery_codes } => codes_page(&viewer, &recovery_codes, true),
    };
    confirm::renew(&app, &viewer, &headers, Shown::SecondFactor, &mut response).await?;
    Ok(response)
}

/// Removes one.
pub(in crate::ui) async fn remove(
    State(app): State<Arc<App>>,
    Asked { viewer, form, .. }: Asked<Viewer>,
) -> Result<Response, Problem> {
    let id = AuthenticatorId::parse(form.first("id").unwrap_or_default())
        .map_err(|_| Problem::not_found("You have no such authenticator."))?;
    let user = viewer.signed_in.user.clone();
    change(&app, &viewer.caller, move |directory, by, now| directory.remove_authenticator(by, user.org, &user.id, &id, now))
        .await?;
    Ok(Redirect::to(links::SECOND_FACTOR).into_response())
}

/// Switches it off.
pub(in crate::ui) async fn disable(
    State(app): State<Arc<App>>,
    Asked { viewer, .. }: Asked<Viewer>,
) -> Result<Response, Problem> {
    let user = viewer.signed_in.user.clone();
    change(&app, &viewer.caller, move |directory, by, now| directory.disable_second_factor(by, user.org, &user.id, now))
        .await?;
    Ok(Redirect::to(links::SECOND_FACTOR).into_response())
}

/// Makes new recovery codes, and shows them this once.
pub(in crate::ui) async fn new_codes(
    State(app): State<Arc<App>>,
    Asked { viewer, .. }: Asked<Viewer>,
) -> Result<Response, Problem> {
    let user = viewer.signed_in.user.clone();
    let codes =
        change(&app, &viewer.caller, move |directory, by, now| directory.new_recovery_codes(by, user.org, &user.id, now));
    Ok(codes_page(&viewer, &codes.await?, false))
}

fn codes_page(viewer: &Viewer, codes: &[Secret], is_new: bool) -> Response {
    let codes = codes.iter().map(Secret::expose).collect();
    page::html(StatusCode::OK, &CodesPage { account: Some(page::Account::of(viewer)), codes, is_new })
}

/// The way to where she shows that it is still she, if that was not a moment ago. It leads back to the overview, because a form
/// that was sent cannot be sent again.
fn not_yet(app: &App, viewer: &Viewer) -> Option<Response> {
    // A session from before there was a second factor has shown none, and may change none.
    if viewer.signed_in.has_second_factor() && viewer.signed_in.session.second_factor_at.is_none() {
        return Some(Redirect::to(&links::confirm(links::SECOND_FACTOR)).into_response());
    }
    viewer.confirmed(app.now(), links::SECOND_FACTOR).err()
}

/// The code as a picture within the page, dark on light whatever the page's colours are: cameras want it so.
fn picture(uri: &str) -> Result<String, Problem> {
    let code = QrCode::new(uri).map_err(Problem::internal)?;
    let image = code.render::<svg::Color<'_>>().min_dimensions(220, 220).build();
    let image = image.split_once("?>").map_or(image.as_str(), |(_, image)| image);
    Ok(image.replacen("<svg ", "<svg role=\"img\" aria-label=\"QR code for your authenticator app\" ", 1))
}
