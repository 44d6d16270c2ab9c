//! A receiver that is away for long.

use std::time::Duration;

use expect_test::expect;
use follow::ledger::Trouble;
use follow::{Answer, Clock, State};
use tokio::time::sleep;

use crate::support::{MemoryLog, PausedClock, Receiver, World, limits, take_all};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const MINUTES_OF_EIGHT_DAYS: u64 = 8 * 24 * 60;

#[tokio::test(start_paused = true)]
async fn eight_days_are_caught_up_with_and_the_gap_was_exact_all_the_time() {
    let clock = PausedClock::new();
    let log = MemoryLog::new();
    log.fill(10, &clock);
    let world = World::new(log, clock.clone(), Receiver::good(&clock));
    let lines = world
        .run(async |control| {
            let mut lines = Vec::new();
            world.until_caught_up().await;
            world.receiver.now_does(|_, _| (Duration::ZERO, Some(Answer::retry("connection refused"))));
            for minute in 1..=MINUTES_OF_EIGHT_DAYS {
                world.log.append(clock.now());
                sleep(Duration::from_secs(60)).await;
                if minute % (2 * 24 * 60) == 0 {
                    let status = control.status().await.unwrap();
                    assert_eq!(status.state, State::Retrying);
                    let lag = Duration::from_millis(status.lag_ms.unwrap()).as_secs() / 60;
                    lines.push(format!("{:?}, {} events and {lag} minutes behind", world.gaps().await, status.lag_events));
                }
            }
            let attempts = control.status().await.unwrap().attempts;
            assert!((4_000..6_000).contains(&attempts), "{attempts} attempts");
            world.receiver.now_does(take_all);
            world.until_caught_up().await;
            lines
        })
        .await;
    expect![[r#"
        ["Outage 10..=2889 connection refused"], 2880 events and 2880 minutes behind
        ["Outage 10..=5769 connection refused"], 5760 events and 5760 minutes behind
        ["Outage 10..=8649 connection refused"], 8640 events and 8640 minutes behind
        ["Outage 10..=11529 connection refused"], 11520 events and 11520 minutes behind"#]]
    .assert_eq(&lines.join("\n"));
    assert!(world.receiver.indexes().into_iter().eq(0..10 + MINUTES_OF_EIGHT_DAYS));
    assert_eq!(world.gaps().await, [""; 0]);
    let closed = world.ledger.closed_gaps(&world.route, 10).await.unwrap();
    assert_eq!(closed.len(), 1);
    assert_eq!((closed[0].from.0, closed[0].to.unwrap().0), (10, 9 + MINUTES_OF_EIGHT_DAYS));
    assert!(closed[0].closed.unwrap().millis_since(closed[0].opened) >= 8 * 24 * 60 * 60 * 1_000 - 120_000);
}

#[tokio::test(start_paused = true)]
async fn people_are_told_once_and_told_when_it_is_over() {
    let clock = PausedClock::new();
    let log = MemoryLog::new();
    log.fill(3, &clock);
    let away = |_: &[follow::Message], _: &mut Vec<follow::Message>| (Duration::ZERO, Some(Answer::retry("401 bad key")));
    let world = World::new(log, clock.clone(), Receiver::new(&clock, limits(), away));
    let alerts = async || world.ledger.alerts(clock.now(), Duration::from_secs(900)).await.unwrap();
    world
        .run(async |_| {
            sleep(Duration::from_secs(800)).await;
            assert_eq!(alerts().await, []);
            sleep(Duration::from_secs(200)).await;
            let told = alerts().await;
            assert_eq!(told.len(), 1);
            assert_eq!((told[0].trouble, told[0].last_answer.as_str()), (Trouble::Failing, "401 bad key"));
            // Asked again before it was told: it is still to be told.
            assert_eq!(alerts().await.len(), 1);
            world.ledger.told(&told[0]).await.unwrap();
            sleep(DAY).await;
            assert_eq!(alerts().await, []);
            world.receiver.now_does(take_all);
            world.until_caught_up().await;
            let over = alerts().await;
            assert_eq!(
                over.iter().map(|alert| (alert.trouble, alert.since)).collect::<Vec<_>>(),
                [(Trouble::Recovered, told[0].since)]
            );
            world.ledger.told(&over[0]).await.unwrap();
            assert_eq!(alerts().await, []);
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_log_that_cannot_be_read_for_a_while_is_read_again() {
    let clock = PausedClock::new();
    let log = MemoryLog::new();
    log.fill(30, &clock);
    *log.failures.lock().unwrap() = 5;
    let world = World::new(log, clock.clone(), Receiver::good(&clock));
    world.run_to_the_end().await;
    assert!(world.receiver.indexes().into_iter().eq(0..30));
    assert_eq!(world.gaps().await, [""; 0]);
}
