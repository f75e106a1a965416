//! One table of error codes: the word on the wire, the HTTP status and the exit code of the command.

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $word:literal, $status:literal, $exit:expr;)+) => {
        /// What went wrong. A word is never renamed; a client may branch on it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum ErrorCode {
            $($(#[$doc])* #[serde(rename = $word)] $variant,)+
            /// A code of a newer agent.
            #[serde(other, rename = "unknown")]
            Unknown,
        }

        impl ErrorCode {
            /// Every code an agent sends.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word on the wire.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ Self::Unknown => "unknown" }
            }

            /// The HTTP status that goes with it.
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)+ Self::Unknown => 500 }
            }

            /// The exit code of a command that it ended.
            pub const fn exit(self) -> Exit {
                match self { $(Self::$variant => $exit,)+ Self::Unknown => Exit::Failed }
            }
        }
    };
}

codes! {
    /// A value in the request is wrong; `detail` names the field.
    InvalidRequest = "invalid_request", 400, Exit::Usage;
    /// A selector does not parse; `detail` has the column.
    InvalidSelector = "invalid_selector", 400, Exit::Usage;
    /// No role allows it.
    Denied = "denied", 403, Exit::Denied;
    /// Nobody is known to have asked.
    Unauthenticated = "unauthenticated", 401, Exit::Denied;
    /// The request looks like a web page's.
    ForeignOrigin = "foreign_origin", 403, Exit::Denied;
    /// The connection, listener, plan or job named does not exist.
    NotFound = "not_found", 404, Exit::NotFound;
    /// There is no such path.
    NoRoute = "no_route", 404, Exit::Failed;
    /// The path exists and does not take this method.
    MethodNotAllowed = "method_not_allowed", 405, Exit::Failed;
    /// A guard refused a bulk operation.
    GuardRefused = "guard_refused", 409, Exit::Refused;
    /// It cannot be done now: something else is in the way.
    Conflict = "conflict", 409, Exit::Failed;
    /// The configuration file is wrong, and nothing of it is in force.
    BadConfig = "bad_config", 422, Exit::Failed;
    /// The body is too large.
    TooLarge = "too_large", 413, Exit::Usage;
    /// The request did not arrive in time.
    RequestTimeout = "request_timeout", 408, Exit::TimedOut;
    /// The agent is stopping, or out of a resource.
    Unavailable = "unavailable", 503, Exit::Failed;
    /// A change cannot be written to the audit, and so was not carried out.
    AuditFailed = "audit_failed", 503, Exit::Failed;
    /// A defect in the agent; its log has more.
    Internal = "internal", 500, Exit::Failed;
}

/// The exit codes of the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, also where a selector matched nothing.
    Done = 0,
    /// Failed.
    Failed = 1,
    /// Wrong usage.
    Usage = 2,
    /// What was named does not exist.
    NotFound = 3,
    /// Not permitted.
    Denied = 4,
    /// The agent cannot be reached.
    Unreachable = 5,
    /// Some items failed.
    Partial = 6,
    /// A safety guard refused.
    Refused = 7,
    /// A wait or a time-out ran out.
    TimedOut = 8,
    /// Interrupted.
    Interrupted = 130,
}

/// The body of every native answer that is an error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// The error.
    pub error: ApiError,
}

/// An error as the native API tells it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApiError {
    /// What went wrong, for programs.
    pub code: ErrorCode,
    /// What went wrong, for people: a lower-case fragment that names the field and the value.
    pub message: String,
    /// Where, and what to do.
    #[serde(default)]
    pub detail: ErrorDetail,
}

/// Where an error is, and what to do about it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorDetail {
    /// The field of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The column in a selector, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u64>,
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl ApiError {
    /// An error without detail.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), detail: ErrorDetail::default() }
    }

    /// A value of a request that is wrong, by its field.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidRequest, message).field(field)
    }

    /// The same error, with the field named.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.detail.field = Some(field.into());
        self
    }

    /// The same error, with what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.detail.hint = Some(hint.into());
        self
    }
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ApiError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_of_a_newer_agent_is_read_as_unknown() {
        let body = r#"{"error":{"code":"quantum_flux","message":"m","later":1}}"#;
        let read: ErrorBody = serde_json::from_str(body).unwrap();
        assert_eq!(read.error.code, ErrorCode::Unknown);
    }

    #[test]
    fn every_code_reads_itself_back() {
        for code in ErrorCode::ALL {
            let text = serde_json::to_string(code).unwrap();
            assert_eq!(text, format!("{:?}", code.word()));
            assert_eq!(serde_json::from_str::<ErrorCode>(&text).unwrap(), *code);
        }
    }
}
