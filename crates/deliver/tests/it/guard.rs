//! Where a destination may not lead, in every spelling.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use deliver::net::{AllowedNetworks, Endpoint, Http};
use expect_test::expect;

use crate::doubles::http::{Asked, Double, Receiver, Reply};
use crate::support::{Names, options};

/// What an administrator could type to have Acta look around where it stands.
const TRIED: [&str; 66] = [
    "https://127.0.0.1/",
    "https://127.1/",
    "https://127.0.1/",
    "https://127.255.255.254/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.1/",
    "https://0177.0.0.1/",
    "https://017700000001/",
    "https://127.0.0.1./",
    "https://①②⑦.0.0.1/",
    "https://localhost/",
    "https://LOCALHOST./",
    "https://a.b.localhost:8443/",
    "https://0/",
    "https://0.0.0.0/",
    "https://0.1.2.3/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://172.31.255.255/",
    "https://192.168.1.1/",
    "https://100.64.0.1/",
    "https://100.100.100.200/",
    "https://169.254.169.254/latest/meta-data/",
    "https://0xa9fea9fe/",
    "https://168.63.129.16/",
    "https://192.0.0.192/",
    "https://192.0.2.1/",
    "https://198.18.0.1/",
    "https://198.51.100.1/",
    "https://203.0.113.1/",
    "https://192.88.99.1/",
    "https://224.0.0.1/",
    "https://239.255.255.250/",
    "https://240.0.0.1/",
    "https://255.255.255.255/",
    "https://[::]/",
    "https://[::1]/",
    "https://[0:0:0:0:0:0:0:1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://[::127.0.0.1]/",
    "https://[::ffff:0:127.0.0.1]/",
    "https://[64:ff9b::169.254.169.254]/",
    "https://[64:ff9b:1::1]/",
    "https://[2002:7f00:1::]/",
    "https://[2002:c0a8:101::1]/",
    "https://[2001:0:4136:e378:8000:63bf:f5ff:fffe]/",
    "https://[2001:db8::1]/",
    "https://[2001:4860::5efe:10.0.0.1]/",
    "https://[3fff::1]/",
    "https://[fc00::1]/",
    "https://[fd00:ec2::254]/",
    "https://[fe80::1]/",
    "https://[fec0::1]/",
    "https://[ff02::1]/",
    "https://[100::1]/",
    "https://[4000::1]/",
    "http://93.184.216.34/",
    "http://receiver.example/",
    "https://user:pass@93.184.216.34/",
    "https://93.184.216.34:0/",
    "ftp://93.184.216.34/",
    "file:///etc/passwd",
    "https://[fe80::1%25eth0]/",
];

#[test]
fn what_is_not_public_is_refused_in_every_spelling_before_anything_is_connected_to() {
    let mut table = String::new();
    for text in TRIED {
        let said = match Endpoint::parse(text).map(|endpoint| endpoint.check(&AllowedNetworks::none())) {
            Ok(Ok(())) => "allowed".to_owned(),
            Ok(Err(e)) => {
                let said = e.to_string();
                said.split(". The operator can allow").next().unwrap().to_owned()
            }
            Err(e) => e.to_string(),
        };
        table.push_str(&format!("{text}\n  {said}\n"));
    }
    expect![[r#""#]].assert_eq(&table);
}

#[test]
fn the_public_internet_and_what_the_operator_names_is_allowed() {
    let none = AllowedNetworks::none();
    for public in [
        "https://93.184.216.34/",
        "https://[2606:4700::1111]:8443/x",
        "https://[2002:5db8:d822::1]/",
        "https://hooks.example/",
    ] {
        Endpoint::parse(public).unwrap().check(&none).unwrap();
    }
    let named = AllowedNetworks::parse(["10.0.0.0/8", "fd00::/8", "127.0.0.1"]).unwrap();
    for private in
        ["https://10.1.2.3/", "http://10.1.2.3/", "https://[::ffff:10.1.2.3]/", "http://[fd12::1]/", "http://localhost:9/"]
    {
        Endpoint::parse(private).unwrap().check(&named).unwrap();
    }
    for still in ["https://192.168.0.1/", "https://127.0.0.2/", "https://169.254.169.254/", "http://93.184.216.34/"] {
        Endpoint::parse(still).unwrap().check(&named).unwrap_err();
    }
    let all = AllowedNetworks::parse(["all"]).unwrap();
    Endpoint::parse("http://169.254.169.254/").unwrap().check(&all).unwrap();
    let bad = AllowedNetworks::parse(["10.0.0.0/33"]).unwrap_err().to_string();
    expect![[r#""10.0.0.0/33" is no network: write it as 10.0.0.0/8 or fd00::/8, a single address as 10.1.2.3, or everything as all"#]]
        .assert_eq(&bad);
}

/// Answers yes.
struct Yes;

impl Receiver for Yes {
    fn answer(&mut self, _: &Asked) -> Reply {
        Reply::new(200, "yes")
    }
}

async fn get(http: &Http, url: &str) -> Result<u16, String> {
    let request = http::Request::builder().uri(url).body(Bytes::new()).unwrap();
    http.send(request).await.map(|answer| answer.status.as_u16()).map_err(|e| e.to_string())
}

#[tokio::test]
async fn a_name_is_judged_by_all_its_addresses_when_it_is_connected_to() {
    let inside = Double::start(Yes).await;
    let names = Arc::new(Names(Mutex::new(vec![
        ("inside.example".to_owned(), vec!["127.0.0.1".parse().unwrap()]),
        ("mixed.example".to_owned(), vec!["93.184.216.34".parse().unwrap(), "10.0.0.1".parse().unwrap()]),
        ("none.example".to_owned(), Vec::new()),
    ])));
    let http = Http::new(deliver::net::HttpOptions { resolver: names, ..options(AllowedNetworks::none()) }).unwrap();
    let port = inside.address.port();
    let mut table = String::new();
    for host in ["inside.example", "mixed.example", "none.example", "unknown.example", "127.0.0.1", "localhost", "0x7f.1"] {
        let said = get(&http, &format!("https://{host}:{port}/secret/path")).await.unwrap_err();
        assert!(!said.contains("/secret"), "{said}");
        table.push_str(&said.replace(&port.to_string(), "PORT"));
        table.push('\n');
    }
    expect![[r#""#]].assert_eq(&table);
    assert!(inside.asked().is_empty());
}

#[tokio::test]
async fn a_name_that_changes_its_address_gains_nothing() {
    let inside = Double::start(Yes).await;
    let names = Arc::new(Names(Mutex::new(vec![("rebind.example".to_owned(), vec!["127.0.0.1".parse().unwrap()])])));
    let allowed = AllowedNetworks::parse(["127.0.0.0/8"]).unwrap();
    let resolver: Arc<dyn deliver::net::Resolve> = Arc::<Names>::clone(&names);
    let http = Http::new(deliver::net::HttpOptions { resolver, ..options(allowed) }).unwrap();
    let url = format!("http://rebind.example:{}/", inside.address.port());
    assert_eq!(get(&http, &url).await, Ok(200));
    // The connection that was made is kept; a new one looks up and is refused.
    *names.0.lock().unwrap() = vec![("rebind.example".to_owned(), vec!["169.254.169.254".parse().unwrap()])];
    let fresh = Http::new(deliver::net::HttpOptions {
        resolver: Arc::<Names>::clone(&names),
        ..options(AllowedNetworks::parse(["127.0.0.0/8"]).unwrap())
    });
    let said = get(&fresh.unwrap(), &url).await.unwrap_err();
    assert!(said.contains("169.254.169.254 is a link-local address"), "{said}");
}

#[tokio::test]
async fn plain_connections_have_the_same_guard() {
    let inside = Double::start(Yes).await;
    let port = inside.address.port();
    let closed = Http::new(options(AllowedNetworks::none())).unwrap();
    for host in ["127.0.0.1", "127.1", "2130706433", "localhost", "[::1]", "::1", "::ffff:127.0.0.1"] {
        let said = closed.dial().tcp(host, port).await.unwrap_err().to_string();
        assert!(said.contains("is a loopback address"), "{host}: {said}");
    }
    let open = Http::new(options(AllowedNetworks::parse(["127.0.0.1/32"]).unwrap())).unwrap();
    for host in ["127.0.0.1", "127.1", "localhost"] {
        open.dial().tcp(host, port).await.unwrap();
    }
}
