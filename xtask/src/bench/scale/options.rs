//! What is asked for on the command line.

use std::path::PathBuf;

use anyhow::{Context, bail};

use super::peer::Peer;

/// How large, beside whom, and whether the page is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) events: usize,
    pub(crate) peers: Vec<Peer>,
    /// Whether the result goes into BENCHMARKS.md; otherwise it is printed only.
    pub(crate) writes: bool,
    /// A file: when the events are loaded, the questions wait until it exists. So a quiet hour can be chosen for them.
    pub(crate) wait_for: Option<PathBuf>,
}

impl Options {
    /// Reads `--events`, `--large`, `--peers`, `--wait-for` and `--print`.
    pub(crate) fn parse(options: &[&str]) -> anyhow::Result<Options> {
        let (mut events, mut peers, mut writes, mut wait_for) = (10_000_000, None, true, None);
        let mut rest = options.iter();
        while let Some(option) = rest.next() {
            match *option {
                "--large" => events = 100_000_000,
                "--events" => events = count(rest.next().context("--events needs a number such as 1m, 10m or 100m")?)?,
                "--peers" => peers = Some(Peer::parse_list(rest.next().context("--peers needs names")?)?),
                "--wait-for" => wait_for = Some(rest.next().context("--wait-for needs a file's name")?.into()),
                "--print" => writes = false,
                other => bail!("`{other}` is not an option here; --events, --large, --peers, --wait-for and --print are"),
            }
        }
        // At a hundred million the peers need more disk and more time than most have.
        let usual = if events > 20_000_000 { Vec::new() } else { Peer::ALL.to_vec() };
        Ok(Options { events, peers: peers.unwrap_or(usual), writes, wait_for })
    }
}

/// `10m`, `250k` or a plain number.
fn count(text: &str) -> anyhow::Result<usize> {
    let (digits, times) = match text.to_ascii_lowercase() {
        text if text.ends_with('m') => (text.trim_end_matches('m').to_owned(), 1_000_000),
        text if text.ends_with('k') => (text.trim_end_matches('k').to_owned(), 1_000),
        text => (text, 1),
    };
    let number: usize = digits.replace('_', "").parse().with_context(|| format!("`{text}` is no number of events"))?;
    if number == 0 || number * times < 20_000 {
        bail!("so few events say nothing; take 20k at least");
    }
    Ok(number * times)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_peers_are_read() {
        let usual = Options::parse(&[]).unwrap();
        assert_eq!((usual.events, usual.peers.len(), usual.writes), (10_000_000, 4, true));
        let small = Options::parse(&["--events", "250k", "--peers", "acta,sqlite", "--print"]).unwrap();
        assert_eq!(small, Options { events: 250_000, peers: vec![Peer::Sqlite], writes: false, wait_for: None });
        let waiting = Options::parse(&["--large", "--wait-for", "/tmp/quiet"]).unwrap();
        assert_eq!(waiting.wait_for.as_deref(), Some(std::path::Path::new("/tmp/quiet")));
        assert_eq!(Options::parse(&["--large"]).unwrap().peers, []);
        for wrong in [&["--events"][..], &["--events", "5"], &["--events", "many"], &["--fast"], &["--wait-for"]] {
            assert!(Options::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
