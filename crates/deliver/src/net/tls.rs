//! TLS as a client: whom to trust, and who we are.

use std::fmt;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};

use super::error::NetError;
use crate::secret::Secret;
use crate::settings::Mistake;

/// How to speak TLS with one receiver.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsOptions {
    /// Certificates, as PEM, that are trusted besides the public ones (a private authority's).
    pub roots: Option<String>,
    /// The name in the receiver's certificate, if it is not the host's.
    pub server_name: Option<String>,
    /// Our certificate, if the receiver wants one.
    pub client: Option<ClientIdentity>,
    /// Protocols to offer (ALPN), best first.
    pub alpn: Vec<Vec<u8>>,
}

/// A client certificate.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientIdentity {
    /// The certificate and those between it and its authority, as PEM.
    pub certificates: String,
    /// Its key, as PEM.
    pub key: Secret,
}

impl fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientIdentity").finish_non_exhaustive()
    }
}

/// The certificates of a PEM text.
///
/// # Errors
/// If there is none, or one is broken.
pub fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, NetError> {
    let all = CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<Vec<_>, _>>();
    match all {
        Ok(all) if !all.is_empty() => Ok(all),
        Ok(_) => {
            Err(NetError::Material("there is no certificate in it: it must be PEM, -----BEGIN CERTIFICATE-----".to_owned()))
        }
        Err(e) => Err(NetError::Material(format!("a certificate in it cannot be read: {e}"))),
    }
}

/// What is wrong with a member that holds certificates, if it is given.
pub(crate) fn mistake(member: &str, pem: Option<&str>) -> Option<Mistake> {
    pem.and_then(|pem| certificates(pem).err()).map(|e| Mistake::new(member, e.to_string()))
}

impl TlsOptions {
    /// What rustls wants to know. `operator` are roots that the operator trusts for all destinations.
    ///
    /// # Errors
    /// Certificates or a key that cannot be read.
    pub fn config(&self, operator: &[CertificateDer<'static>]) -> Result<Arc<ClientConfig>, NetError> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let own = self.roots.as_deref().map(certificates).transpose()?.unwrap_or_default();
        for root in operator.iter().cloned().chain(own) {
            roots.add(root).map_err(|e| NetError::Material(format!("a root certificate cannot be used: {e}")))?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| NetError::Material(e.to_string()))?
            .with_root_certificates(roots);
        let mut config = match &self.client {
            None => builder.with_no_client_auth(),
            Some(identity) => {
                let key = PrivateKeyDer::from_pem_slice(identity.key.reveal().as_bytes()).map_err(|_| {
                    NetError::Material("the client certificate's key cannot be read: it must be PEM".to_owned())
                })?;
                builder
                    .with_client_auth_cert(certificates(&identity.certificates)?, key)
                    .map_err(|e| NetError::Material(format!("the client certificate cannot be used: {e}")))?
            }
        };
        config.alpn_protocols.clone_from(&self.alpn);
        Ok(Arc::new(config))
    }

    /// The name that the receiver's certificate must have.
    ///
    /// # Errors
    /// If neither the set name nor the host is one.
    pub fn name(&self, host: &str) -> Result<ServerName<'static>, NetError> {
        let name = self.server_name.as_deref().unwrap_or(host).trim_end_matches('.');
        let name = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(name);
        ServerName::try_from(name.to_owned()).map_err(|_| NetError::Host(name.to_owned()))
    }
}
