//! The connection to a syslog receiver, and what can be known of what was written to it.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::Confirm;
use crate::socket::{Connector, Pulse, Socket, feel, is_end};

/// So much of what was written last is kept, to be written again when the connection breaks: more than lies in sockets as a rule.
const IN_FLIGHT_BYTES: usize = 2 << 20;

/// The way to one receiver.
pub(super) struct Line {
    connector: Connector,
    host: String,
    port: u16,
    confirm: Confirm,
    patience: Duration,
    /// The connection that is kept, where connections are.
    kept: Option<Socket>,
    /// What was written to it last.
    in_flight: VecDeque<Bytes>,
}

impl Line {
    pub(super) fn new(connector: Connector, host: String, port: u16, confirm: Confirm, patience: Duration) -> Line {
        Line { connector, host, port, confirm, patience, kept: None, in_flight: VecDeque::new() }
    }

    /// Sends frames and says how that is known; or why it is not known to have gone well.
    pub(super) async fn send(&mut self, frames: Bytes) -> Result<&'static str, String> {
        match self.confirm {
            Confirm::Closed => self.send_and_close(&frames).await,
            Confirm::Written => self.send_and_keep(frames).await,
        }
    }

    async fn send_and_close(&self, frames: &[u8]) -> Result<&'static str, String> {
        let mut socket = self.connect().await?;
        self.write(&mut socket, frames).await?;
        // Says goodbye first if there is TLS (close_notify); some receivers complain otherwise.
        socket.shutdown().await.map_err(|e| self.broken(&e))?;
        let mut thrown_away = [0; 512];
        let end = async {
            loop {
                match socket.read(&mut thrown_away).await {
                    Ok(0) => return Ok(()),
                    Ok(_) => {}
                    Err(e) if is_end(&e) => return Ok(()),
                    Err(e) => return Err(e),
                }
            }
        };
        match timeout(self.patience, end).await {
            Ok(Ok(())) => Ok("read by the receiver, which then closed the connection"),
            Ok(Err(e)) => Err(self.broken(&e)),
            Err(_) => Err(format!(
                "{}:{} did not close the connection within {} s after we had, so nobody knows whether it has read everything; for a \
                 receiver that never closes, set `confirm` to `written`",
                self.host,
                self.port,
                self.patience.as_secs()
            )),
        }
    }

    async fn send_and_keep(&mut self, frames: Bytes) -> Result<&'static str, String> {
        // Taken out: if this is given up on the way, the connection goes with it.
        let socket = match self.kept.take() {
            None => None,
            Some(mut socket) => match feel(&mut socket).await {
                Pulse::Alive => Some(socket),
                Pulse::Closed => {
                    self.in_flight.clear();
                    None
                }
                Pulse::Broken(e) => {
                    tracing::info!(host = self.host, error = %e, "a syslog connection broke; what was written last is written again");
                    None
                }
            },
        };
        let mut socket = match socket {
            Some(socket) => socket,
            None => {
                let mut socket = self.connect().await?;
                // If we crash here, what is in flight is lost: `Confirm::Closed` is for those who cannot have that.
                for again in &self.in_flight {
                    self.write(&mut socket, again).await?;
                }
                socket
            }
        };
        self.write(&mut socket, &frames).await?;
        if let Pulse::Broken(e) = feel(&mut socket).await {
            return Err(self.broken(&e));
        }
        self.in_flight.push_back(frames);
        while self.in_flight.len() > 1 && self.in_flight.iter().map(Bytes::len).sum::<usize>() > IN_FLIGHT_BYTES {
            self.in_flight.pop_front();
        }
        self.kept = Some(socket);
        Ok("written to the socket; syslog has no acknowledgement")
    }

    async fn connect(&self) -> Result<Socket, String> {
        let mut socket = self.connector.connect(&self.host, self.port).await.map_err(|e| e.to_string())?;
        // A listener whose process has gone, or that wants another certificate, closes at once.
        match feel(&mut socket).await {
            Pulse::Alive => Ok(socket),
            Pulse::Closed => Err(format!("{}:{} took the connection and closed it at once", self.host, self.port)),
            Pulse::Broken(e) => Err(self.broken(&e)),
        }
    }

    async fn write(&self, socket: &mut Socket, frames: &[u8]) -> Result<(), String> {
        let work = async {
            socket.write_all(frames).await?;
            socket.flush().await
        };
        match timeout(self.patience, work).await {
            Ok(done) => done.map_err(|e| self.broken(&e)),
            Err(_) => Err(format!("{}:{} did not read for {} s", self.host, self.port, self.patience.as_secs())),
        }
    }

    fn broken(&self, e: &std::io::Error) -> String {
        format!("the connection to {}:{} broke: {e}", self.host, self.port)
    }
}
