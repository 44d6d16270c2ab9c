//! Background tasks that shutdown waits for.

use std::future::Future;
use std::sync::Mutex;

use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Every task of the process, and the word to stop.
#[derive(Debug)]
pub struct Tasks {
    handles: Mutex<Vec<JoinHandle<()>>>,
    stop: watch::Sender<bool>,
}

impl Default for Tasks {
    fn default() -> Tasks {
        Tasks { handles: Mutex::default(), stop: watch::Sender::new(false) }
    }
}

/// Told when the process is to stop.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Returns when the process is to stop.
    pub async fn wait(&mut self) {
        // An error means that `Tasks` is gone, which is a stop as well.
        drop(self.0.wait_for(|stop| *stop).await);
    }
}

impl Tasks {
    /// Whoever holds this is told to stop.
    pub fn stop_signal(&self) -> Stop {
        Stop(self.stop.subscribe())
    }

    /// Whether the signal was given.
    pub fn is_stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// Runs a task until it ends by itself, which it does soon after the stop signal.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that spawns")]
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let handle = tokio::spawn(task);
        let mut handles = self.handles.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        handles.retain(|handle| !handle.is_finished());
        handles.push(handle);
    }

    /// Gives the signal.
    pub fn tell_stop(&self) {
        self.stop.send_replace(true);
    }

    /// Gives the signal and waits for every task.
    pub async fn stop(&self) {
        self.tell_stop();
        let handles: Vec<_> = self.handles.lock().unwrap_or_else(std::sync::PoisonError::into_inner).drain(..).collect();
        for handle in handles {
            if let Err(e) = handle.await {
                tracing::error!(error = %e, "a background task had failed");
            }
        }
    }
}
