//! Invitations: who is asked to join, as what, by whom; and what became of it.
//!
//! The token is in the link and kept as a hash. An invitation that is sent again has a new one; the old link is dead.
//!
//! Whoever asked answers for it until she who is asked has come: what the asker does not hold any more by then is not given.

use access::{BuiltInRole, Permission, Role};
use record::{OrgId, TeamId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use crate::api_key;
use crate::authority::{Acting, Authority, acting, acting_by};
use crate::chance::random_hex;
use crate::changed_by::ChangedBy;
use crate::directory::Directory;
use crate::email::Email;
use crate::error::{DirectoryError, Fault};
use crate::id::{AssignmentId, InvitationId, KeyId, UserId};
use crate::link::LinkRefused;
use crate::listing::{Listed, Part, listed};
use crate::mail::{self, Letter};
use crate::name::{checked_name, folded};
use crate::outbox::{self, Event};
use crate::password::check_password;
use crate::secret::Secret;
use crate::user::{self, User};
use crate::{organization, row, team};

/// So long a link is good: seven days.
const GOOD_MS: i64 = 7 * 24 * 60 * 60_000;

/// Somebody who is asked to join.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Its id.
    pub id: InvitationId,
    /// To which organization.
    pub org: OrgId,
    /// Her address.
    pub email: String,
    /// What she is to be there.
    pub role: Role,
    /// The team that she is to belong to.
    pub team: Option<TeamId>,
    /// Who asked last, and answers for it: an id.
    pub invited_by: String,
    /// When she was asked first.
    pub created_at: Timestamp,
    /// When the link that is good was made.
    pub sent_at: Timestamp,
    /// Until when it is good.
    pub expires_at: Timestamp,
    /// When she came.
    pub redeemed_at: Option<Timestamp>,
    /// When the invitation was taken back.
    pub revoked_at: Option<Timestamp>,
    /// As whom she came.
    pub user: Option<UserId>,
}

impl Invitation {
    /// How it stands: `pending`, `redeemed`, `revoked` or `expired`.
    pub fn state(&self, now: Timestamp) -> &'static str {
        match self {
            Invitation { redeemed_at: Some(_), .. } => "redeemed",
            Invitation { revoked_at: Some(_), .. } => "revoked",
            _ if self.expires_at <= now => "expired",
            _ => "pending",
        }
    }

    /// Refuses what whoever asks does not hold herself.
    fn may_be_given_by(&self, asker: &Acting) -> Result<(), DirectoryError> {
        may_give(asker, self.role, self.team.as_ref())
    }

    fn event(&self, action: &'static str) -> Event {
        Event::new(self.org, action)
            .team(self.team.as_ref())
            .target("invitation", &self.id, Some(&self.email))
            .metadata("email", self.email.clone())
            .metadata("role", self.role.as_str())
    }

    fn from_row(found: &Row<'_>) -> rusqlite::Result<Invitation> {
        Ok(Invitation {
            id: row::parsed(found, "id", InvitationId::parse)?,
            org: row::org(found, "org")?,
            email: found.get("email")?,
            role: row::parsed(found, "role", str::parse)?,
            team: row::optional(found, "team", TeamId::new)?,
            invited_by: found.get("invited_by")?,
            created_at: row::time(found, "created_at")?,
            sent_at: row::time(found, "sent_at")?,
            expires_at: row::time(found, "expires_at")?,
            redeemed_at: row::optional_time(found, "redeemed_at")?,
            revoked_at: row::optional_time(found, "revoked_at")?,
            user: row::optional(found, "user_id", UserId::parse)?,
        })
    }
}

/// An invitation to be.
#[derive(Debug, Clone)]
pub struct NewInvitation<'a> {
    /// To whom.
    pub email: &'a str,
    /// As what.
    pub role: Role,
    /// Into which team.
    pub team: Option<TeamId>,
}

/// Who comes by an invitation, as she fills in the form.
#[derive(Debug, Clone, Copy)]
pub struct Newcomer<'a> {
    /// Her name.
    pub name: &'a str,
    /// Her password; without one she signs in by links.
    pub password: Option<&'a Secret>,
}

const COLUMNS: &str =
    "id, org, email, role, team, invited_by, created_at, sent_at, expires_at, redeemed_at, revoked_at, user_id";

impl Directory {
    /// Asks somebody to join. Nobody gives a role above her own, or a team's that she does not hold. The token in the answer is for
    /// the link, and nowhere else; `compose` makes the mail that brings it to her, if mail can be sent.
    pub fn invite(
        &self,
        by: &ChangedBy,
        org: OrgId,
        new: NewInvitation<'_>,
        compose: impl FnOnce(&Invitation, &str, &Secret) -> Option<Letter>,
        now: Timestamp,
    ) -> Result<(Invitation, Secret), DirectoryError> {
        let email = Email::parse(new.email)?;
        let (id, token) = (InvitationId::random(self.chance.as_ref()), self.new_token());
        self.change(by, now, |transaction| {
            let organization = organization::require(transaction, org)?;
            require_newcomer(transaction, org, &email)?;
            require_team(transaction, org, new.team.as_ref())?;
            may_give(&acting(transaction, org, by, now)?, new.role, new.team.as_ref())?;
            let sql = "SELECT count(*) FROM invitations WHERE org = ?1 AND email_key = ?2 AND redeemed_at IS NULL \
                       AND revoked_at IS NULL AND expires_at > ?3";
            let open: u32 = transaction.query_row(sql, params![org.0, email.key, now.as_millis()], |row| row.get(0))?;
            if open > 0 {
                let detail = format!("{} is invited already. Send that invitation again, or revoke it first.", email.written);
                return Err(DirectoryError::conflict("invitation", detail).into());
            }
            let sql = format!(
                "INSERT INTO invitations (id, org, email, email_key, role, team, token_hash, invited_by, created_at, sent_at, \
                 expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10) RETURNING {COLUMNS}"
            );
            let values = params![
                id,
                org.0,
                email.written,
                email.key,
                new.role.as_str(),
                new.team.as_ref().map(TeamId::as_str),
                token.stored(),
                by.actor_id,
                now.as_millis(),
                now.plus_millis(GOOD_MS).as_millis()
            ];
            let invitation = transaction.query_row(&sql, values, Invitation::from_row)?;
            self.post(transaction, compose(&invitation, &organization.name, &token), org, now)?;
            let event = invitation.event("INVITE_USER");
            Ok(((invitation, token.clone()), vec![event]))
        })
    }

    /// Makes a new link for an invitation that nobody has come by; the old one is dead. Whoever sends it again answers for it from
    /// then on, so she must hold what it gives.
    pub fn resend_invitation(
        &self,
        by: &ChangedBy,
        org: OrgId,
        id: &InvitationId,
        compose: impl FnOnce(&Invitation, &str, &Secret) -> Option<Letter>,
        now: Timestamp,
    ) -> Result<(Invitation, Secret), DirectoryError> {
        let token = self.new_token();
        self.change(by, now, |transaction| {
            let organization = organization::require(transaction, org)?;
            let before = require(transaction, org, id)?;
            require_open(&before)?;
            before.may_be_given_by(&acting(transaction, org, by, now)?)?;
            let sql = format!(
                "UPDATE invitations SET token_hash = ?1, sent_at = ?2, expires_at = ?3, invited_by = ?4 WHERE id = ?5 \
                 RETURNING {COLUMNS}"
            );
            let good_until = now.plus_millis(GOOD_MS).as_millis();
            let values = params![token.stored(), now.as_millis(), good_until, by.actor_id, id];
            let invitation = transaction.query_row(&sql, values, Invitation::from_row)?;
            self.post(transaction, compose(&invitation, &organization.name, &token), org, now)?;
            let event = invitation.event("RE_INVITE_USER");
            Ok(((invitation, token.clone()), vec![event]))
        })
    }

    /// Takes an invitation back: its link is dead.
    pub fn revoke_invitation(
        &self,
        by: &ChangedBy,
        org: OrgId,
        id: &InvitationId,
        now: Timestamp,
    ) -> Result<Invitation, DirectoryError> {
        self.change(by, now, |transaction| {
            let before = require(transaction, org, id)?;
            if before.revoked_at.is_some() {
                return Ok((before, Vec::new()));
            }
            require_open(&before)?;
            transaction.execute("UPDATE invitations SET revoked_at = ?1 WHERE id = ?2", params![now.as_millis(), id])?;
            let event = before.event("REVOKE_INVITE");
            Ok((Invitation { revoked_at: Some(now), ..before }, vec![event]))
        })
    }

    /// One invitation.
    pub fn invitation(&self, org: OrgId, id: &InvitationId) -> Result<Invitation, DirectoryError> {
        self.read(|connection| require(connection, org, id))
    }

    /// The invitations of an organization, the last one first.
    pub fn invitations(&self, org: OrgId, part: Part) -> Result<Listed<Invitation>, DirectoryError> {
        self.read(|connection| {
            let from = "FROM invitations WHERE org = ?1";
            listed(connection, COLUMNS, from, "created_at DESC, id", params![org.0], part, Invitation::from_row)
        })
    }

    /// What a link's token stands for, without using it up.
    pub fn find_invitation(
        &self,
        token: &Secret,
        now: Timestamp,
    ) -> Result<Result<Invitation, LinkRefused>, DirectoryError> {
        self.read(|connection| look(connection, token, now))
    }

    /// Somebody comes: the invitation is used up, and she is a user. `from` is where she comes from.
    pub fn redeem_invitation(
        &self,
        from: &ChangedBy,
        token: &Secret,
        newcomer: Newcomer<'_>,
        now: Timestamp,
    ) -> Result<Result<User, LinkRefused>, DirectoryError> {
        let invitation = match self.find_invitation(token, now)? {
            Ok(invitation) => invitation,
            Err(refused) => return Ok(Err(refused)),
        };
        let name = checked_name(newcomer.name)?;
        if let Some(password) = newcomer.password {
            check_password(password, &invitation.email)?;
        }
        // Without the lock; whether the invitation is still good is asked again below.
        let hash = newcomer.password.map(|password| self.options.password_cost.hash(self.chance.as_ref(), password));
        let (id, assignment) = (UserId::random(self.chance.as_ref()), AssignmentId::random(self.chance.as_ref()));
        self.note(|transaction| {
            let invitation = match look(transaction, token, now)? {
                Ok(invitation) => invitation,
                Err(refused) => return Ok(Err(refused)),
            };
            let email = Email::parse(&invitation.email)?;
            require_newcomer(transaction, invitation.org, &email)?;
            let sql = format!(
                "INSERT INTO users (id, org, email, email_key, name, name_key, role, status, password_hash, created_at) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'active', ?8, ?9) RETURNING {}",
                user::COLUMNS
            );
            let role = invitation.role.as_str();
            let (org, key) = (invitation.org.0, folded(name));
            let values = params![id, org, email.written, email.key, name, key, role, hash, now.as_millis()];
            let user = transaction.query_row(&sql, values, User::from_row)?;
            let sql = "UPDATE invitations SET redeemed_at = ?1, user_id = ?2 \
                       WHERE id = ?3 AND redeemed_at IS NULL AND revoked_at IS NULL AND expires_at > ?1";
            if transaction.execute(sql, params![now.as_millis(), user.id, invitation.id])? == 0 {
                // The transaction is undone, and with it the user.
                return Err(DirectoryError::conflict("invitation", "This invitation was used a moment ago.").into());
            }
            let by = from.acting_as(&user);
            let about = |action| Event::new(user.org, action).target("user", &user.id, Some(&user.name));
            let mut events = vec![
                invitation.event("REDEEM_INVITE").target("user", &user.id, Some(&user.name)),
                about("SIGN_UP").metadata("method", "invitation"),
                about("CREATE_USER")
                    .metadata("email", user.email.clone())
                    .metadata("role", role)
                    .metadata("with_password", hash.is_some()),
            ];
            if let Some(team) = &invitation.team {
                join(transaction, &assignment, &user, team, &invitation.invited_by, now)?;
                let role = BuiltInRole::TeamMember.as_str();
                let name = team::require(transaction, user.org, team)?.name;
                let event = about("MODIFY_PERMISSIONS").team(Some(team)).target("team", team, Some(&name));
                events.push(event.changed("team_role", serde_json::Value::Null, role));
            }
            for event in events {
                outbox::write(transaction, self.chance.as_ref(), &by, now, &event)?;
            }
            Ok(Ok(user))
        })
    }

    fn new_token(&self) -> Secret {
        Secret::new(random_hex::<32>(self.chance.as_ref()))
    }

    fn post(&self, transaction: &Transaction<'_>, letter: Option<Letter>, org: OrgId, now: Timestamp) -> Result<(), Fault> {
        let Some(letter) = letter else { return Ok(()) };
        mail::queue(transaction, &self.vault, self.chance.as_ref(), org, &letter, now)
    }
}

fn join(
    transaction: &Transaction<'_>,
    id: &AssignmentId,
    user: &User,
    team: &TeamId,
    by: &str,
    now: Timestamp,
) -> Result<(), Fault> {
    let sql = "INSERT INTO role_assignments (id, org, role, subject_kind, subject_id, team, assigned_by, created_at) \
               VALUES (?1, ?2, ?3, 'user', ?4, ?5, ?6, ?7)";
    let role = BuiltInRole::TeamMember.as_str();
    transaction.execute(sql, params![id, user.org.0, role, user.id, team.as_str(), by, now.as_millis()])?;
    Ok(())
}

fn look(connection: &Connection, token: &Secret, now: Timestamp) -> Result<Result<Invitation, LinkRefused>, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM invitations WHERE token_hash = ?1");
    let found = connection.query_row(&sql, [token.stored()], Invitation::from_row).optional()?;
    let Some(invitation) = found else { return Ok(Err(LinkRefused::Unknown)) };
    Ok(match invitation.state(now) {
        "pending" => {
            let asker = acting_by(connection, invitation.org, &asker(connection, &invitation, now)?, now)?;
            if invitation.may_be_given_by(&asker).is_ok() { Ok(invitation) } else { Err(LinkRefused::Powerless) }
        }
        "redeemed" => Err(LinkRefused::Used),
        "expired" => Err(LinkRefused::Expired),
        _ => Err(LinkRefused::Unknown),
    })
}

/// By whose authority an invitation stands: what its `invited_by` names, as it is now.
fn asker(connection: &Connection, invitation: &Invitation, now: Timestamp) -> Result<Authority, Fault> {
    if let Ok(user) = UserId::parse(&invitation.invited_by) {
        return Ok(Authority::Person(user));
    }
    match KeyId::parse(&invitation.invited_by) {
        Ok(key) => api_key::authority(connection, invitation.org, &key, now),
        // The command line, or Acta itself.
        Err(_) => Ok(Authority::Acta),
    }
}

/// Whoever brings people in answers for them for as long as they can come, so a power for a time is not enough.
fn may_give(asker: &Acting, role: Role, team: Option<&TeamId>) -> Result<(), DirectoryError> {
    if !asker.holds(Permission::DirectoryChange) {
        let detail =
            format!("To invite somebody needs {} without an end, which you do not hold.", Permission::DirectoryChange);
        return Err(DirectoryError::forbidden(detail));
    }
    asker.may_give_standing(role)?;
    if team.is_some() {
        let role = BuiltInRole::TeamMember;
        asker.may_give(role.permissions(), team, &format!("The role {role} in the team"))?;
    }
    Ok(())
}

fn require(connection: &Connection, org: OrgId, id: &InvitationId) -> Result<Invitation, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM invitations WHERE org = ?1 AND id = ?2");
    let found = connection.query_row(&sql, params![org.0, id], Invitation::from_row).optional()?;
    Ok(found.ok_or(DirectoryError::NotFound { what: "invitation" })?)
}

/// One that has expired is open: it can be sent again.
fn require_open(invitation: &Invitation) -> Result<(), Fault> {
    let detail = match (invitation.redeemed_at, invitation.revoked_at) {
        (Some(_), _) => "This invitation was redeemed.",
        (_, Some(_)) => "This invitation was revoked. Invite her again instead.",
        _ => return Ok(()),
    };
    Err(DirectoryError::conflict("invitation", detail).into())
}

fn require_newcomer(connection: &Connection, org: OrgId, email: &Email<'_>) -> Result<(), Fault> {
    let sql = "SELECT count(*) FROM users WHERE org = ?1 AND email_key = ?2";
    let there: u32 = connection.query_row(sql, params![org.0, email.key], |row| row.get(0))?;
    if there > 0 {
        let detail = format!("The organization already has a user with the e-mail address {}.", email.written);
        return Err(DirectoryError::conflict("user", detail).into());
    }
    user::refuse_look_alike(connection, org, email, None)
}

fn require_team(connection: &Connection, org: OrgId, team: Option<&TeamId>) -> Result<(), Fault> {
    let Some(team) = team else { return Ok(()) };
    let sql = "SELECT count(*) FROM teams WHERE org = ?1 AND id = ?2";
    let there: u32 = connection.query_row(sql, params![org.0, team.as_str()], |row| row.get(0))?;
    if there == 0 {
        return Err(DirectoryError::invalid("team", format!("There is no team {team}.")).into());
    }
    Ok(())
}
