//! What transports need from the outside: connections, time and chance.

use std::path::PathBuf;
use std::sync::Arc;

use follow::{Chance, Clock};
use record::Timestamp;

use crate::net::{Dial, Http, HttpOptions, NetError};
use crate::stdout::Output;

/// The doors, the same for all destinations. Cheap to clone.
#[derive(Clone)]
pub struct Doors {
    /// Requests.
    pub http: Http,
    /// Connections that are no HTTP.
    pub dial: Dial,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub chance: Arc<dyn Chance>,
    /// The process's standard output, where events may go there.
    pub output: Option<Output>,
    /// The folder for files of events, where the operator allows them.
    pub files: Option<PathBuf>,
}

impl Doors {
    /// Doors with the operator's networks, roots and time-outs.
    ///
    /// # Errors
    /// A root that cannot be read.
    pub fn new(options: HttpOptions, clock: Arc<dyn Clock>, chance: Arc<dyn Chance>) -> Result<Doors, NetError> {
        let http = Http::new(options)?;
        Ok(Doors { dial: http.dial().clone(), http, clock, chance, output: None, files: None })
    }

    /// With standard output.
    #[must_use]
    pub fn with_output(self, output: Output) -> Doors {
        Doors { output: Some(output), ..self }
    }

    /// With a folder for files.
    #[must_use]
    pub fn with_files(self, folder: PathBuf) -> Doors {
        Doors { files: Some(folder), ..self }
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A random UUID (RFC 9562, version 4) as text.
    pub fn uuid(&self) -> String {
        let mut bytes = [0_u8; 16];
        self.chance.fill(&mut bytes);
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }
}

impl std::fmt::Debug for Doors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Doors").field("dial", &self.dial).finish_non_exhaustive()
    }
}
