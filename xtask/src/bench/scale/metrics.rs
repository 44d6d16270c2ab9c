//! What the server tells of itself.

use anyhow::{Context, bail};

use super::super::http::Connection;

/// The figures that matter while events come in.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Figures {
    /// Events recorded since the start.
    pub(crate) recorded: f64,
    /// Events that are in the journal alone.
    pub(crate) recent: f64,
    pub(crate) segments: f64,
    /// Whether segments are to be merged.
    pub(crate) merging: bool,
    /// Time spent in writes and syncs of the journal, in seconds, and how many there were.
    pub(crate) sync_seconds: f64,
    pub(crate) syncs: f64,
}

impl Figures {
    /// Asks for them.
    pub(crate) fn ask(connection: &mut Connection) -> anyhow::Result<Figures> {
        let answer = connection.get("/metrics")?;
        if answer.status != 200 {
            bail!("GET /metrics: status {}", answer.status);
        }
        Figures::parse(&String::from_utf8_lossy(&answer.body))
    }

    fn parse(text: &str) -> anyhow::Result<Figures> {
        let figure = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            let value = line.and_then(|value| value.trim().parse::<f64>().ok());
            value.with_context(|| format!("/metrics tells no {name}"))
        };
        Ok(Figures {
            recorded: figure("acta_recorded_events_total")?,
            recent: figure("acta_recent_events")?,
            segments: figure("acta_segments")?,
            merging: figure("acta_merging")? > 0.0,
            sync_seconds: figure("acta_journal_sync_nanoseconds_total")? / 1e9,
            syncs: figure("acta_journal_batches_total")?,
        })
    }

    /// Whether nothing moves between two readings, and nothing is about to.
    pub(crate) fn is_at_rest(&self, before: &Figures) -> bool {
        !self.merging && self.recorded == before.recorded && self.recent == before.recent && self.segments == before.segments
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_from_the_text() {
        let text = "# HELP acta_segments Segments.\nacta_segments 3\nacta_segments_other 9\nacta_merging 1\nacta_recent_events 7\n\
                    acta_recorded_events_total 500\nacta_journal_sync_nanoseconds_total 2000000000\n\
                    acta_journal_batches_total 40\n";
        let expected =
            Figures { recorded: 500.0, recent: 7.0, segments: 3.0, merging: true, sync_seconds: 2.0, syncs: 40.0 };
        assert_eq!(Figures::parse(text).unwrap(), expected);
        assert!(Figures::parse("acta_segments 3\n").is_err());
    }
}
