//! Who asks, and what she may: the one place where a request becomes a caller, and a caller a [`Scope`].

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use access::{Act, Scope, Subject, decide};
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use directory::{ApiKey, Authority, ChangedBy, KeyRefused, Secret, SessionRefused, SignedIn};
use record::{Actor, Context, Kind, Timestamp};

use crate::app::{App, blocking};
use crate::problem::Problem;
use crate::request_id::{ArrivedAt, RequestId};

/// So long a person who has just shown who she is may do dangerous things.
const CONFIRMED_MS: i64 = 10 * 60_000;

/// An authenticated caller.
#[derive(Debug, Clone)]
pub struct Caller {
    /// As whom.
    pub who: Who,
    /// From where.
    pub from: From,
}

/// As whom a caller is known.
#[derive(Debug, Clone)]
pub enum Who {
    /// An application with an API key.
    Key(Box<ApiKey>),
    /// A person with a session.
    Person(Box<SignedIn>),
}

/// From where a request came.
#[derive(Debug, Clone, Default)]
pub struct From {
    /// The network address.
    pub ip: Option<IpAddr>,
    /// The client program, as it names itself; cut to what an event may hold.
    pub user_agent: Option<String>,
    /// The request's id.
    pub request_id: Option<String>,
    /// When the request arrived.
    pub arrived_at: Option<Timestamp>,
}

impl Caller {
    /// What a decision needs to know.
    pub fn subject(&self) -> Subject {
        match &self.who {
            Who::Key(key) => key.subject(),
            Who::Person(signed_in) => Subject::Person(signed_in.person.clone()),
        }
    }

    /// The scope in which the caller may do this, or the reason why not.
    pub fn permit(&self, act: Act) -> Result<Scope, Problem> {
        Ok(decide(&self.subject(), act)?)
    }

    /// The caller, as the actor of an event.
    pub fn actor(&self) -> Actor {
        #[expect(clippy::expect_used, reason = "constant words")]
        let kind = |word| Kind::new(word).expect("a constant word");
        match &self.who {
            Who::Key(key) => Actor {
                kind: kind("api_key"),
                id: key.id.as_str().into(),
                name: Some(key.name.as_str().into()),
                email: None,
            },
            Who::Person(signed_in) => {
                let user = &signed_in.user;
                let name = (!user.name.is_empty()).then(|| user.name.as_str().into());
                Actor { kind: kind("user"), id: user.id.as_str().into(), name, email: Some(user.email.as_str().into()) }
            }
        }
    }

    /// The caller, as whoever changes the directory.
    pub fn changed_by(&self) -> ChangedBy {
        let actor = self.actor();
        ChangedBy {
            actor_type: actor.kind,
            actor_id: actor.id.into(),
            actor_name: actor.name.map(Into::into),
            actor_email: actor.email.map(Into::into),
            ip: self.from.ip,
            user_agent: self.from.user_agent.clone(),
            session_id: self.session_id().map(str::to_owned),
            request_id: self.from.request_id.clone(),
            started_at: self.from.arrived_at,
            authority: match &self.who {
                Who::Key(key) => Authority::Key { scopes: key.scopes.clone(), team: key.team.clone() },
                Who::Person(signed_in) => Authority::Person(signed_in.user.id.clone()),
            },
        }
    }

    /// Whether the person has shown a second factor in this session. Of a key there is nothing to say.
    pub fn second_factor(&self) -> Option<bool> {
        match &self.who {
            Who::Key(_) => None,
            Who::Person(signed_in) => Some(signed_in.session.second_factor_at.is_some()),
        }
    }

    /// The id of the session, if there is one.
    pub fn session_id(&self) -> Option<&str> {
        match &self.who {
            Who::Key(_) => None,
            Who::Person(signed_in) => Some(signed_in.session.id.as_str()),
        }
    }

    /// Lets a dangerous act pass only if the person has shown within the last minutes that it is still she. Keys cannot.
    pub fn confirmed(&self, now: Timestamp) -> Result<(), Problem> {
        match &self.who {
            Who::Key(_) => Ok(()),
            Who::Person(signed_in) => {
                let at = signed_in.session.confirmed_at;
                if at.is_some_and(|at| (0..CONFIRMED_MS).contains(&now.millis_since(at))) {
                    return Ok(());
                }
                let detail = "This needs your password or second factor once more: confirm at /confirm, then try again.";
                Err(Problem::new(StatusCode::FORBIDDEN, "confirmation-needed", "Confirm that it is you", detail))
            }
        }
    }

    /// From where, as the context of an event, with the session if there is one.
    pub fn context(&self, request_id: Option<&str>) -> Context {
        let request_id = request_id.or(self.from.request_id.as_deref());
        Context { session_id: self.session_id().map(Into::into), ..self.from.context(request_id) }
    }

    /// The id of the API key, if there is one.
    pub fn key_id(&self) -> Option<&str> {
        match &self.who {
            Who::Key(key) => Some(key.id.as_str()),
            Who::Person(_) => None,
        }
    }
}

impl From {
    /// As the place of whoever changes the directory without being signed in; who it is, the change itself finds out.
    pub fn changed_by(&self) -> ChangedBy {
        ChangedBy {
            ip: self.ip,
            user_agent: self.user_agent.clone(),
            request_id: self.request_id.clone(),
            started_at: self.arrived_at,
            ..ChangedBy::system()
        }
    }

    /// The address, for counting attempts. Whoever has none shares one with all who have none.
    pub fn address(&self) -> IpAddr {
        self.ip.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
    }

    /// How long the request has taken by now, in milliseconds, for its event.
    pub fn took_ms(&self, now: Timestamp) -> Option<u64> {
        self.arrived_at.and_then(|at| u64::try_from(now.millis_since(at)).ok())
    }

    /// As the context of an event of somebody who is not signed in.
    pub fn context(&self, request_id: Option<&str>) -> Context {
        Context {
            ip: self.ip.map(|ip| ip.to_string().into()),
            user_agent: self.user_agent.as_deref().map(Into::into),
            session_id: None,
            request_id: request_id.map(Into::into),
        }
    }
}

/// The address of whoever sent a request; the outermost layer finds it out.
#[derive(Debug, Clone, Copy)]
pub struct ClientIp(pub IpAddr);

/// The sender's address: the peer's, or, where the peer is a trusted proxy, the nearest address that it was told and that is
/// none itself. What stands further left in `X-Forwarded-For` anybody can make up.
pub fn client_ip(app: &App, request: &axum::extract::Request) -> Option<ClientIp> {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>()?.0.ip().to_canonical();
    let told = request.headers().get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let told: Vec<IpAddr> =
        told.flat_map(|value| value.split(',')).filter_map(|address| address.trim().parse::<IpAddr>().ok()).collect();
    let mut address = peer;
    for nearer in told.into_iter().rev() {
        if !app.config.trusts_proxy(address) {
            break;
        }
        address = nearer.to_canonical();
    }
    Some(ClientIp(address))
}

impl<S: Send + Sync> FromRequestParts<S> for From {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<From, Self::Rejection> {
        let ip = parts.extensions.get::<ClientIp>().map(|client| client.0);
        let agent = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        let user_agent = agent.filter(|agent| !agent.is_empty()).map(|agent| agent.chars().take(512).collect());
        let request_id = parts.extensions.get::<RequestId>().map(|id| id.as_str().to_owned());
        let arrived_at = parts.extensions.get::<ArrivedAt>().map(|at| at.0);
        Ok(From { ip, user_agent, request_id, arrived_at })
    }
}

/// A caller of the API: by its key, or by the pages' session.
impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Caller, Problem> {
        let Ok(from) = From::from_request_parts(parts, app).await;
        if let Some(value) = parts.headers.get(header::AUTHORIZATION) {
            let key = key(app, value.to_str().unwrap_or_default()).await?;
            return Ok(Caller { who: Who::Key(Box::new(key)), from });
        }
        let Some(token) = session_token(app, &parts.headers) else {
            let detail = "Send an API key in the header \"Authorization: Bearer acta_…\", or sign in.";
            return Err(Problem::unauthenticated(detail));
        };
        let signed_in = session(app, token).await?;
        // A browser adds the cookie to requests that other sites make it send. Those may read nothing they get to see, but
        // must not be able to write.
        if !parts.method.is_safe() {
            refuse_other_sites(&parts.headers)?;
        }
        Ok(Caller { who: Who::Person(Box::new(signed_in)), from })
    }
}

/// Refuses what another site's page made a browser send.
pub fn refuse_other_sites(headers: &HeaderMap) -> Result<(), Problem> {
    if is_same_origin(headers) {
        return Ok(());
    }
    let detail = "This request came from another site's page; it was not carried out.";
    Err(Problem::new(StatusCode::FORBIDDEN, "other-site", "Not allowed", detail))
}

async fn key(app: &Arc<App>, header: &str) -> Result<ApiKey, Problem> {
    let secret = header.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let Some(secret) = secret.map(|(_, secret)| secret.trim().to_owned()) else {
        return Err(Problem::unauthenticated("The Authorization header must be \"Bearer\" and an API key."));
    };
    let now = app.now();
    if let Some(key) = app.keys.get(&secret, now) {
        return Ok(key);
    }
    let shared = app.clone();
    let found = blocking(move || {
        let found = shared.directory.find_api_key(&Secret::new(secret.clone()), now)?;
        if let Ok(key) = &found {
            shared.keys.put(&secret, key.clone(), now);
            shared.directory.touch_api_key(key, now);
        }
        Ok::<_, directory::DirectoryError>(found)
    })
    .await??;
    found.map_err(|refused| {
        Problem::unauthenticated(match refused {
            KeyRefused::Unknown => "This API key is not known.",
            KeyRefused::Revoked => "This API key has been revoked.",
            KeyRefused::Expired => "This API key has expired.",
            KeyRefused::Disabled => "This API key's service account is disabled.",
            KeyRefused::Archived => "This API key's organization is archived.",
        })
    })
}

/// The sort of problem of a session that lacks the second factor that its organization asks for.
pub const SECOND_FACTOR_NEEDED: &str = "urn:acta:problem:second-factor-needed";

/// The signed-in person of a session token. One who lacks the second factor that her organization asks for can do nothing,
/// whether that was asked for before she signed in or after.
pub async fn session(app: &Arc<App>, token: String) -> Result<SignedIn, Problem> {
    let signed_in = any_session(app, token).await?;
    if signed_in.lacks_second_factor() {
        let detail = "Your organization asks for a second factor: show it, or set one up, at /account/second-factor.";
        let problem = Problem::new(StatusCode::FORBIDDEN, "second-factor-needed", "Second factor needed", detail);
        return Err(problem);
    }
    Ok(signed_in)
}

/// The same for the pages where she shows a second factor, or sets one up, or leaves: even without one.
pub async fn any_session(app: &Arc<App>, token: String) -> Result<SignedIn, Problem> {
    let (shared, now) = (app.clone(), app.now());
    let found = blocking(move || shared.directory.find_session(&Secret::new(token), now)).await??;
    found.map_err(|refused| {
        Problem::unauthenticated(match refused {
            SessionRefused::Unknown => "You are not signed in.",
            SessionRefused::Expired => "Your session has ended. Sign in again.",
            SessionRefused::Disabled => "Your account is disabled.",
        })
    })
}

/// The names of the session cookie: with TLS in front of Acta, and without.
pub const COOKIES: [&str; 2] = ["__Host-acta_session", "acta_session"];

/// The session cookie's name here. Behind TLS no other is believed, because a neighbouring host can set one of that name.
pub fn cookie_name(app: &App) -> &'static str {
    let [with_tls, without] = COOKIES;
    if app.config.is_https() { with_tls } else { without }
}

/// The session token in the request's cookies.
pub fn session_token(app: &App, headers: &HeaderMap) -> Option<String> {
    let wanted = cookie_name(app);
    let pairs = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|v| v.split(';'));
    let mut named = pairs.filter_map(|pair| pair.trim().split_once('=')).filter(|(name, _)| *name == wanted);
    named.next().map(|(_, token)| token.to_owned())
}

/// Whether a request was made by one of our own pages, or by no page at all.
fn is_same_origin(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    match (text("origin"), text("host")) {
        (Some(origin), Some(host)) => origin.split_once("://").is_some_and(|(_, of)| of == host),
        (None, _) => true,
        _ => false,
    }
}
