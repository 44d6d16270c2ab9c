//! An event as the API shows it, member by member in the same order, and the organization's name after its place in the log.

use record::catalog::{ActionKind, Severity};
use record::{Actor, Change, Context, Redaction, Target};

use super::json::{self, Object};
use super::known::Known;
use crate::recorded::Recorded;

/// An event on its way out in Acta's own form.
#[derive(Debug, Clone, Copy)]
pub struct Native<'a> {
    recorded: &'a Recorded,
    known: Known<'a>,
}

impl<'a> Native<'a> {
    /// Looks the action up.
    pub fn of(recorded: &'a Recorded) -> Native<'a> {
        Native { recorded, known: Known::of(&recorded.event) }
    }

    /// Appends it as one line of JSON, without a line break.
    pub fn write(&self, out: &mut Vec<u8>) {
        json::object(out, |o| self.members(o));
    }

    /// Its members.
    pub(super) fn members(&self, o: &mut Object<'_>) {
        let Recorded { organization_name, index, event_id, event, key, .. } = self.recorded;
        o.plain("event_id", event_id);
        o.bare("index", index);
        o.text("organization", organization_name);
        o.plain("action", &event.action);
        o.text("title", self.known.title());
        if let Some((catalog, entry)) = self.known.found() {
            o.text("catalog", &catalog.name);
            o.text("category", &entry.category);
            o.text("kind", kind(entry.kind));
            o.text("severity", severity(entry.severity));
        }
        o.plain("occurred_at", event.occurred_at);
        o.plain("recorded_at", self.recorded.recorded_at());
        o.maybe("id", event.id.as_deref());
        o.maybe("team", event.team.as_ref().map(|team| team.as_str()));
        o.object("actor", |o| actor(o, &event.actor));
        targets(o, &event.targets);
        if !event.context.is_empty() {
            o.object("context", |o| context(o, &event.context));
        }
        o.maybe("outcome", event.outcome.map(|outcome| outcome.as_str()));
        if let Some(millis) = event.response_time_ms {
            o.bare("response_time_ms", millis);
        }
        changes(o, &event.changes);
        if let Some(metadata) = &event.metadata {
            o.json("metadata", metadata);
        }
        redactions(o, &event.redactions);
        o.maybe("key", key.as_deref());
    }
}

fn actor(o: &mut Object<'_>, actor: &Actor) {
    o.plain("type", &actor.kind);
    o.text("id", &actor.id);
    o.maybe("name", actor.name.as_deref());
    o.maybe("email", actor.email.as_deref());
}

/// The member `targets`.
pub(super) fn targets(o: &mut Object<'_>, targets: &[Target]) {
    o.objects("targets", targets, target);
}

/// One target's members.
pub(super) fn target(o: &mut Object<'_>, target: &Target) {
    o.plain("type", &target.kind);
    o.maybe("id", target.id.as_deref());
    o.maybe("name", target.name.as_deref());
    o.maybe("environment", target.environment.as_deref());
}

fn context(o: &mut Object<'_>, context: &Context) {
    o.maybe("ip", context.ip.as_deref());
    o.maybe("user_agent", context.user_agent.as_deref());
    o.maybe("session_id", context.session_id.as_deref());
    o.maybe("request_id", context.request_id.as_deref());
}

/// The member `changes`, if there are any.
pub(super) fn changes(o: &mut Object<'_>, changes: &[Change]) {
    if !changes.is_empty() {
        o.objects("changes", changes, change);
    }
}

/// One change's members.
pub(super) fn change(o: &mut Object<'_>, change: &Change) {
    o.text("field", &change.field);
    if let Some(before) = &change.before {
        o.json("before", before);
    }
    if let Some(after) = &change.after {
        o.json("after", after);
    }
}

/// The member `redactions`, if there are any.
pub(super) fn redactions(o: &mut Object<'_>, redactions: &[Redaction]) {
    if !redactions.is_empty() {
        o.objects("redactions", redactions, redaction);
    }
}

/// One redaction's members.
pub(super) fn redaction(o: &mut Object<'_>, redaction: &Redaction) {
    o.text("member", &redaction.member);
    o.text("by", &redaction.by);
    o.text("as", &redaction.how);
}

pub(super) fn kind(kind: ActionKind) -> &'static str {
    match kind {
        ActionKind::Create => "create",
        ActionKind::Read => "read",
        ActionKind::Update => "update",
        ActionKind::Delete => "delete",
        ActionKind::Run => "run",
        ActionKind::SignIn => "sign-in",
        ActionKind::SignOut => "sign-out",
        ActionKind::Permission => "permission",
        ActionKind::Export => "export",
        ActionKind::Other => "other",
    }
}

pub(super) fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
        Severity::Critical => "critical",
    }
}
