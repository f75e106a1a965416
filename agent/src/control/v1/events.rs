//! `GET /v1/events`: server-sent events, or JSON lines.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use connctl_api::error::ApiError;
use connctl_api::event::{EventQuery, EventRow, HEARTBEAT_MS};

use crate::control::Stop;
use crate::control::error::Refusal;
use crate::control::extract::Pairs;
use crate::control::stream::{self, Gone, Lines};
use crate::ops::Node;
use crate::ops::events::Reader;

/// Where a reader of server-sent events stopped.
const LAST_EVENT_ID: &str = "last-event-id";
/// How long events are gathered once there is one: a storm is not told one by one.
const GATHER: Duration = Duration::from_millis(20);
/// An answer without news says so this often, so that both sides notice when the other has gone.
const HEARTBEAT: Duration = Duration::from_millis(HEARTBEAT_MS);

/// `GET /v1/events`
pub(super) async fn events(
    State(node): State<Arc<Node>>,
    State(mut stop): State<Stop>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Refusal> {
    let query = query(&uri, &headers)?;
    let mut reader = Reader::new(&node, &query)?;
    let form = if query.stream { Form::Lines } else { Form::Events };
    let (mut lines, response) = match form {
        Form::Lines => stream::lines(),
        Form::Events => stream::events(),
    };
    tokio::spawn(async move {
        let ended = tokio::select! {
            ended = write(&mut reader, &mut lines, form, query.follow) => Some(ended),
            () = stop.wait() => None,
        };
        match ended {
            Some(Ok(()) | Err(Gone)) => {}
            None => lines.break_off("the agent is stopping").await,
        }
    });
    Ok(response)
}

/// How events are written.
#[derive(Clone, Copy)]
enum Form {
    /// One JSON object a line.
    Lines,
    /// Server-sent events.
    Events,
}

impl Form {
    fn write(self, row: &EventRow<'_>, lines: &mut Lines) {
        if matches!(self, Self::Events) {
            let head = format!("id: {}\nevent: {}\ndata: ", row.id, row.event);
            lines.buffer().extend_from_slice(head.as_bytes());
        }
        lines.push(row);
        if matches!(self, Self::Events) {
            lines.buffer().push(b'\n');
        }
    }

    /// What says that there is no news.
    const fn heartbeat(self) -> &'static [u8] {
        match self {
            Self::Lines => b"\n",
            Self::Events => b":\n\n",
        }
    }
}

async fn write(reader: &mut Reader, lines: &mut Lines, form: Form, follow: bool) -> Result<(), Gone> {
    loop {
        while reader.take(|row| form.write(row, lines)) {
            // While the client does not read, the log moves on: what it misses is told as a gap.
            if !lines.is_empty() {
                lines.send().await?;
            }
        }
        if !follow {
            return Ok(());
        }
        tokio::select! {
            () = reader.wait() => tokio::time::sleep(GATHER).await,
            () = tokio::time::sleep(HEARTBEAT) => {
                lines.buffer().extend_from_slice(form.heartbeat());
                lines.send().await?;
            }
        }
    }
}

fn query(uri: &Uri, headers: &HeaderMap) -> Result<EventQuery, ApiError> {
    let mut pairs = Pairs::of(uri)?;
    let query = EventQuery {
        selector: pairs.text("where")?,
        kinds: pairs.text("kinds")?,
        after: pairs.text("after")?,
        follow: pairs.parsed("follow", "true or false")?.unwrap_or(true),
        stream: pairs.parsed("stream", "true or false")?.unwrap_or_default(),
    };
    pairs.end()?;
    let Some(last) = headers.get(LAST_EVENT_ID) else {
        return Ok(query);
    };
    let last =
        last.to_str().map_err(|_| ApiError::invalid("after", "Last-Event-ID is not the id of an event"))?;
    Ok(EventQuery { after: query.after.or(Some(last.to_owned())), ..query })
}
