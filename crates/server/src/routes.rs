//! Routes that can be listed: what a test of permissions must know of, so that none is forgotten.

use std::sync::Arc;

use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{self, MethodRouter};

use crate::app::App;

/// One way to call the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path, with its parameters in braces.
    pub path: &'static str,
}

/// A router that remembers what was put into it.
#[derive(Debug, Default)]
pub struct Routes {
    router: Router<Arc<App>>,
    list: Vec<Route>,
}

impl Routes {
    /// None yet.
    pub fn new() -> Routes {
        Routes::default()
    }

    /// Answers `GET` (and `HEAD`).
    #[must_use]
    pub fn get<T: 'static>(self, path: &'static str, handler: impl Handler<T, Arc<App>>) -> Routes {
        self.on(Method::GET, path, routing::get(handler))
    }

    /// Answers `POST`.
    #[must_use]
    pub fn post<T: 'static>(self, path: &'static str, handler: impl Handler<T, Arc<App>>) -> Routes {
        self.on(Method::POST, path, routing::post(handler))
    }

    /// Answers `PUT`.
    #[must_use]
    pub fn put<T: 'static>(self, path: &'static str, handler: impl Handler<T, Arc<App>>) -> Routes {
        self.on(Method::PUT, path, routing::put(handler))
    }

    /// Answers `PATCH`.
    #[must_use]
    pub fn patch<T: 'static>(self, path: &'static str, handler: impl Handler<T, Arc<App>>) -> Routes {
        self.on(Method::PATCH, path, routing::patch(handler))
    }

    /// Answers `DELETE`.
    #[must_use]
    pub fn delete<T: 'static>(self, path: &'static str, handler: impl Handler<T, Arc<App>>) -> Routes {
        self.on(Method::DELETE, path, routing::delete(handler))
    }

    fn on(mut self, method: Method, path: &'static str, answer: MethodRouter<Arc<App>>) -> Routes {
        self.list.push(Route { method, path });
        Routes { router: self.router.route(path, answer), list: self.list }
    }

    /// These and those.
    #[must_use]
    pub fn merge(mut self, others: Routes) -> Routes {
        self.list.extend(others.list);
        Routes { router: self.router.merge(others.router), list: self.list }
    }

    /// The same with something around every handler.
    #[must_use]
    pub fn map(self, around: impl FnOnce(Router<Arc<App>>) -> Router<Arc<App>>) -> Routes {
        Routes { router: around(self.router), list: self.list }
    }

    /// All of them, in the order in which they were put in.
    pub fn list(&self) -> &[Route] {
        &self.list
    }

    /// The router.
    pub fn into_router(self) -> Router<Arc<App>> {
        self.router
    }
}
