//! The command line, as somebody would use it.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};

use crate::support::event;

/// The binary, with no settings from outside.
pub(crate) fn acta(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_acta"));
    command.args(arguments).env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub(crate) fn run(arguments: &[&str]) -> Output {
    acta(arguments).output().unwrap()
}

pub(crate) fn stdout(output: &Output) -> String {
    assert!(
        output.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&output.stderr),
        String::from_utf8_lossy(&output.stdout)
    );
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A data directory with one organization, and a key that may write and read.
pub(crate) fn set_up(data: &Path) -> String {
    let data = data.to_str().unwrap();
    let password = format!("{data}.password");
    std::fs::File::create(&password).unwrap().write_all(b"correct horse battery\n").unwrap();
    let init = [
        "init",
        "--data",
        data,
        "--organization",
        "Acme",
        "--admin-email",
        "owner@example.com",
        "--admin-password-file",
        &password,
    ];
    assert_eq!(stdout(&run(&init)), "Organization: Acme\nE-mail: owner@example.com");
    stdout(&run(&[
        "key",
        "create",
        "--data",
        data,
        "--organization",
        "Acme",
        "--scopes",
        "events:write,events:read",
        "--name",
        "test",
    ]))
}

/// A server process. Killed when dropped.
pub(crate) struct Process {
    pub(crate) child: Child,
    pub(crate) url: String,
}

impl Process {
    pub(crate) fn start(mut command: Command) -> Process {
        command.stderr(Stdio::inherit());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next().expect("the server says where it listens").unwrap();
        let url = line.strip_prefix("Listening on ").unwrap_or_else(|| panic!("{line}")).to_owned();
        Process { child, url }
    }

    pub(crate) fn serve(data: &Path, settings: &[(&str, &str)]) -> Process {
        let mut command = acta(&["serve", "--data", data.to_str().unwrap(), "--listen", "127.0.0.1:0"]);
        command.envs(settings.iter().copied()).env("ACTA_LOG", "error");
        Process::start(command)
    }

    pub(crate) fn end(mut self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
    }

    pub(crate) fn get(&self, key: &str, path: &str) -> Value {
        let request = ureq::get(format!("{}{path}", self.url)).header("authorization", format!("Bearer {key}"));
        let text = request.call().unwrap().body_mut().with_config().limit(1 << 30).read_to_string().unwrap();
        serde_json::from_str(&text).unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn from_nothing_to_a_checked_log() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let key = set_up(&data);
    let server = Process::serve(&data, &[]);
    let sent = ureq::post(format!("{}/v1/events", server.url))
        .header("authorization", format!("Bearer {key}"))
        .header("content-type", "application/json")
        .send(event("QUERY_RUN").to_string())
        .unwrap();
    assert_eq!(sent.status(), 201);
    // A key that is made while the server runs works at once, and is an event of the log.
    let second =
        stdout(&run(&["key", "create", "--data", data.to_str().unwrap(), "--scopes", "events:read", "--name", "later"]));
    assert_eq!(server.get(&second, "/v1/events?action=QUERY_RUN")["total"], 1);
    let again = run(&["serve", "--data", data.to_str().unwrap(), "--listen", "127.0.0.1:0"]);
    assert!(!again.status.success());
    assert!(stderr(&again).contains("in use by another process"), "{}", stderr(&again));
    let busy = run(&["check", "--data", data.to_str().unwrap()]);
    assert!(stderr(&busy).contains("in use by another process"), "{}", stderr(&busy));
    server.end();

    let listed = stdout(&run(&["key", "list", "--data", data.to_str().unwrap()]));
    assert_eq!(listed.lines().count(), 2);
    assert!(!listed.contains(&second));
    let id = listed.lines().find(|line| line.contains("later")).and_then(|line| line.split('\t').next()).unwrap();
    assert!(run(&["key", "revoke", "--data", data.to_str().unwrap(), id]).status.success());
    let server = Process::serve(&data, &[]);
    let refused = ureq::get(format!("{}/v1/events", server.url)).header("authorization", format!("Bearer {second}")).call();
    assert!(matches!(refused, Err(ureq::Error::StatusCode(401))));
    // Once a look at the log has been answered, the outbox has been drained: it is drained before the port answers or within
    // the first rounds; the poller waits for the event itself.
    let found = (0..100_000).any(|_| server.get(&key, "/v1/events?action=ACCESS_TOKEN_REVOKED")["total"] == 1);
    assert!(found, "the revocation is an event");
    server.end();
    let checked = stdout(&run(&["check", "--data", data.to_str().unwrap()]));
    assert!(checked.ends_with("All is well."), "{checked}");
}

#[test]
fn the_owner_sets_her_password_by_a_link_and_whoever_is_locked_out_gets_another() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let data_text = data.to_str().unwrap();
    let init = ["init", "--data", data_text, "--organization", "Acme", "--admin-email", "owner@example.com"];
    let said = stdout(&run(&init));
    let first = said.strip_prefix("Organization: Acme\nE-mail: owner@example.com\nLink: ").unwrap();
    assert!(first.starts_with("http://127.0.0.1:8450/welcome?token="), "{said}");
    let url = |link: &str, server: &Process| link.replace("http://127.0.0.1:8450", &server.url);
    let form = |link: &str, password: &str| {
        let token = link.split_once("token=").unwrap().1;
        format!("token={token}&password={}", password.replace(' ', "+"))
    };
    let server = Process::serve(&data, &[]);
    let agent: ureq::Agent = ureq::Agent::config_builder().max_redirects(0).http_status_as_error(false).build().into();
    let post = |path: &str, body: String| {
        let request = agent.post(format!("{}{path}", server.url)).content_type("application/x-www-form-urlencoded");
        request.send(body).unwrap()
    };
    assert_eq!(agent.get(url(first, &server)).call().unwrap().status(), 200);
    let welcome = post("/welcome", form(first, "jacquard loom weaving 1804"));
    assert_eq!((welcome.status().as_u16(), welcome.headers()["location"].to_str().unwrap()), (303, "/audit"));
    assert!(welcome.headers().contains_key("set-cookie"), "she is signed in");
    assert_eq!(agent.get(url(first, &server)).call().unwrap().status(), 410);

    let second = stdout(&run(&["reset-link", "--data", data_text, "Owner@example.com"]));
    assert!(second.starts_with("http://127.0.0.1:8450/reset?token="), "{second}");
    let reset = post("/reset", form(&second, "difference engine number 2"));
    assert_eq!(reset.headers()["location"], "/sign-in?password_set=1");
    let sign_in = post("/sign-in", "email=owner%40example.com&password=difference+engine+number+2".to_owned());
    assert_eq!(sign_in.headers()["location"], "/audit");
    let unknown = run(&["reset-link", "--data", data_text, "nobody@example.com"]);
    assert!(stderr(&unknown).contains("Acme has no user \"nobody@example.com\""), "{}", stderr(&unknown));
    server.end();
}

#[test]
fn mistakes_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let missing = run(&["serve", "--data", data.to_str().unwrap()]);
    assert!(stderr(&missing).contains("is not a data directory; `acta init"), "{}", stderr(&missing));
    assert!(!data.exists(), "a command that fails leaves nothing behind");
    let mut command = acta(&["serve", "--data", data.to_str().unwrap(), "--listen", "nowhere"]);
    let told = stderr(&command.env("ACTA_LISTN", "1").output().unwrap());
    assert!(
        told.contains("ACTA_LISTN is not a setting; did you mean listen?") && told.contains("--listen \"nowhere\""),
        "{told}"
    );
    set_up(&data);
    let twice = run(&["init", "--data", data.to_str().unwrap(), "--organization", "Acme", "--admin-email", "b@example.com"]);
    assert!(stderr(&twice).contains("there is an organization \"Acme\" already"), "{}", stderr(&twice));
    let unknown = run(&["key", "create", "--data", data.to_str().unwrap(), "--scopes", "events:wrte"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(stderr(&unknown).contains("events:write"), "{}", stderr(&unknown));
}

#[test]
fn the_demo_tells_its_story_and_its_curl_line_works() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut command = acta(&["demo", "--data", data.to_str().unwrap(), "--listen", "127.0.0.1:0", "--events", "1500"]);
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    let mut said = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        let last = line.contains("Ctrl-C");
        said.push(line);
        if last {
            break;
        }
    }
    let curl = said.iter().find(|line| line.starts_with("curl ")).expect("a curl line");
    let sent = Command::new("sh").args(["-c", &format!("{curl} -w '\\n%{{http_code}}'")]).output().unwrap();
    let sent = String::from_utf8_lossy(&sent.stdout).into_owned();
    assert!(sent.ends_with("201"), "{sent}");
    let key = curl.split("Bearer ").nth(1).and_then(|rest| rest.split('\'').next()).unwrap().to_owned();
    let url = said[0].strip_prefix("Listening on ").unwrap().to_owned();
    let server = Process { child, url };
    let day = server.get(&key, "/v1/events?action=LOGIN_FAILED&ip=192.0.2.147");
    assert!(day["total"].as_u64().unwrap() > 20, "the incident is there");
    assert!(server.get(&key, "/v1/events?per_page=1")["total"].as_u64().unwrap() >= 1_500);
    server.end();
    assert!(stdout(&run(&["check", "--data", data.to_str().unwrap()])).ends_with("All is well."));
}

#[test]
fn import_accounts_for_every_line() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let key = set_up(&data);
    let file = dir.path().join("events.jsonl");
    let mut with_id = event("WITH_ID");
    with_id["id"] = "x".into();
    let mut other = with_id.clone();
    other["outcome"] = "failure".into();
    let lines = [
        with_id.to_string(),
        event("PLAIN").to_string(),
        "{broken".into(),
        String::new(),
        with_id.to_string(),
        other.to_string(),
        json!({"a": 1}).to_string(),
    ];
    std::fs::File::create(&file).unwrap().write_all(lines.join("\n").as_bytes()).unwrap();
    let server = Process::serve(&data, &[]);
    let import = |file: &str| {
        let mut command = acta(&["import", "acta", file, "--url", &server.url]);
        command.env("ACTA_KEY", &key).output().unwrap()
    };
    let output = import(file.to_str().unwrap());
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    expect_test::expect![[r#"
        6 events read
        2 recorded
        1 repeats of events recorded before
        1 with the id of another event; not recorded
        2 not valid; not recorded
    "#]]
    .assert_eq(&told);
    assert!(
        stderr(&output).contains("line 3: this is not JSON") && stderr(&output).contains("line 7: "),
        "{}",
        stderr(&output)
    );
    let wrong =
        acta(&["import", "acta", file.to_str().unwrap(), "--url", &server.url, "--key", "acta_no"]).output().unwrap();
    assert!(stderr(&wrong).contains("This API key is not known."), "{}", stderr(&wrong));
}

#[test]
fn config_and_openapi_are_printed() {
    let config = stdout(&run(&["config"]));
    for (name, _) in server::config::SETTINGS {
        assert!(config.contains(&format!("\n{name} = ")), "{name}");
    }
    // What it prints can be read back.
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("acta.toml");
    std::fs::File::create(&file).unwrap().write_all(config.as_bytes()).unwrap();
    assert_eq!(stdout(&run(&["config", "--config", file.to_str().unwrap()])), config);
    assert!(stdout(&run(&["openapi"])).contains("\"openapi\": \"3.1"));
}

#[test]
fn a_redaction_rule_of_the_command_line_is_followed_by_a_running_server() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let key = set_up(&data);
    let data = data.to_str().unwrap();
    let reader = stdout(&run(&["key", "create", "--data", data, "--scopes", "events:read,directory:read"]));
    let server = Process::serve(Path::new(data), &[]);
    let record = || {
        let mut event = event("QUERY_RUN");
        event["metadata"] = json!({"params": {"ssn": "078-05-1120"}});
        let sent = ureq::post(format!("{}/v1/events", server.url)).header("authorization", format!("Bearer {key}"));
        let mut sent = sent.header("content-type", "application/json").send(event.to_string()).unwrap();
        let answer: Value = serde_json::from_str(&sent.body_mut().read_to_string().unwrap()).unwrap();
        server.get(&key, &format!("/v1/events/{}", answer["event_id"].as_str().unwrap()))["metadata"].to_string()
    };
    assert!(record().contains("078-05-1120"));
    let rule = ["--member", "/metadata/params/ssn", "--action", "QUERY_*", "--hash"];
    let tried = run(&[&["redaction", "try", "--url", &server.url, "--key", &reader], &rule[..]].concat());
    let told = stdout(&tried);
    assert!(told.contains("QUERY_RUN") && told.contains("/metadata/params/ssn\t[redacted:hash:"), "{told}");
    assert!(stderr(&tried).contains("1 would have been changed"), "{}", stderr(&tried));
    let id = stdout(&run(&[&["redaction", "add", "--data", data, "--name", "Numbers"], &rule[..]].concat()));
    // The server asks once a second whether there is something new.
    assert!((0..100_000).any(|_| !record().contains("078-05-1120")), "the rule is never followed");
    let listed = stdout(&run(&["redaction", "list", "--data", data]));
    let shown = r#"{"when":{"actions":["QUERY_*"]},"members":["/metadata/params/ssn"],"how":"hash"}"#;
    assert_eq!(listed, format!("{id}\tNumbers\t{shown}"));
    let refused = run(&["redaction", "add", "--data", data, "--name", "x", "--member", "/actor/id"]);
    assert!(stderr(&refused).contains("names actor/id, which is never redacted"), "{}", stderr(&refused));
    stdout(&run(&["redaction", "remove", "--data", data, &id]));
    assert!((0..100_000).any(|_| record().contains("078-05-1120")), "the rule is followed for ever");
    server.end();
}

#[test]
fn the_estate_and_decisions_about_it() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    set_up(&data);
    let data = data.to_str().unwrap();
    let run_in = |words: &[&str]| run(&[words, &["--data", data]].concat());
    let made = |words: &[&str]| stdout(&run_in(words));
    let desk = made(&["folder", "create", "Desk"]);
    let app = made(&["app", "create", "Refunds", "--folder", &desk]);
    let workflow = made(&["workflow", "create", "Nightly"]);
    let resource = made(&["resource", "create", "Ledger", "--kind", "postgresql"]);
    let europe = made(&["environment", "create", "Europe", "--kind", "production"]);
    made(&["resource", "put", &resource, &europe, "--sensitive"]);
    made(&["app", "release", &app]);
    made(&["workflow", "disable", &workflow]);
    made(&["workflow", "move", &workflow, "--folder", &desk]);
    made(&["folder", "rename", &desk, "Front desk"]);
    // The only user there is.
    let able = made(&["who-can", "directory:change", "organization"]);
    let user = able.split_whitespace().nth(1).unwrap().to_owned();
    let to = format!("user:{user}");
    let grant = made(&["grant", "create", "--to", &to, "--level", "use", "--on", &format!("folder:{desk}")]);
    let on_data = format!("resource:{resource}:{europe}");
    made(&["grant", "create", "--to", &to, "--level", "use", "--on", &on_data]);

    let mut lines = vec![able];
    for words in [
        &["environment", "list"][..],
        &["folder", "list"],
        &["app", "list"],
        &["workflow", "list"],
        &["resource", "list"],
        &["grant", "list"],
        &["authorize", &to, "app:run", &format!("app:{app}")],
        &["authorize", &to, "resource:query", &on_data, "--via-app", &app],
        &["who-can", "workflow:run", &format!("workflow:{workflow}")],
    ] {
        lines.push(made(words));
    }
    for words in [
        &["authorize", &to, "resource:query", &on_data][..],
        &["authorize", &to, "app:run", "organization"],
        &["grant", "create", "--to", &to, "--level", "use", "--on", "everything"],
        &["folder", "delete", &desk],
        &["folder", "release", &desk],
    ] {
        let output = run_in(words);
        assert_eq!(output.status.code(), Some(1), "{words:?}");
        lines.push(format!("{}{}", String::from_utf8_lossy(&output.stdout), stderr(&output)).trim().to_owned());
    }
    made(&["grant", "delete", &grant]);
    assert!(made(&["what-can", &to]).contains("The standing of owner in the organization."));
    let named =
        [(&user, "USER"), (&desk, "DESK"), (&app, "APP"), (&workflow, "WF"), (&resource, "RES"), (&europe, "EUROPE")];
    let text = named.iter().fold(lines.join("\n"), |text, (id, name)| text.replace(id.as_str(), name));
    let text: Vec<String> = text
        .lines()
        .map(|line| match line.split_once('\t') {
            Some((id, rest)) if id.starts_with("env_") || id.starts_with("grant_") => format!("…\t{rest}"),
            _ => line.to_owned(),
        })
        .collect();
    expect_test::expect![[r#"
        user USER	yes	The standing of owner in the organization.
        …	development	development
        EUROPE	Europe	production
        …	production	production
        …	staging	staging
        DESK	Front desk	-
        APP	Refunds	DESK	released
        WF	Nightly	DESK	not released	disabled
        RES	Ledger	postgresql	EUROPE
        …	user:USER	use	folder:DESK	
        …	user:USER	use	resource:RES:EUROPE
        yes	The standing of owner in the organization. A grant of the level use on folder “Front desk”, which holds app “Refunds”.
        yes	A grant of the level use on resource “Ledger”.
        user USER	no	The standing of owner in the organization. A grant of the level use on folder “Front desk”, which holds workflow “Nightly”. The workflow is disabled.
        no	A person reaches production data only through a released app that she may run.
        acta: app:run is about the app, not about the organization
        acta: --on everything: is none of app:ID, workflow:ID, folder:ID, team:ID, resource:ID:ENVIRONMENT, all:apps, …
        acta: 2 things are in the folder “Front desk”. Move or delete them first.
        acta: folders are not released"#]].assert_eq(&text.join("\n"));
}
