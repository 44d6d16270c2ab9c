//! Decisions over HTTP: one, many, who can, what can, and who may ask.

use access::{KeyScope, Role};
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::estate::{Estate, bearer};

async fn world() -> (Estate, String, String, String, [String; 2]) {
    let estate = Estate::start();
    let app = estate.made("/v1/apps", json!({"name": "Refunds"})).await;
    let (cat, cookie) = estate.person("cat", Role::Member);
    let environments = [estate.environment("development").await, estate.environment("production").await];
    let resource = estate.resource("Ledger", &[&environments[0], &environments[1]]).await;
    let user = || json!({"user": cat.id.as_str()});
    estate.grant(user(), "use", json!({"app": app})).await;
    for environment in &environments {
        estate.grant(user(), "edit", json!({"resource": resource, "environment": environment})).await;
    }
    (estate, cat.id.to_string(), cookie, resource, [app, environments[1].clone()])
}

/// What is left when ids are taken out.
fn plain(answer: &Value, ids: &[(&str, &str)]) -> String {
    let text = serde_json::to_string_pretty(answer).unwrap();
    let text = ids.iter().fold(text, |text, (id, name)| text.replace(id, name));
    let words = text.split("\"grant_").enumerate().map(|(at, part)| match (at, part.split_at_checked(16)) {
        (0, _) | (_, None) => part.to_owned(),
        (_, Some((_, rest))) => format!("\"grant_…{rest}"),
    });
    words.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_tells_why() {
    let (estate, cat, cookie, resource, [app, production]) = world().await;
    let ids = [(&*cat, "CAT"), (&*app, "APP"), (&*resource, "RES"), (&*production, "PROD")];
    let reader = bearer(&estate.server.new_key(&[KeyScope::DirectoryRead], None));
    let data = || json!({"resource": resource, "environment": production});
    let question =
        |permission: &str, object: Value| json!({"principal": {"user": cat}, "permission": permission, "object": object});
    let mut lines = Vec::new();
    let mut via = question("resource:query", data());
    via["context"] = json!({"via_app": app});
    for body in [
        question("app:run", json!({"app": app})),
        question("app:edit", json!({"app": app})),
        question("resource:query", data()),
        via.clone(),
    ] {
        let answer = estate.call(&reader, "POST", "/v1/authorize", body).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        lines.push(plain(&answer.json(), &ids));
    }
    expect_test::expect![[r#"
        {
          "allowed": true,
          "reasons": [
            {
              "kind": "grant",
              "id": "grant_…",
              "level": "use",
              "object_path": [
                {
                  "type": "app",
                  "id": "APP",
                  "name": "Refunds"
                }
              ],
              "text": "A grant of the level use on app “Refunds”."
            }
          ]
        }
        {
          "allowed": false,
          "reasons": [
            {
              "kind": "nothing",
              "level": "edit",
              "text": "Nothing permits app:edit: it needs a grant of the level edit, or higher, on the object or on what it lies in, or a role with this permission."
            }
          ]
        }
        {
          "allowed": false,
          "reasons": [
            {
              "kind": "guardrail",
              "id": "production-through-released-app",
              "text": "A person reaches production data only through a released app that she may run."
            }
          ]
        }
        {
          "allowed": false,
          "reasons": [
            {
              "kind": "guardrail",
              "id": "production-through-released-app",
              "text": "A person reaches production data only through a released app that she may run."
            }
          ]
        }"#]].assert_eq(&lines.join("\n"));

    // The app is released: a model made before would still say no.
    estate.call(&estate.admin, "POST", &format!("/v1/apps/{app}/release"), Value::Null).await;
    assert_eq!(estate.call(&reader, "POST", "/v1/authorize", via.clone()).await.json()["allowed"], true);
    let many = json!({"requests": [via, question("app:share", json!({"app": app}))]});
    let many = estate.call(&cookie, "POST", "/v1/authorize", many).await.json();
    assert_eq!(many["decisions"][0]["allowed"], true);
    assert_eq!(many["decisions"][1]["allowed"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_wrongly_is_told() {
    let (estate, cat, cookie, _, [app, _]) = world().await;
    let (_, other) = estate.person("dan", Role::Member);
    let writer = bearer(&estate.server.new_key(&[KeyScope::EventsWrite], None));
    let question =
        |permission: &str, object: Value| json!({"principal": {"user": cat}, "permission": permission, "object": object});
    let mut lines = Vec::new();
    for (caller, body) in [
        (&estate.admin, question("app:fly", json!({"app": app}))),
        (&estate.admin, question("app:run", json!({"app": app, "team": "ops"}))),
        (&estate.admin, question("app:run", json!({"organization": true}))),
        (&estate.admin, json!({"principal": {"group": "g"}, "permission": "app:run", "object": {"app": app}})),
        (&estate.admin, json!({"permission": "app:run"})),
        (&estate.admin, json!({"requests": [question("app:run", json!({"app": app})), question("app:run", json!({}))]})),
        (&estate.admin, json!({"requests": vec![question("app:run", json!({"app": app})); 1_001]})),
        (&other, question("app:run", json!({"app": app}))),
        (&writer, question("app:run", json!({"app": app}))),
        (&cookie, question("app:run", json!({"app": app}))),
    ] {
        let answer = estate.call(caller, "POST", "/v1/authorize", body).await;
        lines.push(if answer.status == StatusCode::OK { "200".into() } else { answer.problem() });
    }
    for path in [
        "/v1/who-can",
        "/v1/who-can?permission=app:run",
        "/v1/what-can",
        "/v1/what-can?user=u_0000000000000000",
        "/v1/what-can?group=g",
    ] {
        lines.push(format!("{path}: {}", estate.get(&estate.admin, path).await.problem()));
    }
    lines.push(estate.get(&cookie, &format!("/v1/who-can?permission=app:run&app={app}")).await.problem());
    expect_test::expect![[r#"
        422 urn:acta:problem:invalid: /permission "app:fly" is not one of app:view, app:run, app:edit, app:release, app:export, app:delete, app:move, app:share, workflow:view, workflow:run, workflow:edit, workflow:release, workflow:enable, workflow:delete, workflow:move, workflow:share, resource:query, resource:adhoc_query, resource:write_query, resource:configure, resource:reveal_secret, resource:share, folder:view, folder:edit, folder:move, folder:share, team:manage, log:read, log:verify, log:export, log:write, log:configure, log:set_retention, log:manage_keys, directory:read, directory:change, organization:manage, review:decide
            /permission: "app:fly" is not one of app:view, app:run, app:edit, app:release, app:export, app:delete, app:move, app:share, workflow:view, workflow:run, workflow:edit, workflow:release, workflow:enable, workflow:delete, workflow:move, workflow:share, resource:query, resource:adhoc_query, resource:write_query, resource:configure, resource:reveal_secret, resource:share, folder:view, folder:edit, folder:move, folder:share, team:manage, log:read, log:verify, log:export, log:write, log:configure, log:set_retention, log:manage_keys, directory:read, directory:change, organization:manage, review:decide
        422 urn:acta:problem:invalid: /object names one object: organization (true), team, folder, app, workflow, or a resource with an environment
            /object: names one object: organization (true), team, folder, app, workflow, or a resource with an environment
        422 urn:acta:problem:invalid: /object is not an object of app:run, which is about the app
            /object: is not an object of app:run, which is about the app
        422 urn:acta:problem:invalid: /principal names a user or a service_account, not a group
            /principal: names a user or a service_account, not a group
        422 urn:acta:problem:invalid: The body has principal, permission and object, or else requests
            : The body has principal, permission and object, or else requests
        422 urn:acta:problem:invalid: /requests/1/object names one object: organization (true), team, folder, app, workflow, or a resource with an environment
            /requests/1/object: names one object: organization (true), team, folder, app, workflow, or a resource with an environment
        422 urn:acta:problem:invalid: /requests holds more than 1000 questions
            /requests: holds more than 1000 questions
        403 urn:acta:problem:denied: You may not do this: your role, member, does not allow this; owners, admins and auditors may.
        403 urn:acta:problem:denied: You may not do this: this API key does not have the scope directory:read.
        200
        /v1/who-can: 422 urn:acta:problem:invalid: permission is missing
            permission: is missing
        /v1/who-can?permission=app:run: 422 urn:acta:problem:invalid: permission is about the app, not about such an object
            permission: is about the app, not about such an object
        /v1/what-can: 422 urn:acta:problem:invalid: user is missing
            user: is missing
        /v1/what-can?user=u_0000000000000000: 404 urn:acta:problem:not-found: There is no such user.
        /v1/what-can?group=g: 422 urn:acta:problem:invalid: group is not a parameter here; known are page, per_page, user, service_account
            group: is not a parameter here; known are page, per_page, user, service_account
        403 urn:acta:problem:denied: You may not do this: your role, member, does not allow this; owners, admins and auditors may."#]].assert_eq(&lines.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_can_and_what_can_are_paged_and_recorded() {
    let (estate, cat, cookie, resource, [app, production]) = world().await;
    let ids = [(&*cat, "CAT"), (&*app, "APP"), (&*resource, "RES"), (&*production, "PROD")];
    estate.person("ann", Role::Owner);
    let path = format!("/v1/who-can?permission=resource:query&resource={resource}&environment={production}");
    let who = estate.get(&estate.admin, &path).await.json();
    expect_test::expect![[r#"
        {
          "principals": [
            {
              "principal": {
                "user": "CAT"
              },
              "name": "Somebody",
              "allowed": false,
              "reasons": [
                {
                  "kind": "grant",
                  "id": "grant_…",
                  "level": "edit",
                  "object_path": [
                    {
                      "type": "resource",
                      "id": "RES",
                      "name": "Ledger"
                    }
                  ],
                  "text": "A grant of the level edit on resource “Ledger”."
                },
                {
                  "kind": "guardrail",
                  "id": "production-through-released-app",
                  "text": "A person reaches production data only through a released app that she may run."
                }
              ]
            }
          ],
          "page": 1,
          "per_page": 50,
          "pages": 1,
          "total": 1
        }"#]]
    .assert_eq(&plain(&who, &ids));
    let page =
        estate.get(&estate.admin, &format!("/v1/who-can?permission=app:run&app={app}&per_page=1&page=2")).await.json();
    assert_eq!((page["total"].as_u64(), page["principals"].as_array().unwrap().len()), (Some(2), 1));

    let mine = estate.get(&cookie, &format!("/v1/what-can?user={cat}")).await.json();
    assert_eq!(mine["total"], 3);
    let app_held = &mine["objects"][0];
    assert_eq!(app_held["permissions"], json!(["app:view", "app:run"]));
    assert_eq!(estate.get(&estate.admin, &format!("/v1/what-can?user={cat}")).await.json(), mine);

    // Each question once, however often it is asked.
    estate.get(&estate.admin, &path).await;
    assert_eq!(estate.server.total("action=VIEW_PERMISSIONS").await, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_about_herself_is_answered_as_her_session_stands() {
    let (estate, cat, cookie, resource, [_, production]) = world().await;
    let data = json!({"resource": resource, "environment": production});
    let found =
        estate.get(&estate.admin, &format!("/v1/grants?user={cat}&resource={resource}&environment={production}")).await;
    let grant = found.json()["grants"][0]["id"].as_str().unwrap().to_owned();
    estate.call(&estate.admin, "DELETE", &format!("/v1/grants/{grant}"), Value::Null).await;
    estate.grant(json!({"user": cat}), "own", data.clone()).await;
    // She has set one up, in another session than this.
    let database = rusqlite::Connection::open(estate.server.app.config.data.join("acta.db")).unwrap();
    database.execute("UPDATE users SET second_factor_since = 1 WHERE id = ?1", [&cat]).unwrap();
    database.execute("UPDATE organizations SET epoch = epoch + 1", []).unwrap();
    let reader = bearer(&estate.server.new_key(&[KeyScope::DirectoryRead], None));
    let ask = async |caller: &str, context: Value| {
        let body = json!({"principal": {"user": cat}, "permission": "resource:reveal_secret", "object": data,
            "context": context});
        estate.call(caller, "POST", "/v1/authorize", body).await.json()["allowed"].as_bool().unwrap()
    };
    assert!(ask(&reader, json!({})).await, "somebody else can only tell that she would");
    assert!(!ask(&cookie, json!({})).await);
    assert!(ask(&cookie, json!({"second_factor": true})).await, "as if she had");
    let held = estate.get(&cookie, &format!("/v1/what-can?user={cat}")).await.json();
    let stopped =
        |held: &Value| held["objects"].as_array().unwrap().iter().any(|it| it.to_string().contains("-second-factor"));
    assert!(stopped(&held), "{held}");
    database.execute("UPDATE sessions SET second_factor_at = 1", []).unwrap();
    assert!(ask(&cookie, json!({})).await);
    assert!(!stopped(&estate.get(&cookie, &format!("/v1/what-can?user={cat}")).await.json()));
}
