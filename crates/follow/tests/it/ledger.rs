//! The ledger by itself.

use std::time::Duration;

use follow::ledger::{Begin, LedgerError};
use follow::{Clock, Ledger};
use record::Index;
use tokio::time::sleep;

use crate::support::{MemoryLog, ORGANIZATION, PausedClock, Receiver, World, limits};

#[tokio::test(start_paused = true)]
async fn receipts_are_kept_to_the_second_then_to_the_minute_then_not_at_all() {
    let clock = PausedClock::new();
    let log = MemoryLog::wanting(|index| index % 2 == 0);
    let limits = follow::Limits { age: Duration::ZERO, ..limits() };
    let world = World::new(log, clock.clone(), Receiver::new(&clock, limits, crate::support::take_all));
    world
        .run(async |_| {
            for _ in 0..200 {
                world.log.append(clock.now());
                sleep(Duration::from_millis(900)).await;
            }
            world.until_caught_up().await;
        })
        .await;
    let times = async || {
        let mut times = Vec::new();
        for index in 0..200 {
            for receipt in world.ledger.receipts(ORGANIZATION, Index(index)).await.unwrap() {
                times.push((index, receipt.at, receipt.exact_to.as_secs()));
            }
        }
        times
    };
    let exact = times().await;
    assert!(exact.iter().map(|(index, ..)| *index).eq((0..200).step_by(2)));
    for (index, at, _) in &exact {
        let sent = at.millis_since(record::Timestamp::from_millis(1_795_212_000_000));
        assert!((0..1_000).contains(&(*index as i64 * 900 - sent)), "{index} arrived at {sent} ms");
    }
    let keep = Duration::from_secs(30 * 24 * 60 * 60);
    world.ledger.tidy(clock.now(), keep).await.unwrap();
    assert_eq!(times().await, exact);
    sleep(Duration::from_secs(25 * 60 * 60)).await;
    world.ledger.tidy(clock.now(), keep).await.unwrap();
    let minutes: Vec<_> = exact
        .iter()
        .map(|(index, at, _)| (*index, record::Timestamp::from_millis(at.as_millis().div_euclid(60_000) * 60_000), 60))
        .collect();
    assert_eq!(times().await, minutes);
    sleep(keep).await;
    world.ledger.tidy(clock.now(), keep).await.unwrap();
    assert_eq!(times().await, []);
}

#[tokio::test(start_paused = true)]
async fn a_file_is_private_and_one_of_a_newer_acta_is_left_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deliveries.db");
    let route = follow::Route::new("dest_1", ORGANIZATION);
    let ledger = Ledger::open(&path).unwrap();
    ledger.begin(&route, Begin::At(Index(12)), None).await.unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    drop(ledger);
    let ledger = Ledger::open(&path).unwrap();
    assert_eq!(ledger.standing(&route).await.unwrap().unwrap().cursor, Some(Index(11)));
    drop(ledger);
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 9).unwrap();
    assert!(matches!(Ledger::open(&path), Err(LedgerError::TooNew { found: 9, .. })));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_is_told() {
    let clock = PausedClock::new();
    let world = World::new(MemoryLog::new(), clock.clone(), Receiver::good(&clock));
    let (ledger, route, now) = (&world.ledger, &world.route, clock.now());
    assert_eq!(ledger.gaps(route, None).await.unwrap_err().to_string(), "there is no such destination");
    ledger.begin(route, Begin::Now, Some(Index(9))).await.unwrap();
    assert_eq!(ledger.skip(route, Index(9), "x", now).await.unwrap(), None);
    let replay = ledger.start_replay(route, Index(5), Index(4), now).await;
    assert_eq!(replay.unwrap_err().to_string(), "a replay from 5 to 4 would be empty");
    let cancelled = ledger.cancel_replay(route, follow::ledger::ReplayId(1), now).await;
    assert_eq!(cancelled.unwrap_err().to_string(), "there is no such replay");
    let retried = ledger.retry_dead_letters(route, Some(vec![follow::ledger::DeadLetterId(1)]), now).await;
    assert_eq!(retried.unwrap_err().to_string(), "there is no such dead letter");
    assert_eq!(ledger.replays(route, 10).await.unwrap(), [], "what failed has left nothing");
}

#[tokio::test(start_paused = true)]
async fn many_at_once_are_all_served() {
    let ledger = Ledger::in_memory().unwrap();
    let mut all = tokio::task::JoinSet::new();
    for organization in 0..200 {
        let ledger = ledger.clone();
        all.spawn(async move {
            let route = follow::Route::new("dest_1", record::OrgId(organization));
            ledger.begin(&route, Begin::At(Index(u64::from(organization))), None).await.unwrap();
        });
    }
    all.join_all().await;
    let standings = ledger.standings().await.unwrap();
    assert!(standings.iter().map(|one| one.cursor).eq((0..200).map(|at: u64| at.checked_sub(1).map(Index))));
}
