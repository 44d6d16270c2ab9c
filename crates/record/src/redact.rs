//! Redaction: what an event must not tell is taken out of it before it is sealed, and the event says that it was.
//!
//! Three hands look at every value, in this order: the organization's [`Rule`]s, the headers switch, the [`Scrubber`]. What one
//! of them took out stands as a mark in the value's place, and is listed in [`Event::redactions`]. Applying a policy to what it
//! has been applied to changes nothing, and the same event under the same policy becomes the same event: so a sender's retry
//! stays a retry.
//!
//! Pure: it knows neither where rules are kept nor whose they are.

mod card;
mod known_tokens;
mod mark;
mod member_path;
mod names;
mod pair;
mod pattern;
mod rule;
mod same;
mod scrub;
mod walk;

pub use mark::{HIDDEN, HashKey, MARKS_MAX, hash_of, is_mark};
pub use member_path::{BadMember, MemberPath};
pub use pattern::{BadPattern, Pattern};
pub use rule::{How, Rule, When};
pub use same::same_but_for_redactions;
pub use scrub::{Scrubbed, Scrubber};

use std::borrow::Cow;

use crate::event::{Event, Redaction};
use crate::json::{Json, unquote};
use mark::push_mark;
use member_path::{Step, pointer};
use walk::{Place, Value};

/// What a redaction that the headers switch made is told to be `by`.
pub const BY_HEADERS: &str = "headers";
/// What a redaction that the scrubber made is told to be `by`.
pub const BY_SCRUBBER: &str = "scrubber";

/// What is taken out of an organization's events.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The organization's rules. Where two name the same member, the first one says how.
    pub rules: Vec<Rule>,
    /// Whether every member named `headers`, and the like, is hidden.
    pub headers: bool,
    /// What looks for keys, tokens, passwords and card numbers; `None` to let them pass.
    pub scrubber: Option<Scrubber>,
    /// What the hashes of this organization are made with.
    pub hash_key: HashKey,
}

/// Takes out of the event what the policy says, and notes it in the event. Returns whether anything was taken out.
pub fn apply(event: &mut Event, policy: &Policy) -> bool {
    let rules: Vec<&Rule> = policy.rules.iter().filter(|rule| rule.when.covers(event)).collect();
    if rules.is_empty() && !policy.headers && policy.scrubber.is_none() {
        return false;
    }
    let mut hand = Hand { rules, policy, over_marks: false, marks: Vec::new() };
    hand.event(event);
    let found = !hand.marks.is_empty();
    for mark in hand.marks {
        push_mark(&mut event.redactions, mark);
    }
    found
}

/// What works through one event.
struct Hand<'p> {
    rules: Vec<&'p Rule>,
    policy: &'p Policy,
    /// Whether the rules also take what is a mark already.
    over_marks: bool,
    marks: Vec<Redaction>,
}

fn name(text: &str) -> Step<'_> {
    Step::Name(Cow::Borrowed(text))
}

impl Hand<'_> {
    fn event(&mut self, event: &mut Event) {
        let (seen, unseen) = (true, false);
        let (actor, context) = (&mut event.actor, &mut event.context);
        self.text(&[name("actor"), name("name")], seen, &mut actor.name);
        self.text(&[name("actor"), name("email")], unseen, &mut actor.email);
        for (at, target) in event.targets.iter_mut().enumerate() {
            let place = |member| [name("targets"), Step::Index(at), name(member)];
            self.text(&place("id"), unseen, &mut target.id);
            self.text(&place("name"), seen, &mut target.name);
            self.text(&place("environment"), unseen, &mut target.environment);
        }
        self.text(&[name("context"), name("ip")], unseen, &mut context.ip);
        self.text(&[name("context"), name("user_agent")], seen, &mut context.user_agent);
        self.text(&[name("context"), name("session_id")], unseen, &mut context.session_id);
        self.text(&[name("context"), name("request_id")], unseen, &mut context.request_id);
        for (at, change) in event.changes.iter_mut().enumerate() {
            for (member, value) in [("before", &mut change.before), ("after", &mut change.after)] {
                let Some(json) = value else { continue };
                // The field's name stands for the member's: what was changed in `password` is a password.
                let place = [name("changes"), Step::Change { at, field: &change.field }, name(member)];
                self.json(&place, &change.field, json);
            }
        }
        if let Some(metadata) = &mut event.metadata {
            self.json(&[name("metadata")], "", metadata);
        }
    }

    /// Works through a text of the model; the scrubber looks at it if it is one to be `seen`.
    fn text(&mut self, way: &[Step<'_>], seen: bool, text: &mut Option<Box<str>>) {
        let Some(text) = text.as_mut().filter(|text| self.over_marks || !is_mark(text)) else { return };
        if let Some(rule) = self.rules.iter().find(|rule| rule.members.iter().any(|member| member.is(way))) {
            let (mark, how) = rule.how.mark(&self.policy.hash_key, text.as_bytes());
            self.marks.push(Redaction::new(pointer(way), &rule.id, how));
            *text = mark.into();
        } else if let Some(scrubber) = self.policy.scrubber.filter(|_| seen)
            && let Some(found) = scrubber.scrub(text)
        {
            self.marks.extend(found.what.iter().map(|what| Redaction::new(pointer(way), BY_SCRUBBER, what)));
            *text = found.text.into();
        }
    }

    /// Works through a JSON value that stands at `root` and goes by the name `called`.
    fn json(&mut self, root: &[Step<'_>], called: &str, json: &mut Json) {
        // Only the members within this value are looked for at each of its steps.
        let all = self.rules.iter().flat_map(|&rule| rule.members.iter().map(move |member| (rule, member)));
        let rules = all.filter(|(_, member)| member.reaches_into(root)).collect();
        let mut hand =
            JsonHand { rules, policy: self.policy, over_marks: self.over_marks, marks: &mut self.marks, told: None };
        if let Some(rewritten) = walk::rewrite(json.as_str(), root, called, |place, value| hand.visit(place, value)) {
            *json = Json::trusted(&rewritten);
        }
    }
}

/// What works through one JSON value of an event.
struct JsonHand<'h> {
    rules: Vec<(&'h Rule, &'h MemberPath)>,
    policy: &'h Policy,
    over_marks: bool,
    marks: &'h mut Vec<Redaction>,
    /// The object that has just told what its `value` is: `{"key":"Authorization","value":…}`.
    told: Option<(String, &'static str)>,
}

impl JsonHand<'_> {
    /// What stands in a value's place from now on, as JSON text; `None` to leave it, and look into it.
    fn visit(&mut self, place: &Place<'_>, value: Value<'_>) -> Option<String> {
        if !self.over_marks && value.string().is_some_and(|quoted| is_mark(quoted.trim_matches('"'))) {
            return None;
        }
        if let Some((rule, _)) = self.rules.iter().find(|(_, member)| member.is(place.way)) {
            let whole = value.whole();
            let text = value.string().and_then(|quoted| unquote(quoted).ok()).unwrap_or(Cow::Borrowed(whole));
            let (mark, how) = rule.how.mark(&self.policy.hash_key, text.as_bytes());
            self.marks.push(Redaction::new(pointer(place.way), &rule.id, how));
            return Some(quoted(&mark));
        }
        if self.policy.headers && names::is_headers(place.name) && value.holds_text() {
            self.marks.push(Redaction::new(pointer(place.way), BY_HEADERS, mark::AS_HIDDEN));
            return Some(quoted(HIDDEN));
        }
        self.scrub(self.policy.scrubber?, place, value)
    }

    fn scrub(&mut self, scrubber: Scrubber, place: &Place<'_>, value: Value<'_>) -> Option<String> {
        let Value::Scalar(scalar) = value else { return None };
        let text = match value.string() {
            Some(quoted) => unquote(quoted).ok()?,
            None if scalar.starts_with(['t', 'f', 'n']) => return None,
            None => Cow::Borrowed(scalar),
        };
        let what = names::secret(place.name).or_else(|| self.told_of(place, &text));
        if let Some(what) = what.filter(|_| !text.trim_matches(['*', '•']).is_empty()) {
            self.marks.push(Redaction::new(pointer(place.way), BY_SCRUBBER, what));
            return Some(quoted(&mark::scrubbed(what)));
        }
        let found = scrubber.scrub(&text).filter(|_| !names::is_public(place.name))?;
        self.marks.extend(found.what.iter().map(|what| Redaction::new(pointer(place.way), BY_SCRUBBER, what)));
        Some(quoted(&found.text))
    }
}

impl JsonHand<'_> {
    /// What the value is that is told by its neighbour, in a list of names and values. The name comes first in all that we know.
    fn told_of(&mut self, place: &Place<'_>, text: &str) -> Option<&'static str> {
        let (Step::Name(member), parent) = place.way.split_last()? else { return None };
        if ["key", "name", "field", "header"].iter().any(|name| member.eq_ignore_ascii_case(name)) {
            self.told = names::secret(text).map(|what| (pointer(parent), what));
            return None;
        }
        let (of, what) = self.told.as_ref().filter(|_| member.eq_ignore_ascii_case("value"))?;
        (*of == pointer(parent)).then_some(*what)
    }
}

fn quoted(text: &str) -> String {
    Json::string(text).as_str().to_owned()
}

#[cfg(test)]
mod tests;
