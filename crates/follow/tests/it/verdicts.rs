//! What the loop does after each answer.

use std::time::Duration;

use expect_test::{Expect, expect};
use follow::{Answer, Fate, Message, Verdict};

use crate::support::{MemoryLog, PausedClock, Receiver, World};

fn places(batch: &[Message]) -> String {
    batch.iter().map(|message| message.recorded.index.to_string()).collect::<Vec<_>>().join(" ")
}

/// Eight events and these answers; afterwards everything is taken.
async fn told(answers: Vec<Answer>, expected: Expect) {
    let clock = PausedClock::new();
    let log = MemoryLog::new();
    log.fill(8, &clock);
    let words: Vec<String> = answers.iter().map(|answer| format!("{:?}", answer.verdict)).collect();
    let world = World::new(log, clock.clone(), Receiver::answering(&clock, answers));
    world.run_to_the_end().await;
    let sends = world.receiver.sends.lock().unwrap().clone();
    let words = words.into_iter().chain(std::iter::repeat("Delivered".to_owned()));
    let mut out = String::new();
    for ((at, batch), word) in sends.iter().zip(words) {
        out.push_str(&format!("{:>9} ms  {:<15} {word}\n", at.as_millis(), places(batch)));
    }
    for line in world.dead_letters().await {
        out.push_str(&format!("dead {line}\n"));
    }
    let standing = world.ledger.standing(&world.route).await.unwrap().unwrap();
    out.push_str(&format!("delivered {}, gaps open {:?}\n", standing.delivered, world.gaps().await));
    expected.assert_eq(&out);
}

#[tokio::test(start_paused = true)]
async fn all_arrives() {
    told(
        vec![],
        expect![[r#"
             1000 ms  0 1 2 3 4 5 6 7 Delivered
        delivered 8, gaps open []
    "#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_may_pass_is_sent_again_later_and_later_or_when_the_receiver_says() {
    let after = |seconds| Answer::new(Verdict::Retry { after: Some(Duration::from_secs(seconds)) }, "429");
    let mut answers = vec![Answer::retry("no connection"); 12];
    answers.extend([after(30), after(100_000), after(0)]);
    told(
        answers,
        expect![[r#"
             1000 ms  0 1 2 3 4 5 6 7 Retry { after: None }
             1756 ms  0 1 2 3 4 5 6 7 Retry { after: None }
             2903 ms  0 1 2 3 4 5 6 7 Retry { after: None }
             3071 ms  0 1 2 3 4 5 6 7 Retry { after: None }
             7076 ms  0 1 2 3 4 5 6 7 Retry { after: None }
             7550 ms  0 1 2 3 4 5 6 7 Retry { after: None }
            14188 ms  0 1 2 3 4 5 6 7 Retry { after: None }
            64459 ms  0 1 2 3 4 5 6 7 Retry { after: None }
           143533 ms  0 1 2 3 4 5 6 7 Retry { after: None }
           256537 ms  0 1 2 3 4 5 6 7 Retry { after: None }
           503163 ms  0 1 2 3 4 5 6 7 Retry { after: None }
           552582 ms  0 1 2 3 4 5 6 7 Retry { after: None }
           699582 ms  0 1 2 3 4 5 6 7 Retry { after: Some(30s) }
           729582 ms  0 1 2 3 4 5 6 7 Retry { after: Some(100000s) }
          4329582 ms  0 1 2 3 4 5 6 7 Retry { after: Some(0ns) }
          4330582 ms  0 1 2 3 4 5 6 7 Delivered
        delivered 8, gaps open []
    "#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_too_large_is_sent_in_halves() {
    told(
        vec![Answer::new(Verdict::Split, "413"); 3],
        expect![[r#"
             1000 ms  0 1 2 3 4 5 6 7 Split
             1000 ms  0 1 2 3         Split
             1000 ms  0 1             Split
             1000 ms  0               Delivered
             1000 ms  1               Delivered
             1000 ms  2 3             Delivered
             1000 ms  4 5 6 7         Delivered
        delivered 8, gaps open []
    "#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_is_found_by_halving() {
    let refused = || Answer::new(Verdict::Refused, "400 bad field");
    let good = || Answer::delivered("200");
    // Event 5 is bad.
    told(
        vec![refused(), good(), refused(), refused(), good(), refused()],
        expect![[r#"
             1000 ms  0 1 2 3 4 5 6 7 Refused
             1000 ms  0 1 2 3         Delivered
             1000 ms  4 5 6 7         Refused
             1000 ms  4 5             Refused
             1000 ms  4               Delivered
             1000 ms  5               Refused
             1000 ms  6 7             Delivered
        dead 5-0 after 4: the receiver refused it [400 bad field] {"index":5}
        delivered 7, gaps open []
    "#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn only_what_is_to_be_retried_is_and_only_then_others_come() {
    use Fate::{Delivered, Poison, Retry};
    let fates = vec![Delivered, Retry, Poison("mapping".into()), Delivered, Retry, Delivered, Delivered, Retry];
    let again = vec![Retry, Delivered, Retry];
    let each = |fates| Answer::new(Verdict::Each(fates), "207");
    told(vec![each(fates), each(again)], expect![[r#"
             1000 ms  0 1 2 3 4 5 6 7 Each([Delivered, Retry, Poison("mapping"), Delivered, Retry, Delivered, Delivered, Retry])
             1756 ms  1 4 7           Each([Retry, Delivered, Retry])
             2903 ms  1 7             Delivered
        dead 2-0 after 1: mapping [207] {"index":2}
        delivered 7, gaps open []
    "#]]).await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_about_other_messages_is_none() {
    told(
        vec![Answer::new(Verdict::Each(vec![Fate::Delivered]), "207")],
        expect![[r#"
             1000 ms  0 1 2 3 4 5 6 7 Each([Delivered])
             1756 ms  0 1 2 3 4 5 6 7 Delivered
        delivered 8, gaps open []
    "#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_bug_in_a_transport_is_a_failed_attempt() {
    let clock = PausedClock::new();
    let log = MemoryLog::new();
    log.fill(2, &clock);
    let receiver = Receiver::good(&clock);
    receiver.now_does(|_, _| std::panic::panic_any("index out of bounds"));
    let world = World::new(log, clock, receiver);
    world
        .run(async |control| {
            world.until(|standing| standing.attempts > 2).await;
            let said = control.status().await.unwrap().last_answer.unwrap();
            assert_eq!(said.raw, "a bug in Acta: index out of bounds");
            world.receiver.now_does(crate::support::take_all);
            world.until_caught_up().await;
        })
        .await;
    assert_eq!(world.receiver.indexes(), [0, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_refuses_everything_counts_as_failing_and_gets_time() {
    let clock = PausedClock::new();
    let log = MemoryLog::new();
    log.fill(1_000, &clock);
    let receiver = Receiver::new(&clock, crate::support::limits(), |_, _| {
        (Duration::ZERO, Some(Answer::new(Verdict::Refused, "400 incorrect index")))
    });
    let world = World::new(log, clock.clone(), receiver);
    world.run(async |_| tokio::time::sleep(Duration::from_secs(60 * 60)).await).await;
    let standing = world.ledger.standing(&world.route).await.unwrap().unwrap();
    let dead = world.dead_letters().await.len();
    assert!(standing.failing_since.is_some());
    assert!((101..200).contains(&dead), "{dead} dead letters within an hour");
    // Mended: the rest arrives, and so do the dead letters when they are asked for.
    world.receiver.now_does(crate::support::take_all);
    world
        .run(async |_| {
            world.until_caught_up().await;
            world.ledger.retry_dead_letters(&world.route, None, follow::Clock::now(&clock)).await.unwrap();
            world.until(|standing| standing.delivered == 1_000).await;
        })
        .await;
    assert_eq!(world.dead_letters().await, [""; 0]);
    assert_eq!(world.gaps().await, [""; 0]);
}
