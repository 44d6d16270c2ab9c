//! Pausing, going on, stopping, and what a follower tells of itself.

use std::future::pending;
use std::time::Duration;

use expect_test::expect;
use follow::ledger::{Begin, Trouble};
use follow::{Answer, Clock, Follower, State, Verdict};
use record::Index;
use tokio::time::{Instant, sleep};

use crate::support::{MemoryLog, PausedClock, Receiver, World, limits, take_all};

#[tokio::test(start_paused = true)]
async fn a_paused_one_sends_nothing_and_goes_on_where_it_stood() {
    let clock = PausedClock::new();
    let log = MemoryLog::new();
    log.fill(10, &clock);
    let world = World::new(log, clock.clone(), Receiver::good(&clock));
    world
        .run(async |control| {
            world.until_caught_up().await;
            control.pause();
            world.log.fill(10, &clock);
            sleep(Duration::from_secs(3_600)).await;
            let status = control.status().await.unwrap();
            assert_eq!((status.state, status.lag_events, status.lag_ms), (State::Paused, 10, Some(3_600_000)));
            assert_eq!(world.receiver.indexes().len(), 10);
            control.resume();
            world.until_caught_up().await;
            assert_eq!(control.status().await.unwrap().state, State::Idle);
        })
        .await;
    assert!(world.receiver.indexes().into_iter().eq(0..20));
    assert_eq!(world.gaps().await, [""; 0], "a pause is no gap: what is recorded meanwhile is sent");
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_is_gone_gets_nothing_until_somebody_says_so_also_after_a_restart() {
    let clock = PausedClock::new();
    let log = MemoryLog::new();
    log.fill(10, &clock);
    let gone = Receiver::answering(&clock, vec![Answer::new(Verdict::Gone, "410 Gone: moved away")]);
    let world = World::new(log, clock.clone(), gone);
    for _ in 0..2 {
        world
            .run(async |control| {
                sleep(Duration::from_secs(3_600)).await;
                let status = control.status().await.unwrap();
                assert_eq!((status.state, status.gone.as_deref()), (State::Gone, Some("410 Gone: moved away")));
            })
            .await;
    }
    assert_eq!(world.receiver.sends.lock().unwrap().len(), 1);
    let alerts = world.ledger.alerts(clock.now(), Duration::from_secs(999_999)).await.unwrap();
    assert_eq!(alerts.iter().map(|alert| alert.trouble).collect::<Vec<_>>(), [Trouble::Gone]);
    world.ledger.told(&alerts[0]).await.unwrap();
    world
        .run(async |control| {
            control.resume();
            world.until_caught_up().await;
        })
        .await;
    assert!(world.receiver.indexes().into_iter().eq(0..10));
    let alerts = world.ledger.alerts(clock.now(), Duration::from_secs(900)).await.unwrap();
    assert_eq!(alerts.iter().map(|alert| alert.trouble).collect::<Vec<_>>(), [Trouble::Recovered]);
}

#[tokio::test(start_paused = true)]
async fn who_stops_it_waits_for_the_batch_on_its_way_but_not_long() {
    for (takes, arrives) in [(2, true), (60, false)] {
        let clock = PausedClock::new();
        let log = MemoryLog::new();
        log.fill(10, &clock);
        let slow = move |batch: &[follow::Message], taken: &mut Vec<follow::Message>| {
            (Duration::from_secs(takes), take_all(batch, taken).1)
        };
        let world = World::new(log, clock.clone(), Receiver::new(&clock, limits(), slow));
        let begin = Instant::now();
        world.follower().run(sleep(Duration::from_secs(2))).await;
        assert!(begin.elapsed() <= Duration::from_secs(7));
        let standing = world.ledger.standing(&world.route).await.unwrap().unwrap();
        assert_eq!(standing.cursor.is_some(), arrives, "{takes} s");
    }
}

#[tokio::test(start_paused = true)]
async fn each_begins_where_it_was_said_and_a_removed_one_ends() {
    let mut began = Vec::new();
    for begin in [Begin::Now, Begin::At(Index(4)), Begin::Beginning] {
        let clock = PausedClock::new();
        let log = MemoryLog::new();
        log.fill(6, &clock);
        let world = World::new(log, clock.clone(), Receiver::good(&clock));
        let mut parts = world.parts(false);
        parts.begin = begin;
        let meanwhile = async {
            world.until(|_| true).await;
            world.log.append(clock.now());
            world.until_caught_up().await;
            // Said again, it changes nothing.
            world.ledger.begin(&world.route, Begin::Beginning, None).await.unwrap();
            world.ledger.forget(&world.route.destination).await.unwrap();
            world.log.append(clock.now());
            sleep(Duration::from_secs(60)).await;
        };
        // It ends by itself, although nobody stops it.
        tokio::join!(Follower::new(parts).run(async { sleep(Duration::from_secs(30)).await }), meanwhile);
        assert_eq!(world.ledger.standing(&world.route).await.unwrap(), None);
        began.push((world.receiver.indexes()[0], world.receiver.indexes().len()));
    }
    // The event after it was forgotten still arrived: it was on its way.
    assert_eq!(began, [(6, 2), (4, 4), (0, 8)]);
}

#[tokio::test(start_paused = true)]
async fn the_status_says_it_all() {
    let clock = PausedClock::new();
    let log = MemoryLog::new();
    log.fill(250, &clock);
    let receiver = Receiver::new(&clock, limits(), |batch, taken| {
        if batch.iter().any(|message| message.recorded.index.0 > 99) {
            return (Duration::ZERO, Some(Answer::retry("HTTP 503 Service Unavailable: come back later")));
        }
        take_all(batch, taken)
    });
    let world = World::new(log, clock.clone(), receiver);
    let follower = world.follower();
    let control = follower.control();
    let status = tokio::select! {
        () = follower.run(pending()) => panic!("it ended"),
        status = async {
            sleep(Duration::from_secs(30)).await;
            control.status().await.unwrap()
        } => status,
    };
    expect![[r#"
        {
          "destination": "dest_1",
          "organization": 7,
          "state": "retrying",
          "cursor": 99,
          "newest": 249,
          "lag_events": 150,
          "lag_ms": 30000,
          "last_answer": {
            "raw": "HTTP 503 Service Unavailable: come back later",
            "verdict": "retry",
            "at": "2026-11-20T22:00:13.188Z"
          },
          "last_delivered_at": "2026-11-20T22:00:00.000Z",
          "failing_since": "2026-11-20T22:00:00.000Z",
          "attempts": 7,
          "gone": null,
          "delivered": 100,
          "per_second": 1.6666666666666667,
          "dead_letters": 0,
          "open_gaps": 1,
          "open_replays": 0
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&status).unwrap());
}
