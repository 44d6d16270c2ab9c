//! `GET /openapi.json`.

use crate::support::Server;

#[tokio::test(flavor = "multi_thread")]
async fn describes_every_route_of_the_api() {
    let server = Server::start();
    let json = server.get("/openapi.json").await.json();
    assert!(json["openapi"].as_str().unwrap().starts_with("3.1"));
    let router = include_str!("../../src/router.rs");
    let routes: Vec<&str> = router.split(".route(").skip(1).filter_map(|rest| rest.split('"').nth(1)).collect();
    assert!(routes.len() > 6);
    for route in routes {
        if route != "/openapi.json" {
            assert!(json["paths"].get(route).is_some(), "{route} is not described");
        }
    }
    // Each filter and each member that the code reads is described.
    let list = json["paths"]["/v1/events"]["get"]["parameters"].to_string();
    for (name, _) in server::params::FILTERS.iter().chain(server::params::PAGING) {
        assert!(list.contains(&format!("\"name\":\"{name}\"")), "{name} is not described");
    }
}
