//! Answers in one form, whoever gave them, so that they can be compared.

use anyhow::{Context, bail};
use serde_json::{Value, json};

use super::super::events::rfc3339;
use super::question::{FIELDS, HISTOGRAM_DAYS, Question, Wanted};
use super::story;

/// Rows of a table as text; what is missing is `\N`.
pub(crate) type Rows = Vec<Vec<String>>;

/// What Acta answered to the requests of a question.
pub(crate) fn of_acta(question: &Question, bodies: &[Value]) -> anyhow::Result<Value> {
    let first = bodies.first().context("nothing was answered")?;
    match &question.wanted {
        // Acta's own events, of which peers know nothing, are newer than all others.
        Wanted::Newest => Ok(times(first, |event| event["actor"]["id"].as_str().is_some_and(story::is_actor))),
        Wanted::Page(_) => {
            let mut page = times(first, |_| true);
            page["total"] = first["total"].clone();
            Ok(page)
        }
        Wanted::One { .. } => Ok(json!({ "request_id": first["context"]["request_id"] })),
        Wanted::Counts { .. } => {
            let fields: Vec<Value> = members(&first["facets"])
                .iter()
                .map(|counts| {
                    let values: Vec<Value> =
                        members(&counts["values"]).iter().map(|one| json!([one["value"], one["events"]])).collect();
                    json!({"values": values, "distinct": counts["distinct"]})
                })
                .collect();
            let histogram = bodies.get(1).context("the histogram is missing")?;
            let days: Vec<&Value> = members(&histogram["buckets"]).iter().map(|bucket| &bucket["events"]).collect();
            Ok(json!({"fields": fields, "days": days}))
        }
    }
}

fn members(list: &Value) -> &[Value] {
    list.as_array().map_or(&[], Vec::as_slice)
}

fn times(list: &Value, wanted: impl Fn(&Value) -> bool) -> Value {
    let events = members(&list["events"]).iter().filter(|event| wanted(event));
    json!({"times": events.map(|event| event["occurred_at"].clone()).collect::<Vec<_>>()})
}

/// What a peer answered to the statements of a question.
pub(crate) fn of_peer(question: &Question, answers: &[Rows]) -> anyhow::Result<Value> {
    let first = answers.first().context("nothing was answered")?;
    match &question.wanted {
        Wanted::Newest => Ok(json!({"times": row_times(first)?})),
        Wanted::Page(_) => {
            let total = answers.get(1).and_then(|rows| rows.first()?.first()).context("the total is missing")?;
            Ok(json!({"times": row_times(first)?, "total": total.parse::<u64>()?}))
        }
        Wanted::One { .. } => Ok(json!({ "request_id": first.first().and_then(|row| row.get(2)) })),
        Wanted::Counts { .. } => {
            let Some((days, fields)) = answers.split_last() else { bail!("nothing was answered") };
            if fields.len() != FIELDS.len() {
                bail!("{} fields were counted", fields.len());
            }
            let fields = fields.iter().map(counts).collect::<anyhow::Result<Vec<_>>>()?;
            // A day without events has no row.
            let mut counts = vec![0; HISTOGRAM_DAYS];
            for row in days {
                let (Some(day), Some(events)) = (row.first(), row.get(1)) else { bail!("a day has no count") };
                let count = counts.get_mut(day.parse::<usize>()?).context("a day is outside of the histogram")?;
                *count = events.parse::<u64>()?;
            }
            Ok(json!({"fields": fields, "days": counts}))
        }
    }
}

fn row_times(rows: &Rows) -> anyhow::Result<Vec<String>> {
    let time = |row: &Vec<String>| Ok(rfc3339(row.first().context("an empty row")?.parse()?));
    rows.iter().map(time).collect()
}

/// Value, count, and how many values there are.
fn counts(rows: &Rows) -> anyhow::Result<Value> {
    let mut values = Vec::new();
    let mut distinct = 0;
    for row in rows {
        let [value, events, of] = row.as_slice() else { bail!("a count has {} columns", row.len()) };
        values.push(json!([value, events.parse::<u64>()?]));
        distinct = of.parse::<u64>()?;
    }
    Ok(json!({"values": values, "distinct": distinct}))
}

/// Complains if a peer's answer is not Acta's. The newest events are compared as far as Acta's page holds such that were sent.
pub(crate) fn compare(question: &Question, acta: &Value, peer: &Value) -> anyhow::Result<()> {
    let same = match question.wanted {
        Wanted::Newest => {
            let (acta, peer) = (members(&acta["times"]), members(&peer["times"]));
            !acta.is_empty() && peer.get(..acta.len()) == Some(acta)
        }
        _ => acta == peer,
    };
    if !same {
        bail!("the answers differ\n  question: {question:?}\n  acta: {acta}\n  peer: {peer}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[&[&str]]) -> Rows {
        rows.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()).collect()
    }

    #[test]
    fn pages_of_both_are_compared_by_times_and_total() {
        let question = Question { wanted: Wanted::Page(1), wheres: Vec::new() };
        let body = json!({"events": [{"occurred_at": "1970-01-01T00:00:00.005Z"}], "total": 7});
        let acta = of_acta(&question, &[body]).unwrap();
        let peer = of_peer(&question, &[rows(&[&["5", "1"]]), rows(&[&["7"]])]).unwrap();
        compare(&question, &acta, &peer).unwrap();
        let other = of_peer(&question, &[rows(&[&["5", "1"]]), rows(&[&["8"]])]).unwrap();
        assert!(compare(&question, &acta, &other).unwrap_err().to_string().contains("differ"));
    }

    #[test]
    fn actas_own_events_are_passed_over_among_the_newest() {
        let question = Question { wanted: Wanted::Newest, wheres: Vec::new() };
        let own = json!({"actor": {"id": "key_1"}, "occurred_at": "1970-01-01T00:00:09.000Z"});
        let sent = json!({"actor": {"id": "u_00_00017"}, "occurred_at": "1970-01-01T00:00:00.005Z"});
        let acta = of_acta(&question, &[json!({"events": [own, sent], "total": 7})]).unwrap();
        compare(&question, &acta, &of_peer(&question, &[rows(&[&["5"], &["4"]])]).unwrap()).unwrap();
        assert!(compare(&question, &acta, &of_peer(&question, &[rows(&[&["4"]])]).unwrap()).is_err());
    }

    #[test]
    fn counts_have_every_day() {
        let question = Question { wanted: Wanted::Counts { from: 0 }, wheres: Vec::new() };
        let days: Vec<Value> = (0..90).map(|day| json!({"events": u64::from(day == 3)})).collect();
        let field = json!({"field": "action", "values": [{"value": "A", "events": 1}], "distinct": 1, "missing": 0});
        let facets = json!({"facets": [field, field, field, field, field]});
        let acta = of_acta(&question, &[facets, json!({ "buckets": days })]).unwrap();
        let field = rows(&[&["A", "1", "1"]]);
        let [a, b, c, d, e] = [&field; 5].map(Clone::clone);
        let peer = of_peer(&question, &[a, b, c, d, e, rows(&[&["3", "1"]])]).unwrap();
        compare(&question, &acta, &peer).unwrap();
    }
}
