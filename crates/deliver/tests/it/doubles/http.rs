//! A small HTTP/1.1 server on loopback, for one kind of answer.

use std::collections::VecDeque;
use std::io::Read as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// With its query.
    pub(crate) path: String,
    /// Names in small letters.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(one, _)| one == name).map(|(_, value)| value.as_str())
    }

    /// The body without its compression; `Err`: the encoding is none of `known`, or is not what it says.
    pub(crate) fn plain(&self, known: &[&str]) -> Result<Vec<u8>, String> {
        let mut out = Vec::new();
        match self.header("content-encoding") {
            None | Some("identity") => return Ok(self.body.clone()),
            Some(encoding) if !known.contains(&encoding) => return Err(format!("{encoding} is not supported")),
            Some("gzip") => flate2::read::GzDecoder::new(&self.body[..]).read_to_end(&mut out).map_err(|e| e.to_string())?,
            Some("deflate") => {
                flate2::read::ZlibDecoder::new(&self.body[..]).read_to_end(&mut out).map_err(|e| e.to_string())?
            }
            Some(other) => return Err(format!("{other} is not supported")),
        };
        Ok(out)
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// The connection breaks instead.
    pub(crate) hang_up: bool,
}

impl Reply {
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Reply {
        Reply { status, headers: Vec::new(), body: body.into(), hang_up: false }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Reply {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn hang_up() -> Reply {
        Reply { hang_up: true, ..Reply::new(0, "") }
    }
}

/// What a receiver is: a state, and what it answers.
pub(crate) trait Receiver: Send + 'static {
    fn answer(&mut self, asked: &Asked) -> Reply;
}

/// A running receiver. Stops when dropped.
pub(crate) struct Double<R> {
    pub(crate) address: SocketAddr,
    shared: Arc<Mutex<Shared<R>>>,
    _running: JoinSet<()>,
}

struct Shared<R> {
    connections: usize,
    receiver: R,
    asked: Vec<Asked>,
    /// Answers that come before the receiver is asked: faults.
    scripted: VecDeque<Reply>,
}

impl<R: Receiver> Double<R> {
    pub(crate) async fn start(receiver: R) -> Double<R> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Mutex::new(Shared { connections: 0, receiver, asked: Vec::new(), scripted: VecDeque::new() }));
        let mut running = JoinSet::new();
        let serving = Arc::clone(&shared);
        running.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&serving);
                shared.lock().unwrap().connections += 1;
                connections.spawn(async move {
                    // A client that goes away is not this double's fault.
                    serve(stream, shared).await.ok();
                });
            }
        });
        Double { address, shared, _running: running }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The next answers, whatever is asked.
    pub(crate) fn script(&self, replies: impl IntoIterator<Item = Reply>) {
        self.shared.lock().unwrap().scripted.extend(replies);
    }

    /// What was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.shared.lock().unwrap().asked.clone()
    }

    /// How many connections were made.
    pub(crate) fn connections(&self) -> usize {
        self.shared.lock().unwrap().connections
    }

    /// Looks at the receiver.
    pub(crate) fn see<T>(&self, look: impl FnOnce(&mut R) -> T) -> T {
        look(&mut self.shared.lock().unwrap().receiver)
    }
}

async fn serve<R: Receiver>(mut stream: TcpStream, shared: Arc<Mutex<Shared<R>>>) -> std::io::Result<()> {
    let mut buffer = Vec::new();
    while let Some(asked) = request(&mut stream, &mut buffer).await? {
        let reply = {
            let mut shared = shared.lock().unwrap();
            shared.asked.push(asked.clone());
            match shared.scripted.pop_front() {
                Some(reply) => reply,
                None => shared.receiver.answer(&asked),
            }
        };
        if reply.hang_up {
            return Ok(());
        }
        let mut head = format!("HTTP/1.1 {} X\r\ncontent-length: {}\r\n", reply.status, reply.body.len());
        for (name, value) in &reply.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(&reply.body).await?;
    }
    Ok(())
}

async fn request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> std::io::Result<Option<Asked>> {
    let end = loop {
        if let Some(at) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
        // What begins so is TLS, which this server does not speak.
        if stream.read_buf(buffer).await? == 0 || buffer.first() == Some(&0x16) {
            return Ok(None);
        }
    };
    let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ').map(str::to_owned);
    let (method, path) = (first.next().unwrap_or_default(), first.next().unwrap_or_default());
    let pairs = lines.filter_map(|line| line.split_once(':'));
    let headers: Vec<_> = pairs.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect();
    let mut asked = Asked { method, path, headers, body: Vec::new() };
    let length: usize = asked.header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    while buffer.len() < end + 4 + length {
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
    asked.body = buffer[end + 4..end + 4 + length].to_vec();
    buffer.drain(..end + 4 + length);
    Ok(Some(asked))
}
