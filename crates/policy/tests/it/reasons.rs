//! Why something is permitted, in the words that people read, and how far grants and roles go.

use access::facts::Facts;
use access::{BuiltInRole, GrantObject, Level, SubjectKind};
use expect_test::expect;
use policy::{Circumstances, Object, Principal};

use crate::world::{app, data, decide, facts, grant, ledger, model, now, person, role};

fn told(facts: &Facts, who: &Principal, what: &str, on: &Object) -> String {
    let decision = decide(facts, who, what, on, &Circumstances::default());
    let why: Vec<String> = decision.why.iter().map(ToString::to_string).collect();
    format!("{} {who} {what} {on}: {}\n", if decision.allowed { "yes" } else { "NO " }, why.join(" "))
}

#[test]
fn a_grant_reaches_what_lies_inside_and_a_level_includes_the_one_before() {
    let mut facts = facts();
    facts.grants = vec![
        grant("g1", SubjectKind::Group, "builders", Level::Edit, GrantObject::Folder("desk".into())),
        grant("g2", SubjectKind::User, "dan", Level::Use, GrantObject::Team("sales".into())),
        grant("g3", SubjectKind::User, "dan", Level::Own, data("dev")),
        grant("g4", SubjectKind::User, "dan", Level::Use, GrantObject::AllApps),
    ];
    let mut lines = String::new();
    for what in ["app:view", "app:run", "app:edit", "app:share"] {
        lines += &told(&facts, &person("cat"), what, &app("refunds"));
    }
    lines += &told(&facts, &person("cat"), "folder:edit", &Object::Folder("drawer".into()));
    lines += &told(&facts, &person("cat"), "workflow:enable", &Object::Workflow("nightly".into()));
    lines += &told(&facts, &person("cat"), "app:view", &app("draft"));
    lines += &told(&facts, &person("cat"), "resource:query", &ledger("dev"));
    lines += &told(&facts, &person("dan"), "app:run", &app("refunds"));
    lines += &told(&facts, &person("dan"), "app:run", &app("draft"));
    lines += &told(&facts, &person("dan"), "team:manage", &Object::Team("sales".into()));
    lines += &told(&facts, &person("dan"), "resource:reveal_secret", &ledger("dev"));
    lines += &told(&facts, &person("dan"), "resource:query", &ledger("stage"));
    lines += &told(&facts, &person("dan"), "app:run", &ledger("stage"));
    expect![[r#"
        yes user cat app:view app refunds: A grant of the level edit on folder “DESK”, which holds app “REFUNDS” in folder “DRAWER”, given to group “BUILDERS”, which holds group “INTERNS”.
        yes user cat app:run app refunds: A grant of the level edit on folder “DESK”, which holds app “REFUNDS” in folder “DRAWER”, given to group “BUILDERS”, which holds group “INTERNS”.
        yes user cat app:edit app refunds: A grant of the level edit on folder “DESK”, which holds app “REFUNDS” in folder “DRAWER”, given to group “BUILDERS”, which holds group “INTERNS”.
        NO  user cat app:share app refunds: Nothing permits app:share: it needs a grant of the level own, or higher, on the object or on what it lies in, or a role with this permission.
        yes user cat folder:edit folder drawer: A grant of the level edit on folder “DESK”, which holds folder “DRAWER”, given to group “BUILDERS”, which holds group “INTERNS”.
        yes user cat workflow:enable workflow nightly: A grant of the level edit on folder “DESK”, which holds workflow “NIGHTLY” in folder “DRAWER”, given to group “BUILDERS”, which holds group “INTERNS”.
        NO  user cat app:view app draft: Nothing permits app:view: it needs a grant of the level use, or higher, on the object or on what it lies in, or a role with this permission.
        NO  user cat resource:query resource ledger in environment dev: Nothing permits resource:query: it needs a grant of the level use, or higher, on the object.
        yes user dan app:run app refunds: A grant of the level use on team “SALES”, which holds app “REFUNDS” in folder “DRAWER” in folder “DESK”. A grant of the level use on all apps, among them app “REFUNDS”.
        yes user dan app:run app draft: A grant of the level use on all apps, among them app “DRAFT”.
        NO  user dan team:manage team sales: Nothing permits team:manage: it needs a role with this permission.
        yes user dan resource:reveal_secret resource ledger in environment dev: A grant of the level own on resource “LEDGER”.
        NO  user dan resource:query resource ledger in environment stage: Nothing permits resource:query: it needs a grant of the level use, or higher, on the object.
        NO  user dan app:run resource ledger in environment stage: Nothing permits app:run: it needs a role with this permission.
    "#]].assert_eq(&lines);
}

#[test]
fn a_role_acts_where_it_was_given_and_never_touches_data() {
    let mut facts = facts();
    let mut every = role("r3", BuiltInRole::Viewer, SubjectKind::User, "dan", Some("sales"));
    every.permissions = access::Permission::ALL.to_vec();
    facts.assignments = vec![
        role("r1", BuiltInRole::TeamAdmin, SubjectKind::Group, "builders", Some("sales")),
        role("r2", BuiltInRole::Operator, SubjectKind::User, "cat", None),
        every,
    ];
    let mut lines = String::new();
    lines += &told(&facts, &person("cat"), "app:share", &app("refunds"));
    lines += &told(&facts, &person("cat"), "app:share", &app("draft"));
    lines += &told(&facts, &person("cat"), "app:run", &app("draft"));
    lines += &told(&facts, &person("cat"), "app:run", &app("refunds"));
    lines += &told(&facts, &person("cat"), "team:manage", &Object::Team("sales".into()));
    lines += &told(&facts, &person("cat"), "team:manage", &Object::Team("ops".into()));
    lines += &told(&facts, &person("cat"), "log:read", &Object::Team("sales".into()));
    lines += &told(&facts, &person("cat"), "log:read", &Object::Organization);
    lines += &told(&facts, &person("ann"), "log:read", &Object::Team("sales".into()));
    for what in ["resource:query", "resource:configure"] {
        lines += &told(&facts, &person("ann"), what, &ledger("dev"));
        lines += &told(&facts, &person("dan"), what, &ledger("dev"));
    }
    expect![[r#"
        yes user cat app:share app refunds: The role team_admin in team “SALES”, given to group “BUILDERS”, which holds group “INTERNS”.
        NO  user cat app:share app draft: Nothing permits app:share: it needs a grant of the level own, or higher, on the object or on what it lies in, or a role with this permission.
        yes user cat app:run app draft: The role operator in the organization.
        yes user cat app:run app refunds: The role team_admin in team “SALES”, given to group “BUILDERS”, which holds group “INTERNS”. The role operator in the organization.
        yes user cat team:manage team sales: The role team_admin in team “SALES”, given to group “BUILDERS”, which holds group “INTERNS”.
        NO  user cat team:manage team ops: Nothing permits team:manage: it needs a role with this permission.
        yes user cat log:read team sales: The role team_admin in team “SALES”, given to group “BUILDERS”, which holds group “INTERNS”.
        NO  user cat log:read the organization: Nothing permits log:read: it needs a role with this permission.
        yes user ann log:read team sales: The standing of owner in the organization.
        NO  user ann resource:query resource ledger in environment dev: Nothing permits resource:query: it needs a grant of the level use, or higher, on the object.
        NO  user dan resource:query resource ledger in environment dev: Nothing permits resource:query: it needs a grant of the level use, or higher, on the object.
        yes user ann resource:configure resource ledger in environment dev: The standing of owner in the organization.
        yes user dan resource:configure resource ledger in environment dev: The role viewer in team “SALES”.
    "#]].assert_eq(&lines);
}

#[test]
fn what_has_expired_permits_nothing() {
    let mut facts = facts();
    facts.grants = vec![grant("g1", SubjectKind::User, "cat", Level::Use, GrantObject::AllApps)];
    facts.assignments = vec![role("r1", BuiltInRole::Viewer, SubjectKind::User, "cat", None)];
    for (end, may) in [(None, true), (Some(now().plus_millis(1)), true), (Some(now()), false)] {
        facts.grants[0].expires_at = end;
        facts.assignments[0].expires_at = end;
        let said = Circumstances::default();
        assert_eq!(decide(&facts, &person("cat"), "app:view", &app("draft"), &said).allowed, may, "{end:?}");
        assert_eq!(!model(&facts).what_can(&person("cat"), &said, now()).is_empty(), may, "{end:?}");
    }
}

#[test]
fn who_can_tells_who_is_stopped_and_what_can_tells_what_is() {
    let mut facts = facts();
    facts.grants = vec![
        grant("g1", SubjectKind::Group, "builders", Level::Use, data("prod")),
        grant("g2", SubjectKind::ServiceAccount, "robot", Level::Edit, data("prod")),
        grant("g3", SubjectKind::User, "dan", Level::Use, GrantObject::AllWorkflows),
    ];
    facts.users[3].active = false;
    let model = model(&facts);
    let said = Circumstances::default();
    let query = "resource:query".parse().unwrap();
    let mut lines = String::new();
    for able in model.who_can(query, &ledger("prod"), &said, now()) {
        let why: Vec<String> = able.why.iter().map(ToString::to_string).collect();
        lines += &format!("{} {}: {}\n", if able.allowed { "yes" } else { "NO " }, able.principal, why.join(" "));
    }
    for who in [crate::world::robot(), person("dan"), person("zoe")] {
        for held in model.what_can(&who, &said, now()) {
            let permissions: Vec<&str> = held.permissions.iter().map(|one| one.as_str()).collect();
            let stopped: Vec<String> = held.stopped.iter().map(|(one, why)| format!("{one} ({})", why[0])).collect();
            let why: Vec<String> = held.why.iter().map(ToString::to_string).collect();
            lines += &format!(
                "{who} on {}: may {}; stopped {}; {}\n",
                held.object,
                permissions.join(" "),
                stopped.join(" "),
                why.join(" ")
            );
        }
    }
    expect![[r#"
        NO  user cat: A grant of the level use on resource “LEDGER”, given to group “BUILDERS”, which holds group “INTERNS”. A person reaches production data only through a released app that she may run.
        yes service account robot: A grant of the level edit on resource “LEDGER”.
        service account robot on resource ledger in environment prod: may resource:query resource:adhoc_query resource:write_query; stopped ; A grant of the level edit on resource “LEDGER”.
        user dan on workflow nightly: may ; stopped workflow:view (This account is disabled.) workflow:run (This account is disabled.); A grant of the level use on all workflows, among them workflow “NIGHTLY”.
    "#]].assert_eq(&lines);
}
