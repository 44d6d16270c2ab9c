//! Somebody in front of the pages, without a browser: she keeps her cookie and sends forms back as they stand on the page.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;

use access::Role;
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request, header};
use directory::User;
use http_body_util::BodyExt;
use server::config::Config;
use testkit::SeededClock;
use tower::ServiceExt;

use crate::support::Server;

pub(crate) const PASSWORD: &str = "correct horse battery";
pub(crate) const HERS: &str = "198.51.100.1";
pub(crate) const THEIRS: &str = "203.0.113.7";
/// The program that all visitors use.
pub(crate) const AGENT: &str = "visitor/1";

/// A server with a clock that tests set, and mails in a folder.
pub(crate) struct Site {
    pub(crate) server: Server,
    pub(crate) clock: SeededClock,
    pub(crate) router: Router,
    mails: tempfile::TempDir,
    seen: RefCell<BTreeSet<PathBuf>>,
}

impl Site {
    pub(crate) fn start() -> Site {
        let mails = tempfile::tempdir().unwrap();
        let folder = [("mail_folder", Some(mails.path().display().to_string()))];
        Site::with(&folder, mails)
    }

    pub(crate) fn without_mail() -> Site {
        Site::with(&[("mail", Some("off".to_owned()))], tempfile::tempdir().unwrap())
    }

    pub(crate) fn with(settings: &[(&str, Option<String>)], mails: tempfile::TempDir) -> Site {
        let mut config = Config::load(None, std::iter::empty(), settings).unwrap();
        config.public_url = "http://acta.example".to_owned();
        let clock = SeededClock::default();
        let server = Server::with_doors(config, |_, doors| doors.clock = std::sync::Arc::new(clock.clone()));
        let router = server::router::router(server.app.clone());
        Site { server, clock, router, mails, seen: RefCell::default() }
    }

    pub(crate) fn user(&self, email: &str, role: Role) -> User {
        self.server.new_user(email, role)
    }

    /// A visitor from this address.
    pub(crate) fn visitor(&self, ip: &str) -> Visitor {
        let peer = format!("{ip}:1234").parse().unwrap();
        Visitor { router: self.router.clone(), peer, cookie: String::new(), page: String::new() }
    }

    /// A visitor who has signed in with the password that all users have.
    pub(crate) async fn signed_in(&self, email: &str) -> Visitor {
        let mut visitor = self.visitor(HERS);
        let answer = visitor.sign_in(email, PASSWORD).await;
        assert_eq!((answer.status, answer.location.as_str()), (303, "/audit"), "{}", answer.text);
        visitor
    }

    /// Waits for what goes on beside the answers, sends the mails, and returns the paths of the links in those that came.
    pub(crate) async fn links(&self) -> Vec<String> {
        self.mails().await.iter().filter_map(|mail| link_in(mail)).collect()
    }

    /// The same, and returns the mails themselves.
    pub(crate) async fn mails(&self) -> Vec<String> {
        self.server.app.tasks.stop().await;
        server::mailing::send_due(&self.server.app).await.unwrap();
        let files = std::fs::read_dir(self.mails.path()).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> = files.filter(|file| self.seen.borrow_mut().insert(file.clone())).collect();
        files.sort();
        files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect()
    }

    /// How many events a filter finds.
    pub(crate) async fn total(&self, query: &str) -> u64 {
        self.server.app.tasks.stop().await;
        server::record_own::drain_outbox(&self.server.app).await.unwrap();
        self.server.total(query).await
    }

    /// Changes the database beside the server.
    pub(crate) fn execute(&self, sql: &str) {
        let database = self.server.app.config.data.join("acta.db");
        let connection = rusqlite::Connection::open(database).unwrap();
        connection.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
        connection.execute(sql, []).unwrap();
    }
}

/// The path and query of the first link to the server in a mail.
pub(crate) fn link_in(mail: &str) -> Option<String> {
    let text = mail.replace("=\r\n", "").replace("=3D", "=");
    let (_, rest) = text.split_once("http://acta.example")?;
    Some(rest.split_whitespace().next().unwrap().to_owned())
}

pub(crate) struct Visitor {
    router: Router,
    peer: SocketAddr,
    pub(crate) cookie: String,
    /// The last page.
    pub(crate) page: String,
}

#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) status: u16,
    pub(crate) location: String,
    pub(crate) text: String,
    pub(crate) headers: HeaderMap,
}

impl Visitor {
    pub(crate) async fn get(&mut self, path: &str) -> Shown {
        self.send("GET", path, Body::empty()).await
    }

    /// Sends the form on the last page that goes to this path, with these fields besides the hidden ones.
    pub(crate) async fn submit(&mut self, action: &str, fields: &[(&str, &str)]) -> Shown {
        let mut sent = self.hidden(action);
        sent.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let fields: Vec<(&str, &str)> = sent.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.post(action, &fields).await
    }

    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Shown {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.send("POST", path, Body::from(body)).await
    }

    pub(crate) async fn sign_in(&mut self, email: &str, password: &str) -> Shown {
        self.get("/sign-in").await;
        self.submit("/sign-in", &[("email", email), ("password", password)]).await
    }

    /// The hidden fields of a form.
    fn hidden(&self, action: &str) -> Vec<(String, String)> {
        let (_, form) =
            self.page.split_once(&format!("action=\"{action}\"")).unwrap_or_else(|| panic!("{action}: {}", self.page));
        let form = form.split("</form>").next().unwrap();
        let inputs = form.split("<input type=\"hidden\" name=\"").skip(1);
        inputs
            .map(|input| {
                let (name, rest) = input.split_once("\" value=\"").unwrap();
                (name.to_owned(), rest.split('"').next().unwrap().replace("&#38;", "&"))
            })
            .collect()
    }

    pub(crate) async fn send(&mut self, method: &str, path: &str, body: Body) -> Shown {
        let request = Request::builder().method(method).uri(path).header(header::HOST, "acta.example");
        let request = request.header(header::COOKIE, &self.cookie).header(header::USER_AGENT, AGENT);
        let request = request.header(header::CONTENT_TYPE, "application/json");
        let mut request = request.body(body).unwrap();
        request.extensions_mut().insert(ConnectInfo(self.peer));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        let header = |name| parts.headers.get(name).map_or("", |value: &header::HeaderValue| value.to_str().unwrap());
        if let Some(cookie) = header(header::SET_COOKIE).split(';').next().filter(|cookie| !cookie.is_empty()) {
            self.cookie = cookie.to_owned();
        }
        self.page.clone_from(&text);
        let location = header(header::LOCATION).to_owned();
        Shown { status: parts.status.as_u16(), location, text, headers: parts.headers }
    }
}
