//! Loads generated events straight into a store and times questions: `cargo run --release -p store --example scale -- <folder>
//! <events> [<part of a question's name> | check]`. The folder is kept; with 0 events what is there is only asked.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    reason = "a measuring program: it prints, it times, and it fails by panicking"
)]

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Instant;

use access::{Act, Scope, Subject, decide};
use fastrand::Rng;
use record::parse::Parsed;
use record::{Action, Actor, Catalogs, Event, Json, Kind, OrgId, Outcome, Target, TeamId, Timestamp};
use store::disk::{Disk, RealDisk};
use store::{Chance, Clock, Cursor, Facet, Filter, IpFilter, Options, Page, Prepared, Store};

/// As in the server.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const NEWEST: i64 = 1_795_212_270_123;
const SPREAD_MS: i64 = 3 * 365 * 86_400_000;

struct Real(Instant);

impl Clock for Real {
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        Timestamp::from_millis(since.as_millis() as i64)
    }
    fn monotonic_ns(&self) -> u64 {
        self.0.elapsed().as_nanos() as u64
    }
}

struct Fast;

impl Chance for Fast {
    fn fill(&self, bytes: &mut [u8]) {
        fastrand::fill(bytes);
    }
}

fn skewed(rng: &mut Rng, limit: u64) -> u64 {
    let part = rng.f64();
    ((part * part * part) * limit as f64) as u64
}

/// The n-th is drawn with a weight of about 1/n.
fn zipf(rng: &mut Rng, limit: u64) -> u64 {
    ((rng.f64() * (limit as f64).ln()).exp() as u64).clamp(1, limit) - 1
}

fn word(n: u64) -> String {
    const SYLLABLES: [&str; 40] = [
        "ra", "be", "ti", "mo", "lun", "ka", "ser", "vi", "pro", "den", "tal", "gor", "mi", "ex", "fa", "ster", "qui", "no",
        "pel", "dra", "in", "com", "re", "tion", "al", "ber", "cy", "dow", "el", "fun", "gle", "har", "is", "jun", "kel",
        "lo", "mer", "nu", "or", "pa",
    ];
    let mut n = n * 7 + 41;
    let mut out = String::new();
    while n > 0 {
        out.push_str(SYLLABLES[(n % 40) as usize]);
        n /= 40;
    }
    out
}

fn event(rng: &mut Rng, number: u64, of: u64, actions: &[Action]) -> (OrgId, Event) {
    let org = if rng.u8(0..5) < 4 { 1 } else { 2 + zipf(rng, 49) as u32 };
    let user = zipf(rng, if org == 1 { 20_000 } else { 200 });
    let mut at = NEWEST - SPREAD_MS + (SPREAD_MS as i128 * i128::from(number) / i128::from(of)) as i64;
    at -= match rng.u32(0..1_000) {
        0 => rng.i64(0..730 * 86_400_000),
        1..=10 => rng.i64(0..2 * 86_400_000),
        _ => rng.i64(0..20_000),
    };
    let actor = Actor {
        kind: Kind::new("user").unwrap(),
        id: format!("u_{user:05}").into(),
        name: Some(format!("{} {}", word(user % 97), word(200 + user / 97)).into()),
        email: Some(format!("{}.{}@example.com", word(user % 97), word(user)).into()),
    };
    let mut event = Event::new(actions[zipf(rng, actions.len() as u64) as usize].clone(), actor, Timestamp::from_millis(at));
    event.team = Some(TeamId::new(&format!("team_{:02}", user % 40)).unwrap());
    event.outcome = Some(match rng.u8(0..50) {
        0 => Outcome::Denied,
        1 | 2 => Outcome::Failure,
        _ => Outcome::Success,
    });
    let target = |kind: &str, id: Option<String>, name: Option<String>, environment: Option<&str>| Target {
        kind: Kind::new(kind).unwrap(),
        id: id.map(Into::into),
        name: name.map(Into::into),
        environment: environment.map(Into::into),
    };
    let page = rng.u64(0..28);
    if rng.u8(0..10) < 8 {
        event.targets.push(target("page", Some(format!("pg_{page}")), Some(format!("{} board", word(page))), None));
    }
    if rng.u8(0..10) < 6 {
        event.targets.push(target("query", None, Some(format!("get_{}", word(page))), None));
    }
    if rng.u8(0..10) < 7 {
        let environment = ["production", "production", "production", "staging", "development"][rng.usize(0..5)];
        let resource = format!("{}-db", word(rng.u64(0..12)));
        event.targets.push(target("resource", None, Some(resource), Some(environment)));
    }
    event.context.ip = Some(format!("10.{org}.{}.{}", user / 250 % 250, user % 250 + 1).into());
    event.context.user_agent = Some(format!("Mozilla/5.0 (X11; Linux x86_64) Browser/{}", 100 + user % 9).into());
    event.context.request_id = Some(format!("{:016x}", rng.u64(..)).into());
    event.response_time_ms = Some(3 + skewed(rng, 900));
    let text: Vec<String> = (0..rng.u64(3..9)).map(|_| word(zipf(rng, 30_000))).collect();
    let customer = rng.u64(0..1_000_000);
    event.metadata = Some(
        Json::parse(
            &format!(r#"{{"note":"{}","query":"call {}($1)","customer":{customer}}}"#, text.join(" "), word(page)),
            32,
        )
        .unwrap(),
    );
    (OrgId(org), event)
}

fn scope(org: u32) -> Scope {
    decide(&Subject::System { org: OrgId(org) }, Act::Read).unwrap()
}

fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

/// The most memory from now on counts.
fn forget_peak() {
    std::fs::OpenOptions::new().write(true).open("/proc/self/clear_refs").unwrap().write_all(b"5").unwrap();
}

fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

fn load(store: &Store, events: u64) {
    let actions: Vec<Action> =
        Catalogs::built_in().all().iter().flat_map(|catalog| &catalog.actions).map(|it| it.id.clone()).take(84).collect();
    let started = Instant::now();
    let mut generating = 0.0;
    let mut rng = Rng::with_seed(7);
    let (sender, receiver) = sync_channel::<()>(32);
    let mut number = 0;
    while number < events {
        let began = cpu_thread();
        let mut batches: BTreeMap<OrgId, Vec<Event>> = BTreeMap::new();
        for _ in 0..2_000.min(events - number) {
            let (org, event) = event(&mut rng, number, events, &actions);
            batches.entry(org).or_default().push(event);
            number += 1;
        }
        generating += cpu_thread() - began;
        for (org, batch) in batches {
            loop {
                let prepared = batch.iter().map(|event| {
                    let parsed = Parsed { event: event.clone(), occurred_at_given: true };
                    Prepared::new(parsed, org, Some("key_1"), &Fast)
                });
                let sender = sender.clone();
                let (busy, answer) = sync_channel(1);
                store.append(&scope(org.0), prepared.collect(), None, move |answers| {
                    busy.try_send(answers.is_err()).ok();
                    sender.try_send(()).ok();
                });
                if !matches!(answer.try_recv(), Ok(true)) {
                    break;
                }
                // Busy: until what waits is a segment.
                store.settle();
            }
        }
        while receiver.try_recv().is_ok() {}
    }
    let took = started.elapsed().as_secs_f64();
    store.settle();
    let settled = started.elapsed().as_secs_f64();
    let cpu = cpu_s() - generating;
    println!(
        "{events} events: {:.0}/s, with settling {:.0}/s, {:.1} µs CPU each without making them, peak {} MB",
        events as f64 / took,
        events as f64 / settled,
        cpu * 1e6 / events as f64,
        peak_mb()
    );
}

fn cpu_thread() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn sizes(root: &Path) {
    let mut sums: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for folder in ["journal", "segments"] {
        for file in std::fs::read_dir(root.join(folder)).unwrap() {
            let file = file.unwrap();
            let end = file.path().extension().map(|end| end.to_string_lossy().into_owned()).unwrap_or_default();
            let sum = sums.entry(format!("{folder}/*.{end}")).or_default();
            sum.0 += 1;
            sum.1 += file.metadata().unwrap().len();
        }
    }
    println!("{sums:?}");
}

fn columns(root: &Path) {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    let mut sums: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    let mut rows = 0;
    for file in std::fs::read_dir(root.join("segments")).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|end| end == "parquet") {
            let reader = SerializedFileReader::new(std::fs::File::open(path).unwrap()).unwrap();
            for group in reader.metadata().row_groups() {
                rows += group.num_rows();
                for column in group.columns() {
                    let sum = sums.entry(column.column_path().string()).or_default();
                    sum.0 += column.compressed_size();
                    sum.1 += column.uncompressed_size();
                }
            }
        }
    }
    let rows = rows.max(1) as f64;
    for (name, (bytes, plain)) in &sums {
        println!("  {name:20} {:7.2} B/event of {:7.2}", *bytes as f64 / rows, *plain as f64 / rows);
    }
    println!("  all {:.2} B/event", sums.values().map(|it| it.0).sum::<i64>() as f64 / rows);
}

/// Times a question with changing parameters, then the same again: medians in milliseconds of
/// the thread's own time.
fn time(what: &str, n: usize, mut ask: impl FnMut(usize) -> u64) {
    if std::env::args().nth(3).is_some_and(|wanted| !what.contains(&wanted)) {
        return;
    }
    let mut first = Vec::new();
    let mut again = Vec::new();
    let mut answer = 0;
    for round in 0..2 {
        for k in 0..n {
            // The thread's own time: what else the machine does is not measured.
            let started = cpu_thread();
            answer = ask(k);
            let took = (cpu_thread() - started) * 1e3;
            if round == 0 { first.push(took) } else { again.push(took) }
        }
    }
    let median = |times: &mut Vec<f64>| {
        times.sort_by(f64::total_cmp);
        (times[times.len() / 2], *times.last().unwrap())
    };
    let ((a, a_max), (b, b_max)) = (median(&mut first), median(&mut again));
    println!("{what:44} first {a:8.2} (max {a_max:8.2})  again {b:8.2} (max {b_max:8.2})  answer {answer}");
}

fn ask(store: &Store) {
    let actions: Vec<Action> =
        Catalogs::built_in().all().iter().flat_map(|catalog| &catalog.actions).map(|it| it.id.clone()).take(84).collect();
    let org = scope(1);
    let page = Page { offset: 0, limit: 50 };
    let total = |filter: &Filter, page: Page| store.query(&org, filter, page).unwrap().total;
    let all = Filter::default();
    time("newest 50", 20, |_| total(&all, page));
    time("newest 50 of an action", 20, |k| {
        total(&Filter { actions: Some(vec![actions[k * 4].clone()]), ..all.clone() }, page)
    });
    let ranged = |k: usize| Filter {
        from: Some(Timestamp::from_millis(NEWEST - SPREAD_MS / 6 - k as i64 * 86_400_000)),
        to: Some(Timestamp::from_millis(NEWEST - k as i64 * 86_400_000)),
        ..Filter::default()
    };
    time("two facets and a range", 20, |k| {
        let filter = Filter { actions: Some(vec![actions[k].clone()]), outcome: Some(Outcome::Denied), ..ranged(k) };
        total(&filter, page)
    });
    time("an actor", 20, |k| total(&Filter { actor: Some(format!("u_{:05}", k * k * 50).into()), ..all.clone() }, page));
    time("an actor and a range", 20, |k| {
        total(&Filter { actor: Some(format!("u_{:05}", k * k * 50 + 1).into()), ..ranged(k) }, page)
    });
    let words = |k: usize| vec![word((k * 31) as u64), word((k * k * 7) as u64)];
    time("two words", 20, |k| total(&Filter { words: words(k), ..all.clone() }, page));
    time("one word and a range", 20, |k| total(&Filter { words: vec![word((k * 131) as u64)], ..ranged(k) }, page));
    time("part of a word", 20, |k| {
        total(&Filter { words: vec![word((k * 131) as u64)[1..].to_owned()], ..all.clone() }, page)
    });
    time("digits", 3, |k| total(&Filter { words: vec![format!("{}", 4_711 + k)], ..all.clone() }, page));
    time("part of an e-mail address", 20, |k| {
        total(&Filter { email: Some(format!("{}@", word((k * k * 30) as u64)).into()), ..all.clone() }, page)
    });
    time("a network", 10, |k| {
        total(&Filter { ip: Some(IpFilter::parse(&format!("10.1.{k}.0/24")).unwrap()), ..all.clone() }, page)
    });
    time("a target", 20, |k| total(&Filter { target: Some(format!("pg_{k}").into()), ..all.clone() }, page));
    time("page 10,000", 10, |k| total(&all, Page { offset: 500_000 + k as u64 * 50, limit: 50 }));
    time("page 1,000 of an action", 10, |k| {
        total(&Filter { actions: Some(vec![actions[k].clone()]), ..all.clone() }, Page { offset: 50_000, limit: 50 })
    });
    let ids: Vec<_> = (0..20_u64)
        .map(|k| store.query(&org, &all, Page { offset: k * k * 50, limit: 1 }).unwrap().events[0].event_id)
        .collect();
    time("one by its id", 20, |k| u64::from(store.get(&org, ids[k]).unwrap().is_some()));
    let five = [Facet::Action, Facet::Actor, Facet::Team, Facet::Outcome, Facet::Target];
    let edges: Vec<Timestamp> = (0..=90).map(|day| Timestamp::from_millis(NEWEST - (90 - day) * 86_400_000)).collect();
    time("five facets and a histogram", 10, |k| {
        let filter = Filter { actions: Some(vec![actions[k].clone()]), ..all.clone() };
        let facets = store.facets(&org, &filter, &five, 10).unwrap();
        let histogram = store.histogram(&org, &filter, &edges).unwrap();
        facets.iter().map(|facet| facet.distinct).sum::<u64>() + histogram.iter().sum::<u64>()
    });
    time("ten facets of all", 3, |_| {
        use Facet::{Action, Actor, Category, Environment, Ip, Key, Outcome, Target, TargetType, Team};
        let fields = [Action, Actor, Category, Environment, Ip, Key, Outcome, Target, TargetType, Team];
        store.facets(&org, &all, &fields, 10).unwrap().iter().map(|facet| facet.distinct).sum::<u64>()
    });
    time("a poller with a filter", 10, |k| {
        let filter = Filter { actions: Some(vec![actions[k].clone()]), ..all.clone() };
        store.slice(&org, &filter, Cursor::After(None), 100).unwrap().events.len() as u64
    });
    time("values", 3, |_| store.values(&org).unwrap().actors.len() as u64);
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let root = std::path::PathBuf::from(arguments.next().unwrap());
    let events: u64 = arguments.next().unwrap().parse().unwrap();
    let disk: Arc<dyn Disk> = Arc::new(RealDisk::open(&root).unwrap());
    let started = Instant::now();
    let store = Store::open(disk, Arc::new(Real(Instant::now())), Arc::new(Fast), Options::default()).unwrap();
    println!("opened in {:.3} s, {} MB", started.elapsed().as_secs_f64(), peak_mb());
    if events > 0 {
        load(&store, events);
    }
    println!("{:?}", store.stats());
    sizes(&root);
    columns(&root);
    println!("peak {} MB before asking", peak_mb());
    forget_peak();
    println!("now {} MB", peak_mb());
    ask(&store);
    println!("peak while asked {} MB", peak_mb());
    if std::env::args().nth(3).is_some_and(|wanted| wanted == "check") {
        drop(store);
        let report = store::check(&RealDisk::open(&root).unwrap(), &mut |_| {}).unwrap();
        println!("checked {} events: {:?}", report.events, report.faults);
    }
}
