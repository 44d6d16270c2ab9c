//! What the catalogs know of an event's action, with what stands in its place where they know nothing.

use record::catalog::{Catalog, Entry, Ocsf, Severity};
use record::json::Members;
use record::{Catalogs, Event, Outcome, Target};

/// An action as the catalogs know it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known<'a> {
    action: &'a str,
    found: Option<(&'static Catalog, &'static Entry)>,
}

impl<'a> Known<'a> {
    pub(crate) fn of(event: &'a Event) -> Known<'a> {
        let action = event.action.as_str();
        Known { action, found: Catalogs::built_in().get(action) }
    }

    pub(crate) fn found(self) -> Option<(&'static Catalog, &'static Entry)> {
        self.found
    }

    pub(crate) fn entry(self) -> Option<&'static Entry> {
        self.found.map(|(_, entry)| entry)
    }

    /// What was done, in words; the identifier where no catalog knows it.
    pub(crate) fn title(self) -> &'a str {
        self.entry().map_or(self.action, |entry| &entry.title)
    }

    pub(crate) fn category(self) -> Option<&'static str> {
        self.entry().map(|entry| entry.category.as_str())
    }

    pub(crate) fn severity(self) -> Option<Severity> {
        self.entry().map(|entry| entry.severity)
    }

    /// From 0 to 10, as CEF and LEEF have it: up to 3 is low there, up to 6 medium, up to 8 high. 0: no catalog knows it.
    pub(crate) fn severity_of_ten(self) -> u8 {
        match self.severity() {
            None => 0,
            Some(Severity::Info) => 1,
            Some(Severity::Low) => 3,
            Some(Severity::Medium) => 5,
            Some(Severity::High) => 8,
            Some(Severity::Critical) => 10,
        }
    }

    pub(crate) fn ocsf(self) -> Ocsf {
        self.entry().and_then(|entry| entry.ocsf).unwrap_or(Ocsf::OTHER)
    }

    /// `event.category` and `event.type` of ECS.
    pub(crate) fn ecs(self) -> (&'static [&'static str], &'static [&'static str]) {
        let known = self.entry().and_then(|entry| entry.ecs.as_ref());
        known.map_or((&["api"], &["info"]), |ecs| (ecs.category(), ecs.types()))
    }

    /// How it ended: as the event says, else as its identifier does.
    pub(crate) fn outcome(self, event: &Event) -> Option<Outcome> {
        event.outcome.or(self.entry().and_then(|entry| entry.outcome))
    }

    /// The type of the target that it is done to.
    pub(crate) fn about(self) -> Option<&'static str> {
        self.entry().and_then(|entry| entry.about.as_ref()).map(|kind| kind.as_str())
    }

    /// The target that it was done to: of the type that the catalog says, else the first.
    pub(crate) fn target(self, event: &'a Event) -> Option<&'a Target> {
        self.about().and_then(|about| of_kind(event, &[about])).or(event.targets.first())
    }
}

/// The first target of one of these types. `data-store` and `data_store` are the same type: senders write both.
pub(crate) fn of_kind<'a>(event: &'a Event, kinds: &[&str]) -> Option<&'a Target> {
    event.targets.iter().find(|target| is_kind(target.kind.as_str(), kinds))
}

/// Whether a type is one of these.
pub(crate) fn is_kind(kind: &str, kinds: &[&str]) -> bool {
    let folded = |byte: u8| if byte == b'-' { b'_' } else { byte };
    kinds.iter().any(|one| one.len() == kind.len() && one.bytes().map(folded).eq(kind.bytes().map(folded)))
}

/// The first of these members of the metadata that is a string with something in it.
pub(crate) fn noted(event: &Event, names: &[&str]) -> Option<String> {
    let Members(members) = serde_json::from_str(event.metadata.as_ref()?.as_str()).ok()?;
    names.iter().find_map(|name| {
        let (_, value) = members.iter().find(|(given, _)| given == name)?;
        serde_json::from_str::<String>(value.get()).ok().filter(|text| !text.is_empty())
    })
}
