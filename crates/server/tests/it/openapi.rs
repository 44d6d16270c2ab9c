//! `GET /openapi.json`.

use crate::support::Server;

#[tokio::test(flavor = "multi_thread")]
async fn describes_every_route_of_the_api() {
    let server = Server::start();
    let json = server.get("/openapi.json").await.json();
    assert!(json["openapi"].as_str().unwrap().starts_with("3.1"));
    let routes = server::router::routes();
    let routes: Vec<_> = routes.list().iter().filter(|route| route.path.starts_with("/v1/")).collect();
    assert!(routes.len() > 60, "{}", routes.len());
    for route in routes {
        let method = route.method.as_str().to_lowercase();
        assert!(json["paths"][route.path].get(&method).is_some(), "{method} {} is not described", route.path);
    }
    // Each filter and each member that the code reads is described.
    let list = json["paths"]["/v1/events"]["get"]["parameters"].to_string();
    for (name, _) in server::params::FILTERS.iter().chain(server::params::PAGING) {
        assert!(list.contains(&format!("\"name\":\"{name}\"")), "{name} is not described");
    }
}
