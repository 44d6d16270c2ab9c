//! Sending again beside the live course.

use std::time::Duration;

use follow::ledger::{GapKind, ReceiptKind, ReplayState};
use follow::{Answer, Clock};
use record::Index;
use tokio::time::sleep;

use crate::support::{MemoryLog, ORGANIZATION, PausedClock, Receiver, World, limits, take_all};

async fn done(world: &World, id: follow::ledger::ReplayId) -> follow::ledger::Replay {
    loop {
        let replay = world.ledger.replay(&world.route, id).await.unwrap();
        if replay.ended.is_some() {
            return replay;
        }
        sleep(Duration::from_secs(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_range_is_sent_again_and_the_live_course_goes_on() {
    let clock = PausedClock::new();
    let log = MemoryLog::wanting(|index| index % 3 != 0);
    log.fill(1_000, &clock);
    let world = World::new(log, clock.clone(), Receiver::good(&clock));
    world
        .run(async |_| {
            world.until_caught_up().await;
            world.receiver.taken.lock().unwrap().clear();
            let replay = world.ledger.start_replay(&world.route, Index(100), Index(700), clock.now()).await.unwrap();
            world.log.fill(300, &clock);
            let replay = done(&world, replay.id).await;
            world.until_caught_up().await;
            assert_eq!((replay.state, replay.delivered, replay.cursor), (ReplayState::Done, 401, Some(Index(700))));
        })
        .await;
    let indexes = world.receiver.indexes();
    let wanted = |from: u64, to: u64| (from..to).filter(|index| index % 3 != 0);
    assert!(indexes.iter().copied().filter(|&index| index < 1_000).eq(wanted(100, 701)));
    assert!(indexes.iter().copied().filter(|&index| index >= 1_000).eq(wanted(1_000, 1_300)));
    let kinds = async |index| {
        let receipts = world.ledger.receipts(ORGANIZATION, Index(index)).await.unwrap();
        receipts.into_iter().map(|receipt| receipt.kind).collect::<Vec<_>>()
    };
    assert_eq!(kinds(200).await, [ReceiptKind::Replay, ReceiptKind::Live]);
    assert_eq!(kinds(800).await, [ReceiptKind::Live]);
    assert_eq!(kinds(201).await, [], "the filter passes over it");
}

#[tokio::test(start_paused = true)]
async fn a_skip_leaves_a_gap_that_replays_close_part_by_part() {
    let clock = PausedClock::new();
    let log = MemoryLog::new();
    log.fill(100, &clock);
    let refused = |_: &[follow::Message], _: &mut Vec<follow::Message>| (Duration::ZERO, Some(Answer::retry("503")));
    let world = World::new(log, clock.clone(), Receiver::new(&clock, limits(), refused));
    world
        .run(async |control| {
            world.until(|standing| standing.attempts > 2).await;
            control.pause();
            // Until the attempt that was under way has ended, which would still bring what is skipped.
            sleep(Duration::from_secs(6)).await;
            let skipped =
                world.ledger.skip(&world.route, Index(99), "resumed from now", clock.now()).await.unwrap().unwrap();
            assert_eq!((skipped.kind, skipped.from, skipped.to), (GapKind::Skip, Index(0), Some(Index(99))));
            world.receiver.now_does(take_all);
            control.resume();
            world.log.fill(10, &clock);
            world.until_caught_up().await;
            assert!(world.receiver.indexes().into_iter().eq(100..110));
            assert_eq!(world.gaps().await, ["Skip 0..=99 resumed from now"]);

            let replay = world.ledger.start_replay(&world.route, Index(20), Index(49), clock.now()).await.unwrap();
            done(&world, replay.id).await;
            assert_eq!(world.gaps().await, ["Skip 0..=19 resumed from now", "Skip 50..=99 resumed from now"]);

            let replay = world.ledger.start_replay(&world.route, Index(0), Index(105), clock.now()).await.unwrap();
            done(&world, replay.id).await;
            assert_eq!(world.gaps().await, [""; 0]);
        })
        .await;
    let closed = world.ledger.closed_gaps(&world.route, 10).await.unwrap();
    let mut ranges: Vec<_> = closed.iter().map(|gap| (gap.from.0, gap.to.unwrap().0)).collect();
    ranges.sort_unstable();
    assert_eq!(ranges, [(0, 19), (20, 49), (50, 99)]);
    let mut all = world.receiver.first_arrivals();
    all.sort_unstable();
    assert!(all.into_iter().eq(0..110));
}

#[tokio::test(start_paused = true)]
async fn a_replay_goes_on_after_a_restart_and_ends_when_it_is_cancelled() {
    let clock = PausedClock::new();
    let log = MemoryLog::new();
    log.fill(1_000, &clock);
    let slow = |batch: &[follow::Message], taken: &mut Vec<follow::Message>| {
        let (_, answer) = take_all(batch, taken);
        (Duration::from_secs(10), answer)
    };
    let world = World::new(log, clock.clone(), Receiver::good(&clock));
    let replay = world
        .run(async |_| {
            world.until_caught_up().await;
            world.receiver.now_does(slow);
            let replay = world.ledger.start_replay(&world.route, Index(0), Index(999), clock.now()).await.unwrap();
            sleep(Duration::from_secs(35)).await;
            world.ledger.replay(&world.route, replay.id).await.unwrap()
        })
        .await;
    assert_eq!((replay.state, replay.cursor), (ReplayState::Running, Some(Index(299))));
    world.receiver.taken.lock().unwrap().clear();
    world
        .run(async |_| {
            sleep(Duration::from_secs(25)).await;
            let cancelled = world.ledger.cancel_replay(&world.route, replay.id, clock.now()).await.unwrap();
            assert_eq!((cancelled.state, cancelled.cursor), (ReplayState::Cancelled, Some(Index(499))));
            sleep(Duration::from_secs(60)).await;
            world.ledger.cancel_replay(&world.route, replay.id, clock.now()).await.unwrap_err();
        })
        .await;
    assert!(world.receiver.indexes().into_iter().eq(300..600));
}

#[tokio::test(start_paused = true)]
async fn what_was_on_its_way_when_it_was_skipped_is_not_missing() {
    let clock = PausedClock::new();
    let log = MemoryLog::new();
    log.fill(300, &clock);
    let slow = |batch: &[follow::Message], taken: &mut Vec<follow::Message>| {
        let (_, answer) = take_all(batch, taken);
        (Duration::from_secs(10), answer)
    };
    let world = World::new(log, clock.clone(), Receiver::new(&clock, limits(), slow));
    world
        .run(async |_| {
            sleep(Duration::from_secs(15)).await;
            world.ledger.skip(&world.route, Index(249), "skipped", clock.now()).await.unwrap();
            assert_eq!(world.gaps().await, ["Skip 100..=249 skipped"]);
            world.until_caught_up().await;
        })
        .await;
    assert!(world.receiver.indexes().into_iter().eq((0..200).chain(250..300)));
    assert_eq!(world.gaps().await, ["Skip 200..=249 skipped"]);
    assert_eq!(world.ledger.receipts(ORGANIZATION, Index(150)).await.unwrap().len(), 1);
    let needed = world.ledger.needed(ORGANIZATION).await.unwrap();
    assert_eq!(needed[0].1, Index(200));
}
