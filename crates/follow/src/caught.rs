//! A future whose panic is an error, so that a bug in one receiver's code is a failed attempt and not the end of a loop.

use std::any::Any;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;

use crate::Later;

/// Waits for the future; an error says what it panicked with. It is not asked again after that, so nothing is seen half done.
pub(crate) async fn caught<T>(mut future: Later<'_, T>) -> Result<T, String> {
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
        Err(panic) => Poll::Ready(Err(text(panic.as_ref()))),
    })
    .await
}

/// Calls the function; an error says what it panicked with.
pub(crate) fn caught_now<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|panic| text(panic.as_ref()))
}

fn text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    format!("a bug in Acta: {}", text.unwrap_or("no message"))
}
