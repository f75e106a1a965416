//! Scassandra: `/current/connections[/ip[/port]]`, `/current/listener` (and `/server/listener`), `/version`.
//!
//! Of its other routes, `/connection` (a log of past connections) is not here.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use connctl_api::listener::{GateReports, GateRequest, RejectMode};
use connctl_api::operation::OperationKind;
use serde::Serialize;

use super::params::{Params, decode};
use super::profile::Profile;
use super::{address, set};
use crate::control::App;
use crate::control::error::Refusal;
use crate::ops::{self, Node};
use crate::registry::Conn;

pub(super) fn routes() -> Router<App> {
    Router::new()
        // One handler, because its paths have forms that no router knows: `//9042` is a port alone.
        .route("/current/{*rest}", any(current))
        .route("/server/listener", any(server_listener))
        .route("/version", get(version))
}

async fn current(State(node): State<Arc<Node>>, method: Method, uri: Uri) -> Response {
    let rest = uri.path().strip_prefix("/current/").unwrap_or_default();
    if rest == "listener" {
        return listener(&node, &method, &uri).await;
    }
    match rest.strip_prefix("connections").and_then(Target::parse) {
        Some(target) => connections(&node, &method, &uri, &target).await,
        None => no_resource(),
    }
}

async fn server_listener(State(node): State<Arc<Node>>, method: Method, uri: Uri) -> Response {
    if Profile::of(&node.settings).serves_server_listener() {
        listener(&node, &method, &uri).await
    } else {
        no_resource()
    }
}

async fn version() -> Json<serde_json::Value> {
    Json(serde_json::json!({ "version": env!("CARGO_PKG_VERSION") }))
}

/// Which connections a path is about.
#[derive(Debug, PartialEq)]
struct Target {
    host: Option<String>,
    port: Option<u32>,
}

impl Target {
    /// Reads what follows `connections`: a slash, a host, a slash and a port, of which each may be absent.
    /// Ports end where 32-bit integers do; those that no connection can have match none.
    fn parse(rest: &str) -> Option<Self> {
        let rest = rest.strip_prefix('/').unwrap_or(rest);
        let (host, rest) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let port = rest.strip_prefix('/').unwrap_or(rest);
        let port = match port {
            "" => None,
            digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(digits.parse::<i32>().ok()?.unsigned_abs())
            }
            _ => return None,
        };
        Some(Self { host: (!host.is_empty()).then(|| decode(host)), port })
    }

    async fn conns(&self, node: &Node) -> Vec<Arc<Conn>> {
        let port = match self.port.map(u16::try_from) {
            None => None,
            Some(Ok(port)) => Some(port),
            Some(Err(_)) => return Vec::new(),
        };
        match (&self.host, port) {
            (None, None) => set::all(node).await,
            (None, Some(port)) => set::of_port(node, port).await,
            (Some(host), port) => set::of_client(node, &address::of_host(host), port).await,
        }
    }
}

#[derive(Serialize)]
struct Connection {
    host: String,
    port: u16,
}

impl Connection {
    fn all(conns: &[Arc<Conn>]) -> Vec<Self> {
        let shown = |conn: &Arc<Conn>| {
            let client = address::canonical(conn.client()?);
            Some(Self { host: client.ip().to_string(), port: client.port() })
        };
        conns.iter().filter_map(shown).collect()
    }
}

#[derive(Serialize)]
struct Listing {
    connections: Vec<Connection>,
}

#[derive(Serialize)]
struct Closed {
    closed_connections: Vec<Connection>,
    operation: &'static str,
}

async fn connections(node: &Arc<Node>, method: &Method, uri: &Uri, target: &Target) -> Response {
    match *method {
        Method::GET | Method::HEAD => {
            let connections = Connection::all(&target.conns(node).await);
            Json(Listing { connections }).into_response()
        }
        Method::DELETE => {
            let kind = kind_of(Params::of(uri).first("type"));
            let conns = target.conns(node).await;
            let closed_connections = Connection::all(&conns);
            // The answer names the targets, and comes when each has been acted on: for a half-close that is
            // when its FIN was sent, however long the peer keeps its own side open.
            set::operate(node, conns, kind, kind.default_side(), "scassandra").await;
            Json(Closed { closed_connections, operation: kind.word() }).into_response()
        }
        _ => not_allowed("GET, DELETE"),
    }
}

/// Case counts, and what is unknown is a close.
fn kind_of(text: Option<&str>) -> OperationKind {
    match text {
        Some("reset") => OperationKind::Reset,
        Some("halfclose") => OperationKind::Halfclose,
        _ => OperationKind::Close,
    }
}

#[derive(Serialize)]
struct Changed {
    changed: bool,
}

async fn listener(node: &Node, method: &Method, uri: &Uri) -> Response {
    let params = Params::of(uri);
    let changed = match *method {
        Method::PUT => accept(node).await,
        Method::DELETE => {
            let after = match after_of(params.first("after")) {
                Ok(after) => after,
                Err(message) => return (StatusCode::BAD_REQUEST, message).into_response(),
            };
            let mode = match params.first("mode").map(str::parse) {
                None => Profile::of(&node.settings).scassandra_reject(),
                Some(Ok(mode)) => mode,
                Some(Err(message)) => {
                    return (StatusCode::BAD_REQUEST, malformed("mode", &message)).into_response();
                }
            };
            reject(node, after, mode).await
        }
        _ => return not_allowed("PUT, DELETE"),
    };
    match changed {
        Ok(changed) => Json(Changed { changed }).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

/// Takes an armed count away as well; only the end of a rejection is a change.
async fn accept(node: &Node) -> Result<bool, Refusal> {
    Ok(any_changed(&ops::gate::accept(node, GateRequest::default()).await?))
}

/// Changes nothing where connections are rejected already, whatever the count and the mode. The listeners
/// that still accept share one count.
async fn reject(node: &Node, after: u64, mode: RejectMode) -> Result<bool, Refusal> {
    let rows = ops::gate::rows(node).await;
    let names: Vec<_> = rows.into_iter().filter(|row| row.accepting).map(|row| row.name).collect();
    if names.is_empty() {
        return Ok(false);
    }
    let request = GateRequest { names, after: Some(after), mode: Some(mode) };
    Ok(any_changed(&ops::gate::reject(node, request).await?))
}

fn any_changed(reports: &GateReports) -> bool {
    reports.listeners.iter().any(|report| report.changed)
}

fn after_of(text: Option<&str>) -> Result<u64, String> {
    let Some(text) = text else { return Ok(0) };
    let number: i32 = text
        .parse()
        .map_err(|_| malformed("after", &format!("'{text}' is not a valid 32-bit signed integer value")))?;
    u64::try_from(number).map_err(|_| malformed("after", &format!("'{text}' is negative")))
}

fn malformed(name: &str, why: &str) -> String {
    format!("The query parameter '{name}' was malformed:\n{why}")
}

fn no_resource() -> Response {
    (StatusCode::NOT_FOUND, "The requested resource could not be found.").into_response()
}

fn not_allowed(methods: &'static str) -> Response {
    let text = format!("HTTP method not allowed, supported methods: {methods}");
    let allow = [(header::ALLOW, HeaderValue::from_static(methods))];
    (StatusCode::METHOD_NOT_ALLOWED, allow, text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_a_host_a_port_or_both() {
        let target = |rest| Target::parse(rest).map(|target| (target.host, target.port));
        let host = |text: &str| Some(text.to_owned());
        for all in ["", "/", "//"] {
            assert_eq!(target(all), Some((None, None)), "{all:?}");
        }
        assert_eq!(target("/127.0.0.1"), Some((host("127.0.0.1"), None)));
        assert_eq!(target("/127.0.0.1/"), Some((host("127.0.0.1"), None)));
        assert_eq!(target("127.0.0.1"), Some((host("127.0.0.1"), None)));
        assert_eq!(target("/127.0.0.1/9042"), Some((host("127.0.0.1"), Some(9042))));
        assert_eq!(target("/9042"), Some((host("9042"), None)));
        assert_eq!(target("//9042"), Some((None, Some(9042))));
        assert_eq!(target("/%3A%3A1/1"), Some((host("::1"), Some(1))));
        assert_eq!(target("/h/2147483647"), Some((host("h"), Some(2_147_483_647))));
        for none in ["/h/2147483648", "/h/-1", "/h/+1", "/h/x", "/h/1/", "/h/1/2", "/h//", "///"] {
            assert_eq!(target(none), None, "{none}");
        }
    }

    #[test]
    fn an_unknown_type_is_a_close_and_case_counts() {
        assert_eq!(kind_of(Some("reset")), OperationKind::Reset);
        assert_eq!(kind_of(Some("halfclose")), OperationKind::Halfclose);
        for close in [None, Some("close"), Some("RESET"), Some("foo"), Some("")] {
            assert_eq!(kind_of(close), OperationKind::Close);
        }
    }

    #[test]
    fn after_is_a_count_of_32_bits() {
        assert_eq!(after_of(None), Ok(0));
        assert_eq!(after_of(Some("5")), Ok(5));
        assert_eq!(
            after_of(Some("abc")).unwrap_err(),
            "The query parameter 'after' was malformed:\n'abc' is not a valid 32-bit signed integer value"
        );
        for wrong in ["-1", "2147483648", "", "1.5"] {
            assert!(after_of(Some(wrong)).unwrap_err().contains(wrong), "{wrong}");
        }
    }
}
