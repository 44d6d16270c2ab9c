//! The filters in force, in words, each with the way to do without it.

use record::{Catalogs, Outcome};

use super::filter_form::Known;
use super::{links, summary};
use crate::params::{FILTERS, Given};

/// One filter in force.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Chip {
    /// What is filtered: `Event`.
    pub(super) name: String,
    /// The value, in words.
    pub(super) value: String,
    /// The list without it.
    pub(super) remove: String,
}

/// All filters in force, in the order of the parameters' table.
pub(super) fn chips(given: &Given, known: &Known) -> Vec<Chip> {
    let mut chips = Vec::new();
    for (parameter, _) in FILTERS {
        for value in given.all(parameter) {
            let Some(name) = name(parameter) else { continue };
            let told = told(parameter, value, known);
            chips.push(Chip { name: name.to_owned(), value: told, remove: links::without(given, parameter, value) });
        }
    }
    chips
}

/// What a parameter is called on the page; `None` if it chooses no events.
pub(super) fn name(parameter: &str) -> Option<&'static str> {
    Some(match parameter {
        "action" => "Event",
        "category" => "Category",
        "outcome" => "Outcome",
        "actor" => "User",
        "email" => "E-mail contains",
        "team" => "Team",
        "target_type" => "Target type",
        "target" => "Target",
        "ip" => "IP",
        "from" => "From",
        "to" => "To",
        "q" => "Text",
        _ => return None,
    })
}

fn told(parameter: &str, value: &str, known: &Known) -> String {
    match parameter {
        "action" => Catalogs::built_in().title(value).to_owned(),
        "outcome" => Outcome::parse(value).map_or_else(|| value.to_owned(), |outcome| summary::outcome(outcome).to_owned()),
        "actor" => known.actor(value).to_owned(),
        "team" => known.team(value).to_owned(),
        _ => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_filter_in_force_is_told_and_can_be_left_out() {
        let given = Given::parse(Some("q=two+words&action=LOGIN&action=X_Y&team=ops&outcome=denied&page=4&tz=UTC&ip="));
        let told: Vec<String> =
            chips(&given, &Known::default()).iter().map(|c| format!("{}: {} -> {}", c.name, c.value, c.remove)).collect();
        expect_test::expect![[r#"
            Event: Logged in -> /audit?q=two+words&action=X_Y&team=ops&outcome=denied&tz=UTC
            Event: X_Y -> /audit?q=two+words&action=LOGIN&team=ops&outcome=denied&tz=UTC
            Outcome: Denied -> /audit?q=two+words&action=LOGIN&action=X_Y&team=ops&tz=UTC
            Team: ops -> /audit?q=two+words&action=LOGIN&action=X_Y&outcome=denied&tz=UTC
            Text: two words -> /audit?action=LOGIN&action=X_Y&team=ops&outcome=denied&tz=UTC"#]]
        .assert_eq(&told.join("\n"));
    }

    #[test]
    fn every_filter_has_a_name() {
        for (parameter, _) in FILTERS {
            assert_eq!(name(parameter).is_none(), *parameter == "tz", "{parameter}");
        }
    }
}
