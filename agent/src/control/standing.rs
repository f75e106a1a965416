//! Answers that take their time end when whoever asked for them may not have them any more: a token that was taken
//! out of the file reads no more events.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use connctl_api::error::{ApiError, ErrorBody, ErrorCode};
use hyper::body::{Frame, SizeHint};
use tokio::sync::watch;

use super::stream::{EVENT_STREAM, JSON_LINES};
use super::transport::Transport;
use super::who::Caller;
use crate::base::actor::Actor;
use crate::ops::Node;

/// Within this time the last words of an answer are on their way, before it is broken off.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// Whoever asked for something, and whether they still may.
pub(super) struct Standing {
    node: Arc<Node>,
    news: watch::Receiver<u64>,
    actor: Arc<Actor>,
    transport: Transport,
    path: String,
    headers: HeaderMap,
}

impl Standing {
    /// That of a request which is let in for now.
    pub(super) fn of(node: &Arc<Node>, request: &Request, actor: &Arc<Actor>) -> Option<Self> {
        Some(Self {
            node: Arc::clone(node),
            news: node.trust.news(),
            actor: Arc::clone(actor),
            transport: request.extensions().get::<Transport>()?.clone(),
            path: request.uri().path().to_owned(),
            headers: request.headers().clone(),
        })
    }

    /// Returns when they have lost it, with the reason.
    pub(super) async fn lost(&mut self) -> ApiError {
        loop {
            // It may have changed between the look at who asks and this one.
            self.news.borrow_and_update();
            if let Some(error) = self.reason() {
                return error;
            }
            if self.news.changed().await.is_err() {
                // The agent ends, and says so itself.
                std::future::pending::<()>().await;
            }
        }
    }

    fn reason(&self) -> Option<ApiError> {
        let Caller(caller) = Caller::of(&self.path, &self.headers, &self.transport, &self.node.trust);
        match caller {
            Err(error) => Some(error),
            // What was let through was for these rights.
            Ok(now) if now.role < self.actor.role || now.scope != self.actor.scope => {
                let message = format!("what {} may do was changed meanwhile", now.name);
                Some(ApiError::new(ErrorCode::Denied, message).hint("ask again"))
            }
            Ok(_) => None,
        }
    }

    /// Ends the answer when they have lost it, if it goes on for so long.
    pub(super) fn follow(self, response: Response) -> Response {
        let kind = response.headers().get(header::CONTENT_TYPE);
        let form = if kind == Some(&HeaderValue::from_static(EVENT_STREAM)) {
            Form::Events
        } else if kind == Some(&HeaderValue::from_static(JSON_LINES)) {
            Form::Lines
        } else {
            return response;
        };
        if response.body().size_hint().exact().is_some() {
            return response;
        }
        let mut standing = self;
        let lost = Box::pin(async move { standing.lost().await });
        response.map(|body| Body::new(Followed { body, form, state: State::Live(lost) }))
    }
}

/// How the last words are written.
#[derive(Debug, Clone, Copy)]
enum Form {
    Events,
    Lines,
}

impl Form {
    fn write(self, error: ApiError) -> Bytes {
        let text = serde_json::to_string(&ErrorBody { error }).unwrap_or_default();
        match self {
            Self::Events => format!("event: error\ndata: {text}\n\n").into(),
            Self::Lines => format!("{text}\n").into(),
        }
    }
}

/// An answer on its way.
struct Followed {
    body: Body,
    form: Form,
    state: State,
}

enum State {
    Live(Pin<Box<dyn Future<Output = ApiError> + Send>>),
    /// The last words are said.
    Told(Pin<Box<tokio::time::Sleep>>),
}

impl HttpBody for Followed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let error = match &mut self.state {
            State::Live(lost) => match lost.as_mut().poll(context) {
                Poll::Ready(error) => error,
                Poll::Pending => return Pin::new(&mut self.body).poll_frame(context),
            },
            State::Told(sleep) => {
                ready!(sleep.as_mut().poll(context));
                // Nobody takes what there is for the whole.
                let error = std::io::Error::other("whoever asked may not have it any more");
                return Poll::Ready(Some(Err(axum::Error::new(error))));
            }
        };
        tracing::info!(why = %error.message, "an answer was ended: whoever asked may not have it any more");
        self.state = State::Told(Box::pin(tokio::time::sleep(LAST_WORDS)));
        // Whoever writes the answer has nobody to write for.
        self.body = Body::empty();
        Poll::Ready(Some(Ok(Frame::data(self.form.write(error)))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.state, State::Live(_)) && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}
