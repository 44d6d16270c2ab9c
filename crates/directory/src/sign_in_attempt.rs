//! How often somebody may try to sign in.
//!
//! In the database, so that a restart forgets nothing. Within fifteen minutes:
//!
//! * five attempts for one address from one network; who mistypes on, waits;
//! * thirty from one network for any addresses: one password is not tried on everybody;
//! * fifty for one address from anywhere: from then on, every network has one attempt instead of five. That slows down whoever
//!   tries from many networks, and never locks the owner out: her own network has its attempt, whatever others do.
//!
//! A network is an IPv4 address or the /64 of an IPv6 address, which is what one household gets. An attempt counts from the
//! moment it is admitted and is taken back when it succeeds; if it were counted only after it failed, a hundred at once would
//! all be admitted. Addresses are kept as hashes, because people type their passwords into the wrong field.

use std::net::{IpAddr, Ipv6Addr};

use record::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params};
use sha2::{Digest, Sha256};

use crate::chance::hex;
use crate::directory::Directory;
use crate::email::email_key;
use crate::error::{DirectoryError, Fault};
use crate::id::UserId;

const WINDOW_MS: i64 = 15 * 60_000;
const PAIR_ATTEMPTS_MAX: u32 = 5;
const PAIR_ATTEMPTS_MAX_WHEN_SLOWED: u32 = 1;
const NETWORK_ATTEMPTS_MAX: u32 = 30;
const EMAIL_ATTEMPTS_MAX: u32 = 50;

/// Try again later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many attempts to sign in; try again in {retry_after_s} seconds")]
pub struct TooManyAttempts {
    /// In so many seconds the next attempt is admitted, if nobody else uses it up; at least one.
    pub retry_after_s: u32,
}

/// Whose attempts are counted.
struct Pair {
    email_hash: String,
    network: String,
}

impl Pair {
    fn new(email: &str, ip: IpAddr) -> Pair {
        Pair { email_hash: hex(&Sha256::digest(email_key(email))), network: network(ip) }
    }
}

impl Directory {
    /// Asks for one attempt to sign in, before the password is verified, and counts it. The outer error is the database's. A
    /// refused attempt is not counted, so waiting always helps.
    pub fn admit_sign_in(
        &self,
        email: &str,
        ip: IpAddr,
        now: Timestamp,
    ) -> Result<Result<(), TooManyAttempts>, DirectoryError> {
        self.admit(&Pair::new(email, ip), now)
    }

    /// The same for trying a code of a user whose first factor was right. It is counted by itself: a right password takes no
    /// attempt at a code back.
    pub fn admit_second_factor(
        &self,
        user: &UserId,
        ip: IpAddr,
        now: Timestamp,
    ) -> Result<Result<(), TooManyAttempts>, DirectoryError> {
        self.admit(&Pair::new(&second_factor_of(user), ip), now)
    }

    /// The same for asking that a mail be sent to an address.
    pub fn admit_mail(
        &self,
        email: &str,
        ip: IpAddr,
        now: Timestamp,
    ) -> Result<Result<(), TooManyAttempts>, DirectoryError> {
        self.admit(&Pair::new(&format!("mail to {}", email_key(email)), ip), now)
    }

    fn admit(&self, pair: &Pair, now: Timestamp) -> Result<Result<(), TooManyAttempts>, DirectoryError> {
        self.note(|transaction| {
            let until = admitted_from(transaction, pair, now)?;
            if let Some(until) = until {
                return Ok(Err(TooManyAttempts { retry_after_s: seconds_until(until, now) }));
            }
            transaction.execute(
                "DELETE FROM sign_in_attempts WHERE attempted_at <= ?1",
                [now.plus_millis(-WINDOW_MS).as_millis()],
            )?;
            transaction.execute(
                "INSERT INTO sign_in_attempts (email_hash, network, attempted_at) VALUES (?1, ?2, ?3)",
                params![pair.email_hash, pair.network, now.as_millis()],
            )?;
            Ok(Ok(()))
        })
    }

    /// Takes the attempts for this address from this network back: the last one succeeded.
    pub fn record_sign_in_success(&self, email: &str, ip: IpAddr) -> Result<(), DirectoryError> {
        self.take_back(&Pair::new(email, ip))
    }

    /// The same after a right code.
    pub fn record_second_factor_success(&self, user: &UserId, ip: IpAddr) -> Result<(), DirectoryError> {
        self.take_back(&Pair::new(&second_factor_of(user), ip))
    }

    fn take_back(&self, pair: &Pair) -> Result<(), DirectoryError> {
        self.note(|transaction| {
            let sql = "DELETE FROM sign_in_attempts WHERE email_hash = ?1 AND network = ?2";
            transaction.execute(sql, params![pair.email_hash, pair.network])?;
            Ok(())
        })
    }
}

/// Nobody can type this in place of an address: it has no @, and spaces.
fn second_factor_of(user: &UserId) -> String {
    format!("second factor of {user}")
}

/// When the next attempt is admitted, if that is later than `now`.
fn admitted_from(transaction: &Transaction<'_>, pair: &Pair, now: Timestamp) -> Result<Option<Timestamp>, Fault> {
    let since = now.plus_millis(-WINDOW_MS).as_millis();
    // Each limit asks for the attempt that has to leave the window before another is admitted: the `max`-th last one.
    let by_email = "SELECT attempted_at FROM sign_in_attempts \
                    WHERE email_hash = ?1 AND attempted_at > ?2 ORDER BY attempted_at DESC LIMIT 1 OFFSET ?3";
    let slowed = one_time(transaction, by_email, params![pair.email_hash, since, EMAIL_ATTEMPTS_MAX - 1])?.is_some();
    let pair_max = if slowed { PAIR_ATTEMPTS_MAX_WHEN_SLOWED } else { PAIR_ATTEMPTS_MAX };

    let by_pair = "SELECT attempted_at FROM sign_in_attempts WHERE email_hash = ?1 AND network = ?2 AND attempted_at > ?3 \
                   ORDER BY attempted_at DESC LIMIT 1 OFFSET ?4";
    let of_pair = one_time(transaction, by_pair, params![pair.email_hash, pair.network, since, pair_max - 1])?;

    let by_network = "SELECT attempted_at FROM sign_in_attempts \
                      WHERE network = ?1 AND attempted_at > ?2 ORDER BY attempted_at DESC LIMIT 1 OFFSET ?3";
    let of_network = one_time(transaction, by_network, params![pair.network, since, NETWORK_ATTEMPTS_MAX - 1])?;

    Ok(of_pair.max(of_network).map(|at| at.plus_millis(WINDOW_MS)))
}

fn one_time(transaction: &Transaction<'_>, sql: &str, values: impl rusqlite::Params) -> Result<Option<Timestamp>, Fault> {
    Ok(transaction.query_row(sql, values, |row| row.get(0).map(Timestamp::from_millis)).optional()?)
}

/// At least one second, at most the window: the clock may have been set back since the attempts were made.
fn seconds_until(until: Timestamp, now: Timestamp) -> u32 {
    let millis = until.millis_since(now).clamp(1, WINDOW_MS);
    u32::try_from((millis + 999) / 1000).unwrap_or(u32::MAX)
}

/// The address that an attacker cannot change at will.
fn network(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_household_is_one_network() {
        let network = |text: &str| super::network(text.parse().unwrap());
        assert_eq!(network("203.0.113.7"), "203.0.113.7");
        assert_eq!(network("::ffff:203.0.113.7"), "203.0.113.7");
        assert_eq!(network("2001:db8:1:2:aaaa::1"), "2001:db8:1:2::/64");
        assert_eq!(network("2001:db8:1:2:ffff:ffff:ffff:ffff"), "2001:db8:1:2::/64");
    }

    #[test]
    fn the_wait_is_never_nothing_and_never_endless() {
        let now = Timestamp::from_millis(1_000_000);
        assert_eq!(seconds_until(now, now), 1);
        assert_eq!(seconds_until(now.plus_millis(1001), now), 2);
        assert_eq!(seconds_until(now.plus_millis(WINDOW_MS * 1000), now), 900);
    }
}
