//! `GET /v1/catalog`.

use crate::support::Server;

#[tokio::test(flavor = "multi_thread")]
async fn lists_every_catalog() {
    let server = Server::start();
    let json = server.get("/v1/catalog").await.json();
    let counts: Vec<_> = json["catalogs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|catalog| format!("{} {}", catalog["name"].as_str().unwrap(), catalog["action"].as_array().unwrap().len()))
        .collect();
    assert_eq!(counts, ["retool 97", "make 41", "session 17", "acta 48"]);
}
