//! The form above the list: what can be filtered by, and what was chosen or typed.

use std::collections::BTreeMap;

use directory::Team;
use record::{Catalogs, Outcome};
use store::values::Values;

use super::page::thousands;
use super::{chips, summary};
use crate::params::{Given, PageSizes};
use crate::problem::FieldError;

/// Addresses offered while typing, at most: those with the most events.
const EMAILS_MAX: usize = 100;
/// Page sizes offered.
const PER_PAGE: [usize; 4] = [25, 50, 100, 200];
/// The heading for actions that no catalog knows.
const UNLISTED: &str = "Other";

/// What occurs in the events that the viewer may see, with names.
#[derive(Debug, Default)]
pub(super) struct Known {
    values: Values,
    teams: BTreeMap<String, String>,
}

impl Known {
    /// Values that occur, and the organization's teams.
    pub(super) fn new(values: Values, teams: Vec<Team>) -> Known {
        Known { values, teams: teams.into_iter().map(|team| (team.id.as_str().to_owned(), team.name)).collect() }
    }

    /// The name of an actor; the id if nothing better is known.
    pub(super) fn actor<'a>(&'a self, id: &'a str) -> &'a str {
        let known = self.values.actors.get(id);
        known.and_then(|it| it.name.as_deref().or(it.email.as_deref())).unwrap_or(id)
    }

    /// The name of a team; the id if the directory has none.
    pub(super) fn team<'a>(&'a self, id: &'a str) -> &'a str {
        self.teams.get(id).map_or(id, String::as_str)
    }
}

/// A value to choose.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) label: String,
    /// How often it occurs.
    pub(super) count: String,
    pub(super) chosen: bool,
}

/// Event types under a heading.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) title: String,
    /// The heading can be chosen as a whole.
    pub(super) whole: Option<Choice>,
    pub(super) choices: Vec<Choice>,
}

/// A fault of one field.
#[derive(Debug)]
pub(super) struct Fault {
    /// The parameter.
    pub(super) field: String,
    /// What it is called on the page.
    pub(super) label: String,
    /// What is wrong with it.
    pub(super) detail: String,
    /// Whether the form has a field of that name to go to.
    pub(super) has_field: bool,
}

/// The form.
#[derive(Debug)]
pub(super) struct FilterForm {
    pub(super) groups: Vec<Group>,
    /// What is chosen, for the closed list: `All events`, or how many.
    pub(super) events: String,
    pub(super) teams: Vec<Choice>,
    /// What is chosen, for the closed list.
    pub(super) team: String,
    pub(super) outcomes: Vec<Choice>,
    pub(super) per_page: Vec<Choice>,
    pub(super) emails: Vec<String>,
    /// Whether the fields that few need are shown.
    pub(super) is_more_open: bool,
    pub(super) faults: Vec<Fault>,
    given: Given,
}

/// The fields that few need.
const MORE: [&str; 5] = ["actor", "ip", "target", "target_type", "tz"];
/// All fields that a fault can lead to.
const FIELDS: [&str; 11] = ["email", "outcome", "from", "to", "q", "per_page", "actor", "ip", "target", "target_type", "tz"];

impl FilterForm {
    /// The form as it was sent, faults and all.
    pub(super) fn new(given: &Given, known: &Known, sizes: PageSizes, faults: &[FieldError]) -> FilterForm {
        let groups = groups(given, known);
        let teams = teams(given, known);
        let faults: Vec<Fault> = faults.iter().map(fault).collect();
        let is_more_open = MORE.iter().any(|name| *name != "tz" && given.first(name).is_some())
            || faults.iter().any(|fault| MORE.contains(&fault.field.as_str()));
        FilterForm {
            events: chosen_of(groups.iter().flat_map(|group| group.whole.iter().chain(&group.choices)), "All events"),
            team: chosen_of(&teams, "All teams"),
            groups,
            teams,
            outcomes: outcomes(given),
            per_page: per_page(given, sizes),
            emails: emails(&known.values),
            is_more_open,
            faults,
            given: given.clone(),
        }
    }

    /// What was typed into a field.
    pub(super) fn typed(&self, name: &str) -> &str {
        self.given.first(name).unwrap_or_default()
    }

    /// A date has a field that helps; a time, or what is no date, is shown as it was typed.
    pub(super) fn date_type(&self, name: &str) -> &'static str {
        let typed = self.typed(name);
        let is_date = typed.len() == 10 && typed.parse::<jiff::civil::Date>().is_ok();
        if typed.is_empty() || is_date { "date" } else { "text" }
    }

    /// What is wrong with a field.
    pub(super) fn fault(&self, name: &str) -> Option<&Fault> {
        self.faults.iter().find(|fault| fault.field == name)
    }
}

fn fault(error: &FieldError) -> Fault {
    let field = error.parameter.clone().unwrap_or_default();
    let label = match field.as_str() {
        "email" => "User e-mail".to_owned(),
        "tz" => "Time zone".to_owned(),
        "per_page" => "Per page".to_owned(),
        "page" => "Page".to_owned(),
        other => chips::name(other).map_or_else(|| format!("“{other}”"), str::to_owned),
    };
    let has_field = FIELDS.contains(&field.as_str());
    Fault { label, detail: error.detail.clone(), has_field, field }
}

fn chosen_of<'a>(choices: impl IntoIterator<Item = &'a Choice>, none: &str) -> String {
    let chosen: Vec<&Choice> = choices.into_iter().filter(|choice| choice.chosen).collect();
    match chosen.as_slice() {
        [] => none.to_owned(),
        [one] => one.label.clone(),
        more => format!("{} selected", more.len()),
    }
}

/// What occurs, and what was chosen all the same, under the catalogs' headings.
fn groups(given: &Given, known: &Known) -> Vec<Group> {
    let catalogs = Catalogs::built_in();
    let mut by_category: BTreeMap<&str, Vec<(String, u64)>> = BTreeMap::new();
    let category_of = |action: &str| catalogs.get(action).map_or(UNLISTED, |(_, entry)| entry.category.as_str());
    for (action, count) in &known.values.actions {
        by_category.entry(category_of(action.as_str())).or_default().push((action.as_str().to_owned(), *count));
    }
    for action in given.all("action") {
        if !known.values.actions.keys().any(|known| known.as_str() == action) {
            by_category.entry(category_of(action)).or_default().push((action.to_owned(), 0));
        }
    }
    let mut groups: Vec<Group> = Vec::new();
    for (title, actions) in by_category {
        let total: u64 = actions.iter().map(|(_, count)| count).sum();
        let chosen = given.all("category").any(|category| category.eq_ignore_ascii_case(title));
        let whole = (title != UNLISTED).then(|| choice(title.to_owned(), format!("All of {title}"), total, chosen));
        let mut choices: Vec<Choice> = Vec::new();
        for (action, count) in actions {
            let chosen = given.all("action").any(|given| given == action);
            choices.push(choice(action.clone(), catalogs.title(&action).to_owned(), count, chosen));
        }
        choices.sort_by(|a, b| a.label.cmp(&b.label).then_with(|| a.value.cmp(&b.value)));
        groups.push(Group { title: title.to_owned(), whole, choices });
    }
    // Acta's groups are in the order of the alphabet; what no catalog knows comes last.
    groups.sort_by_key(|group| group.title == UNLISTED);
    groups
}

fn teams(given: &Given, known: &Known) -> Vec<Choice> {
    let occurring = known.values.teams.iter().map(|(team, count)| (team.as_str().to_owned(), *count));
    let mut teams: BTreeMap<String, u64> = occurring.collect();
    for team in given.all("team") {
        teams.entry(team.to_owned()).or_default();
    }
    let mut choices: Vec<Choice> = teams
        .into_iter()
        .map(|(id, count)| {
            let chosen = given.all("team").any(|given| given == id);
            let label = known.team(&id).to_owned();
            choice(id, label, count, chosen)
        })
        .collect();
    choices.sort_by(|a, b| a.label.cmp(&b.label));
    choices
}

fn outcomes(given: &Given) -> Vec<Choice> {
    let chosen = given.first("outcome");
    let known = Outcome::ALL
        .map(|one| choice(one.as_str().to_owned(), summary::outcome(one).to_owned(), 0, chosen == Some(one.as_str())));
    let mut outcomes: Vec<Choice> = known.into();
    if let Some(other) = chosen.filter(|chosen| Outcome::parse(chosen).is_none()) {
        outcomes.push(choice(other.to_owned(), other.to_owned(), 0, true));
    }
    outcomes
}

fn per_page(given: &Given, sizes: PageSizes) -> Vec<Choice> {
    let chosen = given.first("per_page").map_or_else(|| sizes.default.to_string(), str::to_owned);
    let mut offered: Vec<usize> = PER_PAGE.into_iter().filter(|size| *size <= sizes.max).collect();
    offered.extend([sizes.default, chosen.parse().unwrap_or(sizes.default)]);
    offered.sort_unstable();
    offered.dedup();
    offered.into_iter().map(|size| choice(size.to_string(), size.to_string(), 0, size.to_string() == chosen)).collect()
}

fn emails(values: &Values) -> Vec<String> {
    let mut emails: Vec<(u64, &str)> =
        values.actors.values().filter_map(|actor| Some((actor.events, actor.email.as_deref()?))).collect();
    emails.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    emails.truncate(EMAILS_MAX);
    let mut emails: Vec<String> = emails.into_iter().map(|(_, email)| email.to_owned()).collect();
    emails.sort();
    emails.dedup();
    emails
}

fn choice(value: String, label: String, count: u64, chosen: bool) -> Choice {
    Choice { value, label, count: thousands(count), chosen }
}
