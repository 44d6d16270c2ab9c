//! Lists of the directory, a page at a time: `?page=2&per_page=100`.

use std::fmt::Display;
use std::str::FromStr;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use directory::{Listed, Part};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::IntoParams;

use super::events::json;
use crate::params::Given;
use crate::problem::{FieldError, Problem};

const PER_PAGE: u32 = 50;
const PER_PAGE_MAX: u32 = 1_000;

/// Reads the parameters of a list: those that every list has, and these. Another one is a mistake that would show too much.
pub fn parameters(query: Option<&str>, names: &[&str]) -> Result<(Given, Paging), Problem> {
    let given = Given::parse(query);
    let known = |name: &str| matches!(name, "page" | "per_page") || names.contains(&name);
    let unknown = given.0.iter().filter(|(name, _)| !known(name)).map(|(name, _)| {
        let names = names.join(", ");
        FieldError::parameter(name, format!("is not a parameter here; known are page, per_page, {names}"))
    });
    let unknown: Vec<FieldError> = unknown.collect();
    if !unknown.is_empty() {
        return Err(Problem::invalid(unknown));
    }
    let paging = Paging::read(&given)?;
    Ok((given, paging))
}

/// A parameter that stands for something that the program has a type for.
pub fn parameter<T: FromStr<Err: Display>>(given: &Given, name: &str) -> Result<Option<T>, Problem> {
    let read = |text: &str| {
        text.parse().map_err(|error: T::Err| Problem::invalid(vec![FieldError::parameter(name, error.to_string())]))
    };
    given.first(name).map(read).transpose()
}

/// An id in a path. What is no id is nothing that is there.
pub fn id<T: FromStr>(text: &str, what: &str) -> Result<T, Problem> {
    text.parse().map_err(|_| Problem::not_found(format!("There is no such {what}.")))
}

/// The answer to something new.
pub fn created(value: &impl Serialize) -> Result<Response, Problem> {
    let mut response = json(value)?;
    *response.status_mut() = StatusCode::CREATED;
    Ok(response)
}

/// The answer where there is nothing left to show.
pub fn gone() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

/// The parameters of a list of the directory.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what `parameters` reads")]
pub struct PageQuery {
    /// The page, from 1.
    page: Option<u64>,
    /// Things on a page; 50 unless given, at most 1,000.
    per_page: Option<u64>,
}

/// The same with a text to look for.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what `parameters` reads")]
pub struct SearchQuery {
    /// Part of the name, without regard to case.
    q: Option<String>,
    /// The page, from 1.
    page: Option<u64>,
    /// Things on a page; 50 unless given, at most 1,000.
    per_page: Option<u64>,
}

/// Describes an answer of [`Paging::answer`].
macro_rules! page_of {
    ($(#[$doc:meta])* $name:ident, $items:ident: $view:ty) => {
        $(#[$doc])*
        #[derive(Debug, utoipa::ToSchema)]
        #[expect(dead_code, reason = "describes what `Paging::answer` writes")]
        pub struct $name {
            /// Those on this page.
            $items: Vec<$view>,
            /// The page, from 1.
            page: u64,
            /// How many are on a page.
            per_page: u64,
            /// How many pages there are.
            pages: u64,
            /// How many there are in all.
            total: u64,
        }
    };
}
pub(crate) use page_of;

/// Which page is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paging {
    page: u64,
    per_page: u32,
}

impl Paging {
    /// Reads `page` and `per_page`.
    pub fn read(given: &Given) -> Result<Paging, Problem> {
        let page = number(given, "page", 1, u64::from(u32::MAX))?;
        let per_page = number(given, "per_page", u64::from(PER_PAGE), u64::from(PER_PAGE_MAX))?;
        Ok(Paging { page, per_page: u32::try_from(per_page).unwrap_or(PER_PAGE_MAX) })
    }

    /// The same for the directory.
    pub fn part(self) -> Part {
        Part { offset: (self.page - 1) * u64::from(self.per_page), limit: self.per_page }
    }

    /// The answer: the items under their name, and where they stand in the whole.
    pub fn answer<T, V: Serialize>(
        self,
        name: &str,
        listed: &Listed<T>,
        view: impl Fn(&T) -> V,
    ) -> Result<Response, Problem> {
        let items: Vec<Value> = listed
            .items
            .iter()
            .map(|item| serde_json::to_value(view(item)))
            .collect::<Result<_, _>>()
            .map_err(Problem::internal)?;
        let mut answer = Map::new();
        answer.insert(name.to_owned(), items.into());
        answer.insert("page".to_owned(), self.page.into());
        answer.insert("per_page".to_owned(), self.per_page.into());
        answer.insert("pages".to_owned(), listed.total.div_ceil(u64::from(self.per_page)).max(1).into());
        answer.insert("total".to_owned(), listed.total.into());
        json(&Value::Object(answer))
    }
}

fn number(given: &Given, name: &str, default: u64, max: u64) -> Result<u64, Problem> {
    let Some(text) = given.first(name).filter(|text| !text.is_empty()) else { return Ok(default) };
    let number = text.parse::<u64>().ok().filter(|number| (1..=max).contains(number));
    number
        .ok_or_else(|| Problem::invalid(vec![FieldError::parameter(name, format!("is not a whole number from 1 to {max}"))]))
}
