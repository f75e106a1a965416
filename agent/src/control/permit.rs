//! The one gate before every route: who may call it, as the table of routes has it. What is not in the table
//! is not served, and a change is written to the audit before and after it.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use connctl_api::access::{ADMIN, Access, READ, Role};
use connctl_api::error::{ApiError, ErrorCode};
use connctl_api::route::{self, Found};

use super::error::{Refusal, internal};
use super::ledger::{self, Call, Ledger};
use super::standing::Standing;
use super::who::Caller;
use crate::base::actor::{Actor, asked_by};
use crate::ops::Node;

/// Lets a request through to its route, or says why not.
pub(super) async fn permit(State(node): State<Arc<Node>>, mut request: Request, next: Next) -> Response {
    let Some(Caller(caller)) = request.extensions().get().cloned() else {
        return refused(ApiError::new(ErrorCode::Internal, "nobody looked who asks"));
    };
    let path = route_of(&request);
    let method = request.method().as_str();
    let access = match needed(method, path.as_deref()) {
        Ok(access) => access,
        Err(error) => return refused(error),
    };
    let path = path.unwrap_or_default();
    let allowed = caller.and_then(|actor| allows(&actor, access, method, &path).map(|()| actor));
    let actor = match allowed {
        Ok(actor) => actor,
        Err(error) => {
            denied(&node, &request, &error);
            return refused(error);
        }
    };
    request.extensions_mut().insert(Arc::clone(&actor));
    let Some(mut standing) = Standing::of(&node, &request, &actor) else {
        return refused(ApiError::new(ErrorCode::Internal, "nobody looked how it was asked"));
    };
    if !access.is_change {
        return tokio::select! {
            biased;
            response = next.run(request) => standing.follow(response),
            error = standing.lost() => refused(error),
        };
    }
    let ended = match Ledger::of(&node) {
        Some(ledger) => match ledger::body_of(request, &path).await {
            Ok((request, body)) => {
                let asked = written(ledger, Arc::clone(&actor), path, request, body, next, standing);
                tokio::spawn(asked_by(actor, asked)).await
            }
            Err(error) => return refused(error),
        },
        None => {
            let asked = async { standing.follow(next.run(request).await) };
            tokio::spawn(asked_by(actor, asked)).await
        }
    };
    ended.unwrap_or_else(|error| refused(internal("a change ended badly", &error)))
}

/// Lets a change through that is written down before and after. In a task of its own: what is written down is
/// carried out, whether who asked waits for it or leaves.
async fn written(
    ledger: Ledger,
    actor: Arc<Actor>,
    path: String,
    request: Request,
    body: Bytes,
    next: Next,
    standing: Standing,
) -> Response {
    match ledger.begin(&call(&request, Some(&actor), &path), &body).await {
        Ok(entry) => entry.follow(standing.follow(next.run(request).await)),
        Err(error) => refused(error),
    }
}

/// Writes down that somebody was refused, where what they asked for would change something.
pub(super) fn denied(node: &Node, request: &Request, error: &ApiError) {
    let path = route_of(request).unwrap_or_default();
    let is_change = needed(request.method().as_str(), Some(&path)).is_ok_and(|access| access.is_change);
    if let Some(ledger) = Ledger::of(node).filter(|_| is_change) {
        let caller = request.extensions().get::<Caller>().and_then(|caller| caller.0.as_deref().ok());
        ledger.denied(&call(request, caller, &path), error);
    }
}

fn call<'a>(request: &'a Request, actor: Option<&'a Actor>, path: &'a str) -> Call<'a> {
    let transport = request.extensions().get();
    Call { actor, transport, method: request.method(), path, uri: request.uri() }
}

/// The path of a request as the router knows it.
fn route_of(request: &Request) -> Option<String> {
    request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned())
}

/// What a route asks; `path` is as the router knows it, absent where none fits.
fn needed(method: &str, path: Option<&str>) -> Result<Access, ApiError> {
    // Nothing is served on a path that no route has.
    let Some(path) = path else { return Ok(READ) };
    match route::find(method, path) {
        Found::Row(access) => Ok(access),
        // Answered with what the path does take. Should a handler be there all the same, it is no one's but
        // an administrator's.
        Found::OtherMethod => Ok(ADMIN),
        Found::Nothing => {
            let message = format!("{path} is missing in the table of routes");
            Err(ApiError::new(ErrorCode::Internal, message))
        }
    }
}

/// Whether someone may call a route.
fn allows(actor: &Actor, access: Access, method: &str, path: &str) -> Result<(), ApiError> {
    role(actor, access.role, method, path)?;
    scope(actor, access, method, path)
}

fn role(actor: &Actor, needed: Role, method: &str, path: &str) -> Result<(), ApiError> {
    if actor.role >= needed {
        return Ok(());
    }
    let message = format!("{} has the role {}, and {method} {path} needs {needed}", actor.name, actor.role);
    Err(ApiError::new(ErrorCode::Denied, message).field("role"))
}

fn scope(actor: &Actor, access: Access, method: &str, path: &str) -> Result<(), ApiError> {
    match &actor.scope {
        Some(scope) if !access.is_scoped => {
            let (name, role) = (&actor.name, access.role);
            let message = format!(
                "{method} {path} is about the whole agent and needs the role {role} for all of it, and {name} \
                 has it for {scope}"
            );
            Err(ApiError::new(ErrorCode::Denied, message).field("scope"))
        }
        _ => Ok(()),
    }
}

fn refused(error: ApiError) -> Response {
    let needs_token = error.code == ErrorCode::Unauthenticated;
    let mut response = Refusal(error).into_response();
    if needs_token {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}
