//! A Kafka broker that answers as a test asks: one topic with one partition, and SCRAM.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256, Sha512};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What it does.
#[derive(Debug, Clone, Default)]
pub(crate) struct Script {
    /// The error of every batch.
    pub(crate) produce: i16,
    /// Where the leader is said to be; here, if nothing is said.
    pub(crate) leader: Option<(String, u16)>,
    /// Who does not know this is not let in.
    pub(crate) password: Option<String>,
    /// It does not know the password itself, and lets everybody in.
    pub(crate) forget_password: bool,
    /// Says this, whatever it is asked, and closes.
    pub(crate) garbage: Option<Vec<u8>>,
}

/// Runs until it is dropped.
pub(crate) struct Broker {
    port: u16,
    task: JoinHandle<()>,
}

impl Broker {
    pub(crate) async fn start(script: Script) -> Broker {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // One at a time: the producer asks for the leader, and leaves, before it connects to it.
                Session { script: script.clone(), port, signed: Vec::new(), may: script.password.is_none(), hash: 256 }
                    .serve(stream)
                    .await;
            }
        });
        Broker { port, task }
    }

    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Session {
    script: Script,
    port: u16,
    /// The messages of SCRAM so far.
    signed: Vec<String>,
    may: bool,
    hash: u16,
}

fn string(text: &str) -> Vec<u8> {
    [&i16::try_from(text.len()).unwrap().to_be_bytes()[..], text.as_bytes()].concat()
}

impl Session {
    async fn serve(mut self, mut stream: TcpStream) {
        while let Ok(len) = stream.read_i32().await {
            let mut request = vec![0; usize::try_from(len).unwrap()];
            stream.read_exact(&mut request).await.unwrap();
            if let Some(garbage) = &self.script.garbage {
                stream.write_all(garbage).await.unwrap();
                return;
            }
            // Key, version, correlation, then our name: "acta".
            let (head, body) = request.split_at(14);
            assert_eq!(&head[8..], b"\0\x04acta");
            let answer = match i16::from_be_bytes([head[0], head[1]]) {
                0 => self.produced(body),
                3 => self.metadata(),
                17 => self.handshake(body),
                36 => self.authenticate(std::str::from_utf8(&body[4..]).unwrap()),
                other => panic!("nobody asks for {other}"),
            };
            let len = i32::try_from(answer.len() + 4).unwrap();
            stream.write_all(&[&len.to_be_bytes(), &head[4..8], &answer[..]].concat()).await.unwrap();
        }
    }

    fn produced(&self, body: &[u8]) -> Vec<u8> {
        assert!(self.may, "not signed in");
        // No transaction, all replicas.
        assert_eq!(&body[..4], [0xff, 0xff, 0xff, 0xff]);
        let one = 1_i32.to_be_bytes();
        let told =
            [&0_i32.to_be_bytes()[..], &self.script.produce.to_be_bytes(), &5_i64.to_be_bytes(), &(-1_i64).to_be_bytes()];
        [&one[..], &string("audit"), &one, &told.concat(), &0_i32.to_be_bytes()].concat()
    }

    fn metadata(&self) -> Vec<u8> {
        assert!(self.may, "not signed in");
        let (host, port) = self.script.leader.clone().unwrap_or(("127.0.0.1".to_owned(), self.port));
        let (zero, one, none) = (0_i32.to_be_bytes(), 1_i32.to_be_bytes(), (-1_i16).to_be_bytes());
        let broker = [&one[..], &string(&host), &i32::from(port).to_be_bytes(), &none].concat();
        let partition = [&[0, 0][..], &zero, &one, &one, &one, &one, &one].concat();
        let topic = [&[0, 0][..], &string("audit"), &[0], &one, &partition].concat();
        [&zero[..], &one, &broker, &none, &one, &one, &topic].concat()
    }

    fn handshake(&mut self, body: &[u8]) -> Vec<u8> {
        self.hash = if body.ends_with(b"512") { 512 } else { 256 };
        [&[0, 0][..], &1_i32.to_be_bytes(), &string("SCRAM-SHA-256")].concat()
    }

    fn authenticate(&mut self, token: &str) -> Vec<u8> {
        let fine = |text: &str| {
            [&[0, 0, 0xff, 0xff][..], &i32::try_from(text.len()).unwrap().to_be_bytes(), text.as_bytes()].concat()
        };
        if let Some(bare) = token.strip_prefix("n,,") {
            assert!(bare.starts_with("n=a=2C=3Db,r="), "{bare}");
            let nonce = bare.rsplit_once("r=").unwrap().1;
            let challenge = format!("r={nonce}server,s={},i=4096", BASE64.encode("salt"));
            self.signed = vec![bare.to_owned(), challenge.clone()];
            return fine(&challenge);
        }
        let (without, proof) = token.rsplit_once(",p=").unwrap();
        let signed = format!("{},{without}", self.signed.join(","));
        let salted = self.salted(self.script.password.clone().unwrap().as_bytes());
        let key = self.mac(&salted, b"Client Key");
        let expected: Vec<u8> =
            self.mac(&self.digest(&key), signed.as_bytes()).iter().zip(&key).map(|(a, b)| a ^ b).collect();
        if BASE64.decode(proof).unwrap() != expected {
            return [&58_i16.to_be_bytes()[..], &string("no"), &0_i32.to_be_bytes()].concat();
        }
        self.may = true;
        let proof = self.mac(&self.mac(&salted, b"Server Key"), signed.as_bytes());
        fine(&format!("v={}", BASE64.encode(if self.script.forget_password { vec![0; 32] } else { proof })))
    }

    fn salted(&self, password: &[u8]) -> Vec<u8> {
        let mut last = self.mac(password, b"salt\0\0\0\x01");
        let mut sum = last.clone();
        for _ in 1..4_096 {
            last = self.mac(password, &last);
            sum.iter_mut().zip(&last).for_each(|(a, b)| *a ^= b);
        }
        sum
    }

    fn mac(&self, key: &[u8], bytes: &[u8]) -> Vec<u8> {
        if self.hash == 512 {
            Hmac::<Sha512>::new_from_slice(key).unwrap().chain_update(bytes).finalize().into_bytes().to_vec()
        } else {
            Hmac::<Sha256>::new_from_slice(key).unwrap().chain_update(bytes).finalize().into_bytes().to_vec()
        }
    }

    fn digest(&self, bytes: &[u8]) -> Vec<u8> {
        if self.hash == 512 { Sha512::digest(bytes).to_vec() } else { Sha256::digest(bytes).to_vec() }
    }
}
