//! Showing a broker who we are (KIP-152: handshake, then tokens in requests of their own).

use follow::Chance;

use super::cluster::{ClusterError, Connection};
use super::protocol::{Api, Garbled, Reader, error_name};
use super::scram::{Hash, Scram};
use super::{Mechanism, Sasl};

/// Signs in on a new connection.
pub(super) async fn sign_in(connection: &mut Connection, user: &Sasl, chance: &dyn Chance) -> Result<(), ClusterError> {
    let mechanism = match user.mechanism {
        Mechanism::Plain => "PLAIN",
        Mechanism::ScramSha256 => "SCRAM-SHA-256",
        Mechanism::ScramSha512 => "SCRAM-SHA-512",
    };
    let mut request = connection.request(Api::SaslHandshake);
    request.string(mechanism);
    let answer = connection.ask(request).await?;
    let garbled = |e: Garbled| ClusterError::Garbled(connection.name().to_owned(), e);
    let mut reader = Reader(&answer);
    let code = reader.i16().map_err(garbled)?;
    let known = reader.list(Reader::string).map_err(garbled)?;
    if code != 0 {
        let told = format!("{}: {} for {mechanism}; it knows {}", connection.name(), error_name(code), known.join(", "));
        return Err(ClusterError::Told(told));
    }
    match user.mechanism {
        Mechanism::Plain => {
            let token = format!("\0{}\0{}", user.user, user.password.reveal());
            authenticate(connection, token.as_bytes()).await.map(drop)
        }
        Mechanism::ScramSha256 => {
            scram(connection, Scram::new(Hash::Sha256, &user.user, user.password.reveal(), chance)).await
        }
        Mechanism::ScramSha512 => {
            scram(connection, Scram::new(Hash::Sha512, &user.user, user.password.reveal(), chance)).await
        }
    }
}

async fn scram(connection: &mut Connection, scram: Scram<'_>) -> Result<(), ClusterError> {
    let refused = |name: &str, why: &str| ClusterError::Told(format!("{name}: {why}"));
    let first = scram.first();
    let challenge = authenticate(connection, first.as_bytes()).await?;
    let (last, expected) = scram.last(&challenge).map_err(|why| refused(connection.name(), why))?;
    let proof = authenticate(connection, last.as_bytes()).await?;
    // A broker that does not know the password cannot say this.
    if proof != expected.as_bytes() {
        return Err(refused(connection.name(), "it could not show that it knows the password"));
    }
    Ok(())
}

async fn authenticate(connection: &mut Connection, token: &[u8]) -> Result<Vec<u8>, ClusterError> {
    let mut request = connection.request(Api::SaslAuthenticate);
    request.bytes(token);
    let answer = connection.ask(request).await?;
    let garbled = |e: Garbled| ClusterError::Garbled(connection.name().to_owned(), e);
    let mut reader = Reader(&answer);
    let code = reader.i16().map_err(garbled)?;
    let told = reader.maybe_string().map_err(garbled)?.unwrap_or_default();
    if code != 0 {
        return Err(ClusterError::Told(format!("{}: {}: {told}", connection.name(), error_name(code))));
    }
    reader.bytes().map(<[u8]>::to_vec).map_err(garbled)
}
