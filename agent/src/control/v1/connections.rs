//! `/v1/connections`: list, count, stream, show, assign.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::{IntoResponse, Response};
use connctl_api::conn::{AssignRequest, ConnDetail, ConnRow, Health, ListQuery};
use connctl_api::error::ApiError;
use connctl_api::id::ConnId;

use crate::base::clock;
use crate::control::Stop;
use crate::control::error::Refusal;
use crate::control::extract::{JsonBody, Pairs};
use crate::control::stream::{self, Gone, Lines};
use crate::ops::list::Listing;
use crate::ops::{self, Node};
use crate::registry::Conn;

/// `GET /v1/connections`
pub(super) async fn list(
    State(node): State<Arc<Node>>,
    State(stop): State<Stop>,
    uri: Uri,
) -> Result<Response, Refusal> {
    match ops::list::query(&node, list_query(&uri)?).await? {
        Listing::Page(page) => Ok(Json(page).into_response()),
        Listing::Count(report) => Ok(Json(report).into_response()),
        Listing::Rows(conns, health) => Ok(rows(node, conns, health, stop)),
    }
}

/// An answer of one row a line. One that fits in a chunk is made at once: no task, and one write.
pub(super) fn rows(
    node: Arc<Node>,
    conns: Vec<Arc<Conn>>,
    health: HashMap<ConnId, Health>,
    mut stop: Stop,
) -> Response {
    let rows = Rows { node, health, now_ms: clock::now_ms() };
    let mut first = Vec::with_capacity(stream::CHUNK_BYTES.min(conns.len() * ROW_BYTES));
    let left = rows.write(&conns, &mut first);
    if left.is_empty() {
        return stream::whole(first);
    }
    let written = conns.len() - left.len();
    let (lines, response) = stream::lines_after(first);
    tokio::spawn(async move {
        tokio::select! {
            // The client left, or read nothing for too long: there is nobody to tell.
            _ = rows.send(conns.get(written..).unwrap_or_default(), lines) => {}
            () = stop.wait() => {}
        }
    });
    response
}

/// About the length of a row, to make room for a short list at once.
const ROW_BYTES: usize = 320;

/// What all rows of an answer have in common.
struct Rows {
    node: Arc<Node>,
    health: HashMap<ConnId, Health>,
    now_ms: u64,
}

impl Rows {
    /// Writes rows until there are enough for a chunk; those that are left.
    fn write<'a>(&self, mut conns: &'a [Arc<Conn>], out: &mut Vec<u8>) -> &'a [Arc<Conn>] {
        while out.len() < stream::CHUNK_BYTES
            && let [conn, rest @ ..] = conns
        {
            ops::list::write_row(&self.node, conn, self.health.get(&conn.id()).copied(), self.now_ms, out);
            conns = rest;
        }
        conns
    }

    /// Sends what is in `lines`, and then these.
    async fn send(&self, mut conns: &[Arc<Conn>], mut lines: Lines) -> Result<(), Gone> {
        lines.send().await?;
        while !conns.is_empty() {
            // A client that reads fast never makes it wait; others have their turn all the same.
            tokio::task::yield_now().await;
            conns = self.write(conns, lines.buffer());
            lines.send().await?;
        }
        Ok(())
    }
}

fn list_query(uri: &Uri) -> Result<ListQuery, ApiError> {
    let mut pairs = Pairs::of(uri)?;
    let query = ListQuery {
        selector: pairs.text("where")?,
        sort: pairs.text("sort")?,
        limit: pairs.parsed("limit", "a whole number")?,
        cursor: pairs.text("cursor")?,
        stream: pairs.parsed("stream", "true or false")?.unwrap_or_default(),
        count: pairs.parsed("count", "true or false")?.unwrap_or_default(),
        by: pairs.text("by")?,
        health: pairs.parsed("health", "true or false")?.unwrap_or_default(),
    };
    pairs.end()?;
    Ok(query)
}

/// `GET /v1/connections/{conn_id}`
pub(super) async fn show(
    State(node): State<Arc<Node>>,
    Path(conn_id): Path<String>,
) -> Result<Json<ConnDetail>, Refusal> {
    Ok(Json(ops::show::detail(&node, id_of(&conn_id)?).await?))
}

/// `POST /v1/connections/{conn_id}/assign`
pub(super) async fn assign(
    State(node): State<Arc<Node>>,
    Path(conn_id): Path<String>,
    JsonBody(request): JsonBody<AssignRequest>,
) -> Result<Json<ConnRow<'static>>, Refusal> {
    Ok(Json(ops::assign::assign(&node, id_of(&conn_id)?, request)?))
}

pub(super) fn id_of(text: &str) -> Result<ConnId, ApiError> {
    text.parse().map_err(|message: String| ApiError::invalid("conn_id", format!("conn_id {message}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &'static str) -> Result<ListQuery, ApiError> {
        list_query(&Uri::from_static(text))
    }

    #[test]
    fn a_query_is_read_field_by_field() {
        let read =
            query("/v1/connections?where=uid%20%3D%20%22a+b%22&sort=-idle&limit=5&stream=true").unwrap();
        assert_eq!(read.selector.as_deref(), Some("uid = \"a b\""));
        assert_eq!(read.sort.as_deref(), Some("-idle"));
        assert_eq!((read.limit, read.stream, read.count), (Some(5), true, false));
        assert_eq!(query("/v1/connections").unwrap(), ListQuery::default());
    }

    #[test]
    fn a_bad_query_names_the_parameter_and_the_value() {
        for (text, field, value) in [
            ("/v1/connections?limit=-1", "limit", "-1"),
            ("/v1/connections?limit=many", "limit", "many"),
            ("/v1/connections?stream=yes", "stream", "yes"),
            ("/v1/connections?colour=red", "colour", "colour"),
            ("/v1/connections?limit=1&limit=2", "limit", "limit"),
        ] {
            let error = query(text).unwrap_err();
            assert_eq!(error.detail.field.as_deref(), Some(field), "{text}");
            assert!(error.message.contains(value), "{}", error.message);
        }
    }

    #[test]
    fn an_id_that_is_none_names_the_field() {
        for wrong in ["0", "-1", "abc", "", "9007199254740992"] {
            assert_eq!(id_of(wrong).unwrap_err().detail.field.as_deref(), Some("conn_id"));
        }
    }
}
