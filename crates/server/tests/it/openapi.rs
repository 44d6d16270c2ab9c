//! `GET /openapi.json`.

use std::collections::BTreeSet;

use crate::support::Server;

#[tokio::test(flavor = "multi_thread")]
async fn describes_every_route_of_the_api() {
    let server = Server::start();
    let json = server.get("/openapi.json").await.json();
    assert!(json["openapi"].as_str().unwrap().starts_with("3.1"));
    let described: BTreeSet<String> = json["paths"].as_object().unwrap().iter().flat_map(methods).collect();
    let routes = server::router::routes();
    let of_the_api = routes.list().iter().filter(|it| it.path != "/openapi.json" && !server::ui::is_page(it.path));
    let answered: BTreeSet<String> =
        of_the_api.map(|it| format!("{} {}", it.method.as_str().to_lowercase(), nameless(it.path))).collect();
    assert!(answered.len() > 100, "{answered:?}");
    assert_eq!(answered.difference(&described).collect::<Vec<_>>(), Vec::<&String>::new(), "not described");
    // Each filter and each member that the code reads is described.
    let list = json["paths"]["/v1/events"]["get"]["parameters"].to_string();
    for (name, _) in server::params::FILTERS.iter().chain(server::params::PAGING) {
        assert!(list.contains(&format!("\"name\":\"{name}\"")), "{name} is not described");
    }
}

/// A path without the names of its parameters.
fn nameless(path: &str) -> String {
    let parts = path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

fn methods((path, methods): (&String, &serde_json::Value)) -> Vec<String> {
    methods.as_object().unwrap().keys().map(|method| format!("{method} {}", nameless(path))).collect()
}
