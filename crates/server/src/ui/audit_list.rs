//! `/audit`: which events, newest first.

use std::sync::Arc;

use access::Act;
use askama::Template;
use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use store::{Filter, Page, Rows};

use super::chips::{self, Chip};
use super::filter_form::{FilterForm, Known};
use super::links;
use super::page::{self, Account, thousands};
use super::pager::Pager;
use super::rows::Row;
use super::session::Viewer;
use super::zone::Zone;
use crate::app::App;
use crate::looks;
use crate::params::{self, Given, PageSizes, Part};
use crate::problem::{FieldError, Problem};
use crate::request_id::RequestId;

#[derive(Debug, Template)]
#[template(path = "audit_list.html")]
struct ListPage {
    account: Option<Account>,
    form: FilterForm,
    chips: Vec<Chip>,
    /// `None` if the parameters have faults.
    list: Option<List>,
    zone: ZoneSwitch,
    /// What she sees, line by line, if that is not all.
    seen: Vec<String>,
    /// How to send a first event, while no application has.
    first_steps: Option<FirstSteps>,
}

/// The part of the matches that is shown.
#[derive(Debug)]
struct List {
    total: String,
    is_one: bool,
    rows: Vec<Row>,
    pager: Pager,
}

/// In which zone times stand, and the way to the other one.
#[derive(Debug)]
struct ZoneSwitch {
    name: String,
    offset: String,
    other: Option<(String, String)>,
}

#[derive(Debug)]
struct FirstSteps {
    url: String,
}

/// Which part was asked for.
struct Wanted {
    filter: Filter,
    page: u64,
    per_page: usize,
}

/// Shows the list.
pub(super) async fn show_list(
    State(app): State<Arc<App>>,
    viewer: Viewer,
    Extension(request_id): Extension<RequestId>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let given = Given::parse(query.as_deref());
    let zone = Zone::of(&given, &headers);
    if let Some(plain) = plain_address(&given, &zone, app.config.page_sizes()) {
        return Redirect::to(&links::list(&plain)).into_response();
    }
    let shown = list(&app, &viewer, &request_id, &headers, &given, &zone).await;
    shown.unwrap_or_else(|problem| page::problem_for(&viewer, &request_id, problem))
}

async fn list(
    app: &Arc<App>,
    viewer: &Viewer,
    request_id: &RequestId,
    headers: &HeaderMap,
    given: &Given,
    zone: &Zone,
) -> Result<Response, Problem> {
    let sizes = app.config.page_sizes();
    let wanted = read(given, zone, sizes);
    let scope = viewer.caller.permit(Act::Read)?;
    looks::note(app, &viewer.caller, "page", given, Some(request_id.as_str())).await;
    let (wanted, faults) = match wanted {
        Ok(wanted) => (Some(wanted), Vec::new()),
        Err(faults) => (None, faults),
    };
    let is_plain = wanted.as_ref().is_some_and(|wanted| wanted.filter.is_empty() && wanted.page == 1);
    let part = wanted.as_ref().map(|wanted| (wanted.page, wanted.per_page));
    let (seen, sees_all) = (scope.told(), scope.is_whole());
    let reading = app.reading(move |shared| {
        let rows = wanted.map(|wanted| {
            let offset = (wanted.page - 1).saturating_mul(wanted.per_page as u64);
            shared.store.query(&scope, &wanted.filter, Page { offset, limit: wanted.per_page })
        });
        Ok::<_, Problem>((rows.transpose()?, shared.store.values(&scope)?, shared.directory.teams(scope.org())?))
    });
    let (rows, values, teams) = reading.await??;
    let known = Known::new(values, teams);
    // All that is there is Acta's own, and all of it is on this page.
    let nobody_sends =
        |rows: &Rows| is_plain && rows.total == rows.events.len() as u64 && rows.events.iter().all(|e| e.key().is_none());
    let first_steps =
        rows.as_ref().is_some_and(|rows| sees_all && nobody_sends(rows)).then(|| FirstSteps { url: own_url(app, headers) });
    let status = if faults.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let list = rows.zip(part).map(|(rows, (page, per_page))| List {
        total: thousands(rows.total),
        is_one: rows.total == 1,
        rows: rows.events.iter().map(|entry| Row::new(entry, given, zone)).collect(),
        pager: Pager::new(given, page, per_page, rows.total),
    });
    let shown = ListPage {
        account: Some(Account::of(viewer)),
        form: FilterForm::new(given, &known, sizes, &faults),
        chips: chips::chips(given, &known),
        list,
        zone: zone_switch(app, given, zone, headers),
        seen,
        first_steps,
    };
    Ok(page::html(status, &shown))
}

/// The same filters at the address to keep and to hand on: without what is empty or goes without saying, and with the zone in
/// which dates are meant, so that they mean the same to everybody. `None` if this is it.
fn plain_address(given: &Given, zone: &Zone, sizes: PageSizes) -> Option<Given> {
    let usual = sizes.default.to_string();
    let says = |(name, value): &&(String, String)| !value.is_empty() && (name != "per_page" || *value != usual);
    let mut plain = Given(given.0.iter().filter(says).cloned().collect());
    let is_dated = ["from", "to"].iter().any(|name| plain.first(name).is_some());
    if is_dated && plain.first("tz").is_none() {
        plain = plain.with("tz", Some(zone.name()));
    }
    (plain != *given).then_some(plain)
}

fn read(given: &Given, zone: &Zone, sizes: PageSizes) -> Result<Wanted, Vec<FieldError>> {
    let zoned = if given.first("tz").is_some() { given.clone() } else { given.with("tz", Some(zone.name())) };
    let read = params::list(Some(&zoned.to_query()), sizes, &[]).map_err(|problem| problem.errors)?;
    match read.part {
        Part::Page { page, per_page } => Ok(Wanted { filter: read.filter, page, per_page }),
        Part::Slice { .. } => {
            let names = ["after", "before"].into_iter().filter(|name| given.first(name).is_some());
            Err(names
                .map(|name| FieldError::parameter(name, "is for programs; the pages of this list have numbers"))
                .collect())
        }
    }
}

fn zone_switch(app: &App, given: &Given, zone: &Zone, headers: &HeaderMap) -> ZoneSwitch {
    let browser = Zone::of_browser(headers).filter(|browser| !browser.is_utc());
    let link = |name: &str| (name.to_owned(), links::list(&given.with("tz", Some(name))));
    let other = match browser {
        Some(browser) if zone.name() != browser.name() => Some(link(browser.name())),
        _ if !zone.is_utc() => Some(link("UTC")),
        _ => None,
    };
    ZoneSwitch { name: zone.name().to_owned(), offset: zone.offset(app.now()), other }
}

/// Where this server is reached.
fn own_url(app: &App, headers: &HeaderMap) -> String {
    if !app.config.public_url.is_empty() {
        return app.config.public_url.trim_end_matches('/').to_owned();
    }
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok());
    host.map_or_else(|| format!("http://{}", app.config.listen), |host| format!("http://{host}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_all_it_means_and_nothing_else() {
        let plain = |query: &str| {
            let zone = Zone::parse("Europe/Berlin").unwrap();
            let sizes = PageSizes { default: 50, max: 1_000 };
            let first = plain_address(&Given::parse(Some(query)), &zone, sizes)?;
            assert_eq!(plain_address(&first, &zone, sizes), None);
            Some(first.to_query())
        };
        assert_eq!(plain("action=LOGIN&email=&from=&to=&q=&per_page=50"), Some("action=LOGIN".to_owned()));
        assert_eq!(plain("from=2026-11-20"), Some("from=2026-11-20&tz=Europe%2FBerlin".to_owned()));
        assert_eq!(plain("to=2026-11-20&tz="), Some("to=2026-11-20&tz=Europe%2FBerlin".to_owned()));
        assert_eq!(plain("action=LOGIN&action=LOGOUT&page=2&per_page=25"), None);
        assert_eq!(plain("from=2026-11-20&tz=UTC"), None);
        assert_eq!(plain(""), None);
    }

    #[test]
    fn what_is_for_programs_is_refused_in_words() {
        let sizes = PageSizes { default: 50, max: 1_000 };
        let faults = read(&Given::parse(Some("after=5")), &Zone::utc(), sizes).err().unwrap();
        assert_eq!(faults, [FieldError::parameter("after", "is for programs; the pages of this list have numbers")]);
        assert!(read(&Given::parse(Some("page=2&q=x")), &Zone::utc(), sizes).is_ok());
    }
}
