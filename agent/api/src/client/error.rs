//! What can go wrong between a client and an agent.

use std::io;
use std::time::Duration;

use super::Endpoint;
use super::trouble::Trouble;
use crate::error::{ApiError, Exit};

/// A call that did not come to a good end.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody took the call.
    #[error("no agent answers at {endpoint}: {cause}")]
    Unreachable {
        /// Where it was looked for.
        endpoint: Endpoint,
        /// What the system said.
        cause: String,
    },
    /// Somebody listens there, and this user may not talk to it.
    #[error("not permitted to talk to the agent at {endpoint}: {cause}")]
    NotPermitted {
        /// Where.
        endpoint: Endpoint,
        /// What the system said.
        cause: String,
    },
    /// The agent took the call and did not answer in time.
    #[error("the agent at {endpoint} did not answer within {limit:?}")]
    TimedOut {
        /// Where.
        endpoint: Endpoint,
        /// How long it had.
        limit: Duration,
    },
    /// The agent answered with an error.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The answer is not one of an agent, or was cut.
    #[error("the answer from {endpoint} is not an agent's: {problem}")]
    Garbled {
        /// Where.
        endpoint: Endpoint,
        /// What is wrong with it.
        problem: String,
    },
    /// What this client was given to show or to trust cannot be used.
    #[error("{0}")]
    Credentials(String),
    /// TLS with whoever listens there does not come about.
    #[error("no TLS with the agent at {endpoint}: {}", .trouble.problem)]
    Tls {
        /// Where.
        endpoint: Endpoint,
        /// Why, and what helps.
        trouble: Trouble,
    },
    /// More was asked for than fits into the line of a request.
    #[error("the request is {bytes} bytes long as a URL, and at most {most} can be sent")]
    TooLong {
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        most: usize,
    },
    /// The agent went away in the middle of its answer.
    #[error("the agent at {endpoint} broke off its answer: {cause}")]
    BrokeOff {
        /// Where.
        endpoint: Endpoint,
        /// What the system said.
        cause: String,
    },
}

impl ClientError {
    /// Sorts an error of the HTTP library.
    pub(super) fn from_http(error: &reqwest::Error, endpoint: &Endpoint, limit: Duration) -> Self {
        let endpoint = endpoint.clone();
        if let Some(trouble) = Trouble::find(error) {
            return Self::Tls { endpoint, trouble };
        }
        let (cause, kind) = root_cause(error);
        if error.is_timeout() {
            return Self::TimedOut { endpoint, limit };
        }
        if kind == Some(io::ErrorKind::PermissionDenied) {
            return Self::NotPermitted { endpoint, cause };
        }
        if error.is_connect() {
            return Self::Unreachable { endpoint, cause };
        }
        if error.is_decode() && kind.is_none() {
            return Self::Garbled { endpoint, problem: cause };
        }
        Self::BrokeOff { endpoint, cause }
    }

    /// The exit code of a command that it ended.
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Unreachable { .. } | Self::BrokeOff { .. } => Exit::Unreachable,
            Self::NotPermitted { .. } => Exit::Denied,
            Self::Tls { trouble, .. } if trouble.is_refusal => Exit::Denied,
            Self::Tls { .. } => Exit::Unreachable,
            Self::Credentials(_) | Self::TooLong { .. } => Exit::Usage,
            Self::TimedOut { .. } => Exit::TimedOut,
            Self::Api(error) => error.code.exit(),
            Self::Garbled { .. } => Exit::Failed,
        }
    }
}

/// The innermost message, and the kind of the system's error if there is one.
fn root_cause(error: &reqwest::Error) -> (String, Option<io::ErrorKind>) {
    let mut kind = None;
    let mut deepest: &dyn std::error::Error = error;
    loop {
        if let Some(io) = deepest.downcast_ref::<io::Error>() {
            kind = Some(io.kind());
        }
        match deepest.source() {
            Some(source) => deepest = source,
            None => return (deepest.to_string(), kind),
        }
    }
}
