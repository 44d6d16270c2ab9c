//! Where people wait to be recognised: hashing a password is work for a processor, and takes memory.

use std::sync::Arc;

use axum::http::StatusCode;
use tokio::sync::Semaphore;

use super::choices::Choices;
use crate::app::{App, blocking};
use crate::problem::Problem;

/// Passwords hashed at once.
const HASHED_AT_ONCE: usize = 2;
/// Attempts that wait for that; more are sent away.
const WAITING_MAX: usize = 64;

/// Where people wait.
#[derive(Debug)]
pub(in crate::ui) struct Desk {
    room: Semaphore,
    desks: Semaphore,
    pub(super) choices: Choices,
}

impl Default for Desk {
    fn default() -> Desk {
        Desk { room: Semaphore::new(WAITING_MAX), desks: Semaphore::new(HASHED_AT_ONCE), choices: Choices::default() }
    }
}

impl Desk {
    /// Does what takes the hashing of a password, when it is its turn.
    pub(in crate::ui) async fn hashing<T: Send + 'static>(
        &self,
        app: &Arc<App>,
        work: impl FnOnce(&App) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let Ok(_waiting) = self.room.try_acquire() else {
            let detail = "Too many people sign in at this moment. Try again in a few seconds.";
            return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "Not available now", detail));
        };
        let _desk = self.desks.acquire().await.map_err(Problem::internal)?;
        let app = app.clone();
        blocking(move || work(&app)).await
    }
}
