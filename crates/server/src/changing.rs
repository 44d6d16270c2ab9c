//! Changing the directory, for the API and the pages: in one place, so that no change is made which cannot be recorded, and every
//! change can be read in the log by the time it is answered.

use std::sync::Arc;

use directory::{ChangedBy, Directory, DirectoryError};
use record::Timestamp;

use crate::app::{App, blocking};
use crate::permit::Caller;
use crate::problem::Problem;
use crate::record_own;

/// Changes the directory on a caller's behalf.
///
/// If we crash after the change was committed, its event is in the outbox beside it and is recorded at the next start. If the
/// store fails in that moment, the change stands, and is answered as what it is.
pub async fn change<T: Send + 'static>(
    app: &Arc<App>,
    caller: &Caller,
    work: impl FnOnce(&Directory, &ChangedBy, Timestamp) -> Result<T, DirectoryError> + Send + 'static,
) -> Result<T, Problem> {
    if let Some(reason) = app.store.health().unwritable {
        return Err(Problem::cannot_change(reason));
    }
    let (shared, by, now) = (app.clone(), caller.changed_by(), app.now());
    let value = blocking(move || work(&shared.directory, &by, now)).await??;
    // What was known a moment ago of keys, and of what is taken out of events, may not be true any more.
    app.keys.forget();
    app.policies.forget(caller.subject().org());
    record_own::drain_outbox_or_log(app).await;
    Ok(value)
}

/// The same for what is not refused while the log takes nothing: signing in and out, which reading the log needs, and what
/// happens to mails. The change is made once this returns it; the outbox keeps its event for as long as it has to.
pub async fn change_always<T: Send + 'static>(
    app: &Arc<App>,
    work: impl FnOnce(&App) -> Result<T, DirectoryError> + Send + 'static,
) -> Result<T, Problem> {
    let shared = app.clone();
    let value = blocking(move || work(&shared)).await??;
    record_own::drain_outbox_or_log(app).await;
    Ok(value)
}

/// Asks the directory.
pub async fn ask<T: Send + 'static>(
    app: &Arc<App>,
    work: impl FnOnce(&Directory, Timestamp) -> Result<T, DirectoryError> + Send + 'static,
) -> Result<T, Problem> {
    let (shared, now) = (app.clone(), app.now());
    Ok(blocking(move || work(&shared.directory, now)).await??)
}
