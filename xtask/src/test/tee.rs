//! Runs a program, passes on what it prints as it prints it, and counts the tests it tells of.

use std::io::{BufRead, BufReader, IsTerminal, Read, Write};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;

use anyhow::Context;

use super::counts::Counts;
use crate::tools::typed;

/// Runs it to its end.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<(ExitStatus, Counts)> {
    run_into(command, &mut std::io::stdout(), &mut std::io::stderr())
}

fn run_into(
    command: &mut Command,
    to_out: &mut (impl Write + Send),
    to_err: &mut impl Write,
) -> anyhow::Result<(ExitStatus, Counts)> {
    let colours = std::env::var_os("CI").is_none() && std::io::stdout().is_terminal();
    command.env("CARGO_TERM_COLOR", if colours { "always" } else { "never" });
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("could not start `{}`", typed(command)))?;
    let (Some(out), Some(err)) = (child.stdout.take(), child.stderr.take()) else { unreachable!("both are piped") };
    let (told_out, told_err) = thread::scope(|scope| {
        let out = scope.spawn(move || pass_on(out, to_out));
        let told_err = pass_on(err, to_err);
        (out.join(), told_err)
    });
    let Ok(told_out) = told_out else { anyhow::bail!("the thread that passes on output panicked") };
    let mut counts = told_out.context("could not pass on standard output")?;
    counts.add(told_err.context("could not pass on standard error")?);
    Ok((child.wait()?, counts))
}

fn pass_on(from: impl Read, to: &mut impl Write) -> std::io::Result<Counts> {
    let mut from = BufReader::new(from);
    let mut counts = Counts::default();
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line)? > 0 {
        to.write_all(&line)?;
        to.flush()?;
        counts.add(Counts::of_line(&String::from_utf8_lossy(&line)));
        line.clear();
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_streams_are_passed_on_and_counted() {
        let mut passed_on = Vec::new();
        let text = "running\ntest result: ok. 3 passed; 0 failed; 0 ignored\nno newline at the end";
        let counts = pass_on(text.as_bytes(), &mut passed_on).unwrap();
        assert_eq!(passed_on, text.as_bytes());
        assert_eq!(counts, Counts { passed: 3, failed: 0 });

        let script = "echo 'test result: ok. 2 passed; 1 failed'; echo 'Summary [ 1s] 1 test run: 1 passed' >&2; exit 4";
        // Not to our own streams: whoever counts the tests of this crate would count these lines too.
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let (status, counts) = run_into(Command::new("sh").args(["-c", script]), &mut out, &mut err).unwrap();
        assert_eq!(status.code(), Some(4));
        assert_eq!(counts, Counts { passed: 3, failed: 1 });
        assert!(out.ends_with(b"1 failed\n") && err.ends_with(b"1 passed\n"));
    }
}
