//! Asking a running server about destinations: who delivers is the process, so the process is asked.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use serde_json::{Map, Value};

/// The server, and how its answer is shown.
#[derive(Debug, Args)]
pub(super) struct Asking {
    /// The server's address.
    #[arg(long, value_name = "URL", env = "ACTA_URL", default_value = "http://127.0.0.1:8450")]
    url: String,
    /// An API key with the scope directory:read, or to change something directory:write and events:export. Better in ACTA_KEY or a file than on the command line.
    #[arg(long, value_name = "KEY", env = "ACTA_KEY", hide_env_values = true)]
    key: Option<String>,
    /// A file that holds the key.
    #[arg(long, value_name = "FILE", conflicts_with = "key")]
    key_file: Option<PathBuf>,
    /// Show the server's JSON instead of a table.
    #[arg(long)]
    pub(super) json: bool,
}

impl Asking {
    /// Sends a request; the answer, `Null` if it has none.
    pub(super) fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let key = match (&self.key, &self.key_file) {
            (Some(key), _) => key.clone(),
            (None, Some(file)) => read_text(file)?,
            (None, None) => bail!("an API key is needed: --key, --key-file or ACTA_KEY; `acta key create` makes one"),
        };
        let config =
            ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(Duration::from_secs(120)));
        let agent: ureq::Agent = config.build().into();
        let bytes = body.map(serde_json::to_vec).transpose()?.unwrap_or_default();
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}/v1{path}", self.url.trim_end_matches('/')))
            .header("authorization", format!("Bearer {}", key.trim()))
            .header("content-type", "application/json")
            .body(bytes)?;
        let mut response = agent.run(request).with_context(|| format!("cannot reach {}", self.url))?;
        let status = response.status().as_u16();
        let text = response.body_mut().read_to_string().context("the server's answer cannot be read")?;
        if (200..300).contains(&status) {
            let strange = "the server's answer cannot be read; is this Acta?";
            return if text.is_empty() { Ok(Value::Null) } else { serde_json::from_str(&text).context(strange) };
        }
        let problem: Value = serde_json::from_str(&text).unwrap_or_default();
        let detail = problem["detail"].as_str().unwrap_or("no reason given").to_owned();
        let errors = problem["errors"].as_array().into_iter().flatten();
        let lines = errors.map(|error| {
            let place = error["pointer"].as_str().or(error["parameter"].as_str()).unwrap_or_default();
            format!("\n  {place} {}", error["detail"].as_str().unwrap_or_default())
        });
        bail!("the server refused: {detail} (status {status}){}", lines.collect::<String>())
    }

    /// A destination by its id or name.
    pub(super) fn find(&self, text: &str) -> anyhow::Result<String> {
        if text.starts_with("dest_") {
            return Ok(text.to_owned());
        }
        let all = self.ask("GET", "/destinations?per_page=1000", None)?;
        let named = all["destinations"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|one| one["name"].as_str().is_some_and(|name| name.to_lowercase() == text.trim().to_lowercase()));
        let id = named.and_then(|one| one["id"].as_str()).with_context(|| format!("there is no destination {text:?}"))?;
        Ok(id.to_owned())
    }
}

/// A file's text; standard input's for `-`.
pub(super) fn read_text(file: &Path) -> anyhow::Result<String> {
    if file.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
        return Ok(text);
    }
    std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

/// Puts a value into an object, at a name such as `auth.token`.
pub(super) fn put(object: &mut Map<String, Value>, name: &str, value: Value) -> anyhow::Result<()> {
    match name.split_once('.') {
        None => {
            object.insert(name.to_owned(), value);
            Ok(())
        }
        Some((outer, inner)) => {
            let within = object.entry(outer.to_owned()).or_insert_with(|| Value::Object(Map::new()));
            let within = within.as_object_mut().with_context(|| format!("{outer} has a value and can hold nothing"))?;
            put(within, inner, value)
        }
    }
}
