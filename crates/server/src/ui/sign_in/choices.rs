//! People whose password fits in several organizations, until they have said to which they want to go.
//!
//! The page holds a ticket, drawn at random, and no password. A ticket is good once, and for a few minutes.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use directory::User;
use record::Timestamp;
use store::Chance;

/// So long a ticket is good.
const TICKET_MS: i64 = 5 * 60_000;
/// Tickets out at once; with more, the oldest is worth nothing any more.
const TICKETS_MAX: usize = 1_000;

/// What the page sends back.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Ticket(String);

impl Ticket {
    /// What a form sent.
    pub(super) fn of(text: &str) -> Ticket {
        Ticket(text.to_owned())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

#[derive(Debug)]
struct Choice {
    users: Vec<User>,
    since: Timestamp,
}

/// Tickets that are out. The lock is held for the time of a look-up.
#[derive(Debug, Default)]
pub(super) struct Choices(Mutex<HashMap<Ticket, Choice>>);

impl Choices {
    /// A ticket for these users.
    pub(super) fn put(&self, users: Vec<User>, chance: &dyn Chance, now: Timestamp) -> Ticket {
        let mut random = [0; 32];
        chance.fill(&mut random);
        let mut ticket = Ticket(String::with_capacity(64));
        for byte in random {
            ticket.0 += &format!("{byte:02x}");
        }
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, choice| is_good(choice, now));
        if open.len() >= TICKETS_MAX
            && let Some(oldest) = open.iter().min_by_key(|(_, choice)| choice.since).map(|(ticket, _)| ticket.clone())
        {
            open.remove(&oldest);
        }
        open.insert(ticket.clone(), Choice { users, since: now });
        ticket
    }

    /// The user that was chosen with a ticket, which is used up by that.
    pub(super) fn take(&self, ticket: &Ticket, chosen: usize, now: Timestamp) -> Option<User> {
        let choice = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(ticket)?;
        is_good(&choice, now).then(|| choice.users.into_iter().nth(chosen))?
    }
}

fn is_good(choice: &Choice, now: Timestamp) -> bool {
    (0..TICKET_MS).contains(&now.millis_since(choice.since))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting(std::sync::atomic::AtomicU8);
    impl Chance for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        }
    }

    fn user(org: u32) -> User {
        User {
            email_verified_at: None,
            last_sign_in_at: None,
            second_factor_since: None,
            id: directory::UserId::parse(&format!("u_{org:016x}")).unwrap(),
            org: record::OrgId(org),
            email: "ada@example.com".to_owned(),
            name: String::new(),
            role: access::Role::Owner,
            status: directory::UserStatus::Active,
            created_at: Timestamp::from_millis(0),
        }
    }

    #[test]
    fn a_ticket_is_good_once_and_for_a_while() {
        let (choices, chance) = (Choices::default(), Counting(0.into()));
        let at = Timestamp::from_millis;
        let ticket = choices.put(vec![user(1), user(2)], &chance, at(0));
        assert_eq!(choices.take(&ticket, 1, at(1)).map(|user| user.org.0), Some(2));
        assert_eq!(choices.take(&ticket, 1, at(2)), None);
        let late = choices.put(vec![user(1)], &chance, at(0));
        assert_eq!(choices.take(&late, 0, at(TICKET_MS)), None);
        let beyond = choices.put(vec![user(1)], &chance, at(0));
        assert_eq!(choices.take(&beyond, 5, at(1)), None);
        assert_eq!(choices.take(&Ticket::of(""), 0, at(1)), None);
    }
}
