//! Queries against a model that knows nothing of segments: filter everything, sort everything, cut the page out.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use access::{Act, Held, Masked, Narrowing, Permission, Person, Role, Scope, Subject, decide};
use fastrand::Rng;
use record::parse::Parsed;
use record::{Action, Catalogs, Change, Event, Index, Json, Kind, Outcome, Target, TeamId, Timestamp, text};
use store::{Cancel, Cursor, Entry, Facet, FacetCounts, Filter, IpFilter, Page, Store, StoreError};
use testkit::{Setup, actor, json, scope, seeds, team_scope};

use crate::{ORG, OTHER, all, indexes};

/// Two that only the organization sees, two that a catalog knows, one that none does.
const ACTIONS: [&str; 5] = ["QUERY_RUN", "scenario_created", "organization_updated", "LOGIN", "home:made.up-1"];
const TEAMS: [&str; 3] = ["operations", "sales", "S"];
const PEOPLE: [(&str, Option<&str>, Option<&str>); 4] = [
    ("u_1", Some("Ada Lovelace"), Some("Ada@Example.com")),
    ("u_2", Some("Zoë \"Z\" Ünal\\"), Some("zoë@bücher.example")),
    ("u_3", None, None),
    ("ß", Some("ΑΣ 名前 🙂"), Some("x@y")),
];
const IPS: [&str; 6] = ["203.0.113.7", "203.0.113.250", "::ffff:203.0.113.9", "2001:db8::5", "AWS Internal", "10.0.0.1"];
const TARGETS: [(&str, Option<&str>, Option<&str>); 4] = [
    ("page", Some("p\t1"), Some("Refunds")),
    ("query", None, Some("get \"Orders\"")),
    ("page", Some("p2"), None),
    ("user", Some("u_1"), Some("Refunds")),
];
const WORDS: [&str; 9] = ["[masked]", "refunds", "ada", "ünal", "名前", "42", "success", "nowhere-at-all", "\"deep\""];

fn maybe<T>(rng: &mut Rng, some: impl FnOnce(&mut Rng) -> T) -> Option<T> {
    rng.bool().then(|| some(rng))
}

fn pick<'a>(rng: &mut Rng, from: &[&'a str]) -> &'a str {
    from[rng.usize(0..from.len())]
}

/// Times are few, so that many events have the same.
fn time(rng: &mut Rng) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + rng.i64(0..40) * 1_000 - rng.i64(0..2) * 100_000_000_000)
}

fn random_event(rng: &mut Rng) -> Parsed {
    let (id, name, email) = PEOPLE[rng.usize(0..PEOPLE.len())];
    let mut who = actor(id);
    who.name = name.filter(|_| rng.bool()).map(Into::into);
    who.email = email.filter(|_| rng.bool()).map(Into::into);
    let mut event = Event::new(Action::new(pick(rng, &ACTIONS)).unwrap(), who, time(rng));
    event.team = maybe(rng, |rng| TeamId::new(pick(rng, &TEAMS)).unwrap());
    event.outcome = maybe(rng, |rng| Outcome::ALL[rng.usize(0..3)]);
    event.context.ip = maybe(rng, |rng| pick(rng, &IPS).into());
    event.context.user_agent = maybe(rng, |_| "Mozilla/5.0\n(\u{1}X11)".into());
    event.response_time_ms = maybe(rng, |rng| rng.u64(0..i64::MAX as u64));
    for _ in 0..rng.usize(0..3) {
        let (kind, id, name) = TARGETS[rng.usize(0..TARGETS.len())];
        let environment = maybe(rng, |_| "prod\\é".into());
        event.targets.push(Target {
            kind: Kind::new(kind).unwrap(),
            id: id.map(Into::into),
            name: name.map(Into::into),
            environment,
        });
    }
    for _ in 0..rng.usize(0..2) {
        let before = maybe(rng, |_| json("null"));
        event.changes.push(Change {
            field: "röle\"".into(),
            before,
            after: maybe(rng, |_| json(r#"{"a":[1.50,"\u00fcNAL"]}"#)),
        });
    }
    event.metadata = maybe(rng, |rng| json(&format!(r#"{{"x":{},"y":["\"Deep\"",1e999,true]}}"#, rng.u8(0..60))));
    Parsed { event, occurred_at_given: true }
}

fn random_filter(rng: &mut Rng) -> Filter {
    let mut filter = Filter::default();
    // Few parts at a time, or nothing ever matches.
    for _ in 0..rng.usize(0..3) {
        match rng.u8(0..11) {
            0 => filter.actions = Some((0..rng.usize(0..3)).map(|_| Action::new(pick(rng, &ACTIONS)).unwrap()).collect()),
            1 => filter.outcome = Some(Outcome::ALL[rng.usize(0..3)]),
            2 => filter.actor = Some(PEOPLE[rng.usize(0..PEOPLE.len())].0.into()),
            3 => filter.email = Some(pick(rng, &["ada@", "example.com", "ë@b", "nobody", "y"]).into()),
            4 => filter.teams = (0..rng.usize(1..3)).map(|_| TeamId::new(pick(rng, &TEAMS)).unwrap()).collect(),
            5 => filter.target_type = Some(Kind::new(TARGETS[rng.usize(0..TARGETS.len())].0).unwrap()),
            6 => filter.target = Some(pick(rng, &["Refunds", "p\t1", "get \"Orders\"", "p3"]).into()),
            7 => {
                filter.ip = Some(
                    IpFilter::parse(pick(
                        rng,
                        &["203.0.113.0/24", "203.0.113.7", "2001:db8::/32", "aws INTERNAL", "0.0.0.0/0"],
                    ))
                    .unwrap(),
                )
            }
            8 => filter.from = Some(time(rng).plus_millis(rng.i64(0..200) * 1_000)),
            9 => filter.to = Some(time(rng).plus_millis(rng.i64(0..200) * 1_000)),
            _ => filter.words = (0..rng.usize(1..3)).map(|_| pick(rng, &WORDS).to_owned()).collect(),
        }
    }
    filter
}

/// A caller, with what she sees said in two ways: as a scope, and plainly.
struct Seer {
    scope: Scope,
    ways: Vec<Way>,
}

/// One way to see the log: some teams, or all; only what is about somebody; no further than a narrowing.
#[derive(Default)]
struct Way {
    teams: Option<Vec<&'static str>>,
    about: Option<(&'static str, &'static str)>,
    narrowing: Narrowing,
}

impl Seer {
    fn whole() -> Seer {
        Seer { scope: scope(ORG), ways: vec![Way::default()] }
    }

    fn team(team: &'static str) -> Seer {
        Seer { scope: team_scope(ORG, team), ways: vec![Way { teams: Some(vec![team]), ..Way::default() }] }
    }

    fn random(rng: &mut Rng) -> Seer {
        let mut ways: Vec<Way> = (0..rng.usize(1..3))
            .map(|_| Way { teams: maybe(rng, |rng| vec![TEAMS[rng.usize(0..3)]]), about: None, narrowing: narrowing(rng) })
            .collect();
        let held = ways.iter().map(|way| Held {
            permissions: [Permission::LogRead].into(),
            team: way.teams.as_ref().map(|teams| TeamId::new(teams[0]).unwrap()),
            narrowing: way.narrowing.clone(),
        });
        let mut person = Person {
            org: ORG,
            user: "u_1".into(),
            verified_email: Some("ZOË@bücher.example".into()),
            role: Role::Member,
            held: held.collect(),
            sees_own_events: rng.bool(),
        };
        if rng.u8(0..4) == 0 {
            person.held.clear();
            ways.clear();
            person.sees_own_events = true;
        }
        if person.sees_own_events {
            ways.push(Way { about: Some(("u_1", "zoë@bücher.example")), ..Way::default() });
        }
        Seer { scope: decide(&Subject::Person(person), Act::Read).unwrap(), ways }
    }

    /// What is hidden of an event; `None` if all of it is.
    fn hides(&self, event: &Event) -> Option<BTreeSet<Masked>> {
        let category = Catalogs::built_in().get(event.action.as_str()).map(|(_, it)| it.category.clone());
        let shows = |way: &&Way| {
            let of_team = way.teams.as_ref().is_none_or(|teams| {
                event.team.as_ref().is_some_and(|team| teams.contains(&team.as_str()))
                    && !Catalogs::built_in().is_organization_only(event.action.as_str())
            });
            let about = way.about.is_none_or(|(id, email)| {
                *event.actor.id == *id
                    || event.actor.email.as_ref().is_some_and(|its| its.to_lowercase() == email)
                    || event.targets.iter().any(|t| t.kind.as_str() == "user" && t.id.as_deref() == Some(id))
            });
            let Narrowing { categories, from, to, .. } = &way.narrowing;
            of_team
                && about
                && (categories.is_empty() || category.as_ref().is_some_and(|category| categories.contains(category)))
                && from.is_none_or(|from| event.occurred_at >= from)
                && to.is_none_or(|to| event.occurred_at <= to)
        };
        let seeing: Vec<&Way> = self.ways.iter().filter(shows).collect();
        let first = seeing.first()?.narrowing.masked.clone();
        Some(seeing.iter().fold(first, |hidden, way| hidden.intersection(&way.narrowing.masked).copied().collect()))
    }

    /// The entry as it is to be shown.
    fn shown(&self, entry: &Entry) -> Option<Entry> {
        let hidden = self.hides(&entry.event)?;
        Some(Entry { event: without(&entry.event, &hidden, Some("[masked]")), ..entry.clone() })
    }
}

fn narrowing(rng: &mut Rng) -> Narrowing {
    let category = |rng: &mut Rng| {
        let known = ACTIONS.iter().filter_map(|action| Catalogs::built_in().get(action)).collect::<Vec<_>>();
        known[rng.usize(0..known.len())].1.category.clone()
    };
    let mut narrowing = Narrowing::default();
    narrowing.categories.extend((0..rng.usize(0..3)).map(|_| category(rng)));
    narrowing.from = maybe(rng, time).filter(|_| rng.bool());
    narrowing.to = maybe(rng, time).filter(|_| rng.bool());
    narrowing.masked.extend(Masked::ALL.iter().copied().filter(|_| rng.u8(0..3) == 0));
    narrowing
}

/// The event with what is hidden replaced by a text, or left out.
fn without(event: &Event, hidden: &BTreeSet<Masked>, by: Option<&str>) -> Event {
    let mut shown = event.clone();
    let hide = |one: Masked, value: &mut Option<Box<str>>| {
        if hidden.contains(&one) && value.is_some() {
            *value = by.map(Into::into);
        }
    };
    hide(Masked::Ip, &mut shown.context.ip);
    hide(Masked::UserAgent, &mut shown.context.user_agent);
    hide(Masked::Email, &mut shown.actor.email);
    hide(Masked::Name, &mut shown.actor.name);
    shown.targets.iter_mut().for_each(|target| hide(Masked::Name, &mut target.name));
    let text = |value: &mut Option<Json>| *value = value.take().and(by).map(Json::string);
    if hidden.contains(&Masked::Changes) {
        shown.changes.iter_mut().flat_map(|change| [&mut change.before, &mut change.after]).for_each(text);
    }
    if hidden.contains(&Masked::Metadata) {
        text(&mut shown.metadata);
    }
    shown
}

/// What the documentation of [`Filter`] says, as plainly as it can be said. What is hidden matches nothing but its mask's text.
fn matches(seer: &Seer, filter: &Filter, event: &Event) -> bool {
    let Some(hidden) = seer.hides(event) else { return false };
    let words = text::lower(&without(event, &hidden, Some("[masked]")));
    let event = &without(event, &hidden, None);
    let in_net = |ip: &str| match filter.ip.as_ref().unwrap() {
        IpFilter::Text(text) => ip.to_ascii_lowercase() == text.to_ascii_lowercase(),
        IpFilter::Net { address, prefix } => {
            let bits = |ip: IpAddr| match ip {
                IpAddr::V4(ip) => format!("4{:032b}", u32::from(ip)),
                IpAddr::V6(ip) => format!("6{:0128b}", u128::from(ip)),
            };
            ip.parse().is_ok_and(|ip: IpAddr| bits(ip.to_canonical()).starts_with(&bits(*address)[..=usize::from(*prefix)]))
        }
    };
    let target = |target: &Target| {
        filter.target_type.as_ref().is_none_or(|kind| target.kind == *kind)
            && filter
                .target
                .as_ref()
                .is_none_or(|wanted| [&target.id, &target.name].into_iter().flatten().any(|its| its == wanted))
    };
    let checks = [
        filter.actions.as_ref().is_none_or(|actions| actions.contains(&event.action)),
        filter.outcome.is_none() || event.outcome == filter.outcome,
        filter.actor.as_ref().is_none_or(|actor| event.actor.id == *actor),
        filter
            .email
            .as_ref()
            .is_none_or(|part| event.actor.email.as_ref().is_some_and(|its| its.to_lowercase().contains(&**part))),
        filter.teams.is_empty() || event.team.as_ref().is_some_and(|team| filter.teams.contains(team)),
        filter.target_type.is_none() && filter.target.is_none() || event.targets.iter().any(target),
        filter.ip.is_none() || event.context.ip.as_deref().is_some_and(in_net),
        filter.from.is_none_or(|from| event.occurred_at >= from),
        filter.to.is_none_or(|to| event.occurred_at <= to),
        filter.words.iter().all(|word| words.lines().any(|line| line.contains(word))),
    ];
    checks.into_iter().all(|fine| fine)
}

fn check_page(store: &Store, model: &[Entry], seer: &Seer, filter: &Filter, page: Page) {
    let scope = &seer.scope;
    let mut wanted: Vec<&Entry> = model.iter().filter(|entry| matches(seer, filter, &entry.event)).collect();
    wanted.sort_by_key(|entry| std::cmp::Reverse((entry.event.occurred_at, entry.index)));
    let offset = usize::try_from(page.offset).unwrap_or(usize::MAX).min(wanted.len());
    let cut: Vec<Entry> = wanted[offset..].iter().take(page.limit).map(|entry| seer.shown(entry).unwrap()).collect();
    let rows = store.query(scope, filter, page).unwrap();
    assert_eq!((rows.total, indexes(&rows.events)), (wanted.len() as u64, indexes(&cut)), "{scope:?} {filter:?} {page:?}");
    assert_eq!(rows.events, cut);
}

/// Reads everything that matches in steps of `limit`, forwards and backwards.
fn check_slices(store: &Store, model: &[Entry], seer: &Seer, filter: &Filter, limit: usize) {
    let scope = &seer.scope;
    let mut wanted: Vec<Index> = model.iter().filter(|e| matches(seer, filter, &e.event)).map(|e| e.index).collect();
    for descending in [false, true] {
        let mut read: Vec<Index> = Vec::new();
        let mut cursor = if descending { Cursor::Before(Index(u64::MAX)) } else { Cursor::After(None) };
        loop {
            let slice = store.slice(scope, filter, cursor, limit).unwrap();
            assert!(slice.events.len() <= limit);
            let whole = |entry: &Entry| &model[usize::try_from(entry.index.0).unwrap()];
            assert!(slice.events.iter().all(|entry| Some(entry) == seer.shown(whole(entry)).as_ref()));
            read.extend(slice.events.iter().map(|entry| entry.index));
            if slice.events.len() < limit {
                let end = if descending { 0 } else { model.len().saturating_sub(1) as u64 };
                assert!(model.is_empty() || slice.next == Some(Index(end)), "all of the log has been looked at");
                break;
            }
            cursor = if descending { Cursor::Before(slice.next.unwrap()) } else { Cursor::After(slice.next) };
        }
        assert_eq!(read, wanted, "{scope:?} {filter:?} by {limit}, descending: {descending}");
        wanted.reverse();
    }
}

type Counts = BTreeMap<String, u64>;
/// A person's name and e-mail address.
type Called = (Option<Box<str>>, Option<Box<str>>);

fn check_values(store: &Store, model: &[Entry], seer: &Seer) {
    let (mut actions, mut teams, mut actors) = (Counts::new(), Counts::new(), Counts::new());
    let mut people: BTreeMap<String, Called> = BTreeMap::new();
    for Entry { event, .. } in model {
        let Some(hidden) = seer.hides(event) else { continue };
        let event = without(event, &hidden, None);
        *actions.entry(event.action.to_string()).or_default() += 1;
        event.team.iter().for_each(|team| *teams.entry(team.to_string()).or_default() += 1);
        *actors.entry(event.actor.id.to_string()).or_default() += 1;
        let person = people.entry(event.actor.id.to_string()).or_default();
        person.0 = event.actor.name.clone().or(person.0.take());
        person.1 = event.actor.email.clone().or(person.1.take());
    }
    let found = store.values(&seer.scope).unwrap();
    assert_eq!(found.actions.iter().map(|(k, n)| (k.to_string(), *n)).collect::<Counts>(), actions);
    assert_eq!(found.teams.iter().map(|(k, n)| (k.to_string(), *n)).collect::<Counts>(), teams);
    assert_eq!(found.actors.iter().map(|(k, v)| (k.to_string(), v.events)).collect::<Counts>(), actors);
    // What a person is called is the latest that was said of her.
    let names = found.actors.into_iter().map(|(id, value)| (id.to_string(), (value.name, value.email)));
    assert_eq!(names.collect::<BTreeMap<_, _>>(), people);
}

const FACETS: [Facet; 10] = [
    Facet::Action,
    Facet::Category,
    Facet::Actor,
    Facet::Team,
    Facet::Outcome,
    Facet::TargetType,
    Facet::Target,
    Facet::Environment,
    Facet::Ip,
    Facet::Key,
];

/// The values that an event shows of a member.
fn facet_values(facet: Facet, entry: &Entry, hidden: &BTreeSet<Masked>) -> BTreeSet<String> {
    let event = without(&entry.event, hidden, None);
    let targets = |of: fn(&Target) -> Option<String>| event.targets.iter().filter_map(of).collect::<Vec<_>>();
    let values: Vec<String> = match facet {
        Facet::Action => vec![event.action.to_string()],
        Facet::Category => {
            let known = Catalogs::built_in().get(event.action.as_str());
            known.map(|(_, it)| it.category.clone()).into_iter().collect()
        }
        Facet::Actor => vec![event.actor.id.to_string()],
        Facet::Team => event.team.iter().map(ToString::to_string).collect(),
        Facet::Outcome => event.outcome.iter().map(ToString::to_string).collect(),
        Facet::TargetType => targets(|target| Some(target.kind.to_string())),
        Facet::Target => targets(|target| target.id.as_ref().or(target.name.as_ref()).map(ToString::to_string)),
        Facet::Environment => targets(|target| target.environment.as_ref().map(ToString::to_string)),
        Facet::Ip => event.context.ip.iter().map(ToString::to_string).collect(),
        Facet::Key => entry.key().map(ToOwned::to_owned).into_iter().collect(),
    };
    values.into_iter().collect()
}

fn check_facets(store: &Store, model: &[Entry], seer: &Seer, filter: &Filter, limit: usize) {
    let matching: Vec<&Entry> = model.iter().filter(|entry| matches(seer, filter, &entry.event)).collect();
    let wanted = FACETS.map(|facet| {
        let mut counts = Counts::new();
        let mut missing = 0;
        for entry in &matching {
            let values = facet_values(facet, entry, &seer.hides(&entry.event).unwrap());
            missing += u64::from(values.is_empty());
            values.into_iter().for_each(|value| *counts.entry(value).or_default() += 1);
        }
        let distinct = counts.len() as u64;
        let mut values: Vec<(String, u64)> = counts.into_iter().collect();
        values.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        values.truncate(limit);
        FacetCounts { facet, values, distinct, missing }
    });
    let found = store.facets(&seer.scope, filter, &FACETS, limit).unwrap();
    assert_eq!(found, wanted, "{:?} {filter:?}", seer.scope);
}

fn check_histogram(store: &Store, model: &[Entry], seer: &Seer, filter: &Filter, rng: &mut Rng) {
    let mut edges: Vec<Timestamp> = (0..rng.usize(0..30)).map(|_| time(rng).plus_millis(rng.i64(0..3) * 500)).collect();
    edges.sort_unstable();
    let count = |edge: &[Timestamp]| {
        let inside = model.iter().filter(|e| e.event.occurred_at >= edge[0] && e.event.occurred_at < edge[1]);
        inside.filter(|entry| matches(seer, filter, &entry.event)).count() as u64
    };
    let wanted: Vec<u64> = edges.windows(2).map(count).collect();
    assert_eq!(store.histogram(&seer.scope, filter, &edges).unwrap(), wanted, "{:?} {filter:?} {edges:?}", seer.scope);
}

fn check_all(store: &Store, model: &[Entry], rng: &mut Rng, queries: usize) {
    let mut seers = vec![Seer::whole(), Seer::whole(), Seer::team("operations"), Seer::team("S"), Seer::team("nobody")];
    seers.extend((0..5).map(|_| Seer::random(rng)));
    assert_eq!(all(store, ORG), model);
    for _ in 0..queries {
        let seer = &seers[rng.usize(0..seers.len())];
        let filter = if rng.u8(0..4) == 0 { Filter::default() } else { random_filter(rng) };
        let offset = [0, 0, rng.u64(0..300), u64::MAX][rng.usize(0..4)];
        let limit = [0, 1, 10, 100, usize::MAX][rng.usize(0..5)];
        check_page(store, model, seer, &filter, Page { offset, limit });
    }
    for _ in 0..queries / 8 {
        let seer = &seers[rng.usize(0..seers.len())];
        let filter = if rng.bool() { Filter::default() } else { random_filter(rng) };
        check_slices(store, model, seer, &filter, rng.usize(1..90));
        check_facets(store, model, seer, &filter, [0, 1, 3, 1_000][rng.usize(0..4)]);
        check_histogram(store, model, seer, &filter, rng);
    }
    for seer in &seers {
        check_values(store, model, seer);
    }
}

#[test]
fn queries_agree_with_the_model() {
    for seed in seeds(8) {
        println!("ACTA_SEED={seed}");
        let mut rng = Rng::with_seed(seed);
        let mut setup = Setup::new(seed);
        // Some stores seal often, some hardly.
        setup.options.seal_events = rng.u64(10..150);
        // Most merge.
        setup.options.merge_factor = [usize::MAX, 2, 3, 4][rng.usize(0..4)];
        setup.options.merge_rows_max = [200, 2_000][rng.usize(0..2)];
        setup.options.unsealed_files_max = usize::MAX;
        let mut store = setup.open();
        // In every other store time goes on, so that older segments hold older events and can be passed over.
        let mut later_ms = 0;
        let mut next_event = |rng: &mut Rng| {
            let mut parsed = random_event(rng);
            later_ms += if seed % 2 == 1 { rng.i64(0..2) * 1_000 } else { 0 };
            parsed.event.occurred_at = parsed.event.occurred_at.plus_millis(later_ms);
            parsed
        };
        for round in 0..4 {
            for _ in 0..rng.usize(1..40) {
                setup.append(&store, ORG, (0..rng.usize(0..6)).map(|_| next_event(&mut rng))).unwrap();
                setup.append(&store, OTHER, (0..rng.usize(0..3)).map(|_| random_event(&mut rng))).unwrap();
            }
            if round == 2 {
                store.close();
                drop(store);
                store = setup.open();
            }
            let model = all(&store, ORG);
            check_all(&store, &model, &mut rng, 24);
            store.settle();
            check_all(&store, &model, &mut rng, 24);
        }
    }
}

/// The same queries just before and just after sealing: the recent and the sealed form of an event are the same event.
#[test]
fn sealing_changes_no_answer() {
    for seed in seeds(3) {
        println!("ACTA_SEED={seed}");
        let mut rng = Rng::with_seed(seed);
        let mut setup = Setup::new(seed);
        setup.options.seal_events = 400;
        let store = setup.open();
        setup.append(&store, ORG, (0..399).map(|_| random_event(&mut rng))).unwrap();
        setup.append(&store, OTHER, [random_event(&mut rng)]).unwrap();
        // One more would be the file's last; until then all is recent.
        let recent = all(&store, ORG);
        let queries: Vec<(Filter, Page)> =
            (0..60).map(|_| (random_filter(&mut rng), Page { offset: rng.u64(0..20), limit: 25 })).collect();
        let ask = |store: &Store, filter: &Filter, page: Page| {
            let rows = store.query(&scope(ORG), filter, page).unwrap();
            (rows.total, rows.events)
        };
        store.settle();
        let sealed = all(&store, ORG);
        assert_eq!(recent, sealed);
        assert_eq!(store.stats().segments, 1, "the request of 400 entries filled a file");
        for (filter, page) in &queries {
            let mut wanted: Vec<&Entry> = recent.iter().filter(|e| matches(&Seer::whole(), filter, &e.event)).collect();
            wanted.sort_by_key(|entry| std::cmp::Reverse((entry.event.occurred_at, entry.index)));
            let (total, events) = ask(&store, filter, *page);
            assert_eq!(total, wanted.len() as u64, "{filter:?}");
            let offset = usize::try_from(page.offset).unwrap().min(wanted.len());
            assert!(events.iter().eq(wanted[offset..].iter().copied().take(25)), "{filter:?}");
        }
        drop(store);
        let store = setup.open();
        assert_eq!(all(&store, ORG), recent);
    }
}

/// Segments overlap in time, second by second, and every page ends somewhere: a segment is passed over only if none of its events
/// belongs on the page.
#[test]
fn a_segment_is_passed_over_only_where_it_cannot_matter() {
    let mut setup = Setup::new(1);
    setup.options.seal_events = 12;
    let store = setup.open();
    for segment in 0..6_u64 {
        // Each begins four seconds after the one before, and lasts ten; every time occurs twice.
        setup.append(&store, ORG, (0..20).map(|n| testkit::event(segment * 4 + (n * 7) % 10))).unwrap();
        store.settle();
    }
    assert_eq!(store.stats().segments, 6);
    let model = all(&store, ORG);
    for offset in 0..model.len() as u64 {
        for limit in [1, 2, 7] {
            check_page(&store, &model, &Seer::whole(), &Filter::default(), Page { offset, limit });
        }
    }
}

#[test]
fn a_slice_of_nothing_is_empty() {
    let setup = Setup::new(1);
    let store = setup.open();
    let slice = store.slice(&scope(ORG), &Filter::default(), Cursor::After(None), 10).unwrap();
    assert_eq!((slice.events.len(), slice.next), (0, None));
    setup.append(&store, ORG, (0..80).map(testkit::event)).unwrap();
    for from in [Cursor::After(Some(Index(u64::MAX))), Cursor::Before(Index(0)), Cursor::After(Some(Index(80)))] {
        let slice = store.slice(&scope(ORG), &Filter::default(), from, 10).unwrap();
        let (Cursor::After(Some(stays)) | Cursor::Before(stays)) = from else { panic!("{from:?}") };
        assert_eq!((slice.events.len(), slice.next), (0, Some(stays)));
    }
    let slice = store.slice(&scope(ORG), &Filter::default(), Cursor::After(Some(Index(4))), 0).unwrap();
    assert_eq!((slice.events.len(), slice.next), (0, Some(Index(4))), "a limit of none is none");
}

#[test]
fn a_question_that_nobody_waits_for_ends() {
    let setup = Setup::new(1);
    let store = setup.open();
    setup.append(&store, ORG, (0..120).map(testkit::event)).unwrap();
    store.settle();
    let cancel = Cancel::default();
    let reader = store.reader(&cancel);
    let (scope, filter) = (scope(ORG), Filter { words: vec!["run".to_owned()], ..Filter::default() });
    let page = Page { offset: 0, limit: 5 };
    assert_eq!(reader.query(&scope, &filter, page).unwrap().total, 120);
    cancel.cancel();
    assert!(matches!(reader.query(&scope, &filter, page), Err(StoreError::Cancelled)));
    assert!(matches!(reader.facets(&scope, &filter, &FACETS, 5), Err(StoreError::Cancelled)));
    assert!(matches!(reader.histogram(&scope, &filter, &[]), Err(StoreError::Cancelled)));
    assert!(matches!(reader.slice(&scope, &filter, Cursor::After(None), 5), Err(StoreError::Cancelled)));
    assert!(matches!(reader.values(&scope), Err(StoreError::Cancelled)));
    assert_eq!(store.query(&scope, &filter, page).unwrap().total, 120);
}
