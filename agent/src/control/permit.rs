//! The one gate before every route: who may call it, as the table of routes has it. What is not in the table
//! is not served.

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use connctl_api::access::{Access, Role};
use connctl_api::error::{ApiError, ErrorCode};
use connctl_api::route::{self, Found};

use super::error::Refusal;
use super::who::Caller;
use crate::base::actor::Actor;

/// Lets a request through to its route, or says why not.
pub(super) async fn permit(mut request: Request, next: Next) -> Response {
    let Some(Caller(caller)) = request.extensions_mut().remove() else {
        return refused(ApiError::new(ErrorCode::Internal, "nobody looked who asks"));
    };
    let actor = match caller {
        Ok(actor) => actor,
        Err(error) => return refused(error),
    };
    let matched = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    if let Err(error) = allows(&actor, request.method().as_str(), matched) {
        return refused(error);
    }
    request.extensions_mut().insert(actor);
    next.run(request).await
}

/// Whether someone may call a route; `matched` is its path as the router knows it, absent where none fits.
fn allows(actor: &Actor, method: &str, matched: Option<&str>) -> Result<(), ApiError> {
    // Nothing is served on a path that no route has.
    let Some(path) = matched else { return Ok(()) };
    let access = match route::find(method, path) {
        Found::Row(access) => access,
        // Answered with what the path does take. Should a handler be there all the same, it is no one's but
        // an administrator's.
        Found::OtherMethod => connctl_api::access::ADMIN,
        Found::Nothing => {
            let message = format!("{path} is missing in the table of routes");
            return Err(ApiError::new(ErrorCode::Internal, message));
        }
    };
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
            let name = &actor.name;
            let message = format!(
                "{method} {path} is about the whole agent and needs the role {} for all of it, and {name} has it for {scope}",
                access.role
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
