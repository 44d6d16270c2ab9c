//! Destinations do not wait for one another.

use std::future::pending;
use std::time::Duration;

use follow::{Clock, Route};
use tokio::time::sleep;

use crate::support::{MemoryLog, ORGANIZATION, PausedClock, Receiver, World, limits, take_all};

/// When each event arrives at the first of two destinations; the other one hangs, if there is one.
fn arrivals(beside_one_that_hangs: bool) -> Vec<(Duration, u64)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let clock = PausedClock::new();
        let log = MemoryLog::new();
        let slow = |batch: &[follow::Message], taken: &mut Vec<follow::Message>| {
            let (_, answer) = take_all(batch, taken);
            (Duration::from_millis(3 + batch.len() as u64), answer)
        };
        let world = World::new(log.clone(), clock.clone(), Receiver::new(&clock, limits(), slow));
        let mut hanging =
            World::new(log.clone(), clock.clone(), Receiver::new(&clock, limits(), |_, _| (Duration::ZERO, None)));
        hanging.ledger = world.ledger.clone();
        hanging.route = Route::new("dest_2", ORGANIZATION);
        let writing = async {
            let mut rng = fastrand::Rng::with_seed(3);
            for _ in 0..3_000 {
                log.append(clock.now());
                if rng.u32(0..20) == 0 {
                    sleep(Duration::from_millis(rng.u64(0..900))).await;
                }
            }
            sleep(Duration::from_secs(3_000)).await;
        };
        tokio::select! {
            () = writing => {}
            () = world.follower().run(pending()) => {}
            () = async { hanging.follower().run(pending()).await }, if beside_one_that_hangs => {}
        }
        if beside_one_that_hangs {
            assert!(hanging.receiver.sends.lock().unwrap().len() > 1, "the other one was not even tried");
            assert_eq!(hanging.receiver.indexes(), [0; 0]);
            assert_eq!(hanging.gaps().await, ["Outage 0..=2999 no answer within ten minutes"]);
        }
        world.receiver.taken.lock().unwrap().iter().map(|(at, message)| (*at, message.recorded.index.0)).collect()
    })
}

#[test]
fn one_that_hangs_does_not_delay_another_by_a_millisecond() {
    let alone = arrivals(false);
    assert_eq!(alone.len(), 3_000);
    assert_eq!(arrivals(true), alone);
}
