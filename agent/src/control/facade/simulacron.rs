//! Simulacron: `/connections/…`, `/connection/…`, `/listener/…`, `/pause-reads/…`, `/cluster`.
//!
//! The agent is cluster 0, named `connctl`. Each listener is a data centre: its id is the listener's place,
//! its name the listener's. In it is one node: its id is the agent's, its address the bound one.
//!
//! `shutdown_read` becomes a pause of reads on the client's side: as there, the connection stays and is
//! listed, and nothing that the client sends is read any more. It can be taken back.

mod report;
mod scope;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{any, delete, get, put};
use connctl_api::listener::{GateRequest, ListenerRow, RejectMode};
use connctl_api::operation::{OperationKind, SideChoice};
use serde::Serialize;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinSet;

use self::report::Report;
use self::scope::Scope;
use super::params::{Params, decode};
use super::profile::Profile;
use super::{address, set};
use crate::base::actor;
use crate::control::App;
use crate::control::error::Refusal;
use crate::ops::{self, Node};
use crate::registry::Conn;

/// What operations of this facade leave as their note.
const NOTE: &str = "simulacron";
/// Requests of `stop` with `after` that wait for their count to be reached.
const MAX_ARMED_STOPS: usize = 64;

static ARMED_STOPS: Semaphore = Semaphore::const_new(MAX_ARMED_STOPS);

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/connections/{*scope}", get(list).delete(close))
        .route("/connections", any(no_resource))
        .route("/connection/{cluster}/{ip}/{port}", delete(close_one))
        .route("/listener/{*scope}", put(accept).delete(reject))
        .route("/pause-reads/{*scope}", put(pause).delete(resume))
        .route("/cluster", get(clusters))
        .route("/cluster/{*scope}", get(cluster))
}

/// An error as this system tells it.
#[derive(Debug, PartialEq, Serialize)]
struct Fault {
    message: Option<String>,
    status_code: u16,
}

impl Fault {
    fn bad(message: impl Into<String>) -> Self {
        Self { message: Some(message.into()), status_code: 400 }
    }

    fn missing(message: impl Into<String>) -> Self {
        Self { message: Some(message.into()), status_code: 404 }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        (StatusCode::from_u16(self.status_code).unwrap_or(StatusCode::BAD_REQUEST), pretty(&self))
            .into_response()
    }
}

impl From<Refusal> for Fault {
    fn from(Refusal(error): Refusal) -> Self {
        Self { message: Some(error.message), status_code: error.code.status() }
    }
}

fn pretty(value: &impl Serialize) -> Response {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

fn empty() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], "").into_response()
}

async fn no_resource() -> Response {
    (StatusCode::NOT_FOUND, Html("<html><body><h1>Resource not found</h1></body></html>")).into_response()
}

/// The listeners that a request is about, and their connections.
struct Asked {
    rows: Vec<ListenerRow>,
    scope: Scope,
}

impl Asked {
    async fn of(node: &Node, uri: &Uri) -> Result<Self, Fault> {
        let rows = ops::gate::rows(node).await;
        let path = uri.path().trim_start_matches('/').split_once('/').map_or("", |(_, scope)| scope);
        let scope = Scope::parse(path, &rows, node.settings.node_id.get())?;
        Ok(Self { rows, scope })
    }

    /// Those that a report shows: a connection of a listener that the configuration has no more is in no
    /// data centre.
    async fn conns(&self, node: &Node) -> Vec<Arc<Conn>> {
        let mut conns = set::all(node).await;
        conns.retain(|conn| self.listeners().any(|row| report::is_of(conn, row)));
        conns
    }

    fn listeners(&self) -> impl Iterator<Item = &ListenerRow> {
        self.rows.iter().enumerate().filter(|(index, _)| self.scope.includes(*index)).map(|(_, row)| row)
    }

    fn report(&self, node: &Node, conns: &[Arc<Conn>]) -> Report {
        Report::new(&self.rows, |index| self.scope.includes(index), conns, node.settings.node_id.get())
    }
}

async fn list(State(node): State<Arc<Node>>, uri: Uri) -> Result<Response, Fault> {
    let asked = Asked::of(&node, &uri).await?;
    let conns = asked.conns(&node).await;
    Ok(pretty(&asked.report(&node, &conns)))
}

async fn close(State(node): State<Arc<Node>>, uri: Uri) -> Result<Response, Fault> {
    let asked = Asked::of(&node, &uri).await?;
    let (kind, side) = close_type(Params::of(&uri).first("type"))?;
    act(&node, &asked, kind, side).await
}

async fn pause(State(node): State<Arc<Node>>, uri: Uri) -> Result<Response, Fault> {
    let asked = Asked::of(&node, &uri).await?;
    act(&node, &asked, OperationKind::Pause, SideChoice::Client).await
}

async fn resume(State(node): State<Arc<Node>>, uri: Uri) -> Result<Response, Fault> {
    let asked = Asked::of(&node, &uri).await?;
    act(&node, &asked, OperationKind::Resume, SideChoice::Client).await
}

/// The report is of before, the answer comes after.
async fn act(
    node: &Arc<Node>,
    asked: &Asked,
    kind: OperationKind,
    side: SideChoice,
) -> Result<Response, Fault> {
    let conns = asked.conns(node).await;
    let report = asked.report(node, &conns);
    set::operate(node, conns, kind, side, NOTE).await;
    Ok(pretty(&report))
}

async fn close_one(
    State(node): State<Arc<Node>>,
    Path((cluster, ip, port)): Path<(String, String, String)>,
    uri: Uri,
) -> Result<Response, Fault> {
    scope::cluster(&cluster)?;
    let port = port_of(&port)?;
    let (kind, side) = close_type(Params::of(&uri).first("type"))?;
    let rows = ops::gate::rows(&node).await;
    let mut conns = set::of_client(&node, &address::of_host(&ip), Some(port)).await;
    conns.retain(|conn| rows.iter().any(|row| report::is_of(conn, row)));
    if conns.is_empty() {
        return Err(Fault::missing("Not found"));
    }
    let has = |index| rows.get(index).is_some_and(|row| conns.iter().any(|conn| report::is_of(conn, row)));
    let report = Report::new(&rows, has, &conns, node.settings.node_id.get());
    set::operate(&node, conns, kind, side, NOTE).await;
    Ok(pretty(&report))
}

async fn accept(State(node): State<Arc<Node>>, uri: Uri) -> Result<Response, Fault> {
    let asked = Asked::of(&node, &uri).await?;
    let names = asked.listeners().map(|row| row.name.clone()).collect();
    let request = GateRequest { names, ..GateRequest::default() };
    // An address that cannot be bound is a bad request there.
    ops::gate::accept(&node, request).await.map_err(|error| Fault::bad(error.message))?;
    Ok(empty())
}

async fn reject(State(node): State<Arc<Node>>, uri: Uri) -> Result<Response, Fault> {
    let params = Params::of(&uri);
    let after = after_of(params.first("after"))?;
    let asked = Asked::of(&node, &uri).await?;
    let kind = RejectKind::parse(params.first("type"), Profile::of(&node.settings))?;
    if after == 0 {
        let names = asked.listeners().map(|row| row.name.clone()).collect();
        let request = GateRequest { names, after: None, mode: Some(kind.mode()) };
        ops::gate::reject(&node, request).await.map_err(Refusal)?;
        if kind == RejectKind::Stop {
            ops::gate::settle(&node).await;
            let conns = asked.conns(&node).await;
            set::operate(&node, conns, OperationKind::Close, SideChoice::Both, NOTE).await;
        }
        return Ok(empty());
    }
    let armed: Vec<_> = asked.listeners().filter(|row| row.accepting).map(|row| row.name.clone()).collect();
    let permit =
        match kind {
            RejectKind::Stop => {
                let permit = ARMED_STOPS.try_acquire();
                Some(permit.map_err(|_| {
                    Fault::bad(format!("{MAX_ARMED_STOPS} stops wait for their count already"))
                })?)
            }
            RejectKind::Unbind | RejectKind::RejectStartup => None,
        };
    // Each node counts for itself, so each listener is armed on its own. One that rejects already stays so.
    let mut counts = JoinSet::new();
    for name in armed {
        let (ran_out, told) = oneshot::channel();
        let request = GateRequest { names: vec![name.clone()], after: Some(after), mode: Some(kind.mode()) };
        ops::gate::reject_and_tell(&node, request, Some(ran_out)).await.map_err(Refusal)?;
        if kind == RejectKind::Stop {
            counts.spawn(actor::keep(close_when_told(Arc::clone(&node), name, told)));
        }
    }
    if let Some(permit) = permit {
        tokio::spawn(async move {
            while counts.join_next().await.is_some() {}
            drop(permit);
        });
    }
    Ok(empty())
}

/// Closes the connections of a listener once its count has run out; nothing where another order has taken the
/// place of the one that counts.
async fn close_when_told(node: Arc<Node>, name: String, told: oneshot::Receiver<()>) {
    if told.await.is_err() {
        return;
    }
    ops::gate::settle(&node).await;
    let mut conns = set::all(&node).await;
    conns.retain(|conn| *conn.origin().name == *name);
    set::operate(&node, conns, OperationKind::Close, SideChoice::Both, NOTE).await;
}

async fn clusters(State(node): State<Arc<Node>>) -> Response {
    let rows = ops::gate::rows(&node).await;
    pretty(&[report::Topology::new(&rows, |_| true, node.settings.node_id.get())])
}

async fn cluster(State(node): State<Arc<Node>>, uri: Uri) -> Result<Response, Fault> {
    let asked = Asked::of(&node, &uri).await?;
    let includes = |index| asked.scope.includes(index);
    Ok(pretty(&report::Topology::new(&asked.rows, includes, node.settings.node_id.get())))
}

fn close_type(text: Option<&str>) -> Result<(OperationKind, SideChoice), Fault> {
    let text = text.unwrap_or("disconnect").to_uppercase();
    match text.as_str() {
        "DISCONNECT" => Ok((OperationKind::Close, SideChoice::Both)),
        "RESET" => Ok((OperationKind::Reset, SideChoice::Both)),
        "SHUTDOWN_READ" => Ok((OperationKind::Pause, SideChoice::Client)),
        "SHUTDOWN_WRITE" => Ok((OperationKind::Halfclose, SideChoice::Client)),
        _ => Err(Fault::bad(format!(
            "No enum constant com.datastax.oss.simulacron.common.stubbing.CloseType.{text}"
        ))),
    }
}

/// How a listener turns clients away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RejectKind {
    Unbind,
    Stop,
    RejectStartup,
}

impl RejectKind {
    fn parse(text: Option<&str>, profile: Profile) -> Result<Self, Fault> {
        let Some(text) = text else {
            // Row 4.
            return if profile.simulacron_type_has_default() {
                Ok(Self::Unbind)
            } else {
                Err(Fault { message: None, status_code: 400 })
            };
        };
        let text = text.to_uppercase();
        match text.as_str() {
            "UNBIND" => Ok(Self::Unbind),
            "STOP" => Ok(Self::Stop),
            "REJECT_STARTUP" => Ok(Self::RejectStartup),
            _ => Err(Fault::bad(format!(
                "No enum constant com.datastax.oss.simulacron.server.RejectScope.{text}"
            ))),
        }
    }

    const fn mode(self) -> RejectMode {
        match self {
            Self::Unbind | Self::Stop => RejectMode::Refuse,
            Self::RejectStartup => RejectMode::Stall,
        }
    }
}

/// A count at or below zero means at once.
fn after_of(text: Option<&str>) -> Result<u64, Fault> {
    let Some(text) = text else { return Ok(0) };
    let number: i32 = text.parse().map_err(|_| not_a_number(text))?;
    Ok(u64::try_from(number).unwrap_or(0))
}

fn port_of(text: &str) -> Result<u16, Fault> {
    let text = decode(text);
    let number: i32 = text.parse().map_err(|_| not_a_number(&text))?;
    u16::try_from(number).map_err(|_| Fault::bad(format!("port out of range:{number}")))
}

fn not_a_number(text: &str) -> Fault {
    Fault::bad(format!("For input string: {text:?}"))
}

#[cfg(test)]
mod tests {
    use crate::config::Compat;
    use crate::control::testing::settings;

    use super::*;

    fn profile(compat: Compat) -> Profile {
        Profile::of(&settings(compat, &[]))
    }

    #[test]
    fn types_are_read_in_any_case_and_unknown_ones_are_named() {
        assert_eq!(close_type(None).unwrap().0, OperationKind::Close);
        assert_eq!(close_type(Some("Reset")).unwrap().0, OperationKind::Reset);
        assert_eq!(close_type(Some("shutdown_read")).unwrap(), (OperationKind::Pause, SideChoice::Client));
        assert_eq!(close_type(Some("SHUTDOWN_WRITE")).unwrap().0, OperationKind::Halfclose);
        let fault = close_type(Some("foo")).unwrap_err();
        assert_eq!(fault.status_code, 400);
        assert!(fault.message.unwrap().ends_with("CloseType.FOO"));
    }

    #[test]
    fn a_missing_listener_type_is_unbind_as_documented_and_an_error_in_fact() {
        assert_eq!(RejectKind::parse(None, profile(Compat::Documented)), Ok(RejectKind::Unbind));
        let fault = RejectKind::parse(None, profile(Compat::Actual)).unwrap_err();
        assert_eq!(serde_json::to_string(&fault).unwrap(), r#"{"message":null,"status_code":400}"#);
        assert_eq!(RejectKind::parse(Some("stop"), profile(Compat::Actual)), Ok(RejectKind::Stop));
        assert!(RejectKind::parse(Some("x"), profile(Compat::Documented)).is_err());
        assert_eq!(RejectKind::RejectStartup.mode(), RejectMode::Stall);
    }

    #[test]
    fn numbers_that_are_none_are_named() {
        assert_eq!((after_of(None), after_of(Some("3")), after_of(Some("-3"))), (Ok(0), Ok(3), Ok(0)));
        assert_eq!(after_of(Some("abc")).unwrap_err(), Fault::bad("For input string: \"abc\""));
        assert_eq!(port_of("9042"), Ok(9042));
        assert_eq!(port_of("8888888").unwrap_err(), Fault::bad("port out of range:8888888"));
        assert_eq!(port_of("-1").unwrap_err(), Fault::bad("port out of range:-1"));
        assert_eq!(port_of("x").unwrap_err(), Fault::bad("For input string: \"x\""));
    }
}
