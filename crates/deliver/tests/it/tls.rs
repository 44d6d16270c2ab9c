//! TLS: whom we trust, by which name, and what is said if we do not.

use std::process::Command;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use deliver::net::{AllowedNetworks, Http, HttpOptions, TlsOptions};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::support::{Names, options};

/// A certificate for `receiver.example` that nobody but itself answers for, and its key.
fn certificate() -> Option<(String, String)> {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=receiver.example", "-addext", "subjectAltName=DNS:receiver.example"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout", &path("key"), "-out", &path("certificate")])
        .output();
    let Ok(made) = made else {
        println!("TLS is not tested: openssl is not there; `apt-get install openssl`");
        return None;
    };
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let read = |name: &str| std::fs::read_to_string(path(name)).unwrap();
    Some((read("certificate"), read("key")))
}

/// A server that says 200 to whatever comes.
async fn serve(certificate: &str, key: &str) -> (u16, JoinSet<()>) {
    let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(chain, key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut running = JoinSet::new();
    running.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut bytes = [0; 4096];
            if stream.read(&mut bytes).await.is_ok_and(|read| read > 0) {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await.ok();
            }
        }
    });
    (port, running)
}

async fn get(http: &Http, url: &str) -> String {
    let request = http::Request::builder().uri(url).body(Bytes::new()).unwrap();
    http.send(request).await.map_or_else(|e| e.to_string(), |answer| answer.raw())
}

#[tokio::test]
async fn a_receiver_is_trusted_by_its_authority_and_name_only() {
    let Some((certificate, key)) = certificate() else { return };
    let (port, _running) = serve(&certificate, &key).await;
    let here = vec!["127.0.0.1".parse().unwrap()];
    let names = ["receiver.example", "other.example"].map(|name| (name.to_owned(), here.clone()));
    let names = Arc::new(Names(Mutex::new(names.into())));
    let allowed = AllowedNetworks::parse(["127.0.0.0/8"]).unwrap();
    let with = |extra_roots: Vec<String>| {
        Http::new(HttpOptions { resolver: Arc::<Names>::clone(&names), extra_roots, ..options(allowed.clone()) }).unwrap()
    };
    let (right, wrong) = (format!("https://receiver.example:{port}/"), format!("https://other.example:{port}/"));

    let unknown = get(&with(Vec::new()), &right).await;
    assert!(unknown.contains("no TLS connection") && unknown.contains("UnknownIssuer"), "{unknown}");
    let operator = with(vec![certificate.clone()]);
    assert_eq!(get(&operator, &right).await, "HTTP 200 OK");
    let other = get(&operator, &wrong).await;
    assert!(other.contains("no TLS connection") && other.contains("not valid for name"), "{other}");

    // The same by a destination's own settings; and with the name that the certificate has.
    let own = with(Vec::new()).trusting(Some(&certificate)).unwrap();
    assert_eq!(get(&own, &right).await, "HTTP 200 OK");
    let named = TlsOptions {
        roots: Some(certificate.clone()),
        server_name: Some("receiver.example".to_owned()),
        ..TlsOptions::default()
    };
    assert_eq!(get(&with(Vec::new()).with_tls(named.clone()).unwrap(), &wrong).await, "HTTP 200 OK");
    with(Vec::new()).dial().tls("other.example", port, &named).await.unwrap();
    with(Vec::new()).dial().tls("receiver.example", port, &TlsOptions::default()).await.unwrap_err();
}
