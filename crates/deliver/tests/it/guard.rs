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
    expect![[r#"
        https://127.0.0.1/
          https://127.0.0.1 is not allowed: 127.0.0.1 is a loopback address
        https://127.1/
          https://127.0.0.1 is not allowed: 127.0.0.1 is a loopback address
        https://127.0.1/
          https://127.0.0.1 is not allowed: 127.0.0.1 is a loopback address
        https://127.255.255.254/
          https://127.255.255.254 is not allowed: 127.255.255.254 is a loopback address
        https://2130706433/
          https://127.0.0.1 is not allowed: 127.0.0.1 is a loopback address
        https://0x7f000001/
          https://127.0.0.1 is not allowed: 127.0.0.1 is a loopback address
        https://0x7f.1/
          https://127.0.0.1 is not allowed: 127.0.0.1 is a loopback address
        https://0177.0.0.1/
          https://127.0.0.1 is not allowed: 127.0.0.1 is a loopback address
        https://017700000001/
          https://127.0.0.1 is not allowed: 127.0.0.1 is a loopback address
        https://127.0.0.1./
          https://127.0.0.1 is not allowed: 127.0.0.1 is a loopback address
        https://①②⑦.0.0.1/
          https://127.0.0.1 is not allowed: 127.0.0.1 is a loopback address
        https://localhost/
          https://localhost is not allowed: 127.0.0.1 is a loopback address
        https://LOCALHOST./
          https://localhost. is not allowed: 127.0.0.1 is a loopback address
        https://a.b.localhost:8443/
          https://a.b.localhost:8443 is not allowed: 127.0.0.1 is a loopback address
        https://0/
          https://0.0.0.0 is not allowed: 0.0.0.0 is an unspecified address
        https://0.0.0.0/
          https://0.0.0.0 is not allowed: 0.0.0.0 is an unspecified address
        https://0.1.2.3/
          https://0.1.2.3 is not allowed: 0.1.2.3 is an unspecified address
        https://10.0.0.1/
          https://10.0.0.1 is not allowed: 10.0.0.1 is a private address
        https://172.16.0.1/
          https://172.16.0.1 is not allowed: 172.16.0.1 is a private address
        https://172.31.255.255/
          https://172.31.255.255 is not allowed: 172.31.255.255 is a private address
        https://192.168.1.1/
          https://192.168.1.1 is not allowed: 192.168.1.1 is a private address
        https://100.64.0.1/
          https://100.64.0.1 is not allowed: 100.64.0.1 is an address shared behind a carrier's NAT
        https://100.100.100.200/
          https://100.100.100.200 is not allowed: 100.100.100.200 is an address shared behind a carrier's NAT
        https://169.254.169.254/latest/meta-data/
          https://169.254.169.254 is not allowed: 169.254.169.254 is a link-local address
        https://0xa9fea9fe/
          https://169.254.169.254 is not allowed: 169.254.169.254 is a link-local address
        https://168.63.129.16/
          https://168.63.129.16 is not allowed: 168.63.129.16 is an address of the cloud's own services
        https://192.0.0.192/
          https://192.0.0.192 is not allowed: 192.0.0.192 is a reserved address
        https://192.0.2.1/
          https://192.0.2.1 is not allowed: 192.0.2.1 is an address for documentation
        https://198.18.0.1/
          https://198.18.0.1 is not allowed: 198.18.0.1 is an address for benchmarks
        https://198.51.100.1/
          https://198.51.100.1 is not allowed: 198.51.100.1 is an address for documentation
        https://203.0.113.1/
          https://203.0.113.1 is not allowed: 203.0.113.1 is an address for documentation
        https://192.88.99.1/
          https://192.88.99.1 is not allowed: 192.88.99.1 is a reserved address
        https://224.0.0.1/
          https://224.0.0.1 is not allowed: 224.0.0.1 is a multicast address
        https://239.255.255.250/
          https://239.255.255.250 is not allowed: 239.255.255.250 is a multicast address
        https://240.0.0.1/
          https://240.0.0.1 is not allowed: 240.0.0.1 is a reserved address
        https://255.255.255.255/
          https://255.255.255.255 is not allowed: 255.255.255.255 is the broadcast address
        https://[::]/
          https://[::] is not allowed: :: is an unspecified address
        https://[::1]/
          https://[::1] is not allowed: ::1 is a loopback address
        https://[0:0:0:0:0:0:0:1]/
          https://[::1] is not allowed: ::1 is a loopback address
        https://[::ffff:127.0.0.1]/
          https://[::ffff:7f00:1] is not allowed: ::ffff:127.0.0.1 is a loopback address
        https://[::ffff:7f00:1]/
          https://[::ffff:7f00:1] is not allowed: ::ffff:127.0.0.1 is a loopback address
        https://[::ffff:10.0.0.1]/
          https://[::ffff:a00:1] is not allowed: ::ffff:10.0.0.1 is a private address
        https://[::127.0.0.1]/
          https://[::7f00:1] is not allowed: ::7f00:1 is IPv4-compatible 127.0.0.1, a loopback address
        https://[::ffff:0:127.0.0.1]/
          https://[::ffff:0:7f00:1] is not allowed: ::ffff:0:7f00:1 is translated to 127.0.0.1, a loopback address
        https://[64:ff9b::169.254.169.254]/
          https://[64:ff9b::a9fe:a9fe] is not allowed: 64:ff9b::a9fe:a9fe is translated (NAT64) to 169.254.169.254, a link-local address
        https://[64:ff9b:1::1]/
          https://[64:ff9b:1::1] is not allowed: 64:ff9b:1::1 is a private address
        https://[2002:7f00:1::]/
          https://[2002:7f00:1::] is not allowed: 2002:7f00:1:: is a tunnel (6to4) to 127.0.0.1, a loopback address
        https://[2002:c0a8:101::1]/
          https://[2002:c0a8:101::1] is not allowed: 2002:c0a8:101::1 is a tunnel (6to4) to 192.168.1.1, a private address
        https://[2001:0:4136:e378:8000:63bf:f5ff:fffe]/
          https://[2001:0:4136:e378:8000:63bf:f5ff:fffe] is not allowed: 2001:0:4136:e378:8000:63bf:f5ff:fffe is a tunnel (Teredo) to 10.0.0.1, a private address
        https://[2001:db8::1]/
          https://[2001:db8::1] is not allowed: 2001:db8::1 is an address for documentation
        https://[2001:4860::5efe:10.0.0.1]/
          https://[2001:4860::5efe:a00:1] is not allowed: 2001:4860::5efe:a00:1 is a tunnel (ISATAP) to 10.0.0.1, a private address
        https://[3fff::1]/
          https://[3fff::1] is not allowed: 3fff::1 is an address for documentation
        https://[fc00::1]/
          https://[fc00::1] is not allowed: fc00::1 is a private address
        https://[fd00:ec2::254]/
          https://[fd00:ec2::254] is not allowed: fd00:ec2::254 is a private address
        https://[fe80::1]/
          https://[fe80::1] is not allowed: fe80::1 is a link-local address
        https://[fec0::1]/
          https://[fec0::1] is not allowed: fec0::1 is a private address
        https://[ff02::1]/
          https://[ff02::1] is not allowed: ff02::1 is a multicast address
        https://[100::1]/
          https://[100::1] is not allowed: 100::1 is an address that leads nowhere
        https://[4000::1]/
          https://[4000::1] is not allowed: 4000::1 is a reserved address
        http://93.184.216.34/
          http://93.184.216.34 is not allowed: without https everybody on the way can read what is sent
        http://receiver.example/
          http://receiver.example is not allowed: without https everybody on the way can read what is sent
        https://user:pass@93.184.216.34/
          must not hold a user name or password: credentials have members of their own
        https://93.184.216.34:0/
          must not name port 0
        ftp://93.184.216.34/
          must begin with https://, not ftp://
        file:///etc/passwd
          must begin with https://, not file://
        https://[fe80::1%25eth0]/
          is no URL (invalid IPv6 address): write it as https://host/path
    "#]].assert_eq(&table);
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
    expect![[r#"
        https://inside.example:PORT is not allowed: 127.0.0.1 is a loopback address. The operator can allow networks for destinations with destination_networks
        https://mixed.example:PORT is not allowed: 10.0.0.1 is a private address. The operator can allow networks for destinations with destination_networks
        no address was found for none.example: it has none
        no address was found for unknown.example: no such name
        https://127.0.0.1:PORT is not allowed: 127.0.0.1 is a loopback address. The operator can allow networks for destinations with destination_networks
        https://localhost:PORT is not allowed: 127.0.0.1 is a loopback address. The operator can allow networks for destinations with destination_networks
        "0x7f.1" is neither a host name nor an address
    "#]].assert_eq(&table);
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
