//! As much HTTP/1.1 as the load needs: requests over one connection that stays open, answers with a length or in chunks.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, bail};

/// A server that says nothing for so long will not answer any more.
const PATIENCE: Duration = Duration::from_secs(60);

/// One connection.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
    /// The request being sent: head and body leave in one write.
    request: Vec<u8>,
    /// `Host` and `Authorization`, as they are sent.
    headers: String,
    address: SocketAddr,
}

/// What came back.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Connection {
    /// Connects; the key goes with every request.
    pub(crate) fn open(address: SocketAddr, key: &str) -> std::io::Result<Connection> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let stream = BufReader::with_capacity(64 * 1_024, stream);
        let mut connection = Connection { stream, request: Vec::new(), headers: String::new(), address };
        connection.use_key(key);
        Ok(connection)
    }

    /// Sends this key from now on; none if it is empty.
    pub(crate) fn use_key(&mut self, key: &str) {
        let authorization = if key.is_empty() { String::new() } else { format!("Authorization: Bearer {key}\r\n") };
        self.headers = format!("Host: {}\r\n{authorization}", self.address);
    }

    /// `GET`.
    pub(crate) fn get(&mut self, path: &str) -> anyhow::Result<Answer> {
        let head = format!("GET {path} HTTP/1.1\r\n{}\r\n", self.headers);
        self.exchange(&head, &[])
    }

    /// `POST` with a JSON body.
    pub(crate) fn post(&mut self, path: &str, body: &[u8]) -> anyhow::Result<Answer> {
        let (headers, length) = (&self.headers, body.len());
        let kind = "Content-Type: application/json\r\n";
        let head = format!("POST {path} HTTP/1.1\r\n{headers}{kind}Content-Length: {length}\r\n\r\n");
        self.exchange(&head, body)
    }

    fn exchange(&mut self, head: &str, body: &[u8]) -> anyhow::Result<Answer> {
        self.request.clear();
        self.request.extend(head.as_bytes());
        self.request.extend(body);
        self.stream.get_mut().write_all(&self.request).context("the request could not be sent")?;
        self.answer().context("the answer could not be read")
    }

    fn answer(&mut self) -> anyhow::Result<Answer> {
        let first = self.line()?;
        let status = first.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.with_context(|| format!("`{first}` is no status line"))?;
        let (mut length, mut chunked) = (None, false);
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').with_context(|| format!("`{line}` is no header"))?;
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = Some(value.trim().parse::<usize>()?),
                "transfer-encoding" => chunked = value.trim().eq_ignore_ascii_case("chunked"),
                _ => {}
            }
        }
        let mut body = Vec::new();
        if chunked {
            loop {
                let size = self.line()?;
                let size = usize::from_str_radix(size.split(';').next().unwrap_or_default().trim(), 16)?;
                self.read_more(size, &mut body)?;
                self.line()?;
                if size == 0 {
                    break;
                }
            }
        } else {
            self.read_more(length.context("the answer has no length")?, &mut body)?;
        }
        Ok(Answer { status, body })
    }

    fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            bail!("the server closed the connection");
        }
        line.truncate(line.trim_end().len());
        Ok(line)
    }

    fn read_more(&mut self, size: usize, into: &mut Vec<u8>) -> std::io::Result<()> {
        let start = into.len();
        into.resize(start + size, 0);
        self.stream.read_exact(&mut into[start..])
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// Answers every request on every connection with what `answer` makes of its first line and body.
    pub(in super::super) fn serve(answer: fn(&str, &[u8]) -> String) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                thread::spawn(move || talk(stream, answer));
            }
        });
        address
    }

    fn talk(stream: TcpStream, answer: fn(&str, &[u8]) -> String) {
        let mut stream = BufReader::new(stream);
        loop {
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                if stream.read_line(&mut head).unwrap() == 0 {
                    return;
                }
            }
            let length =
                head.split("Content-Length: ").nth(1).map_or(0, |rest| rest.lines().next().unwrap().parse().unwrap());
            let mut body = vec![0; length];
            stream.read_exact(&mut body).unwrap();
            stream.get_mut().write_all(answer(&head, &body).as_bytes()).unwrap();
        }
    }

    #[test]
    fn answers_with_a_length_and_in_chunks_are_read_from_one_connection() {
        let address = serve(|head, body| {
            if head.starts_with("GET /chunks ") {
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nHello\r\n7\r\n, world\r\n0\r\n\r\n".into()
            } else {
                let told = format!("{} {}", head.contains("Authorization: Bearer secret\r\n"), body.len());
                format!("HTTP/1.1 201 Created\r\ncontent-length: {}\r\n\r\n{told}", told.len())
            }
        });
        let mut connection = Connection::open(address, "secret").unwrap();
        assert_eq!(connection.get("/chunks").unwrap(), Answer { status: 200, body: b"Hello, world".into() });
        assert_eq!(connection.post("/v1/events", b"{}").unwrap(), Answer { status: 201, body: b"true 2".into() });
        assert_eq!(connection.get("/").unwrap(), Answer { status: 201, body: b"true 0".into() });
    }

    #[test]
    fn an_answer_that_is_none_is_an_error() {
        let address = serve(|_, _| "nonsense\r\n\r\n".into());
        let error = Connection::open(address, "").unwrap().get("/").unwrap_err();
        assert!(format!("{error:#}").contains("no status line"), "{error:#}");
    }
}
