//! What the operator lets destinations reach, from the settings.

use std::path::{Path, PathBuf};

use deliver::net::{AllowedNetworks, HttpOptions};

use crate::config::{Config, Setting};

/// Networks that destinations may lie in besides the public internet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DestinationNetworks {
    text: String,
    allowed: AllowedNetworks,
}

impl Setting for DestinationNetworks {
    fn read(text: &str) -> Result<DestinationNetworks, String> {
        let words: Vec<&str> = text.split(',').map(str::trim).filter(|word| !word.is_empty()).collect();
        let allowed = AllowedNetworks::parse(words.iter().copied()).map_err(|error| error.to_string())?;
        Ok(DestinationNetworks { text: words.join(", "), allowed })
    }
    fn show(&self) -> String {
        self.text.clone()
    }
}

/// A length of time in whole seconds, at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span(pub u32);

/// Seconds in each unit, the longest first.
const UNITS: [(char, u32); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

impl Setting for Span {
    fn read(text: &str) -> Result<Span, String> {
        let bad = || format!("{text:?} is not a length of time such as 90s, 15m, 2h or 7d");
        let read = |(unit, seconds): &(char, u32)| text.strip_suffix(*unit).map(|count| (count, *seconds));
        let (count, unit) = UNITS.iter().find_map(read).ok_or_else(bad)?;
        let count: u32 = count.parse().map_err(|_| bad())?;
        let seconds = count.checked_mul(unit).filter(|seconds| *seconds > 0).ok_or_else(bad)?;
        Ok(Span(seconds))
    }
    fn show(&self) -> String {
        let whole = UNITS.iter().find(|(_, seconds)| self.0.is_multiple_of(*seconds));
        whole.map_or_else(String::new, |(unit, seconds)| format!("{}{unit}", self.0 / seconds))
    }
}

impl Span {
    /// In milliseconds.
    pub fn millis(self) -> i64 {
        i64::from(self.0) * 1_000
    }
}

/// What is wrong with the settings that go together, or that name files.
pub(crate) fn mistakes(config: &Config) -> Vec<(&'static str, String)> {
    let mut mistakes = Vec::new();
    if let Err(what) = extra_roots(config) {
        mistakes.push(("destination_ca_file", what));
    }
    if !config.destination_folder.is_empty() && !Path::new(&config.destination_folder).is_dir() {
        mistakes.push(("destination_folder", format!("{:?} is not a folder", config.destination_folder)));
    }
    mistakes
}

/// How connections to destinations are made.
pub fn http_options(config: &Config) -> Result<HttpOptions, String> {
    Ok(HttpOptions {
        allowed: config.destination_networks.allowed.clone(),
        extra_roots: extra_roots(config)?,
        ..HttpOptions::default()
    })
}

/// The folder for file destinations, if there is to be one.
pub fn folder(config: &Config) -> Option<PathBuf> {
    Some(config.destination_folder.as_str()).filter(|folder| !folder.is_empty()).map(PathBuf::from)
}

fn extra_roots(config: &Config) -> Result<Vec<String>, String> {
    let file = config.destination_ca_file.as_str();
    if file.is_empty() {
        return Ok(Vec::new());
    }
    let text = std::fs::read_to_string(file).map_err(|error| format!("{file:?} cannot be read: {error}"))?;
    match deliver::net::tls::certificates(&text) {
        Ok(certificates) if certificates.is_empty() => Err(format!("{file:?} holds no certificate")),
        Ok(_) => Ok(vec![text]),
        Err(error) => Err(format!("{file:?}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_they_are_shown() {
        for text in ["1s", "90s", "15m", "2h", "7d"] {
            assert_eq!(Span::read(text).unwrap().show(), text);
        }
        assert_eq!(Span::read("120m").unwrap().show(), "2h");
        for text in ["", "0s", "m", "15", "-1m", "1.5h", "100000d", "1mm"] {
            assert!(Span::read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        let settings = [
            ("ACTA_DESTINATION_NETWORKS", "10.0.0.0/8, everything"),
            ("ACTA_DESTINATION_CA_FILE", "/nowhere/ca.pem"),
            ("ACTA_DESTINATION_FOLDER", "/nowhere"),
            ("ACTA_DESTINATION_ALERT_AFTER", "soon"),
        ];
        let variables = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mistakes = Config::load(None, variables.into_iter(), &[]).unwrap_err().to_string();
        expect_test::expect![[r#"
            the configuration has mistakes:
              environment: ACTA_DESTINATION_ALERT_AFTER "soon" is not a length of time such as 90s, 15m, 2h or 7d
              environment: ACTA_DESTINATION_NETWORKS "everything" is no network: write it as 10.0.0.0/8 or fd00::/8, a single address as 10.1.2.3, or everything as all
              configuration: destination_ca_file "/nowhere/ca.pem" cannot be read: No such file or directory (os error 2)
              configuration: destination_folder "/nowhere" is not a folder"#]]
        .assert_eq(&mistakes);
    }
}
