//! The life of an organization: each kind of act is done once, through the pages and the API, as people and programs do it. For
//! tests that look at what is left of that. It keeps every secret that comes by.

use std::cell::RefCell;
use std::collections::BTreeMap;

use access::Role;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::header;
use directory::{ChangedBy, NewUser, Secret, Seed};
use serde_json::{Value, json};

use crate::visitor::{AGENT, HERS, Shown, Site, THEIRS, Visitor, link_in};

pub(crate) const OWNER: &str = "owner@example.com";
const GRACE: &str = "grace@example.com";
const OWNERS_PASSWORD: &str = "difference engine number two";
const STEP_MS: i64 = 30_000;
const DESTINATIONS_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER_SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// What has happened, and where.
pub(crate) struct Tour {
    pub(crate) site: Site,
    /// An API key that reads the log.
    pub(crate) reader: String,
    /// The same of the organization that is archived at the end.
    pub(crate) other_reader: String,
    /// Every secret, and what it is.
    pub(crate) secrets: RefCell<BTreeMap<Vec<u8>, &'static str>>,
}

/// Somebody in front of the pages, whose secrets are kept.
struct Guest<'a> {
    tour: &'a Tour,
    visitor: Visitor,
}

impl Tour {
    /// Does it all.
    pub(crate) async fn make() -> Tour {
        let mails = tempfile::tempdir().unwrap();
        let settings = [("mail_folder", Some(mails.path().display().to_string())), ("seal_events", Some("400".to_owned()))];
        let settings = [settings, [("destination_networks", Some("127.0.0.0/8".to_owned())), ("listen", None)]].concat();
        let site = Site::with(&settings, mails);
        let (reader, other_reader) = Default::default();
        let mut tour = Tour { site, reader, other_reader, secrets: RefCell::default() };
        let first_key = tour.site.server.key.clone();
        tour.keep("an API key", &first_key);
        tour.first_owner().await;
        let mut owner = tour.guest();
        owner.sign_in(OWNER, OWNERS_PASSWORD).await;
        let (reader, deployer) = owner.keys().await;
        tour.password_and_links(&mut owner, &deployer).await;
        tour.second_factor().await;
        tour.own_account().await;
        owner.groups_and_grants().await;
        owner.roles().await;
        owner.organization_and_redactions().await;
        owner.destinations().await;
        tour.resources(&deployer).await;
        owner.looks().await;
        owner.leave().await;
        let other_reader = tour.another_organization().await;
        drop(owner);
        (tour.reader, tour.other_reader) = (reader, other_reader);
        tour
    }

    /// Keeps a secret.
    pub(crate) fn keep(&self, what: &'static str, secret: impl AsRef<[u8]>) {
        let secret = secret.as_ref().to_vec();
        assert!(secret.len() >= 6, "{what}: {secret:?}");
        self.secrets.borrow_mut().insert(secret, what);
    }

    /// What the log holds of an action, as the reader's key sees it.
    pub(crate) async fn events(&self, query: &str) -> Vec<Value> {
        self.events_with(&self.reader, query).await
    }

    /// The same with another key.
    pub(crate) async fn events_with(&self, key: &str, query: &str) -> Vec<Value> {
        let found = self.call(key, "GET", &format!("/v1/events?{query}"), Value::Null).await;
        found["events"].as_array().unwrap().clone()
    }

    /// A program's call, which works.
    pub(crate) async fn call(&self, key: &str, method: &str, path: &str, body: Value) -> Value {
        let request = self.site.server.request(method, path, key);
        let request = request.header(header::CONTENT_TYPE, "application/json").header(header::USER_AGENT, AGENT);
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let mut request = request.body(body).unwrap();
        let peer: std::net::SocketAddr = format!("{THEIRS}:1234").parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        let answer = self.site.server.send(request).await;
        assert!(answer.status.is_success(), "{method} {path}: {}", answer.text());
        if answer.body.is_empty() { Value::Null } else { answer.json() }
    }

    fn guest(&self) -> Guest<'_> {
        Guest { tour: self, visitor: self.site.visitor(HERS) }
    }

    /// The link in the one mail that came.
    async fn link(&self) -> String {
        let links = self.site.links().await;
        let [link] = &links[..] else { panic!("{links:?}") };
        self.keep("a link's token", link.split_once("token=").unwrap().1);
        link.clone()
    }

    /// The first owner gets her link as from the command line.
    async fn first_owner(&self) {
        let (server, org) = (&self.site.server, self.site.server.organization.id);
        let new = NewUser { email: OWNER, name: "Owner", role: Role::Owner, password: None };
        let owner = server.app.directory.create_user(&ChangedBy::cli(), org, new, server.app.now()).unwrap();
        let token = server.app.directory.create_first_run_link(org, &owner.id, server.app.now()).unwrap();
        self.keep("a link's token", token.expose());
        let mut owner = self.guest();
        owner.get(&format!("/welcome?token={}", token.expose())).await;
        self.keep("a password", OWNERS_PASSWORD);
        let done = owner.submit("/welcome", &[("password", OWNERS_PASSWORD)]).await;
        assert_eq!(done.location, "/audit", "{}", done.text);
        owner.leave().await;
    }

    async fn password_and_links(&self, owner: &mut Guest<'_>, deployer: &str) {
        let first = "jacquard loom weaving 1804";
        self.keep("a password", first);
        let new = json!({"email": GRACE, "name": "Grace", "role": "member", "password": first});
        let grace = owner.make("/v1/users", new).await;
        let path = format!("/v1/users/{grace}");
        owner.call("PATCH", &path, json!({"name": "Grace Hopper"})).await;
        owner.call("PATCH", &path, json!({"role": "auditor"})).await;
        // Somebody who comes and goes, by a program.
        let new = json!({"email": "temp@example.com", "name": "Temp", "role": "member"});
        let temp = self.call(deployer, "POST", "/v1/users", new).await["id"].as_str().unwrap().to_owned();
        for act in ["disable", "enable", "archive"] {
            self.call(deployer, "POST", &format!("/v1/users/{temp}/{act}"), Value::Null).await;
        }
        self.call(deployer, "DELETE", &format!("/v1/users/{temp}"), Value::Null).await;
        // Somebody who is invited, twice.
        owner.make("/v1/teams", json!({"id": "ops", "name": "Operations"})).await;
        let new = json!({"email": "mary@example.com", "role": "member", "team": "ops"});
        let invitation = owner.make("/v1/invitations", new).await;
        self.link().await;
        owner.call("POST", &format!("/v1/invitations/{invitation}/resend"), Value::Null).await;
        let mut mary = self.guest();
        mary.get(&self.link().await).await;
        let password = "mechanism of the heavens";
        self.keep("a password", password);
        let done = mary.submit("/invitation", &[("name", "Mary Somerville"), ("password", password)]).await;
        assert_eq!(done.location, "/audit", "{}", done.text);
        // Wrong, unknown, forgotten.
        let mut grace = self.guest();
        let typed = "what was it again?";
        self.keep("a password", typed);
        for email in [GRACE, "nobody@example.com"] {
            assert_eq!(grace.visitor.sign_in(email, typed).await.status, 401);
        }
        grace.sign_in(GRACE, first).await;
        grace.leave().await;
        grace.get("/forgot").await;
        grace.submit("/forgot", &[("email", GRACE)]).await;
        grace.get(&self.link().await).await;
        let second = "arithmetic of relations";
        self.keep("a password", second);
        assert_eq!(grace.submit("/reset", &[("password", second)]).await.status, 303);
        grace.get("/sign-in/link").await;
        grace.submit("/sign-in/link", &[("email", GRACE)]).await;
        grace.get(&self.link().await).await;
        assert_eq!(grace.submit("/sign-in/by-link", &[]).await.location, "/audit");
        // Another password of her own, after a wrong try.
        let third = "compiler for the univac";
        self.keep("a password", third);
        for (old, status) in [(typed, 422), (second, 303)] {
            grace.get("/account/password").await;
            assert_eq!(grace.submit("/account/password", &[("old", old), ("new", third)]).await.status, status);
        }
        grace.leave().await;
    }

    async fn second_factor(&self) {
        let password = "compiler for the univac";
        let mut grace = self.guest();
        grace.sign_in(GRACE, password).await;
        let (phone, codes) = grace.add_authenticator("Phone").await;
        assert_eq!(codes.len(), 10);
        grace.add_authenticator("Tablet").await;
        grace.leave().await;
        self.site.clock.advance_ms(2 * STEP_MS);
        grace.visitor.sign_in(GRACE, password).await;
        grace.learn();
        let (wrong, code) = ("000000", phone.code(self.site.server.app.now()));
        self.keep("a code", &code);
        assert_eq!(grace.submit("/sign-in/second-factor", &[("code", wrong)]).await.status, 401);
        assert_eq!(grace.submit("/sign-in/second-factor", &[("code", &code)]).await.location, "/audit");
        for (given, status) in [(wrong, 401), (codes[0].as_str(), 303)] {
            grace.get("/confirm?next=%2Faccount%2Fsecond-factor").await;
            assert_eq!(grace.submit("/confirm", &[("given", given)]).await.status, status);
        }
        grace.get("/account/second-factor").await;
        let page = grace.submit("/account/second-factor/recovery-codes", &[]).await;
        grace.codes(&page.text);
        let page = grace.get("/account/second-factor").await.text;
        let row = page.split("<li>").find(|row| row.contains("Tablet")).unwrap();
        let id = row.split_once("name=\"id\" value=\"").unwrap().1.split('"').next().unwrap().to_owned();
        assert_eq!(grace.submit("/account/second-factor/remove", &[("id", &id)]).await.status, 303);
        grace.get("/account/second-factor").await;
        assert_eq!(grace.submit("/account/second-factor/disable", &[]).await.status, 303);
        grace.leave().await;
    }

    async fn own_account(&self) {
        let mut grace = self.guest();
        grace.sign_in(GRACE, "compiler for the univac").await;
        grace.get("/account").await;
        let asked = grace.submit("/account/email", &[("email", "hopper@example.com")]).await;
        assert_eq!(asked.location, "/account?done=email", "{}", asked.text);
        let links: Vec<String> = self.site.mails().await.iter().filter_map(|mail| link_in(mail)).collect();
        self.keep("a link's token", links[0].split_once("token=").unwrap().1);
        grace.get(&links[0]).await;
        assert_eq!(grace.submit("/verify-email", &[]).await.status, 200);
    }

    async fn resources(&self, deployer: &str) {
        let environments = self.call(deployer, "GET", "/v1/environments", Value::Null).await;
        let environment = environments["environments"][0]["id"].as_str().unwrap();
        let new = json!({"name": "Ledger", "kind": "postgresql"});
        let made = self.call(deployer, "POST", "/v1/resources", new).await;
        let path = format!("/v1/resources/{}", made["id"].as_str().unwrap());
        self.call(deployer, "PATCH", &path, json!({"name": "Books"})).await;
        self.call(deployer, "PUT", &format!("{path}/environments/{environment}"), json!({"sensitive": true})).await;
        self.call(deployer, "DELETE", &path, Value::Null).await;
    }

    /// Whose owner has the same address and password, and is asked where she wants to go. Gives a key that reads its log.
    async fn another_organization(&self) -> String {
        let app = &self.site.server.app;
        let other = app.directory.create_organization(&ChangedBy::cli(), "Second", app.now()).unwrap();
        let password = Secret::new(OWNERS_PASSWORD);
        let new = NewUser { email: OWNER, name: "Owner", role: Role::Owner, password: Some(&password) };
        app.directory.create_user(&ChangedBy::cli(), other.id, new, app.now()).unwrap();
        let mut owner = self.guest();
        let page = owner.visitor.sign_in(OWNER, OWNERS_PASSWORD).await.text;
        owner.learn();
        let (before, _) = page.split_once("\">Second</button>").unwrap_or_else(|| panic!("{page}"));
        let choice = before.rsplit('"').next().unwrap().to_owned();
        assert_eq!(owner.submit("/sign-in/organization", &[("choice", &choice)]).await.location, "/audit");
        let made = owner.call("POST", "/v1/api-keys", json!({"name": "Reader", "scopes": ["events:read"]})).await;
        owner.call("POST", "/v1/organization/archive", json!({"name": "Second"})).await;
        made["secret"].as_str().unwrap().to_owned()
    }
}

impl Guest<'_> {
    async fn get(&mut self, path: &str) -> Shown {
        let shown = self.visitor.get(path).await;
        self.learn();
        assert!(shown.status < 400, "{path}: {}", shown.text);
        shown
    }

    async fn submit(&mut self, action: &str, fields: &[(&str, &str)]) -> Shown {
        let shown = self.visitor.submit(action, fields).await;
        self.learn();
        shown
    }

    /// A page's call of the API, which works.
    async fn call(&mut self, method: &str, path: &str, body: Value) -> Value {
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let page = std::mem::take(&mut self.visitor.page);
        let answer = self.visitor.send(method, path, body).await;
        self.visitor.page = page;
        assert!((200..300).contains(&answer.status), "{method} {path}: {}", answer.text);
        let answer: Value = if answer.text.is_empty() { Value::Null } else { serde_json::from_str(&answer.text).unwrap() };
        if let Some(secret) = answer["secret"].as_str() {
            self.tour.keep("an API key", secret);
        }
        if let Some((_, token)) = answer["link"].as_str().and_then(|link| link.split_once("token=")) {
            self.tour.keep("a link's token", token);
        }
        answer
    }

    /// Makes something and gives its id.
    async fn make(&mut self, path: &str, body: Value) -> String {
        self.call("POST", path, body).await["id"].as_str().unwrap().to_owned()
    }

    /// Keeps what the last page and the cookie hold.
    fn learn(&self) {
        if let Some((_, token)) = self.visitor.cookie.split_once('=').filter(|(_, token)| !token.is_empty()) {
            self.tour.keep("a session's token", token);
        }
        for (name, what) in [("csrf", "a form's token"), ("ticket", "a ticket"), ("token", "a link's token")] {
            for rest in self.visitor.page.split(&format!("name=\"{name}\" value=\"")).skip(1) {
                self.tour.keep(what, rest.split('"').next().unwrap());
            }
        }
    }

    async fn sign_in(&mut self, email: &str, password: &str) {
        let answer = self.visitor.sign_in(email, password).await;
        assert_eq!(answer.location, "/audit", "{}", answer.text);
        self.learn();
    }

    async fn leave(&mut self) {
        self.get("/account").await;
        assert_eq!(self.submit("/sign-out", &[]).await.location, "/sign-in?signed_out=1");
    }

    /// A key that reads, and one that does nearly everything; a third is revoked.
    async fn keys(&mut self) -> (String, String) {
        let reads = json!({"name": "Reader", "scopes": ["events:read", "directory:read"]});
        let reader = self.call("POST", "/v1/api-keys", reads).await["secret"].as_str().unwrap().to_owned();
        let scopes = ["events:read", "events:write", "directory:read", "directory:write"];
        let deploys = json!({"name": "Deployer", "scopes": scopes});
        let deployer = self.call("POST", "/v1/api-keys", deploys).await["secret"].as_str().unwrap().to_owned();
        let old = self.make("/v1/api-keys", json!({"name": "Old", "scopes": ["events:write"]})).await;
        self.call("POST", &format!("/v1/api-keys/{old}/revoke"), json!({})).await;
        (reader, deployer)
    }

    /// Sets an authenticator up; its seed, and the recovery codes that came with it.
    async fn add_authenticator(&mut self, name: &str) -> (Seed, Vec<String>) {
        self.get("/account/second-factor").await;
        self.submit("/account/second-factor/begin", &[("name", name)]).await;
        let page = self.get("/account/second-factor/set-up").await.text;
        let shown = page.split_once("class=\"secret\">").unwrap().1.split('<').next().unwrap();
        let base32: String = shown.chars().filter(|c| !c.is_whitespace()).collect();
        self.tour.keep("an authenticator's seed", shown);
        self.tour.keep("an authenticator's seed", base32.to_lowercase());
        self.tour.keep("an authenticator's seed", from_base32(&base32));
        let seed = Seed::parse(&base32).unwrap();
        self.tour.keep("an authenticator's seed", base32);
        let code = seed.code(self.tour.site.server.app.now());
        self.tour.keep("a code", &code);
        let done = self.submit("/account/second-factor/set-up", &[("code", &code)]).await;
        assert!(done.status < 400, "{}", done.text);
        let codes = self.codes(&done.text);
        (seed, codes)
    }

    /// The recovery codes on a page.
    fn codes(&self, page: &str) -> Vec<String> {
        let codes = page.split("<li><code>").skip(1).map(|rest| rest.split('<').next().unwrap().to_owned());
        let codes: Vec<String> = codes.collect();
        for code in &codes {
            self.tour.keep("a recovery code", code);
            self.tour.keep("a recovery code", code.replace('-', ""));
        }
        codes
    }

    async fn groups_and_grants(&mut self) {
        let users = self.call("GET", "/v1/users?q=mary", Value::Null).await;
        let mary = users["users"][0]["id"].as_str().unwrap().to_owned();
        let group = self.make("/v1/groups", json!({"name": "Analysts", "description": "Those who look."})).await;
        let path = format!("/v1/groups/{group}");
        self.call("PATCH", &path, json!({"description": "Those who look closely."})).await;
        let app = self.make("/v1/apps", json!({"name": "Refunds"})).await;
        self.call("POST", &format!("{path}/members"), json!({"users": [mary]})).await;
        let grant = |subject: Value| json!({"subject": subject, "level": "use", "object": {"app": app}});
        let to_group = self.make("/v1/grants", grant(json!({"group": group}))).await;
        self.make("/v1/grants", grant(json!({"user": mary}))).await;
        self.call("DELETE", &format!("/v1/grants/{to_group}"), Value::Null).await;
        self.call("DELETE", &format!("{path}/members"), json!({"users": [mary]})).await;
        self.call("DELETE", &path, Value::Null).await;
        self.call("GET", &format!("/v1/who-can?permission=app:run&app={app}"), Value::Null).await;
        self.call("GET", &format!("/v1/what-can?user={mary}"), Value::Null).await;
    }

    async fn roles(&mut self) {
        let users = self.call("GET", "/v1/users?q=mary", Value::Null).await;
        let mary = users["users"][0]["id"].as_str().unwrap().to_owned();
        let role = self.make("/v1/roles", json!({"name": "Deploying", "permissions": ["app:view"]})).await;
        let path = format!("/v1/roles/{role}");
        self.call("PATCH", &path, json!({"permissions": ["app:view", "app:release"]})).await;
        let given = self.make("/v1/role-assignments", json!({"role": role, "user": mary})).await;
        self.call("DELETE", &format!("/v1/role-assignments/{given}"), Value::Null).await;
        self.call("DELETE", &path, Value::Null).await;
    }

    async fn organization_and_redactions(&mut self) {
        self.call("PATCH", "/v1/organization", json!({"name": "Engines", "members_see_own_events": true})).await;
        let rule = json!({"name": "Numbers", "members": ["/metadata/ssn"], "how": "hide"});
        let path = format!("/v1/redactions/{}", self.make("/v1/redactions", rule).await);
        self.call("PATCH", &path, json!({"how": "hash"})).await;
        self.call("DELETE", &path, Value::Null).await;
    }

    /// Where nobody listens, so that nothing arrives.
    async fn destinations(&mut self) {
        let (first, second, header) = (DESTINATIONS_SECRET, OTHER_SECRET, "punched cards, out of order");
        for secret in [first, second, header] {
            self.tour.keep("a destination's secret", secret);
        }
        let settings = json!({"url": "http://127.0.0.1:9/", "secret": first, "headers": {"x-cards": header}});
        let hook = json!({"name": "Hook", "type": "webhook", "settings": settings});
        let path = format!("/v1/destinations/{}", self.make("/v1/destinations", hook).await);
        let settings = json!({"url": "http://127.0.0.1:9/", "secret": second});
        self.call("PATCH", &path, json!({"name": "Loom", "settings": settings})).await;
        self.call("POST", &format!("{path}/pause"), Value::Null).await;
        let replay = self.call("POST", &format!("{path}/replays"), json!({"from": 0, "to": 1})).await;
        self.call("DELETE", &format!("{path}/replays/{}", replay["id"]), Value::Null).await;
        for doing in ["retry", "discard"] {
            self.call("POST", &format!("{path}/dead-letters/{doing}"), json!({"all": true})).await;
        }
        self.call("POST", &format!("{path}/resume"), json!({"skip": true})).await;
        self.call("POST", &format!("{path}/test"), Value::Null).await;
        for part in ["", "/status", "/gaps", "/dead-letters", "/replays"] {
            self.call("GET", &format!("{path}{part}"), Value::Null).await;
        }
        self.call("DELETE", &path, Value::Null).await;
    }

    async fn looks(&mut self) {
        self.call("GET", "/v1/events?action=LOGIN", Value::Null).await;
        self.get("/audit").await;
        self.get("/account/sessions").await;
        let found = self.call("GET", "/v1/events?action=CREATE_ROLE", Value::Null).await;
        let event = found["events"][0]["event_id"].as_str().unwrap().to_owned();
        for _ in 0..2 {
            self.get(&format!("/audit/{event}.json")).await;
        }
    }
}

/// RFC 4648 §6.
fn from_base32(text: &str) -> Vec<u8> {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_usize, 0);
    for letter in text.chars() {
        bits = bits << 5 | LETTERS.find(letter).unwrap();
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).unwrap());
        }
        bits &= 0xfff;
    }
    bytes
}
