//! A server for one test, with everything that a test wants to say to it.

use std::collections::BTreeSet;
use std::sync::Arc;

use access::{KeyScope, Role};
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use directory::{ChangedBy, DirectoryOptions, NewApiKey, NewUser, Organization, Secret};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use server::app::{App, Doors};
use server::config::Config;
use server::router::router;
use store::disk::{Disk, RealDisk};
use tower::ServiceExt;

/// A server on a data directory of its own.
pub(crate) struct Server {
    pub(crate) app: Arc<App>,
    pub(crate) organization: Organization,
    /// May write and read.
    pub(crate) key: String,
    _data: tempfile::TempDir,
}

/// An answer that has been read.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: axum::http::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Status, sort of problem, detail and members at fault, for comparing.
    pub(crate) fn problem(&self) -> String {
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/problem+json", "{}", self.text());
        let json = self.json();
        assert_eq!(json["status"], self.status.as_u16());
        assert_eq!(json["request_id"], self.headers["x-request-id"].to_str().unwrap());
        let mut out =
            format!("{} {}: {}", self.status.as_u16(), json["type"].as_str().unwrap(), json["detail"].as_str().unwrap());
        for error in json["errors"].as_array().into_iter().flatten() {
            let name = error["pointer"].as_str().or(error["parameter"].as_str()).unwrap_or_default();
            out += &format!("\n    {name}: {}", error["detail"].as_str().unwrap());
        }
        out
    }
}

pub(crate) fn event(action: &str) -> Value {
    json!({"action": action, "actor": {"type": "user", "id": "u_42", "name": "Ada Lovelace", "email": "ada@example.com"}})
}

impl Server {
    pub(crate) fn start() -> Server {
        Server::with(Config { seal_events: 100, ..Config::default() }, |disk| Arc::new(disk))
    }

    /// With these settings, and with the disk put into something else.
    pub(crate) fn with(config: Config, disk: impl FnOnce(RealDisk) -> Arc<dyn Disk>) -> Server {
        let data = tempfile::tempdir().unwrap();
        let config = Config { data: data.path().to_owned(), ..config };
        let mut doors = Doors::system(&config.data).unwrap();
        doors.disk = disk(RealDisk::open(&config.data).unwrap());
        let app = Arc::new(App::open(config, doors, DirectoryOptions::for_tests()).unwrap());
        let organization = app.directory.create_organization(&ChangedBy::cli(), "Test", app.now()).unwrap();
        let mut server = Server { app, organization, key: String::new(), _data: data };
        server.key = server.new_key(&[KeyScope::EventsWrite, KeyScope::EventsRead], None);
        server
    }

    pub(crate) fn new_key(&self, scopes: &[KeyScope], team: Option<&str>) -> String {
        self.new_key_in(&self.organization, scopes, team)
    }

    pub(crate) fn new_key_in(&self, organization: &Organization, scopes: &[KeyScope], team: Option<&str>) -> String {
        let scopes: BTreeSet<KeyScope> = scopes.iter().copied().collect();
        let team = team.map(|team| record::TeamId::new(team).unwrap());
        if let Some(team) = &team
            && self.app.directory.team(organization.id, team).is_err()
        {
            let made = self.app.directory.create_team(
                &ChangedBy::cli(),
                organization.id,
                Some(team.clone()),
                team.as_str(),
                self.app.now(),
            );
            made.unwrap();
        }
        let new = NewApiKey { team, service_account: None, name: "test", scopes, expires_at: None };
        let (_, secret) =
            self.app.directory.create_api_key(&ChangedBy::cli(), organization.id, new, self.app.now()).unwrap();
        secret.expose().to_owned()
    }

    pub(crate) fn new_user(&self, email: &str, role: Role) -> directory::User {
        let password = Secret::new("correct horse battery");
        let new = NewUser { email, name: "Somebody", role, password: Some(&password) };
        self.app.directory.create_user(&ChangedBy::cli(), self.organization.id, new, self.app.now()).unwrap()
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response: Response = router(self.app.clone()).oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub(crate) fn get_request(&self, path: &str) -> Request<Body> {
        self.request("GET", path, &self.key).body(Body::empty()).unwrap()
    }

    pub(crate) fn request(&self, method: &str, path: &str, key: &str) -> axum::http::request::Builder {
        Request::builder().method(method).uri(path).header("authorization", format!("Bearer {key}"))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.get_request(path)).await
    }

    pub(crate) async fn get_as(&self, key: &str, path: &str) -> Answer {
        self.send(self.request("GET", path, key).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, body: impl Into<Body>) -> Answer {
        self.post_with(&[("content-type", "application/json")], body).await
    }

    pub(crate) async fn post_with(&self, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        let mut request = self.request("POST", "/v1/events", &self.key);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(body.into()).unwrap()).await
    }

    /// The total that a filter gives.
    pub(crate) async fn total(&self, query: &str) -> u64 {
        let answer = self.get(&format!("/v1/events?{query}")).await;
        answer.json()["total"].as_u64().unwrap_or_else(|| panic!("{}", answer.text()))
    }
}
