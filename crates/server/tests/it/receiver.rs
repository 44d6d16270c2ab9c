//! A receiver of webhooks for tests: it keeps what it is sent, and answers as it is told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};
use tokio::sync::watch;

/// Listens on loopback until it is dropped.
pub(crate) struct Receiver {
    pub(crate) url: String,
    kept: Arc<Kept>,
    serving: tokio::task::JoinHandle<()>,
}

struct Kept {
    /// What was taken, in the order in which it came.
    events: watch::Sender<Vec<Value>>,
    /// What is answered.
    answer: Mutex<(StatusCode, String)>,
    /// How often anything was refused.
    refused: watch::Sender<u64>,
}

impl Receiver {
    #[expect(clippy::disallowed_methods, reason = "the receiver is no part of the server, and ends with the test")]
    pub(crate) async fn start() -> Receiver {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/audit", listener.local_addr().unwrap());
        let kept = Arc::new(Kept {
            events: watch::Sender::new(Vec::new()),
            answer: Mutex::new((StatusCode::OK, "thanks".to_owned())),
            refused: watch::Sender::new(0),
        });
        let router = Router::new().route("/audit", axum::routing::post(take)).with_state(kept.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Receiver { url, kept, serving }
    }

    /// Settings of a webhook that comes here.
    pub(crate) fn settings(&self) -> Value {
        json!({"url": self.url, "secret": SECRET, "headers": {"x-team": HEADER}, "batch": true})
    }

    pub(crate) fn answers(&self, status: u16, text: &str) {
        *self.kept.answer.lock().unwrap() = (StatusCode::from_u16(status).unwrap(), text.to_owned());
    }

    /// What was taken so far.
    pub(crate) fn events(&self) -> Vec<Value> {
        self.kept.events.borrow().clone()
    }

    /// Waits until what was taken is as wanted.
    pub(crate) async fn until(&self, wanted: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let mut events = self.kept.events.subscribe();
        let waiting = events.wait_for(|events| wanted(events));
        match tokio::time::timeout(PATIENCE, waiting).await {
            Ok(found) => found.unwrap().clone(),
            Err(_) => panic!("in vain; taken: {:?}", actions(&self.events())),
        }
    }

    /// Waits until something more was refused.
    pub(crate) async fn refuses(&self) {
        let mut refused = self.kept.refused.subscribe();
        let before = *refused.borrow_and_update();
        tokio::time::timeout(PATIENCE, refused.wait_for(|count| *count > before)).await.unwrap().unwrap();
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// So long a test waits before it fails.
const PATIENCE: Duration = Duration::from_secs(30);
pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
pub(crate) const HEADER: &str = "looms and punched cards";

/// The actions, for looking at.
pub(crate) fn actions(events: &[Value]) -> Vec<String> {
    events.iter().map(|event| event["action"].as_str().unwrap_or("?").to_owned()).collect()
}

async fn take(State(kept): State<Arc<Kept>>, body: Bytes) -> (StatusCode, String) {
    let answer = kept.answer.lock().unwrap().clone();
    let body: Value = serde_json::from_slice(&body).unwrap();
    let data = body.get("data").cloned().unwrap_or(body);
    let events = match data {
        Value::Array(events) => events,
        one => vec![one],
    };
    if answer.0.is_success() {
        kept.events.send_modify(|all| all.extend(events));
    } else {
        kept.refused.send_modify(|count| *count += 1);
    }
    answer
}
