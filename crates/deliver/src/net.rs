//! Connections to the outside: the only place that makes them.
//!
//! [`guard`] says which addresses may be reached, [`endpoint`] what a URL of a destination may look like, [`dial`] connects, and
//! [`http`] asks. What is sent, and what an answer means to a receiver, is not known here.

pub mod answer;
pub mod connector;
pub mod dial;
pub mod endpoint;
pub mod error;
pub mod guard;
pub mod gzip;
pub mod http;
pub mod resolve;
pub mod tls;

pub use answer::HttpAnswer;
pub use dial::Dial;
pub use endpoint::Endpoint;
pub use error::NetError;
pub use guard::AllowedNetworks;
pub use gzip::gzip;
pub use http::{Http, HttpOptions};
pub use resolve::{Resolve, SystemResolver};
pub use tls::{ClientIdentity, TlsOptions};
