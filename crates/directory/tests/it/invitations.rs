//! Invitations: asked, asked again, taken back, and coming.

use access::{KeyScope, Role};
use directory::{
    Authority, ChangedBy, Directory, DirectoryError, Invitation, LinkRefused, NewApiKey, NewInvitation, Newcomer, Part,
    Secret, User, UserFilter, UserStatus,
};
use record::Timestamp;

use crate::links::letter;
use crate::support::{HOUR_MS, World, in_memory, new_key, new_user, now, open, take_outbox};

const WEEK_MS: i64 = 7 * 24 * HOUR_MS;

fn invite(directory: &Directory, world: &World, email: &str) -> Result<(Invitation, Secret), DirectoryError> {
    let new = NewInvitation { email, role: Role::Auditor, team: Some(world.team.id.clone()) };
    let compose = |invitation: &Invitation, organization: &str, token: &Secret| {
        assert_eq!(organization, "Analytical Engines");
        Some(letter(&invitation.email, token))
    };
    directory.invite(&ChangedBy::user(&world.ada), world.org.id, new, compose, now())
}

fn come(directory: &Directory, token: &Secret, at: Timestamp) -> Result<User, LinkRefused> {
    let password = Secret::new("jacquard loom weaving 1804");
    let newcomer = Newcomer { name: "Mary Somerville", password: Some(&password) };
    directory.redeem_invitation(&ChangedBy::system(), token, newcomer, at).unwrap()
}

#[test]
fn who_is_invited_comes_once() {
    let directory = in_memory();
    let world = World::make(&directory);
    take_outbox(&directory);
    let (invitation, token) = invite(&directory, &world, "Mary@example.com").unwrap();
    assert_eq!(invitation.state(now()), "pending");
    assert_eq!(directory.due_mails(now(), 9).unwrap()[0].letter.as_ref().unwrap().to, "Mary@example.com");
    assert!(matches!(
        invite(&directory, &world, "mary@example.com"),
        Err(DirectoryError::Conflict { what: "invitation", .. })
    ));
    assert!(matches!(invite(&directory, &world, "Grace@example.com"), Err(DirectoryError::Conflict { what: "user", .. })));
    assert_eq!(directory.find_invitation(&token, now()).unwrap().unwrap(), invitation);
    let weak = Secret::new("short");
    let newcomer = Newcomer { name: "Mary", password: Some(&weak) };
    let refused = directory.redeem_invitation(&ChangedBy::system(), &token, newcomer, now());
    assert!(matches!(refused, Err(DirectoryError::Invalid { member: "password", .. })));

    let mary = come(&directory, &token, now()).unwrap();
    assert_eq!((mary.email.as_str(), mary.name.as_str(), mary.role), ("Mary@example.com", "Mary Somerville", Role::Auditor));
    assert_eq!(come(&directory, &token, now()), Err(LinkRefused::Used));
    let listed = directory.invitations(world.org.id, Part::ALL).unwrap();
    assert_eq!((listed.total, listed.items[0].state(now()), listed.items[0].user.as_ref()), (1, "redeemed", Some(&mary.id)));
    let events = take_outbox(&directory);
    let told: Vec<&str> =
        events.iter().map(|event| event.split(r#""action":""#).nth(1).unwrap().split('"').next().unwrap()).collect();
    assert_eq!(told, ["INVITE_USER", "REDEEM_INVITE", "SIGN_UP", "CREATE_USER", "MODIFY_PERMISSIONS"]);
    assert!(events.iter().all(|event| !event.contains(token.expose())));
    assert!(matches!(invite(&directory, &world, "mary@example.com"), Err(DirectoryError::Conflict { what: "user", .. })));
}

#[test]
fn asked_again_and_taken_back() {
    let directory = in_memory();
    let world = World::make(&directory);
    let by = ChangedBy::user(&world.ada);
    let (invitation, old) = invite(&directory, &world, "mary@example.com").unwrap();
    let end = now().plus_millis(WEEK_MS);
    assert!(directory.find_invitation(&old, end.plus_millis(-1)).unwrap().is_ok());
    assert_eq!(come(&directory, &old, end), Err(LinkRefused::Expired));
    take_outbox(&directory);
    let (again, token) = directory.resend_invitation(&by, world.org.id, &invitation.id, |_, _, _| None, end).unwrap();
    assert_eq!((again.id, again.sent_at), (invitation.id.clone(), end));
    assert_eq!(directory.find_invitation(&old, now()).unwrap().unwrap_err(), LinkRefused::Unknown);
    assert!(directory.find_invitation(&token, end).unwrap().is_ok());
    directory.revoke_invitation(&by, world.org.id, &invitation.id, end).unwrap();
    directory.revoke_invitation(&by, world.org.id, &invitation.id, end).unwrap();
    assert_eq!(come(&directory, &token, end), Err(LinkRefused::Unknown));
    let events = take_outbox(&directory);
    assert!(events.len() == 2 && events[0].contains("RE_INVITE_USER") && events[1].contains("REVOKE_INVITE"), "{events:?}");
    let again = directory.resend_invitation(&by, world.org.id, &invitation.id, |_, _, _| None, end);
    assert!(matches!(again, Err(DirectoryError::Conflict { .. })));
    invite(&directory, &world, "mary@example.com").unwrap();
    let other = directory.create_organization(&by, "Other", now()).unwrap().id;
    assert!(matches!(directory.invitation(other, &invitation.id), Err(DirectoryError::NotFound { .. })));
    assert_eq!(directory.invitations(other, Part::ALL).unwrap().total, 0);
}

#[test]
fn of_twenty_who_come_by_one_link_one_comes_in() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(&folder.path().join("acta.db"), 1);
    let world = World::make(&directory);
    let (_, token) = invite(&directory, &world, "mary@example.com").unwrap();
    let came: usize = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..20).map(|_| scope.spawn(|| usize::from(come(&directory, &token, now()).is_ok()))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(came, 1);
    assert_eq!(directory.users(world.org.id).unwrap().len(), 3);
}

#[test]
fn nobody_invites_to_more_than_she_holds() {
    let directory = in_memory();
    let world = World::make(&directory);
    let alan = new_user("alan@example.com", "Alan Turing", Role::Admin, None);
    let alan = directory.create_user(&ChangedBy::cli(), world.org.id, alan, now()).unwrap();
    let ask = |by: &User, email: &str, role: Role| {
        let new = NewInvitation { email, role, team: None };
        directory.invite(&ChangedBy::user(by), world.org.id, new, |_, _, _| None, now())
    };
    for (by, role) in [(&alan, Role::Owner), (&world.grace, Role::Member), (&world.grace, Role::Auditor)] {
        assert!(matches!(ask(by, "mary@example.com", role), Err(DirectoryError::Forbidden { .. })), "{} {role}", by.name);
    }
    let (admin, as_admin) = ask(&alan, "mary@example.com", Role::Admin).unwrap();
    let (_, as_member) = ask(&alan, "jean@example.com", Role::Member).unwrap();
    // He is no admin any more: what he has asked before does not hold, and holds again with him.
    let set = |role| directory.set_user_role(&ChangedBy::user(&world.ada), world.org.id, &alan.id, role, now()).unwrap();
    set(Role::Auditor);
    for token in [&as_admin, &as_member] {
        assert_eq!(directory.find_invitation(token, now()).unwrap().unwrap_err(), LinkRefused::Powerless);
        assert_eq!(come(&directory, token, now()), Err(LinkRefused::Powerless));
    }
    let again =
        |by: &User| directory.resend_invitation(&ChangedBy::user(by), world.org.id, &admin.id, |_, _, _| None, now());
    assert!(matches!(again(&alan), Err(DirectoryError::Forbidden { .. })));
    // Somebody else answers for it from now on.
    let (sent, token) = again(&world.ada).unwrap();
    assert_eq!(sent.invited_by, world.ada.id.as_str());
    assert_eq!(come(&directory, &token, now()).unwrap().role, Role::Admin);
    set(Role::Admin);
    assert!(directory.find_invitation(&as_member, now()).unwrap().is_ok());
    directory.set_user_status(&ChangedBy::user(&world.ada), world.org.id, &alan.id, UserStatus::Disabled, now()).unwrap();
    assert_eq!(come(&directory, &as_member, now()), Err(LinkRefused::Powerless));
}

#[test]
fn an_invitation_of_a_revoked_key_does_not_hold() {
    let directory = in_memory();
    let world = World::make(&directory);
    let new = NewApiKey { scopes: [KeyScope::DirectoryWrite].into(), ..new_key("Provisioning", None) };
    let (key, _) = directory.create_api_key(&ChangedBy::cli(), world.org.id, new, now()).unwrap();
    let authority = Authority::Key { scopes: key.scopes.clone(), team: None };
    let by = ChangedBy { actor_id: key.id.to_string(), authority, ..ChangedBy::cli() };
    let new = NewInvitation { email: "mary@example.com", role: Role::Admin, team: Some(world.team.id.clone()) };
    let (_, token) = directory.invite(&by, world.org.id, new, |_, _, _| None, now()).unwrap();
    assert!(directory.find_invitation(&token, now()).unwrap().is_ok());
    directory.revoke_api_key(&ChangedBy::cli(), world.org.id, &key.id, now()).unwrap();
    assert_eq!(come(&directory, &token, now()), Err(LinkRefused::Powerless));
}

#[test]
fn who_comes_is_found_by_her_name_and_looks_like_nobody_else() {
    let directory = in_memory();
    let world = World::make(&directory);
    let (_, token) = invite(&directory, &world, "acp@example.com").unwrap();
    // Cyrillic letters, each in one script, that look the same.
    let look_alike = new_user("аср@example.com", "Somebody", Role::Member, None);
    let other = directory.create_user(&ChangedBy::cli(), world.org.id, look_alike, now()).unwrap();
    let newcomer = Newcomer { name: "Émilie du Châtelet", password: None };
    let redeem = || directory.redeem_invitation(&ChangedBy::system(), &token, newcomer, now());
    assert!(matches!(redeem(), Err(DirectoryError::Conflict { what: "user", .. })));
    assert!(matches!(invite(&directory, &world, "АСР@example.com"), Err(DirectoryError::Conflict { what: "user", .. })));
    let by = ChangedBy::user(&world.ada);
    directory.set_user_status(&by, world.org.id, &other.id, UserStatus::Archived, now()).unwrap();
    directory.delete_user(&by, world.org.id, &other.id, now()).unwrap();
    let emilie = redeem().unwrap().unwrap();
    let find = UserFilter { text: Some("ÉMILIE".to_owned()), ..UserFilter::default() };
    let found = directory.list_users(world.org.id, &find, Part::ALL).unwrap();
    assert_eq!(found.items.iter().map(|user| &user.id).collect::<Vec<_>>(), [&emilie.id]);
}
