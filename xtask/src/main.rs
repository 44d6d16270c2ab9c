//! The project's chores: everything that is checked before a change lands, the rules that no compiler knows, and the
//! measurements of BENCHMARKS.md.
//!
//! It is compiled before anything else, so it has next to no dependencies: it starts the programs that do the work.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "xtask talks on the terminal")]

mod bench;
mod stopwatch;
mod test;
mod tidy;
mod tools;

use std::process::ExitCode;

use anyhow::Context;
use tools::Workspace;

const USAGE: &str = "\
The project's chores.

  cargo xtask test [--no-browser]   formatting, lints, documentation, all tests, tidy, and the pages in a real browser
  cargo xtask tidy                  the rules that no compiler checks: paths in pages, arrows, sizes, words
  cargo xtask bench [--quick] [--only disk|acta|postgres|decisions]
                                    Acta and PostgreSQL side by side; a whole run writes BENCHMARKS.md
  cargo xtask bench --only scale [--events 1m|10m|100m | --large] [--peers acta,postgres,sqlite,duckdb,clickhouse]
                                 [--wait-for FILE] [--print]
                                    Acta with millions of events beside others that hold the same; writes its section of
                                    BENCHMARKS.md unless it shall only print";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["test", options @ ..] => test(options),
        ["tidy"] => tidy(),
        ["bench", options @ ..] => bench(options),
        [] | ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!("`{}` is not a chore.\n\n{USAGE}", arguments.join(" "));
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(code) => code,
        Err(e) => {
            eprintln!("error: {e:#}");
            ExitCode::FAILURE
        }
    }
}

fn test(options: &[&str]) -> anyhow::Result<ExitCode> {
    let mut browser = true;
    for option in options {
        match *option {
            "--no-browser" => browser = false,
            other => anyhow::bail!("`{other}` is not an option of `cargo xtask test`; it knows --no-browser"),
        }
    }
    let workspace = Workspace::read()?;
    Ok(if test::run(&workspace, browser) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn tidy() -> anyhow::Result<ExitCode> {
    tidy::run(&Workspace::read()?)?;
    Ok(ExitCode::SUCCESS)
}

fn bench(options: &[&str]) -> anyhow::Result<ExitCode> {
    if let ["--only", "scale", options @ ..] = options {
        bench::scale::run(&Workspace::read()?, &bench::scale::Options::parse(options)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut quick = false;
    let mut only = None;
    let mut rest = options.iter();
    while let Some(option) = rest.next() {
        match *option {
            "--quick" => quick = true,
            "--only" => {
                only = Some(bench::Part::parse(rest.next().context("--only needs disk, acta, postgres or decisions")?)?)
            }
            other => anyhow::bail!("`{other}` is not an option of `cargo xtask bench`; it knows --quick and --only"),
        }
    }
    bench::run(&Workspace::read()?, quick, only)?;
    Ok(ExitCode::SUCCESS)
}
