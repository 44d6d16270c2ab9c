//! Service accounts and their keys.

use std::collections::BTreeSet;

use access::KeyScope;
use directory::{ChangedBy, DirectoryError, KeyRefused, NewApiKey, Part, Principal, UserStatus};
use expect_test::expect;

use crate::support::{World, in_memory, now, take_outbox, told};

#[test]
fn a_service_account_lives_and_its_keys_with_it() {
    let directory = in_memory();
    let world = World::make(&directory);
    take_outbox(&directory);
    let (by, org) = (ChangedBy::user(&world.ada), world.org.id);
    let robot = directory.create_service_account(&by, org, "Robot", now()).unwrap();
    let robot = directory.rename_service_account(&by, org, &robot.id, "Deployer", now()).unwrap();
    assert_eq!(directory.service_account(org, &robot.id).unwrap(), robot);
    let error = directory.create_service_account(&by, org, "DEPLOYER", now()).unwrap_err();
    assert_eq!(error.to_string(), "The organization already has a service account “DEPLOYER”.");
    let new = NewApiKey {
        team: None,
        service_account: Some(robot.id.clone()),
        name: "Pipeline",
        scopes: BTreeSet::from([KeyScope::EventsWrite]),
        expires_at: None,
    };
    let (key, secret) = directory.create_api_key(&by, org, new.clone(), now()).unwrap();
    assert_eq!(key.service_account.as_ref(), Some(&robot.id));
    let group = directory.create_group(&by, org, "Robots", "", now()).unwrap();
    directory.add_group_members(&by, org, &group.id, &[Principal::ServiceAccount(robot.id.clone())], now()).unwrap();
    let of_robot = directory.list_api_keys(org, None, Some(&robot.id), Part::ALL).unwrap();
    assert_eq!(of_robot.items, std::slice::from_ref(&key));

    let set = |status| directory.set_service_account_status(&by, org, &robot.id, status, now());
    assert_eq!(set(UserStatus::Disabled).unwrap().status, UserStatus::Disabled);
    assert_eq!(directory.find_api_key(&secret, now()).unwrap(), Err(KeyRefused::Disabled));
    set(UserStatus::Active).unwrap();
    assert_eq!(directory.find_api_key(&secret, now()).unwrap(), Ok(key.clone()));
    assert!(matches!(set(UserStatus::Archived), Err(DirectoryError::Invalid { .. })));

    let error = directory.delete_service_account(&by, org, &robot.id, now()).unwrap_err();
    assert_eq!(error.to_string(), "Deployer has 1 valid API key. Revoke them first.");
    directory.revoke_api_key(&by, org, &key.id, now()).unwrap();
    directory.delete_service_account(&by, org, &robot.id, now()).unwrap();
    assert!(directory.list_service_accounts(org, None, Part::ALL).unwrap().items.is_empty());
    assert_eq!(directory.find_api_key(&secret, now()).unwrap(), Err(KeyRefused::Unknown));
    let error = directory.create_api_key(&by, org, new, now()).unwrap_err();
    assert!(matches!(error, DirectoryError::NotFound { what: "service account" }), "{error}");
    let told = told(&take_outbox(&directory))
        .replace(robot.id.as_str(), "sa_1")
        .replace(key.id.as_str(), "key_1")
        .replace(group.id.as_str(), "g_1");
    expect![[r#"
        CREATE_SERVICE_ACCOUNT: service_account sa_1 “Robot”
        UPDATE_SERVICE_ACCOUNT: service_account sa_1 “Deployer” [name: "Robot" → "Deployer"]
        ACCESS_TOKEN_CREATED: access_token key_1 “Pipeline” {"expires_at":null,"scopes":["events:write"],"service_account":"sa_1","team":null}
        CREATE_GROUP: group g_1 “Robots” {"description":""}
        ADD_USERS_TO_GROUP: group g_1 “Robots”, service_account sa_1 “Deployer” {"count":1}
        DISABLE_SERVICE_ACCOUNT: service_account sa_1 “Deployer” [status: "active" → "disabled"]
        ENABLE_SERVICE_ACCOUNT: service_account sa_1 “Deployer” [status: "disabled" → "active"]
        ACCESS_TOKEN_REVOKED: access_token key_1 “Pipeline”
        DELETE_SERVICE_ACCOUNT: service_account sa_1 “Deployer” {"dead_keys":1,"grants":0,"memberships":1,"role_assignments":0}"#]].assert_eq(&told);
}
