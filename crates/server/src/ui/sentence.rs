//! An event as a sentence: "Ada Lovelace ran the query getOrders on Refunds."
//!
//! Titles in the catalogs read "Query run", "User added to group": a thing, what was done with it, and the rest. That is turned
//! round into an act of somebody. What does not follow the pattern stands in a table below.

use record::{Catalogs, Event, Outcome, Target};

use super::summary;

/// Titles whose second part is no participle in -ed.
const IRREGULAR: &[(&str, &str)] =
    &[("run", "ran"), ("sent", "sent"), ("re-sent", "re-sent"), ("reset", "reset"), ("read", "read")];

/// Actions whose title does not follow the pattern, with what somebody did.
const PHRASES: &[(&str, &str)] = &[
    ("LOGIN", "signed in"),
    ("USER_LOGIN", "signed in"),
    ("LOGIN_FAILED", "failed to sign in"),
    ("LOGOUT", "signed out"),
    ("SIGN_UP", "signed up"),
    ("USER_REGISTERED", "registered an organization"),
    ("VERIFY_2FA_SUCCESS", "passed two-factor verification"),
    ("VERIFY_2FA_FAILURE", "failed two-factor verification"),
    ("REQUEST_PASSWORDLESS_LOGIN", "asked to sign in without a password"),
    ("REQUEST_PASSWORDLESS_TOKEN", "asked for a token to sign in without a password"),
    ("SEND_MAGIC_LOGIN", "sent a magic login link"),
    ("REQUEST_PASSWORD_RESET_LINK", "asked for a password reset"),
    ("RESET_GOOGLE_ID", "reset a Google ID"),
    ("USER_NAME_CHANGE", "changed a name"),
    ("USER_CHANGED_EMAIL_AND_VERIFY", "changed and verified an e-mail address"),
    ("DISABLE_RETOOL_DEFAULT_EMAIL", "disabled the default e-mails"),
    ("VIEW_AUDIT_LOGS", "read the audit log"),
    ("DOWNLOAD_AUDIT_LOGS", "downloaded the audit log"),
    ("REVEAL_RETOOLDB_CONNECTION_STRING", "revealed the connection string of RetoolDB"),
    ("RESET_RETOOLDB_PASSWORD", "reset the password of RetoolDB"),
    ("UPDATE_BILLING_PLAN", "updated the billing plan"),
    ("MAIL_FAILED", "could not send a mail"),
    ("DISCARD_DEAD_LETTERS", "gave up refused events"),
    ("RECOVER_STORE", "recovered the store"),
    ("log.policy", "set the retention policy"),
    ("log.erase", "erased personal values"),
    ("log.purge", "purged entries past their retention"),
];

/// Actions that say themselves how they ended.
const TELLS_OUTCOME: &[&str] = &["LOGIN_FAILED", "VERIFY_2FA_FAILURE", "VERIFY_2FA_SUCCESS"];

/// First words that keep their capital.
const PROPER: &[&str] = &["Google", "Retool"];

/// Things that are not counted.
const UNCOUNTED: &[&str] = &["metadata", "authentication", "settings"];

/// Says what happened.
pub(super) fn sentence(event: &Event) -> String {
    let who = summary::actor_name(&event.actor);
    let action = event.action.as_str();
    let mut named = Named { targets: &event.targets, done: Vec::new() };
    let act = match PHRASES.iter().find(|(id, _)| *id == action) {
        Some((_, phrase)) => (*phrase).to_owned(),
        None => match Catalogs::built_in().get(action) {
            Some((_, entry)) => named.turn_round(&entry.title).unwrap_or_else(|| format!("did “{}”", entry.title)),
            None => format!("did {action}"),
        },
    };
    let on = named.rest().map_or_else(String::new, |name| format!(" on {name}"));
    let end = match event.outcome {
        _ if TELLS_OUTCOME.contains(&action) => "",
        Some(Outcome::Failure) => ", but it failed",
        Some(Outcome::Denied) => ", but it was denied",
        None | Some(Outcome::Success) => "",
    };
    format!("{who} {act}{on}{end}.")
}

/// The targets, and which of them the sentence has named.
struct Named<'e> {
    targets: &'e [Target],
    done: Vec<usize>,
}

impl Named<'_> {
    /// "Query run" becomes "ran a query", or "ran the query getOrders" if there is such a target.
    fn turn_round(&mut self, title: &str) -> Option<String> {
        let words: Vec<&str> = title.split(' ').collect();
        let at = (1..words.len()).find(|at| words.get(*at).is_some_and(|word| verb(word).is_some()))?;
        let verb = verb(words.get(at)?)?;
        let object = self.thing(&lower_first(&words.get(..at)?.join(" ")));
        Some(match words.get(at + 1..)? {
            [] => format!("{verb} {object}"),
            // "Connection authorized or reauthorized": both are the verb.
            more @ ["and" | "or", ..] => format!("{verb} {} {object}", more.join(" ")),
            [preposition, other] => format!("{verb} {object} {preposition} {}", self.thing(other)),
            more => format!("{verb} {object} {}", more.join(" ")),
        })
    }

    /// A thing by its name, if a target of that sort has one; several by their names alone.
    fn thing(&mut self, thing: &str) -> String {
        let last = thing.rsplit(' ').next().unwrap_or(thing);
        let is_many = is_plural(last);
        let one = |word: &str| if is_many { word.trim_end_matches('s').to_owned() } else { word.to_owned() };
        let sorts = [one(&thing.replace(' ', "_")), one(last)];
        let fits =
            |at: &usize| self.targets.get(*at).is_some_and(|target| sorts.iter().any(|sort| sort == target.kind.as_str()));
        let mut found: Vec<usize> = (0..self.targets.len()).filter(fits).collect();
        if !is_many {
            found.truncate(1);
        }
        let names: Vec<&str> = found.iter().filter_map(|at| self.targets.get(*at)).map(summary::target_name).collect();
        self.done.extend(&found);
        match names.as_slice() {
            [] => with_article(thing),
            [one] if !is_many => format!("the {thing} {one}"),
            [one] => (*one).to_owned(),
            [one, two] => format!("{one} and {two}"),
            [one, more @ ..] => format!("{one} and {} other {thing}", more.len()),
        }
    }

    /// The first target that was not named yet.
    fn rest(&self) -> Option<&str> {
        let mut left = self.targets.iter().enumerate().filter(|(at, _)| !self.done.contains(at));
        left.next().map(|(_, target)| summary::target_name(target))
    }
}

fn verb(word: &str) -> Option<&str> {
    if let Some((_, verb)) = IRREGULAR.iter().find(|(participle, _)| *participle == word) {
        return Some(verb);
    }
    (word.ends_with("ed") && word.len() > 3).then_some(word)
}

fn lower_first(thing: &str) -> String {
    let first = thing.split(' ').next().unwrap_or_default();
    // "RetoolDB", "ID": a capital within the word says that the word is a name.
    if PROPER.contains(&first) || first.chars().skip(1).any(char::is_uppercase) {
        return thing.to_owned();
    }
    let mut chars = thing.chars();
    chars.next().map_or_else(String::new, |c| c.to_lowercase().chain(chars).collect())
}

fn is_plural(word: &str) -> bool {
    word.ends_with('s') && !word.ends_with("ss")
}

fn with_article(thing: &str) -> String {
    let last = thing.rsplit(' ').next().unwrap_or(thing);
    if is_plural(last) || UNCOUNTED.contains(&last) {
        return thing.to_owned();
    }
    // "a user", "a unit": a vowel in writing, none in speech.
    let vowel = thing.starts_with(['a', 'e', 'i', 'o', 'u']) && !thing.starts_with("use") && !thing.starts_with("uni");
    format!("{} {thing}", if vowel { "an" } else { "a" })
}

#[cfg(test)]
mod tests {
    use record::{Action, Actor, Kind, Timestamp};

    use super::*;

    fn event(action: &str, targets: &[(&str, &str)]) -> Event {
        let kind = |word: &str| Kind::new(word).unwrap();
        let actor = Actor { kind: kind("user"), id: "u_42".into(), name: Some("Ada Lovelace".into()), email: None };
        let mut event = Event::new(Action::new(action).unwrap(), actor, Timestamp::from_millis(0));
        let target = |(sort, name): &(&str, &str)| Target {
            kind: kind(sort),
            id: None,
            name: Some((*name).into()),
            environment: None,
        };
        event.targets = targets.iter().map(target).collect();
        event
    }

    #[test]
    fn events_are_told_as_sentences() {
        let tell = |action: &str, targets: &[(&str, &str)]| sentence(&event(action, targets));
        let mut failed = event("QUERY_RUN", &[("page", "Refunds")]);
        failed.outcome = Some(Outcome::Failure);
        let mut denied = event("DELETE_RESOURCE", &[("resource", "orders-db")]);
        denied.outcome = Some(Outcome::Denied);
        expect_test::expect![[r#"
            Ada Lovelace ran a query on Refunds.
            Ada Lovelace ran the query getOrders on Refunds.
            Ada Lovelace ran a query on Refunds, but it failed.
            Ada Lovelace deleted the resource orders-db, but it was denied.
            Ada Lovelace added Grace to the group Operators.
            Ada Lovelace removed Grace and 2 other users from a group.
            Ada Lovelace shared a page with a user.
            Ada Lovelace authorized or reauthorized a connection.
            Ada Lovelace updated an organization variable.
            Ada Lovelace created a user task.
            Ada Lovelace signed in.
            Ada Lovelace modified permissions on Operators.
            Ada Lovelace retrieved file metadata.
            Ada Lovelace finished a source control deployment.
            Ada Lovelace did INVOICE_APPROVED on 4711."#]]
        .assert_eq(
            &[
                tell("QUERY_RUN", &[("page", "Refunds")]),
                tell("QUERY_RUN", &[("page", "Refunds"), ("query", "getOrders"), ("resource", "orders-db")]),
                sentence(&failed),
                sentence(&denied),
                tell("ADD_USERS_TO_GROUP", &[("user", "Grace"), ("group", "Operators")]),
                tell("REMOVE_USERS_FROM_GROUP", &[("user", "Grace"), ("user", "Alan"), ("user", "Edsger")]),
                tell("DIRECTLY_SHARE_PAGE_WITH_USER", &[]),
                tell("connection_authorized", &[]),
                tell("organization_variable_updated", &[]),
                tell("CREATE_USER_TASK", &[]),
                tell("LOGIN", &[]),
                tell("MODIFY_PERMISSIONS", &[("group", "Operators")]),
                tell("RETOOL_STORAGE_FILE_METADATA_RETRIEVED", &[]),
                tell("SOURCE_CONTROL_DEPLOYMENT_FINISHED", &[]),
                tell("INVOICE_APPROVED", &[("invoice", "4711")]),
            ]
            .join("\n"),
        );
    }

    #[test]
    fn every_action_of_the_catalogs_makes_a_sentence() {
        let mut all = String::new();
        for catalog in Catalogs::built_in().all() {
            for entry in &catalog.actions {
                all += &format!("{}\n", sentence(&event(entry.id.as_str(), &[])));
            }
        }
        assert!(!all.contains('“'), "{all}");
        assert!(!all.contains("  "), "{all}");
    }
}
