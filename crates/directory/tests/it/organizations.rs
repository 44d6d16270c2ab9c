//! Organizations and their teams.

use directory::{ChangedBy, DirectoryError};
use record::{OrgId, TeamId};

use crate::support::{in_memory, now};

#[test]
fn an_organization_has_a_number_and_an_opaque_log_id() {
    let directory = in_memory();
    let one = directory.create_organization(&ChangedBy::cli(), "  Analytical Engines ", now()).unwrap();
    let other = directory.create_organization(&ChangedBy::cli(), "Looms", now()).unwrap();
    assert_eq!((one.id, other.id), (OrgId(1), OrgId(2)));
    assert_eq!(one.name, "Analytical Engines");
    assert_eq!(one.log_id.len(), 16);
    assert!(one.log_id.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_ne!(one.log_id, other.log_id);
    assert_eq!(directory.organization(one.id).unwrap(), one);
    assert_eq!(directory.organization_by_name("analytical ENGINES").unwrap(), one);
    assert_eq!(directory.organizations().unwrap(), [one, other]);
}

#[test]
fn a_name_is_there_and_short_and_taken_once() {
    let directory = in_memory();
    let create =
        |name: &str| directory.create_organization(&ChangedBy::cli(), name, now()).map_err(|error| error.to_string());
    assert_eq!(create(" ").unwrap_err(), "A name has 1 to 100 characters; this one has 0.");
    assert_eq!(create(&"ä".repeat(101)).unwrap_err(), "A name has 1 to 100 characters; this one has 101.");
    assert_eq!(create("two\nlines").unwrap_err(), "A name holds no line breaks or other control characters.");
    create(&"ä".repeat(100)).unwrap();
    assert_eq!(
        create(&"Ä".repeat(100)).unwrap_err(),
        format!("There is already an organization named “{}”.", "Ä".repeat(100))
    );
    // What was refused has left nothing behind.
    assert_eq!(directory.organizations().unwrap().len(), 1);
    assert_eq!(directory.outbox_after(None, 10).unwrap().len(), 1);
}

#[test]
fn what_is_not_there_is_not_found() {
    let directory = in_memory();
    assert!(matches!(directory.organization(OrgId(1)), Err(DirectoryError::NotFound { what: "organization" })));
    assert!(matches!(directory.organization_by_name("x"), Err(DirectoryError::NotFound { what: "organization" })));
    let error = directory.create_team(&ChangedBy::cli(), OrgId(1), None, "Operations", now()).unwrap_err();
    assert!(matches!(error, DirectoryError::NotFound { what: "organization" }));
}

#[test]
fn teams_belong_to_one_organization() {
    let directory = in_memory();
    let by = ChangedBy::cli();
    let one = directory.create_organization(&by, "One", now()).unwrap().id;
    let other = directory.create_organization(&by, "Other", now()).unwrap().id;
    let sales = directory.create_team(&by, one, None, "Sales", now()).unwrap();
    let operations = directory.create_team(&by, one, TeamId::new("ops").ok(), "Operations", now()).unwrap();
    assert!(sales.id.as_str().starts_with("team_"));
    assert_eq!(operations.id.as_str(), "ops");
    // The same words again are fine in another organization, and only there.
    directory.create_team(&by, other, TeamId::new("ops").ok(), "Operations", now()).unwrap();
    for (id, name) in [(TeamId::new("ops").ok(), "Another"), (None, "OPERATIONS")] {
        let error = directory.create_team(&by, one, id, name, now()).unwrap_err();
        assert!(matches!(error, DirectoryError::Conflict { what: "team", .. }), "{error:?}");
    }
    assert_eq!(directory.teams(one).unwrap(), [operations, sales.clone()]);
    assert_eq!(directory.team(one, &sales.id).unwrap(), sales);
    assert!(matches!(directory.team(other, &sales.id), Err(DirectoryError::NotFound { what: "team" })));
}
