//! One event, sent by itself: what "send a test event" does. Nothing is noted, nothing is tried again.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use crate::caught::{caught, caught_now};
use crate::encode::Encode;
use crate::hide::Hide;
use crate::message::Message;
use crate::recorded::Recorded;
use crate::transport::Transport;
use crate::verdict::Answer;

/// Longer than any transport waits by itself.
const ANSWER_MAX: Duration = Duration::from_secs(120);

/// Sends an event as a follower would, over a transport that nobody else is using, and gives the receiver's answer. An error says
/// why nothing could be sent.
pub async fn try_out(
    transport: &dyn Transport,
    encoder: &dyn Encode,
    hide: &Hide,
    recorded: Recorded,
) -> Result<Answer, String> {
    let recorded = hide.apply(Arc::new(recorded));
    let bodies = caught_now(|| encoder.encode(&recorded)).and_then(|encoded| encoded)?;
    let message = |(part, body)| Message { recorded: Arc::clone(&recorded), part, body };
    let messages: Vec<Message> = (0_u32..).zip(bodies).map(message).collect();
    if messages.is_empty() {
        return Err("the format leaves this event out".into());
    }
    Ok(match timeout(ANSWER_MAX, caught(transport.send(&messages))).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(panic)) => Answer::retry(panic),
        Err(_) => Answer::retry("no answer within two minutes"),
    })
}
