//! How events become batches.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use expect_test::{Expect, expect};
use follow::{Answer, Clock, Encode, Limits, Recorded, Verdict};
use tokio::time::sleep;

use crate::support::{MemoryLog, PausedClock, Receiver, World, limits, take_all};

/// As many messages of ten bytes as the index says, but for every fifth event.
struct Parts;

impl Encode for Parts {
    fn encode(&self, recorded: &Recorded) -> Result<Vec<Bytes>, String> {
        let parts = if recorded.index.0 % 5 == 4 { 1 } else { recorded.index.0 };
        Ok((0..parts).map(|_| Bytes::from_static(b"0123456789")).collect())
    }
}

async fn batches(limits: Limits, events: u64, expected: Expect) {
    let clock = PausedClock::new();
    let log = MemoryLog::new();
    log.fill(events, &clock);
    let mut world = World::new(log, clock.clone(), Receiver::new(&clock, limits, take_all));
    world.encoder = Arc::new(Parts);
    world.run_to_the_end().await;
    let sends = world.receiver.sends.lock().unwrap().clone();
    let name = |message: &follow::Message| format!("{}.{}", message.recorded.index, message.part);
    let lines: Vec<String> = sends.iter().map(|(_, batch)| batch.iter().map(name).collect::<Vec<_>>().join(" ")).collect();
    expected.assert_eq(&lines.join("\n"));
    for (_, batch) in &sends {
        assert!(batch.len() <= limits.messages);
        assert!(batch.iter().map(|message| message.body.len() + limits.overhead).sum::<usize>() <= limits.bytes);
    }
}

#[tokio::test(start_paused = true)]
async fn events_stay_together_where_they_can_and_are_cut_where_they_must() {
    batches(
        Limits { messages: 6, ..limits() },
        9,
        expect![[r#"
        1.0 2.0 2.1 3.0 3.1 3.2
        4.0 5.0 5.1 5.2 5.3 5.4
        6.0 6.1 6.2 6.3 6.4 6.5
        7.0 7.1 7.2 7.3 7.4 7.5
        7.6 8.0 8.1 8.2 8.3 8.4
        8.5 8.6 8.7"#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn bytes_count_with_what_the_transport_adds() {
    batches(
        Limits { bytes: 45, overhead: 5, ..limits() },
        6,
        expect![[r#"
        1.0 2.0 2.1
        3.0 3.1 3.2
        4.0 5.0 5.1
        5.2 5.3 5.4"#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_event_in_several_batches_has_arrived_when_all_of_it_has() {
    let clock = PausedClock::new();
    let log = MemoryLog::new();
    log.fill(9, &clock);
    let mut world = World::new(log, clock.clone(), Receiver::good(&clock));
    let limits = Limits { messages: 3, ..limits() };
    // Event 8 is eight messages; before its last batch arrives the receiver is away for good, and then we are killed.
    let mut left = 9;
    world.receiver = Receiver::new(&clock, limits, move |batch, taken| {
        if batch.iter().any(|message| message.recorded.index.0 == 8 && message.part > 5) && left > 0 {
            left -= 1;
            return (Duration::ZERO, Some(Answer::retry("503")));
        }
        take_all(batch, taken)
    });
    world.encoder = Arc::new(Parts);
    world.run(async |_| world.until(|standing| standing.attempts == 3).await).await;
    let standing = world.ledger.standing(&world.route).await.unwrap().unwrap();
    assert_eq!(standing.cursor, Some(record::Index(7)));
    assert_eq!(world.gaps().await, ["Outage 8..=8 503"]);
    world.run_to_the_end().await;
    let keys: Vec<String> = world.receiver.taken.lock().unwrap().iter().map(|(_, message)| message.key()).collect();
    let parts = |from: usize| keys[from..].iter().map(|key| key.get(37..).unwrap_or("0")).collect::<Vec<_>>().join("");
    // All of it is sent again, under the same names.
    assert_eq!(parts(keys.len() - 13), "0123401234567");
    assert_eq!(world.gaps().await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn events_wait_for_company_but_not_longer_than_they_may() {
    let clock = PausedClock::new();
    let log = MemoryLog::new();
    let limits = Limits { messages: 4, age: Duration::from_secs(5), ..limits() };
    let world = World::new(log, clock.clone(), Receiver::new(&clock, limits, take_all));
    world
        .run(async |_| {
            for wait in [1, 1, 1, 1, 20, 3, 3, 3] {
                sleep(Duration::from_secs(wait)).await;
                world.log.append(clock.now());
            }
            sleep(Duration::from_secs(20)).await;
        })
        .await;
    let sends = world.receiver.sends.lock().unwrap().clone();
    let sends: Vec<_> = sends.iter().map(|(at, batch)| (at.as_secs(), batch.len())).collect();
    assert_eq!(sends, [(4, 4), (29, 2), (35, 2)]);
}

#[tokio::test(start_paused = true)]
async fn the_next_batch_is_made_while_one_is_being_sent_and_no_more_than_that() {
    struct Counting(std::sync::atomic::AtomicU64);
    impl Encode for Counting {
        fn encode(&self, _: &Recorded) -> Result<Vec<Bytes>, String> {
            self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            Ok(vec![Bytes::from_static(b"{}")])
        }
    }
    let clock = PausedClock::new();
    let log = MemoryLog::new();
    log.fill(5_000, &clock);
    let mut world = World::new(log, clock.clone(), Receiver::new(&clock, limits(), |_, _| (Duration::ZERO, None)));
    let counting = Arc::new(Counting(0.into()));
    world.encoder = counting.clone();
    world.run(async |_| sleep(Duration::from_secs(60)).await).await;
    // Two batches of a hundred, and one event that found the second one full.
    assert_eq!(counting.0.load(std::sync::atomic::Ordering::SeqCst), 201);
}

#[tokio::test(start_paused = true)]
async fn events_that_are_not_wanted_move_the_cursor_and_nothing_else() {
    let clock = PausedClock::new();
    let log = MemoryLog::wanting(|index| index == 700);
    log.fill(1_000, &clock);
    let refusing = Receiver::new(&clock, limits(), |_, _| (Duration::ZERO, Some(Answer::new(Verdict::Gone, "410 Gone"))));
    let world = World::new(log, clock.clone(), refusing);
    world.run(async |_| world.until(|standing| standing.gone.is_some()).await).await;
    let standing = world.ledger.standing(&world.route).await.unwrap().unwrap();
    assert_eq!((standing.cursor, standing.delivered), (None, 0), "the batch as a whole is not seen to");
    world.receiver.now_does(take_all);
    world
        .run(async |control| {
            control.resume();
            world.until_caught_up().await;
            let status = control.status().await.unwrap();
            assert_eq!((status.lag_events, status.lag_ms, status.delivered), (0, Some(0), 1));
            world.log.fill(50, &clock);
            world.until_caught_up().await;
        })
        .await;
    assert_eq!(world.receiver.indexes(), [700]);
}
