//! Lists of the directory, a page at a time: `?page=2&per_page=100`.

use axum::response::Response;
use directory::{Listed, Part};
use serde::Serialize;
use serde_json::{Map, Value};

use super::events::json;
use crate::params::Given;
use crate::problem::{FieldError, Problem};

const PER_PAGE: u32 = 50;
const PER_PAGE_MAX: u32 = 1_000;

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
