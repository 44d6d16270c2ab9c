//! Running: listening, background tasks, an orderly end.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;

use crate::app::{App, blocking};
use crate::router::router;
use crate::{delivering, mailing, record_own};

/// How long connections may take to end after the word to stop.
const PATIENCE: Duration = Duration::from_secs(10);

/// A server that is bound to its address and not yet answering.
#[derive(Debug)]
pub struct Server {
    app: Arc<App>,
    listener: TcpListener,
}

impl Server {
    /// Binds the address. After this, the port is known even if 0 was asked for.
    pub async fn bind(app: Arc<App>) -> anyhow::Result<Server> {
        let address = app.config.listen;
        let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
        Ok(Server { app, listener })
    }

    /// The address in fact.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers requests until `stop` completes; then answers those that have begun, makes everything durable, and ends.
    pub async fn run(self, stop: impl Future<Output = ()> + Send + 'static) -> anyhow::Result<()> {
        let Server { app, listener } = self;
        record_own::keep_draining(&app);
        mailing::keep_sending(&app);
        delivering::keep_delivering(&app);
        if app.mailer.is_some() && app.config.public_url.is_empty() && !app.config.listen.ip().is_loopback() {
            tracing::warn!("public_url is not set: links in mails lead to {}", app.config.address("/"));
        }
        purge_now_and_then(&app);
        let service = router(app.clone()).into_make_service_with_connect_info::<SocketAddr>();
        let mut signal = app.tasks.stop_signal();
        let shared = app.clone();
        app.tasks.spawn(async move {
            tokio::select! {
                () = stop => {}
                () = signal.wait() => {}
            }
            shared.tasks.tell_stop();
        });
        let mut signal = app.tasks.stop_signal();
        let serving = axum::serve(listener, service).with_graceful_shutdown(async move { signal.wait().await });
        let mut signal = app.tasks.stop_signal();
        let patience = async {
            signal.wait().await;
            tokio::time::sleep(PATIENCE).await;
        };
        tokio::select! {
            served = serving => served?,
            // Whoever still sends has no answer yet, so nothing that was promised is lost.
            () = patience => tracing::warn!("some connections did not end; closing them"),
        }
        app.tasks.stop().await;
        let shared = app.clone();
        blocking(move || shared.store.close()).await.map_err(|problem| anyhow::anyhow!(problem.detail))?;
        Ok(())
    }
}

fn purge_now_and_then(app: &Arc<App>) {
    let shared = app.clone();
    let mut stop = app.tasks.stop_signal();
    app.tasks.spawn(async move {
        loop {
            let app = shared.clone();
            let purge = move || app.directory.purge_sessions(app.now()).and_then(|_| app.directory.purge_links(app.now()));
            let purged = blocking(purge).await;
            if let Ok(Err(e)) = purged {
                tracing::warn!(error = %e, "ended sessions and links could not be removed");
            }
            tokio::select! {
                () = stop.wait() => return,
                () = tokio::time::sleep(Duration::from_secs(3_600)) => {}
            }
        }
    });
}

/// Completes when the process is asked to end: SIGINT or SIGTERM.
pub async fn end_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => drop(terminate.recv().await),
            Err(e) => {
                tracing::warn!(error = %e, "cannot listen for SIGTERM");
                std::future::pending::<()>().await;
            }
        }
    };
    tokio::select! {
        () = terminate => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    tracing::info!("stopping: finishing what has begun");
}
