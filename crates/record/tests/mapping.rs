//! What the catalogs say of actions in other schemas.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use record::Catalogs;
use record::catalog::Ocsf;

#[test]
fn every_action_has_its_place_in_every_schema() {
    let mut missing = Vec::new();
    for catalog in Catalogs::built_in().all() {
        for entry in &catalog.actions {
            if entry.about.is_none() || entry.ocsf.is_none() || entry.ecs.is_none() {
                missing.push(entry.id.as_str());
            }
        }
    }
    assert_eq!(missing, Vec::<&str>::new(), "actions without about, ocsf or ecs");
}

#[test]
fn an_entry_that_is_wrong_is_named() {
    let file = |more: &str| {
        let text = format!(
            "name = 'x'\ntitle = 'X'\nversion = 1\n[[action]]\nid = 'X_DONE'\ntitle = 't'\ndescription = 'd'\n\
             category = 'c'\nkind = 'read'\nseverity = 'info'\nvisibility = 'team'\n{more}"
        );
        match Catalogs::parse(&[&text]) {
            Ok(_) => "fine".to_owned(),
            Err(e) => e.to_string().trim().to_owned(),
        }
    };
    let told = [
        "ocsf = '3004/1'",
        "ocsf = '3004/99'",
        "ocsf = '3004/77'",
        "ocsf = '3999/1'",
        "ocsf = '03004/1'",
        "ocsf = 3004",
        "ecs = { category = ['iam'], type = ['group', 'change'] }",
        "ecs = { category = ['iam'], type = ['start'] }",
        "ecs = { category = ['ham'], type = ['info'] }",
        "ecs = { category = ['iam'], type = [] }",
        "ecs = { category = ['iam'] }",
        "about = 'Group'",
        "outcome = 'maybe'",
        "esc = 1",
    ]
    .map(|more| format!("{more}: {}\n", file(more)))
    .concat();
    expect_test::expect![[r#"
        ocsf = '3004/1': fine
        ocsf = '3004/99': fine
        ocsf = '3004/77': action X_DONE: "3004/77" is no class and activity of OCSF 1.8.0 such as "3004/1"
        in `ocsf`
        ocsf = '3999/1': action X_DONE: "3999/1" is no class and activity of OCSF 1.8.0 such as "3004/1"
        in `ocsf`
        ocsf = '03004/1': action X_DONE: "03004/1" is no class and activity of OCSF 1.8.0 such as "3004/1"
        in `ocsf`
        ocsf = 3004: action X_DONE: invalid type: integer `3004`, expected a string
        in `ocsf`
        ecs = { category = ['iam'], type = ['group', 'change'] }: fine
        ecs = { category = ['iam'], type = ['start'] }: action X_DONE: "start" is no event.type that ECS expects in these categories
        in `ecs`
        ecs = { category = ['ham'], type = ['info'] }: action X_DONE: "ham" is no event.category of ECS that a catalog may use
        in `ecs`
        ecs = { category = ['iam'], type = [] }: action X_DONE: ecs must have a category and a type
        in `ecs`
        ecs = { category = ['iam'] }: action X_DONE: missing field `type`
        in `ecs`
        about = 'Group': action X_DONE: holds 'G'; allowed are lower-case letters, digits and . _ : -, the first a letter or digit
        in `about`
        outcome = 'maybe': action X_DONE: unknown variant `maybe`, expected one of `success`, `failure`, `denied`
        in `outcome`
        esc = 1: action X_DONE: unknown field `esc`, expected one of `id`, `title`, `description`, `category`, `kind`, `severity`, `visibility`, `about`, `ocsf`, `ecs`, `outcome`, `mfa`
    "#]].assert_eq(&told);
}

#[test]
fn an_activity_is_one_of_its_class() {
    let add = Ocsf::parse("3006/3").unwrap();
    assert_eq!(add.with_activity(7).to_string(), "3006/7");
    assert_eq!(add.with_activity(70).to_string(), "3006/3");
    assert_eq!((add.class_name(), add.activity_name()), (Some("Group Management"), Some("Add User")));
    assert_eq!(Ocsf::OTHER.class_name(), Some("API Activity"));
    assert_eq!(Ocsf::OTHER.activity_name(), None);
}
