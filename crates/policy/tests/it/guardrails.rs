//! What each guardrail forbids, and what it lets through.

use access::facts::Facts;
use access::{GrantObject, Level, Role, SubjectKind};
use expect_test::expect;
use policy::{Beneficiary, Circumstances, GUARDRAILS, Object, Principal, Reason, Review};

use crate::world::{app, data, decide, facts, grant, ledger, person, robot};

/// The organization in which everybody holds everything that can be granted, so that only guardrails are left to say no.
fn everything_granted() -> Facts {
    let mut facts = facts();
    for (number, (subject, to)) in [
        (SubjectKind::User, "ann"),
        (SubjectKind::User, "ben"),
        (SubjectKind::Group, "builders"),
        (SubjectKind::User, "dan"),
        (SubjectKind::ServiceAccount, "robot"),
    ]
    .into_iter()
    .enumerate()
    {
        let objects = [
            GrantObject::AllApps,
            GrantObject::AllWorkflows,
            GrantObject::AllFolders,
            data("dev"),
            GrantObject::AllResources { environment: "stage".into() },
            data("prod"),
        ];
        for (object, number) in objects.into_iter().zip(number * 10..) {
            facts.grants.push(grant(&format!("g{number}"), subject, to, Level::Own, object));
        }
        let mut all = crate::world::role(&format!("r{number}"), access::BuiltInRole::Viewer, subject, to, None);
        all.permissions = Role::Owner.permissions();
        facts.assignments.push(all);
    }
    facts
}

fn said(change: impl FnOnce(&mut Circumstances)) -> Circumstances {
    let mut said = Circumstances::default();
    change(&mut said);
    said
}

struct Table {
    lines: Vec<String>,
    fired: Vec<String>,
}

impl Table {
    fn ask(&mut self, facts: &Facts, who: Principal, what: &str, on: Object, said: Circumstances, told: &str) {
        let decision = decide(facts, &who, what, &on, &said);
        let mut ids = Vec::new();
        for reason in &decision.why {
            match reason {
                Reason::Guardrail { id, .. } => ids.push(id.to_string()),
                Reason::Nothing { .. } => ids.push("nothing permits it".into()),
                Reason::Grant { .. } | Reason::Role { .. } => {}
            }
        }
        let answer = if decision.allowed { "yes".to_owned() } else { format!("NO: {}", ids.join(", ")) };
        let told = if told.is_empty() { String::new() } else { format!(" ({told})") };
        self.lines.push(format!("{who} {what} {on}{told}: {answer}"));
        self.fired.extend(ids);
    }
}

#[test]
fn the_table() {
    let mut table = Table { lines: Vec::new(), fired: Vec::new() };
    let plain = Circumstances::default;
    let all = everything_granted();
    let organization = Object::Organization;

    let mut changed = all.clone();
    changed.users[2].active = false;
    table.ask(&all, person("cat"), "app:run", app("refunds"), plain(), "active");
    table.ask(&changed, person("cat"), "app:run", app("refunds"), plain(), "disabled");
    table.ask(&all, person("zoe"), "app:run", app("refunds"), plain(), "nobody here");
    table.ask(&all, Principal::ServiceAccount("zoe".into()), "app:run", app("refunds"), plain(), "nobody here");
    table.ask(&all, person("cat"), "app:run", app("other"), plain(), "no such app");

    let mut changed = all.clone();
    changed.organization.archived = true;
    table.ask(&changed, person("ann"), "log:read", organization.clone(), plain(), "archived");
    let mut changed = all.clone();
    (changed.apps[0].archived, changed.workflows[0].archived, changed.resources[0].archived) = (true, true, true);
    for what in ["app:view", "app:delete", "app:run", "app:share"] {
        table.ask(&changed, person("cat"), what, app("refunds"), plain(), "archived");
    }
    table.ask(&changed, person("cat"), "workflow:run", Object::Workflow("nightly".into()), plain(), "archived");
    table.ask(&changed, person("cat"), "resource:query", ledger("dev"), plain(), "archived");

    let mut required = all.clone();
    required.organization.second_factor_required = true;
    let factor = |shown| said(|it| it.second_factor = Some(shown));
    table.ask(&all, person("ann"), "directory:change", organization.clone(), factor(false), "not required");
    table.ask(&required, person("ann"), "directory:change", organization.clone(), plain(), "required, none set up");
    table.ask(&required, person("ann"), "directory:change", organization.clone(), factor(false), "required, not shown");
    table.ask(&required, person("ann"), "directory:change", organization.clone(), factor(true), "required, shown");
    table.ask(&required, person("ann"), "log:read", organization.clone(), factor(false), "required, not shown");
    required.users[0].second_factor = true;
    table.ask(&required, person("ann"), "directory:change", organization.clone(), plain(), "required, set up");
    table.ask(&required, robot(), "log:configure", organization.clone(), plain(), "required");

    let to = |beneficiary| said(|it| it.beneficiary = Some(beneficiary));
    table.ask(&all, person("cat"), "app:share", app("refunds"), to(Beneficiary::User("cat".into())), "to herself");
    table.ask(&all, person("cat"), "app:share", app("refunds"), to(Beneficiary::User("dan".into())), "to another");
    let herself = || to(Beneficiary::User("ann".into()));
    table.ask(&all, person("ann"), "team:manage", Object::Team("sales".into()), herself(), "to herself");
    table.ask(&all, person("ann"), "directory:change", organization.clone(), herself(), "to herself");
    let own_group = || to(Beneficiary::Group("builders".into()));
    table.ask(&all, person("cat"), "app:share", app("refunds"), own_group(), "to her group");
    table.ask(&all, person("cat"), "resource:share", ledger("dev"), own_group(), "to her group");
    table.ask(&all, person("cat"), "directory:change", organization.clone(), own_group(), "all data, to her group");
    table.ask(&all, person("dan"), "resource:share", ledger("dev"), own_group(), "to a group she is not in");
    table.ask(&all, robot(), "app:share", app("refunds"), to(Beneficiary::ServiceAccount("robot".into())), "to itself");

    let via = |app: &str| said(|it| it.via_app = Some(app.into()));
    table.ask(&all, person("cat"), "resource:query", ledger("stage"), plain(), "");
    table.ask(&all, person("cat"), "resource:query", ledger("prod"), plain(), "");
    table.ask(&all, person("cat"), "resource:query", ledger("prod"), via("refunds"), "through a released app");
    let mut no_apps = all.clone();
    no_apps.grants.retain(|grant| !matches!(grant.object, GrantObject::AllApps | GrantObject::AllFolders));
    no_apps.assignments.clear();
    table.ask(&no_apps, person("cat"), "resource:query", ledger("prod"), via("refunds"), "through an app she may not run");
    table.ask(&no_apps, robot(), "resource:query", ledger("prod"), via("refunds"), "through an app it may not run");
    table.ask(&all, person("cat"), "resource:query", ledger("prod"), via("draft"), "through an app not released");
    table.ask(&all, person("cat"), "resource:query", ledger("prod"), via("other"), "through an app that there is not");
    table.ask(&changed, person("cat"), "resource:query", ledger("prod"), via("refunds"), "all archived");
    table.ask(&all, robot(), "resource:query", ledger("prod"), plain(), "");
    for what in ["resource:adhoc_query", "resource:write_query"] {
        table.ask(&all, person("cat"), what, ledger("stage"), plain(), "");
        table.ask(&all, person("cat"), what, ledger("prod"), via("refunds"), "through a released app");
    }
    let mut sensitive = all.clone();
    sensitive.entries.iter_mut().for_each(|entry| entry.sensitive = true);
    table.ask(&sensitive, person("cat"), "resource:adhoc_query", ledger("dev"), plain(), "sensitive");
    table.ask(&sensitive, person("cat"), "resource:adhoc_query", ledger("dev"), factor(true), "sensitive, factor shown");

    table.ask(&all, person("cat"), "resource:reveal_secret", ledger("stage"), plain(), "");
    table.ask(&all, person("cat"), "resource:reveal_secret", ledger("prod"), plain(), "");
    table.ask(&all, person("cat"), "resource:reveal_secret", ledger("prod"), factor(true), "factor shown");
    table.ask(&all, robot(), "resource:reveal_secret", ledger("stage"), plain(), "");

    let review = |subject: &str, grantor: &str| {
        said(|it| it.review = Some(Review { subject: Some(subject.into()), grantor: Some(grantor.into()) }))
    };
    table.ask(&all, person("ann"), "review:decide", organization.clone(), review("cat", "ben"), "cat's, from ben");
    table.ask(&all, person("ann"), "review:decide", organization.clone(), review("ann", "ben"), "her own");
    table.ask(&all, person("ann"), "review:decide", organization.clone(), review("cat", "ann"), "granted by her");

    let approved = |by: &str| said(|it| it.second_approver = Some(by.into()));
    let mut disabled = all.clone();
    disabled.users[1].active = false;
    for what in ["log:set_retention", "log:manage_keys"] {
        table.ask(&all, person("ann"), what, organization.clone(), plain(), "alone");
        table.ask(&all, person("ann"), what, organization.clone(), approved("ann"), "approved by herself");
        table.ask(&all, person("ann"), what, organization.clone(), approved("ben"), "approved by ben");
        table.ask(&disabled, person("ann"), what, organization.clone(), approved("ben"), "approved by ben, disabled");
        table.ask(&all, person("ann"), what, organization.clone(), approved("zoe"), "approved by nobody here");
    }

    for what in ["directory:change", "organization:manage", "review:decide"] {
        table.ask(&all, robot(), what, organization.clone(), plain(), "");
    }
    table.ask(&all, robot(), "team:manage", Object::Team("sales".into()), plain(), "");

    let mut off = all.clone();
    off.workflows[0].enabled = false;
    table.ask(&off, person("cat"), "workflow:run", Object::Workflow("nightly".into()), plain(), "disabled");
    table.ask(&off, person("cat"), "workflow:edit", Object::Workflow("nightly".into()), plain(), "disabled");

    expect![[r#"
        user cat app:run app refunds (active): yes
        user cat app:run app refunds (disabled): NO: inactive-account
        user zoe app:run app refunds (nobody here): NO: inactive-account, other-organization, nothing permits it
        service account zoe app:run app refunds (nobody here): NO: inactive-account, other-organization, nothing permits it
        user cat app:run app other (no such app): NO: other-organization, nothing permits it
        user ann log:read the organization (archived): NO: archived-organization
        user cat app:view app refunds (archived): yes
        user cat app:delete app refunds (archived): yes
        user cat app:run app refunds (archived): NO: archived-object
        user cat app:share app refunds (archived): NO: archived-object
        user cat workflow:run workflow nightly (archived): NO: archived-object
        user cat resource:query resource ledger in environment dev (archived): NO: archived-object
        user ann directory:change the organization (not required): yes
        user ann directory:change the organization (required, none set up): NO: administration-second-factor
        user ann directory:change the organization (required, not shown): NO: administration-second-factor
        user ann directory:change the organization (required, shown): yes
        user ann log:read the organization (required, not shown): yes
        user ann directory:change the organization (required, set up): yes
        service account robot log:configure the organization (required): yes
        user cat app:share app refunds (to herself): NO: no-grant-to-oneself
        user cat app:share app refunds (to another): yes
        user ann team:manage team sales (to herself): NO: no-grant-to-oneself
        user ann directory:change the organization (to herself): NO: no-grant-to-oneself
        user cat app:share app refunds (to her group): yes
        user cat resource:share resource ledger in environment dev (to her group): NO: no-data-for-own-group
        user cat directory:change the organization (all data, to her group): NO: no-data-for-own-group
        user dan resource:share resource ledger in environment dev (to a group she is not in): yes
        service account robot app:share app refunds (to itself): NO: no-grant-to-oneself
        user cat resource:query resource ledger in environment stage: yes
        user cat resource:query resource ledger in environment prod: NO: production-through-released-app
        user cat resource:query resource ledger in environment prod (through a released app): yes
        user cat resource:query resource ledger in environment prod (through an app she may not run): NO: production-through-released-app
        service account robot resource:query resource ledger in environment prod (through an app it may not run): yes
        user cat resource:query resource ledger in environment prod (through an app not released): NO: production-through-released-app
        user cat resource:query resource ledger in environment prod (through an app that there is not): NO: production-through-released-app
        user cat resource:query resource ledger in environment prod (all archived): NO: archived-object, production-through-released-app
        service account robot resource:query resource ledger in environment prod: yes
        user cat resource:adhoc_query resource ledger in environment stage: yes
        user cat resource:adhoc_query resource ledger in environment prod (through a released app): NO: production-no-own-queries
        user cat resource:write_query resource ledger in environment stage: yes
        user cat resource:write_query resource ledger in environment prod (through a released app): NO: production-no-own-queries
        user cat resource:adhoc_query resource ledger in environment dev (sensitive): NO: sensitive-second-factor
        user cat resource:adhoc_query resource ledger in environment dev (sensitive, factor shown): yes
        user cat resource:reveal_secret resource ledger in environment stage: yes
        user cat resource:reveal_secret resource ledger in environment prod: NO: production-secret-second-factor
        user cat resource:reveal_secret resource ledger in environment prod (factor shown): yes
        service account robot resource:reveal_secret resource ledger in environment stage: NO: secrets-are-for-people
        user ann review:decide the organization (cat's, from ben): yes
        user ann review:decide the organization (her own): NO: review-not-of-oneself
        user ann review:decide the organization (granted by her): NO: review-not-of-own-grant
        user ann log:set_retention the organization (alone): NO: four-eyes
        user ann log:set_retention the organization (approved by herself): NO: four-eyes
        user ann log:set_retention the organization (approved by ben): yes
        user ann log:set_retention the organization (approved by ben, disabled): NO: four-eyes
        user ann log:set_retention the organization (approved by nobody here): NO: four-eyes
        user ann log:manage_keys the organization (alone): NO: four-eyes
        user ann log:manage_keys the organization (approved by herself): NO: four-eyes
        user ann log:manage_keys the organization (approved by ben): yes
        user ann log:manage_keys the organization (approved by ben, disabled): NO: four-eyes
        user ann log:manage_keys the organization (approved by nobody here): NO: four-eyes
        service account robot directory:change the organization: NO: people-administer-people
        service account robot organization:manage the organization: NO: people-administer-people
        service account robot review:decide the organization: NO: people-administer-people
        service account robot team:manage team sales: NO: people-administer-people
        user cat workflow:run workflow nightly (disabled): NO: disabled-workflow
        user cat workflow:edit workflow nightly (disabled): yes"#]].assert_eq(&table.lines.join("\n"));

    let all_ids = GUARDRAILS.lines().filter_map(|line| line.strip_prefix("@id(\"")?.strip_suffix("\")"));
    for id in all_ids {
        assert!(table.fired.iter().any(|fired| fired == id), "the table has no line that {id} forbids");
    }
}
