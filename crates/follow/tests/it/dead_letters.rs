//! Events that a receiver does not take.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use expect_test::expect;
use follow::ledger::ReplayState;
use follow::{Answer, Clock, Encode, Message, Recorded, Verdict};
use record::Index;
use tokio::time::sleep;

use crate::support::{MemoryLog, ORGANIZATION, PausedClock, Receiver, World, limits, take_all};

/// Refuses every batch that holds one of these.
fn refusing(poison: &'static [u64]) -> impl FnMut(&[Message], &mut Vec<Message>) -> (Duration, Option<Answer>) + Send {
    move |batch, taken| {
        if batch.iter().any(|message| poison.contains(&message.recorded.index.0)) {
            return (Duration::ZERO, Some(Answer::new(Verdict::Refused, "400 Bad Request: no such field")));
        }
        take_all(batch, taken)
    }
}

#[tokio::test(start_paused = true)]
async fn poison_does_not_keep_others_from_arriving_in_order() {
    let clock = PausedClock::new();
    let log = MemoryLog::new();
    log.fill(500, &clock);
    let world = World::new(log, clock.clone(), Receiver::new(&clock, limits(), refusing(&[0, 250, 251, 499])));
    world
        .run(async |control| {
            world.until_caught_up().await;
            let status = control.status().await.unwrap();
            assert_eq!((status.dead_letters, status.delivered, status.open_gaps), (4, 496, 0));
        })
        .await;
    let rest = (0..500).filter(|index| ![0, 250, 251, 499].contains(index));
    assert!(world.receiver.indexes().into_iter().eq(rest));
    expect![[r#"
        0-0 after 7: the receiver refused it [400 Bad Request: no such field] {"index":0}
        250-0 after 7: the receiver refused it [400 Bad Request: no such field] {"index":250}
        251-0 after 8: the receiver refused it [400 Bad Request: no such field] {"index":251}
        499-0 after 8: the receiver refused it [400 Bad Request: no such field] {"index":499}"#]]
    .assert_eq(&world.dead_letters().await.join("\n"));
    assert_eq!(world.ledger.receipts(ORGANIZATION, Index(250)).await.unwrap(), []);
    let needed = world.ledger.needed(ORGANIZATION).await.unwrap();
    assert_eq!(needed.iter().map(|(_, index)| index.0).collect::<Vec<_>>(), [0]);
}

#[tokio::test(start_paused = true)]
async fn dead_letters_are_sent_again_one_by_one_or_all_or_given_up() {
    let clock = PausedClock::new();
    let log = MemoryLog::new();
    log.fill(10, &clock);
    let world = World::new(log, clock.clone(), Receiver::new(&clock, limits(), refusing(&[1, 3, 5, 7])));
    let replayed = async |which| {
        let replay = world.ledger.retry_dead_letters(&world.route, which, clock.now()).await.unwrap();
        loop {
            let replay = world.ledger.replay(&world.route, replay.id).await.unwrap();
            if replay.ended.is_some() {
                return (replay.state, replay.delivered, replay.dead);
            }
            sleep(Duration::from_secs(1)).await;
        }
    };
    let indexes = async || {
        let dead = world.ledger.dead_letters(&world.route, None, 100).await.unwrap();
        dead.iter().map(|one| (one.index.0, one.attempts)).collect::<Vec<_>>()
    };
    world
        .run(async |_| {
            world.until_caught_up().await;
            assert_eq!(indexes().await, [(1, 4), (3, 5), (5, 4), (7, 4)]);
            world.receiver.now_does(refusing(&[5]));
            let second = world.ledger.dead_letters(&world.route, None, 2).await.unwrap()[1].id;
            assert_eq!(replayed(Some(vec![second])).await, (ReplayState::Done, 1, 0));
            assert_eq!(indexes().await, [(1, 4), (5, 4), (7, 4)]);
            assert_eq!(replayed(None).await, (ReplayState::Done, 2, 1));
            assert_eq!(indexes().await, [(5, 7)]);
            let id = world.ledger.dead_letters(&world.route, None, 2).await.unwrap()[0].id;
            assert_eq!(world.ledger.discard_dead_letters(&world.route, Some(vec![id])).await.unwrap(), 1);
            assert_eq!(indexes().await, []);
            world.ledger.retry_dead_letters(&world.route, None, clock.now()).await.unwrap_err();
        })
        .await;
    let mut all = world.receiver.indexes();
    all.sort_unstable();
    assert_eq!(all, [0, 1, 2, 3, 4, 6, 7, 8, 9]);
}

/// Some events cannot be told, some are too long, one is left out, one makes the encoder panic, one is several messages.
struct Awkward;

impl Encode for Awkward {
    fn encode(&self, recorded: &Recorded) -> Result<Vec<Bytes>, String> {
        match recorded.index.0 {
            1 => Err("it has no user".into()),
            2 => Ok(vec![]),
            3 => std::panic::panic_any("a bug"),
            4 => Ok(vec![Bytes::from(vec![b'x'; 10_001])]),
            5 => Ok(vec![Bytes::from_static(b"one"), Bytes::from(vec![b'y'; 10_001]), Bytes::from_static(b"three")]),
            n => Ok(vec![Bytes::from(n.to_string())]),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_told_is_a_dead_letter_and_is_not_sent() {
    let clock = PausedClock::new();
    let log = MemoryLog::new();
    log.fill(7, &clock);
    let mut world = World::new(log, clock.clone(), Receiver::good(&clock));
    world.encoder = Arc::new(Awkward);
    world.run_to_the_end().await;
    let keys: Vec<_> = world.receiver.taken.lock().unwrap().iter().map(|(_, message)| message.body.clone()).collect();
    assert_eq!(keys, ["0", "one", "three", "6"]);
    let dead: Vec<String> = world.dead_letters().await.iter().map(|line| line.chars().take(100).collect()).collect();
    expect![[r#"
        1-0 after 0: it cannot be told in this format: it has no user [] 
        3-0 after 0: it cannot be told in this format: a bug in Acta: a bug [] 
        4-0 after 0: it is 10001 bytes long; the receiver takes at most 10000 [] xxxxxxxxxxxxxxxxxxxxxxxxxxx
        5-1 after 0: it is 10001 bytes long; the receiver takes at most 10000 [] yyyyyyyyyyyyyyyyyyyyyyyyyyy"#]]
    .assert_eq(&dead.join("\n"));
    let standing = world.ledger.standing(&world.route).await.unwrap().unwrap();
    assert_eq!((standing.delivered, standing.failing_since), (2, None));
    for (index, arrived) in [(0, 1), (1, 0), (2, 0), (5, 0), (6, 1)] {
        assert_eq!(world.ledger.receipts(ORGANIZATION, Index(index)).await.unwrap().len(), arrived, "{index}");
    }
}
