//! Tests of the pages in a real Chromium. The tests are below `tests`; here stands only where to find the programs that they
//! drive, as `cargo xtask test` tells it in the environment.

use std::env;
use std::path::PathBuf;

/// The programs and files that a test drives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Programs {
    /// The program under test: `ACTA_BIN`.
    pub acta: PathBuf,
    /// The browser: `ACTA_CHROMIUM`.
    pub chromium: PathBuf,
    /// What steers it over WebDriver: `ACTA_CHROMEDRIVER`.
    pub chromedriver: PathBuf,
    /// The script `axe.min.js`, which finds what keeps people from using a page: `ACTA_AXE`.
    pub axe: PathBuf,
}

impl Programs {
    /// As the environment names them; otherwise a sentence with everything that is missing.
    pub fn from_env() -> Result<Programs, String> {
        Programs::from_lookup(|name| env::var_os(name).map(PathBuf::from))
    }

    fn from_lookup(lookup: impl Fn(&str) -> Option<PathBuf>) -> Result<Programs, String> {
        let mut missing = Vec::new();
        let mut get = |name: &'static str| {
            lookup(name).unwrap_or_else(|| {
                missing.push(name);
                PathBuf::new()
            })
        };
        let programs = Programs {
            acta: get("ACTA_BIN"),
            chromium: get("ACTA_CHROMIUM"),
            chromedriver: get("ACTA_CHROMEDRIVER"),
            axe: get("ACTA_AXE"),
        };
        if missing.is_empty() {
            Ok(programs)
        } else {
            Err(format!("not set: {}; `cargo xtask test` finds the programs and sets them", missing.join(", ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_missing_is_named_at_once() {
        let error = Programs::from_lookup(|name| (name == "ACTA_BIN").then(|| PathBuf::from("acta"))).unwrap_err();
        for name in ["ACTA_CHROMIUM", "ACTA_CHROMEDRIVER", "ACTA_AXE"] {
            assert!(error.contains(name), "{error}");
        }
        assert!(!error.contains("ACTA_BIN"), "{error}");
        assert!(Programs::from_lookup(|name| Some(name.into())).is_ok());
    }
}
