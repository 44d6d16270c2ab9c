//! Standard output, with writers that do what is asked.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use deliver::Settings;
use deliver::stdout::Output;
use follow::{Answer, Transport, Verdict};
use serde_json::json;

use super::events::{Hands, doors, with_body};

/// Gives each write what the test says, and keeps what was written.
struct Scripted {
    begun: Sender<()>,
    script: Receiver<io::Result<()>>,
    written: Arc<Mutex<Vec<u8>>>,
}

impl Write for Scripted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.begun.send(()).unwrap();
        let mut written = self.written.lock().unwrap();
        match self.script.recv().map_err(io::Error::other)? {
            Ok(()) => written.extend_from_slice(bytes),
            Err(e) => {
                // Half of it is out.
                written.extend_from_slice(&bytes[..bytes.len() / 2]);
                return Err(e);
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Setup {
    /// Told of each write as it begins.
    begun: Receiver<()>,
    script: Sender<io::Result<()>>,
    written: Arc<Mutex<Vec<u8>>>,
    transport: Arc<dyn Transport>,
}

fn setup() -> Setup {
    let (script, told) = channel();
    let (to, begun) = channel();
    let written = Arc::default();
    let output = Output::new(Scripted { begun: to, script: told, written: Arc::clone(&written) }).unwrap();
    let doors = doors(&[], &Hands::new()).with_output(output);
    let transport = Settings::parse("stdout", &json!({})).unwrap().open(&doors).unwrap();
    Setup { begun, script, written, transport }
}

#[tokio::test]
async fn each_event_is_a_line_and_a_torn_one_is_ended_before_the_next() {
    let Setup { begun: _begun, script, written, transport } = setup();
    let batch = [with_body(0, "{\"a\":1}"), with_body(1, "{\"b\":2}")];
    script.send(Ok(())).unwrap();
    assert_eq!(transport.send(&batch).await, Answer::delivered("2 lines written, 16 bytes"));

    script.send(Err(io::ErrorKind::BrokenPipe.into())).unwrap();
    let told = transport.send(&batch).await;
    assert_eq!(told, Answer::retry("standard output cannot be written: broken pipe"));

    for _ in 0..2 {
        script.send(Ok(())).unwrap();
    }
    assert_eq!(transport.send(&batch).await.verdict, Verdict::Delivered);
    let text = String::from_utf8(written.lock().unwrap().clone()).unwrap();
    assert_eq!(text, "{\"a\":1}\n{\"b\":2}\n{\"a\":1}\n\n{\"a\":1}\n{\"b\":2}\n");
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_pipe_that_is_not_read() {
    let Setup { begun, script, transport, .. } = setup();
    let batch = [with_body(0, "{}")];
    let told = transport.send(&batch).await;
    assert_eq!(told, Answer::retry("standard output was not read for 30 seconds"));
    begun.recv().unwrap();
    // The first batch hangs in the pipe; one more may wait behind it.
    assert!(transport.send(&batch).await.raw.contains("not read"));
    assert_eq!(transport.send(&batch).await, Answer::retry("standard output is not being read"));
    drop(script);
}

#[test]
fn it_is_refused_where_the_operator_does_not_allow_it() {
    let refused = Settings::parse("stdout", &json!({})).unwrap().open(&doors(&[], &Hands::new())).map(drop);
    assert!(refused.unwrap_err().to_string().contains("has not allowed it"));
}
