//! Who a request comes from: a token counts first, then what the transport knows.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue, header};
use connctl_api::access::Role;
use connctl_api::error::{ApiError, ErrorCode};

use super::transport::Transport;
use crate::base::actor::{Actor, Evidence};
use crate::ops::trust::{Stranger, Trust};

/// The scheme of a token in `Authorization`.
const BEARER: &str = "Bearer ";
/// The header in which clients of WuKongIM send theirs.
const TOKEN_HEADER: &str = "token";
/// The first part of every native path, where a token comes in `Authorization` only.
const NATIVE: &str = "/v1/";

/// Who asks, or why that is not known; in the extensions of every request.
#[derive(Debug, Clone)]
pub(super) struct Caller(pub(super) Result<Arc<Actor>, ApiError>);

impl Caller {
    /// Whoever sent this request.
    pub(super) fn of(path: &str, headers: &HeaderMap, transport: &Transport, trust: &Trust) -> Self {
        Self(find(path, headers, transport, trust))
    }
}

fn find(
    path: &str,
    headers: &HeaderMap,
    transport: &Transport,
    trust: &Trust,
) -> Result<Arc<Actor>, ApiError> {
    let address = match transport {
        Transport::Unix { .. } => None,
        Transport::Tcp { peer, .. } | Transport::Tls { peer, .. } => Some(*peer),
    };
    // Without tokens there is nothing to hold one against; clients of other systems send theirs all the same.
    if trust.has_tokens()
        && let Some(token) = token(path, headers)?
    {
        return trust.bearer(token, address).ok_or_else(|| unknown("the token is not known", UNKNOWN_TOKEN));
    }
    match transport {
        Transport::Unix { peer, own } => {
            let message = || format!("user {} is not one of those who may use this socket", peer.uid);
            trust.peer(*peer, *own).ok_or_else(|| unknown(message(), UNKNOWN_PEER))
        }
        // From wherever it comes, nobody is let in over TLS without having shown something.
        Transport::Tls { certificate: None, .. } => {
            Err(unknown("a token or the certificate of a client is needed here", NOTHING_SHOWN))
        }
        Transport::Tls { certificate: Some(shown), .. } => {
            trust.certificate(&shown.names, shown.vouched, address).map_err(|stranger| match stranger {
                Stranger::Unknown => unknown(
                    format!("the client's certificate for {} is not known", list(&shown.names)),
                    UNKNOWN_NAME,
                ),
                Stranger::OfOthers => unknown("client_ca of the agent has changed", CHANGED_CA),
            })
        }
        Transport::Tcp { .. } if trust.has_tokens() => Err(unknown("a token is needed here", NO_TOKEN)),
        Transport::Tcp { .. } => Ok(Arc::new(Actor {
            name: "loopback".into(),
            role: Role::Admin,
            scope: None,
            evidence: Evidence::Loopback,
            address,
        })),
    }
}

const UNKNOWN_TOKEN: &str =
    "it may have been removed from the agent's configuration, or belong to another agent";
const UNKNOWN_PEER: &str = "a [[peer]] table in the agent's configuration lets a user or a group in";
const NO_TOKEN: &str =
    "send it as `Authorization: Bearer TOKEN`; connctl takes it from --token-file or CONNCTL_TOKEN";
const NOTHING_SHOWN: &str = "connctl takes a token from --token-file or CONNCTL_TOKEN, and a certificate from \
     --cert-file and --key-file or CONNCTL_CERT_FILE and CONNCTL_KEY_FILE; an agent without client_ca takes no \
     certificate";
const UNKNOWN_NAME: &str =
    "a [[certificate]] table with one of its names in the agent's configuration lets it in";
const CHANGED_CA: &str = "connect again";
/// The most names of a certificate that are told.
const MAX_TOLD_NAMES: usize = 4;

fn list(names: &[Box<str>]) -> String {
    let told: Vec<_> = names.iter().take(MAX_TOLD_NAMES).map(|name| format!("{name:?}")).collect();
    match names.len() {
        0 => "nobody".to_owned(),
        count if count > told.len() => format!("{} and others", told.join(", ")),
        _ => told.join(", "),
    }
}

fn unknown(message: impl Into<String>, hint: &str) -> ApiError {
    ApiError::new(ErrorCode::Unauthenticated, message).hint(hint)
}

/// The token that a request carries.
fn token<'a>(path: &str, headers: &'a HeaderMap) -> Result<Option<&'a [u8]>, ApiError> {
    if !path.starts_with(NATIVE) {
        // An empty one is what a client sends that was given none.
        let token = headers.get(TOKEN_HEADER).filter(|token| !token.is_empty());
        if token.is_some() {
            return Ok(token.map(HeaderValue::as_bytes));
        }
    }
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = given.next() else { return Ok(None) };
    if given.next().is_some() {
        return Err(unknown("Authorization is given twice", NO_TOKEN));
    }
    let (scheme, token) = value.as_bytes().split_at(value.len().min(BEARER.len()));
    if scheme.eq_ignore_ascii_case(BEARER.as_bytes()) && !token.is_empty() {
        Ok(Some(token))
    } else {
        Err(unknown("Authorization is of another kind than Bearer", NO_TOKEN))
    }
}
