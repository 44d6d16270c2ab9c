//! API keys.

use std::collections::BTreeSet;

use access::{KeyScope, Subject};
use directory::{ChangedBy, DirectoryError, KeyRefused, NewApiKey, Secret};
use record::TeamId;

use crate::support::{MINUTE_MS, World, in_memory, new_key, now, outbox};

#[test]
fn a_key_is_found_by_its_secret() {
    let directory = in_memory();
    let world = World::make(&directory);
    let secret = world.key_secret.expose();
    assert_eq!(secret.len(), 69);
    assert!(secret.starts_with("acta_"));
    assert_eq!(world.key.prefix, secret[..12]);
    assert_eq!(directory.find_api_key(&world.key_secret, now()).unwrap().unwrap(), world.key);
    let scopes = BTreeSet::from([KeyScope::EventsWrite, KeyScope::EventsRead]);
    assert_eq!(world.key.subject(), Subject::Key { org: world.org.id, team: Some(world.team.id.clone()), scopes });
    for other in ["", "acta_", &secret[..68], &secret.to_uppercase(), "Bearer"] {
        assert_eq!(directory.find_api_key(&Secret::new(other), now()).unwrap(), Err(KeyRefused::Unknown), "{other}");
    }
}

#[test]
fn a_key_expires_at_its_instant() {
    let directory = in_memory();
    let world = World::make(&directory);
    let at = now().plus_millis(MINUTE_MS);
    let new = NewApiKey { expires_at: Some(at), ..new_key("Short", None) };
    let (key, secret) = directory.create_api_key(&ChangedBy::cli(), world.org.id, new.clone(), now()).unwrap();
    assert_eq!(directory.find_api_key(&secret, at.plus_millis(-1)).unwrap(), Ok(key));
    assert_eq!(directory.find_api_key(&secret, at).unwrap(), Err(KeyRefused::Expired));
    let error = directory.create_api_key(&ChangedBy::cli(), world.org.id, new, at).unwrap_err();
    assert_eq!(error.to_string(), "An API key expires in the future.");
}

#[test]
fn a_revoked_key_stays_revoked_and_listed() {
    let directory = in_memory();
    let world = World::make(&directory);
    let by = ChangedBy::user(&world.ada);
    let later = now().plus_millis(MINUTE_MS);
    let events = outbox(&directory).len();
    let revoked = directory.revoke_api_key(&by, world.org.id, &world.key.id, later).unwrap();
    assert_eq!(revoked.revoked_at, Some(later));
    assert_eq!(directory.find_api_key(&world.key_secret, later).unwrap(), Err(KeyRefused::Revoked));
    let again = directory.revoke_api_key(&by, world.org.id, &world.key.id, later.plus_millis(1)).unwrap();
    assert_eq!(again, revoked);
    assert_eq!(directory.api_key(world.org.id, &world.key.id).unwrap(), revoked);
    assert_eq!(outbox(&directory).len(), events + 1);
    let (newer, _) = directory.create_api_key(&by, world.org.id, new_key("Newer", None), later).unwrap();
    assert_eq!(directory.api_keys(world.org.id).unwrap(), [newer, revoked]);
}

#[test]
fn a_key_belongs_to_its_organization_and_to_a_team_of_it() {
    let directory = in_memory();
    let world = World::make(&directory);
    let by = ChangedBy::cli();
    let other = directory.create_organization(&by, "Other", now()).unwrap().id;
    assert!(matches!(
        directory.revoke_api_key(&by, other, &world.key.id, now()),
        Err(DirectoryError::NotFound { what: "API key" })
    ));
    assert_eq!(directory.api_keys(other).unwrap(), []);
    for (org, team) in [(other, Some(world.team.id.clone())), (world.org.id, TeamId::new("nowhere").ok())] {
        let new = NewApiKey { team, ..new_key("Key", None) };
        let error = directory.create_api_key(&by, org, new, now()).unwrap_err();
        assert!(matches!(error, DirectoryError::NotFound { what: "team" }), "{error:?}");
    }
    let new = NewApiKey { scopes: BTreeSet::new(), ..new_key("Key", None) };
    let error = directory.create_api_key(&by, world.org.id, new, now()).unwrap_err();
    assert!(matches!(error, DirectoryError::Invalid { member: "scopes", .. }));
}

#[test]
fn the_last_use_is_known_to_five_minutes() {
    let directory = in_memory();
    let world = World::make(&directory);
    let found = |at| directory.find_api_key(&world.key_secret, at).unwrap().unwrap();
    assert_eq!(found(now()).last_used_at, None);
    directory.touch_api_key(&found(now()), now());
    assert_eq!(found(now()).last_used_at, Some(now()));

    let soon = now().plus_millis(5 * MINUTE_MS - 1);
    directory.touch_api_key(&found(soon), soon);
    // Not even when the caller knows less than the database.
    directory.touch_api_key(&world.key, soon);
    assert_eq!(found(soon).last_used_at, Some(now()));

    let later = now().plus_millis(5 * MINUTE_MS);
    directory.touch_api_key(&found(later), later);
    assert_eq!(found(later).last_used_at, Some(later));
}
