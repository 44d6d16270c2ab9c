//! Environments, folders, apps, workflows, resources and grants over HTTP: what each route does, who may, and what the log says.

use access::{KeyScope, Role};
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use directory::{NewSession, User};
use serde_json::{Value, json};

use crate::support::{Answer, Server};

/// A server with somebody to talk to it.
pub(crate) struct Estate {
    pub(crate) server: Server,
    pub(crate) admin: String,
}

pub(crate) fn bearer(key: &str) -> String {
    format!("Bearer {key}")
}

impl Estate {
    pub(crate) fn start() -> Estate {
        let server = Server::start();
        let admin = bearer(&server.new_key(&[KeyScope::DirectoryWrite, KeyScope::DirectoryRead], None));
        Estate { server, admin }
    }

    /// A new user, and what she sends to be known.
    pub(crate) fn person(&self, name: &str, role: Role) -> (User, String) {
        let user = self.server.new_user(&format!("{name}@example.com"), role);
        let new = NewSession { org: self.server.organization.id, user: &user.id, ip: None, user_agent: None };
        let (_, token) = self.server.app.directory.create_session(new, self.server.app.now()).unwrap();
        (user, format!("acta_session={}", token.expose()))
    }

    /// `caller` is a bearer token or a cookie.
    pub(crate) async fn call(&self, caller: &str, method: &str, path: &str, body: Value) -> Answer {
        let name = if caller.starts_with("Bearer ") { header::AUTHORIZATION } else { header::COOKIE };
        let request = Request::builder().method(method).uri(path).header(name, caller);
        let request = request.header(header::CONTENT_TYPE, "application/json");
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        self.server.send(request.body(body).unwrap()).await
    }

    pub(crate) async fn get(&self, caller: &str, path: &str) -> Answer {
        self.call(caller, "GET", path, Value::Null).await
    }

    /// Creates something as administrator, and returns its id.
    pub(crate) async fn made(&self, path: &str, body: Value) -> String {
        let answer = self.call(&self.admin, "POST", path, body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn environment(&self, name: &str) -> String {
        let all = self.get(&self.admin, &format!("/v1/environments?q={name}")).await.json();
        all["environments"][0]["id"].as_str().unwrap().to_owned()
    }

    /// A resource that is in these environments.
    pub(crate) async fn resource(&self, name: &str, environments: &[&String]) -> String {
        let id = self.made("/v1/resources", json!({"name": name, "kind": "postgresql"})).await;
        for environment in environments {
            let path = format!("/v1/resources/{id}/environments/{environment}");
            let answer = self.call(&self.admin, "PUT", &path, json!({"sensitive": false})).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        }
        id
    }

    pub(crate) async fn grant(&self, subject: Value, level: &str, object: Value) -> String {
        self.made("/v1/grants", json!({"subject": subject, "level": level, "object": object})).await
    }

    /// The actions in the log, the oldest first, without how it all began.
    async fn told(&self) -> Vec<String> {
        let events = self.server.get("/v1/events?after=-1&limit=1000").await.json();
        let events = events["events"].as_array().unwrap().clone();
        let told = events.iter().map(|event| {
            let first = &event["targets"][0];
            let environment = first["environment"].as_str().map(|name| format!(" in {name}")).unwrap_or_default();
            let changes = event["changes"].as_array().into_iter().flatten();
            let fields: Vec<&str> = changes.map(|change| change["field"].as_str().unwrap()).collect();
            let name = first["name"].as_str().unwrap_or("-");
            format!("{} {name}{environment} [{}]", event["action"].as_str().unwrap(), fields.join(" "))
        });
        let early = ["log.", "CREATE_ORGANIZATION", "ACCESS_TOKEN_CREATED", "CREATE_USER", "VIEW_AUDIT_LOGS", "CREATE_TEAM"];
        told.filter(|line| !early.iter().any(|word| line.starts_with(word))).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_is_answered_and_can_be_read_in_the_log() {
    let estate = Estate::start();
    let admin = &estate.admin;
    let environment = estate.made("/v1/environments", json!({"name": "EU", "kind": "production"})).await;
    let folder = estate.made("/v1/folders", json!({"name": "Desk"})).await;
    let inner = estate.made("/v1/folders", json!({"name": "Drawer", "parent": folder})).await;
    let app = estate.made("/v1/apps", json!({"name": "Refunds", "folder": inner})).await;
    let workflow = estate.made("/v1/workflows", json!({"name": "Nightly"})).await;
    let resource = estate.resource("Ledger", &[&environment]).await;
    let (cat, _) = estate.person("cat", Role::Member);
    let user = || json!({"user": cat.id.as_str()});
    let grant = estate.grant(user(), "edit", json!({"app": app})).await;
    let data = estate.grant(user(), "use", json!({"resource": resource, "environment": environment})).await;

    let mut lines = Vec::new();
    let calls = [
        ("PATCH", format!("/v1/environments/{environment}"), json!({"name": "Europe"})),
        ("GET", format!("/v1/environments/{environment}"), Value::Null),
        ("PATCH", format!("/v1/folders/{inner}"), json!({"name": "Top drawer", "parent": null})),
        ("PATCH", format!("/v1/folders/{folder}"), json!({"parent": folder})),
        ("DELETE", format!("/v1/folders/{inner}"), Value::Null),
        ("POST", format!("/v1/apps/{app}/release"), Value::Null),
        ("PATCH", format!("/v1/apps/{app}"), json!({"name": "Returns", "folder": null, "archived": true})),
        ("PATCH", format!("/v1/apps/{app}"), json!({"nmae": "Returns"})),
        ("POST", format!("/v1/workflows/{workflow}/disable"), Value::Null),
        ("POST", format!("/v1/workflows/{workflow}/enable"), Value::Null),
        ("POST", format!("/v1/workflows/{workflow}/release"), Value::Null),
        ("PATCH", format!("/v1/workflows/{workflow}"), json!({"folder": folder})),
        ("PATCH", format!("/v1/resources/{resource}"), json!({"name": "Books"})),
        ("PUT", format!("/v1/resources/{resource}/environments/{environment}"), json!({"sensitive": true})),
        ("GET", format!("/v1/grants/{data}"), Value::Null),
        ("DELETE", format!("/v1/environments/{environment}"), Value::Null),
        ("DELETE", format!("/v1/resources/{resource}/environments/{environment}"), Value::Null),
        ("GET", format!("/v1/grants/{data}"), Value::Null),
        ("DELETE", format!("/v1/grants/{grant}"), Value::Null),
        ("DELETE", format!("/v1/apps/{app}"), Value::Null),
        ("GET", format!("/v1/apps/{app}"), Value::Null),
        ("DELETE", format!("/v1/workflows/{workflow}"), Value::Null),
        ("DELETE", format!("/v1/resources/{resource}"), Value::Null),
        ("DELETE", format!("/v1/folders/{inner}"), Value::Null),
        ("DELETE", format!("/v1/environments/{environment}"), Value::Null),
        ("GET", "/v1/apps/nonsense".into(), Value::Null),
    ];
    for (method, path, body) in calls {
        let answer = estate.call(admin, method, &path, body).await;
        let ids = [
            (&environment, "ENV"),
            (&folder, "F1"),
            (&inner, "F2"),
            (&app, "APP"),
            (&workflow, "WF"),
            (&resource, "RES"),
            (&grant, "G1"),
            (&data, "G2"),
        ];
        let named = |text: String| ids.iter().fold(text, |text, (id, name)| text.replace(id.as_str(), name));
        let told = match answer.status.as_u16() {
            200 => {
                let mut body = answer.json();
                for time in ["created_at", "released_at", "archived_at"] {
                    if body.get(time).is_some() {
                        body[time] = json!("T");
                    }
                }
                format!(
                    "200 {}",
                    named(
                        body.to_string()
                            .replace(cat.id.as_str(), "CAT")
                            .replace(body["granted_by"].as_str().unwrap_or("?"), "KEY")
                    )
                )
            }
            204 => "204".into(),
            _ => answer.problem(),
        };
        lines.push(format!("{method} {}: {told}", named(path)));
    }
    expect_test::expect![[r#"
        PATCH /v1/environments/ENV: 200 {"id":"ENV","name":"Europe","kind":"production","created_at":"T"}
        GET /v1/environments/ENV: 200 {"id":"ENV","name":"Europe","kind":"production","created_at":"T"}
        PATCH /v1/folders/F2: 200 {"id":"F2","name":"Top drawer","created_at":"T"}
        PATCH /v1/folders/F1: 422 urn:acta:problem:invalid: /parent would put the folder into itself: “Desk” → “Desk”
            /parent: would put the folder into itself: “Desk” → “Desk”
        DELETE /v1/folders/F2: 409 urn:acta:problem:conflict: 1 things are in the folder “Top drawer”. Move or delete them first.
        POST /v1/apps/APP/release: 200 {"id":"APP","name":"Refunds","folder":"F2","released_at":"T","created_at":"T"}
        PATCH /v1/apps/APP: 200 {"id":"APP","name":"Returns","released_at":"T","archived_at":"T","created_at":"T"}
        PATCH /v1/apps/APP: 422 urn:acta:problem:invalid: /nmae unknown field `nmae`, expected one of `name`, `folder`, `team`, `archived`
            /nmae: unknown field `nmae`, expected one of `name`, `folder`, `team`, `archived`
        POST /v1/workflows/WF/disable: 200 {"id":"WF","name":"Nightly","enabled":false,"created_at":"T"}
        POST /v1/workflows/WF/enable: 200 {"id":"WF","name":"Nightly","enabled":true,"created_at":"T"}
        POST /v1/workflows/WF/release: 200 {"id":"WF","name":"Nightly","enabled":true,"released_at":"T","created_at":"T"}
        PATCH /v1/workflows/WF: 200 {"id":"WF","name":"Nightly","folder":"F1","enabled":true,"released_at":"T","created_at":"T"}
        PATCH /v1/resources/RES: 200 {"id":"RES","name":"Books","kind":"postgresql","environments":[{"environment":"ENV","sensitive":false}],"created_at":"T"}
        PUT /v1/resources/RES/environments/ENV: 200 {"id":"RES","name":"Books","kind":"postgresql","environments":[{"environment":"ENV","sensitive":true}],"created_at":"T"}
        GET /v1/grants/G2: 200 {"id":"G2","subject":{"user":"CAT"},"level":"use","object":{"resource":"RES","environment":"ENV"},"granted_by":"KEY","created_at":"T"}
        DELETE /v1/environments/ENV: 409 urn:acta:problem:conflict: 1 resources are in the environment “Europe”. Take them out first.
        DELETE /v1/resources/RES/environments/ENV: 200 {"id":"RES","name":"Books","kind":"postgresql","environments":[],"created_at":"T"}
        GET /v1/grants/G2: 404 urn:acta:problem:not-found: There is no such grant.
        DELETE /v1/grants/G1: 204
        DELETE /v1/apps/APP: 204
        GET /v1/apps/APP: 404 urn:acta:problem:not-found: There is no such app.
        DELETE /v1/workflows/WF: 204
        DELETE /v1/resources/RES: 204
        DELETE /v1/folders/F2: 204
        DELETE /v1/environments/ENV: 204
        GET /v1/apps/nonsense: 404 urn:acta:problem:not-found: There is no such app."#]].assert_eq(&lines.join("\n"));
    expect_test::expect![[r#"
        CREATE_ENVIRONMENT EU [name kind]
        CREATE_FOLDER Desk [name]
        CREATE_FOLDER Drawer [name parent]
        CREATE_APP Refunds [name folder]
        CREATE_WORKFLOW Nightly [name]
        CREATE_RESOURCE Ledger [name kind]
        UPDATE_RESOURCE Ledger in EU [environment sensitive]
        LOGIN - []
        DIRECTLY_SHARE_PAGE_WITH_USER Refunds [level]
        MODIFY_PERMISSIONS Ledger in EU [level]
        UPDATE_ENVIRONMENT Europe [name]
        UPDATE_FOLDER Top drawer [name parent]
        RELEASE_APP Refunds [released_at]
        UPDATE_APP Returns [name folder archived]
        DISABLE_WORKFLOW Nightly [enabled]
        ENABLE_WORKFLOW Nightly [enabled]
        RELEASE_WORKFLOW Nightly [released_at]
        UPDATE_WORKFLOW Nightly [folder]
        UPDATE_RESOURCE Books [name]
        UPDATE_RESOURCE Books in Europe [sensitive]
        UPDATE_RESOURCE Books in Europe [environment]
        MODIFY_PERMISSIONS Returns [level]
        DELETE_APP Returns []
        DELETE_WORKFLOW Nightly []
        DELETE_RESOURCE Books []
        DELETE_FOLDER Top drawer []
        DELETE_ENVIRONMENT Europe []"#]]
    .assert_eq(&estate.told().await.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_sees_and_changes_what_she_was_granted() {
    let estate = Estate::start();
    let folder = estate.made("/v1/folders", json!({"name": "Desk"})).await;
    let mine = estate.made("/v1/apps", json!({"name": "Mine", "folder": folder})).await;
    let seen = estate.made("/v1/apps", json!({"name": "Seen"})).await;
    let hidden = estate.made("/v1/apps", json!({"name": "Hidden"})).await;
    let production = estate.environment("production").await;
    let resource = estate.resource("Ledger", &[&production]).await;
    let (cat, cookie) = estate.person("cat", Role::Member);
    let (dan, dans) = estate.person("dan", Role::Member);
    let user = |user: &User| json!({"user": user.id.as_str()});
    estate.grant(user(&cat), "edit", json!({"folder": folder})).await;
    estate.grant(user(&cat), "own", json!({"app": mine})).await;
    estate.grant(user(&cat), "use", json!({"app": seen})).await;

    let mut lines = Vec::new();
    let share = |who: &User, level: &str, object: Value| json!({"subject": user(who), "level": level, "object": object});
    let calls = [
        ("GET", "/v1/apps".to_owned(), Value::Null),
        ("GET", format!("/v1/apps/{hidden}"), Value::Null),
        ("GET", format!("/v1/apps/{seen}"), Value::Null),
        ("PATCH", format!("/v1/apps/{mine}"), json!({"name": "Still mine"})),
        ("PATCH", format!("/v1/apps/{seen}"), json!({"name": "Mine, too"})),
        ("PATCH", format!("/v1/apps/{hidden}"), json!({"name": "Mine, too"})),
        ("PATCH", format!("/v1/apps/{mine}"), json!({"folder": null})),
        ("POST", "/v1/apps".to_owned(), json!({"name": "New", "folder": folder})),
        ("POST", "/v1/apps".to_owned(), json!({"name": "New, too"})),
        ("POST", format!("/v1/apps/{seen}/release"), Value::Null),
        ("POST", "/v1/grants".to_owned(), share(&dan, "own", json!({"app": mine}))),
        ("POST", "/v1/grants".to_owned(), share(&cat, "own", json!({"app": mine}))),
        ("POST", "/v1/grants".to_owned(), share(&dan, "use", json!({"app": seen}))),
        ("POST", "/v1/grants".to_owned(), share(&dan, "use", json!({"folder": folder}))),
        ("POST", "/v1/grants".to_owned(), share(&dan, "use", json!({"all": "apps"}))),
        ("GET", "/v1/resources".to_owned(), Value::Null),
        ("GET", format!("/v1/resources/{resource}"), Value::Null),
        ("GET", "/v1/grants".to_owned(), Value::Null),
        ("GET", format!("/v1/grants?user={}", cat.id), Value::Null),
        ("GET", format!("/v1/grants?app={mine}"), Value::Null),
        ("GET", format!("/v1/grants?app={seen}"), Value::Null),
        ("GET", "/v1/environments?q=prod".to_owned(), Value::Null),
        ("POST", "/v1/environments".to_owned(), json!({"name": "x", "kind": "staging"})),
    ];
    for (method, path, body) in calls {
        let shown = if method == "POST" { format!(" {body}") } else { String::new() };
        let answer = estate.call(&cookie, method, &path, body).await;
        let told = match answer.status.as_u16() {
            200 | 201 => {
                let body = answer.json();
                let total = body["total"].as_u64().map(|total| format!(" {total} of them")).unwrap_or_default();
                format!("{}{total}", answer.status.as_u16())
            }
            _ => answer.problem(),
        };
        let named = [(&folder, "FOLDER"), (&mine, "MINE"), (&seen, "SEEN"), (&hidden, "HIDDEN"), (&resource, "RES")];
        let text =
            named.iter().fold(format!("{method} {path}{shown}: {told}"), |text, (id, name)| text.replace(id.as_str(), name));
        lines.push(text.replace(cat.id.as_str(), "CAT").replace(dan.id.as_str(), "DAN"));
    }
    expect_test::expect![[r#"
        GET /v1/apps: 200 2 of them
        GET /v1/apps/HIDDEN: 404 urn:acta:problem:not-found: There is no such app.
        GET /v1/apps/SEEN: 200
        PATCH /v1/apps/MINE: 200
        PATCH /v1/apps/SEEN: 403 urn:acta:problem:denied: You may not do this. Nothing permits app:edit: it needs a grant of the level edit, or higher, on the object or on what it lies in, or a role with this permission.
        PATCH /v1/apps/HIDDEN: 404 urn:acta:problem:not-found: There is no such app.
        PATCH /v1/apps/MINE: 403 urn:acta:problem:denied: You may not do this: your role, member, does not allow this; owners and admins may.
        POST /v1/apps {"name":"New","folder":"FOLDER"}: 201
        POST /v1/apps {"name":"New, too"}: 403 urn:acta:problem:denied: You may not do this: your role, member, does not allow this; owners and admins may.
        POST /v1/apps/SEEN/release null: 403 urn:acta:problem:denied: You may not do this. Nothing permits app:release: it needs a grant of the level edit, or higher, on the object or on what it lies in, or a role with this permission.
        POST /v1/grants {"subject":{"user":"DAN"},"level":"own","object":{"app":"MINE"}}: 201
        POST /v1/grants {"subject":{"user":"CAT"},"level":"own","object":{"app":"MINE"}}: 403 urn:acta:problem:denied: You may not do this. Nobody grants anything to herself.
        POST /v1/grants {"subject":{"user":"DAN"},"level":"use","object":{"app":"SEEN"}}: 403 urn:acta:problem:denied: You may not do this. Nothing permits app:share: it needs a grant of the level own, or higher, on the object or on what it lies in, or a role with this permission.
        POST /v1/grants {"subject":{"user":"DAN"},"level":"use","object":{"folder":"FOLDER"}}: 403 urn:acta:problem:denied: You may not do this. Nothing permits folder:share: it needs a grant of the level own, or higher, on the object or on what it lies in, or a role with this permission.
        POST /v1/grants {"subject":{"user":"DAN"},"level":"use","object":{"all":"apps"}}: 403 urn:acta:problem:denied: You may not do this: your role, member, does not allow this; owners and admins may.
        GET /v1/resources: 200 0 of them
        GET /v1/resources/RES: 404 urn:acta:problem:not-found: There is no such resource.
        GET /v1/grants: 403 urn:acta:problem:denied: You may not do this: your role, member, does not allow this; owners, admins and auditors may.
        GET /v1/grants?user=CAT: 200 3 of them
        GET /v1/grants?app=MINE: 200 2 of them
        GET /v1/grants?app=SEEN: 403 urn:acta:problem:denied: You may not do this. Nothing permits app:share: it needs a grant of the level own, or higher, on the object or on what it lies in, or a role with this permission.
        GET /v1/environments?q=prod: 200 1 of them
        POST /v1/environments {"name":"x","kind":"staging"}: 403 urn:acta:problem:denied: You may not do this: your role, member, does not allow this; owners and admins may."#]].assert_eq(&lines.join("\n"));
    // What she was given counts at once.
    assert_eq!(estate.get(&dans, "/v1/apps").await.json()["total"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_grants_data_to_others_but_not_to_herself_nor_to_her_own_group() {
    let estate = Estate::start();
    let production = estate.environment("production").await;
    let resource = estate.resource("Ledger", &[&production]).await;
    let (ann, anns) = estate.person("ann", Role::Owner);
    let (cat, _) = estate.person("cat", Role::Member);
    let data = json!({"resource": resource, "environment": production});
    let mut lines = Vec::new();
    for (who, object) in [
        (&cat, data.clone()),
        (&ann, data),
        (&ann, json!({"all": "resources", "environment": production})),
        (&ann, json!({"all": "apps"})),
        (&cat, json!({"all": "apps"})),
    ] {
        let body = json!({"subject": {"user": who.id.as_str()}, "level": "own", "object": object});
        let answer = estate.call(&anns, "POST", "/v1/grants", body).await;
        lines.push(if answer.status == StatusCode::CREATED { "201".into() } else { answer.problem() });
    }
    expect_test::expect![[r#"
        201
        403 urn:acta:problem:denied: You may not do this. Nobody grants anything to herself.
        403 urn:acta:problem:denied: You may not do this. Nobody grants anything to herself.
        403 urn:acta:problem:denied: You may not do this. Nobody grants anything to herself.
        201"#]]
    .assert_eq(&lines.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_organization_s_things_are_not_there() {
    let estate = Estate::start();
    let app = estate.made("/v1/apps", json!({"name": "Refunds"})).await;
    let other = estate
        .server
        .app
        .directory
        .create_organization(&directory::ChangedBy::cli(), "Other", estate.server.app.now())
        .unwrap();
    let scopes = [KeyScope::DirectoryWrite, KeyScope::DirectoryRead];
    let stranger = bearer(&estate.server.new_key_in(&other, &scopes, None));
    for (method, path) in [("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/release")] {
        let body = if method == "PATCH" { json!({"name": "x"}) } else { Value::Null };
        let answer = estate.call(&stranger, method, &format!("/v1/apps/{app}{path}"), body).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method} {path}");
    }
    let body = json!({"subject": {"user": "u_0000000000000000"}, "level": "use", "object": {"app": app}});
    assert_eq!(estate.call(&stranger, "POST", "/v1/grants", body).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(estate.get(&stranger, "/v1/apps").await.json()["total"], 0);
}
