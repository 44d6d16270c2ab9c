//! Asks every line of the table and times the answers.

use std::time::Duration;

use serde_json::Value;

use super::super::numbers::median;
use super::answer;
use super::question::{Line, Question};
use crate::stopwatch::Stopwatch;

/// A slow line is left after so long …
const PATIENCE: Duration = Duration::from_secs(45);
/// … but not before it was asked with so many values.
const VALUES_MIN: usize = 3;

/// How long the answers of a line took, in milliseconds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Times {
    /// With a value that was not asked before.
    pub(crate) first: Vec<f64>,
    /// With the same value once more.
    pub(crate) again: Vec<f64>,
}

impl Times {
    /// The medians.
    pub(crate) fn medians(&self) -> Option<(f64, f64)> {
        Some((median(&self.first)?, median(&self.again)?))
    }
}

/// The answers of every line to every value that was asked.
pub(crate) type Answers = Vec<Vec<Value>>;

/// Asks all lines. `ask` tells the milliseconds and the answer. Where `expected` has an answer, it must be the same one.
pub(crate) fn all(
    who: &str,
    lines: &[Line],
    expected: Option<&Answers>,
    mut ask: impl FnMut(&Question) -> anyhow::Result<(f64, Value)>,
) -> anyhow::Result<(Vec<Times>, Answers)> {
    let mut times = Vec::new();
    let mut answers = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let watch = Stopwatch::start();
        let mut of_line = Times::default();
        let mut answers_of_line = Vec::new();
        for (number, question) in line.questions.iter().enumerate() {
            // The first one warms up: it opens files and fills caches that serve every value.
            let warms_up = number == 0;
            if of_line.first.len() >= VALUES_MIN && watch.elapsed() > PATIENCE {
                break;
            }
            let (first, answer) = ask(question)?;
            if let Some(expected) = expected.and_then(|all| all.get(at)?.get(number)) {
                answer::compare(question, expected, &answer)?;
            }
            answers_of_line.push(answer);
            if !warms_up {
                of_line.first.push(first);
                of_line.again.push(ask(question)?.0);
            }
        }
        if let Some((first, again)) = of_line.medians() {
            println!("{who}: {:>9.2} ms, again {:>9.2} ms: {}", first, again, line.title);
        }
        times.push(of_line);
        answers.push(answers_of_line);
    }
    Ok((times, answers))
}
