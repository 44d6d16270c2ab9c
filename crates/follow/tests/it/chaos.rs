//! Receivers that do everything wrong, and a process that is killed again and again: afterwards all is there.

use std::future::pending;
use std::path::Path;
use std::time::Duration;

use follow::{Answer, Clock, Fate, Ledger, Limits, Log, Message, Verdict};
use tokio::time::{sleep, timeout};

use crate::support::{MemoryLog, PausedClock, Receiver, World, seeds, take_all};

const EVENTS: u64 = 1_500;

/// One thing that a receiver may do wrong, or right.
fn misbehave(rng: &mut fastrand::Rng, batch: &[Message], taken: &mut Vec<Message>) -> (Duration, Option<Answer>) {
    let wait = Duration::from_millis(rng.u64(0..3_000));
    let some = rng.usize(0..=batch.len());
    let answer = match rng.u32(0..13) {
        // It hangs: before, in the middle of, or after taking it.
        0 => {
            taken.extend_from_slice(&batch[..some]);
            return (wait, None);
        }
        1 => Answer::new(Verdict::Retry { after: None }, "429"),
        2 => Answer::new(Verdict::Retry { after: Some(Duration::from_secs(rng.u64(0..200))) }, "429"),
        3 => Answer::retry("500"),
        4 if batch.len() > 3 => Answer::new(Verdict::Split, "413"),
        // The connection is cut when it has taken some.
        5 => {
            taken.extend_from_slice(&batch[..some]);
            Answer::retry("connection reset")
        }
        // It takes half of it, and says so.
        6 => {
            taken.extend_from_slice(&batch[..some]);
            let fates = (0..batch.len()).map(|at| if at < some { Fate::Delivered } else { Fate::Retry });
            Answer::new(Verdict::Each(fates.collect()), "207")
        }
        // It says 200 and forgets; the acknowledgement that was asked for does not come.
        7 => Answer::retry("200, but not acknowledged within 30 s"),
        // It refuses what it took the first part of.
        8 if batch.len() > 1 => {
            taken.extend_from_slice(&batch[..some]);
            Answer::new(Verdict::Refused, "400")
        }
        9 => std::panic::panic_any("a bug"),
        _ => {
            taken.extend_from_slice(batch);
            Answer::delivered("200")
        }
    };
    (wait, Some(answer))
}

async fn storm(seed: u64, path: &Path) {
    let clock = PausedClock::new();
    let log = MemoryLog::new();
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut receivers_rng = rng.fork();
    let limits =
        Limits { messages: rng.usize(1..60), age: Duration::from_millis(rng.u64(0..5_000)), ..crate::support::limits() };
    let receiver = Receiver::new(&clock, limits, move |batch, taken| misbehave(&mut receivers_rng, batch, taken));
    let mut world = World::new(log, clock, receiver);
    world.seed = seed;

    let mut writers_rng = rng.fork();
    let writing = async {
        for _ in 0..EVENTS {
            world.log.append(world.clock.now());
            if writers_rng.u32(0..10) == 0 {
                sleep(Duration::from_millis(writers_rng.u64(0..20_000))).await;
            }
        }
    };
    let following = async {
        let mut kills = 0;
        loop {
            let mut world = World::new(world.log.clone(), world.clock.clone(), world.receiver.clone());
            (world.ledger, world.seed) = (Ledger::open(path).unwrap(), rng.u64(..));
            let life = Duration::from_millis(rng.u64(0..60_000));
            // Dropped at that moment, wherever it is.
            drop(timeout(life, world.follower().run(pending())).await);
            kills += 1;
            if kills >= 150 && world.log.newest().is_some_and(|newest| newest.0 + 1 == EVENTS) {
                return;
            }
        }
    };
    tokio::join!(writing, following);

    // The storm is over.
    world.receiver.now_does(take_all);
    world.ledger = Ledger::open(path).unwrap();
    world.run_to_the_end().await;

    let arrived = world.receiver.first_arrivals();
    assert!(arrived.iter().copied().eq(0..EVENTS), "seed {seed}: not all, or not in order: {arrived:?}");
    for (_, message) in world.receiver.taken.lock().unwrap().iter() {
        assert_eq!(message.recorded.event_id, world.log.event_id(message.recorded.index.0), "seed {seed}");
    }
    assert_eq!(world.gaps().await, [""; 0], "seed {seed}");
    assert_eq!(world.dead_letters().await, [""; 0], "seed {seed}");
    let standing = world.ledger.standing(&world.route).await.unwrap().unwrap();
    assert_eq!((standing.delivered, standing.failing_since), (EVENTS, None), "seed {seed}");
    // Every event has exactly one receipt, and it is not from before it was first taken.
    for index in 0..EVENTS {
        let receipts = world.ledger.receipts(crate::support::ORGANIZATION, record::Index(index)).await.unwrap();
        assert_eq!(receipts.len(), 1, "seed {seed}: event {index}");
    }
}

#[tokio::test(start_paused = true)]
async fn after_the_storm_everything_is_there_in_order_and_no_gap_is_open() {
    std::panic::set_hook(Box::new(|info| {
        if info.payload_as_str() != Some("a bug") {
            eprintln!("{info}");
        }
    }));
    for seed in seeds(12) {
        let folder = tempfile::tempdir().unwrap();
        storm(seed, &folder.path().join("deliveries.db")).await;
    }
}
