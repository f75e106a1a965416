//! No web page drives the agent. A browser sends `Origin` with every request of a page that could change or
//! read something, and a page that rebinds its own name to a loopback address sends that name as `Host`.
//! The unix socket needs none of this: no browser speaks to one, and the kernel says who asks. Over TLS the
//! certificate vouches for the host's name: a page of another one does not come so far.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use connctl_api::error::{ApiError, ErrorCode};

use super::error::Refusal;
use super::permit;
use super::transport::Transport;
use crate::ops::Node;

/// Refuses over TCP what looks like a web page's request.
pub(super) async fn local_only(State(node): State<Arc<Node>>, request: Request, next: Next) -> Response {
    // A request without the mark cannot be told from one over TCP, so it is treated as one.
    let checked = match request.extensions().get::<Transport>() {
        Some(Transport::Unix { .. }) => Ok(()),
        Some(Transport::Tls { .. }) => no_page(request.headers()),
        Some(Transport::Tcp { local, .. }) => check(request.headers(), request.uri(), local.port()),
        None => check(request.headers(), request.uri(), 0),
    };
    match checked {
        Ok(()) => next.run(request).await,
        Err(error) => {
            permit::denied(&node, &request, &error);
            Refusal(error).into_response()
        }
    }
}

fn foreign(message: String, hint: &str) -> ApiError {
    ApiError::new(ErrorCode::ForeignOrigin, message).hint(hint)
}

fn no_page(headers: &HeaderMap) -> Result<(), ApiError> {
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let origin = String::from_utf8_lossy(origin.as_bytes()).into_owned();
    let hint = "the control API answers programs, and no web page";
    Err(foreign(format!("the request carries Origin {origin:?}"), hint))
}

fn check(headers: &HeaderMap, uri: &Uri, port: u16) -> Result<(), ApiError> {
    no_page(headers)?;
    let hosts = headers.get_all(header::HOST).iter().map(|host| String::from_utf8_lossy(host.as_bytes()));
    // A request target may name the host as well: `GET http://host/path`.
    let target = uri.authority().map(|authority| authority.as_str().into());
    for host in hosts.chain(target) {
        if !is_ours(&host, port) {
            let hint = "without TLS the control API answers programs on this machine only, and no web page";
            return Err(foreign(format!("the request is for host {host:?}"), hint));
        }
    }
    Ok(())
}

/// Whether a `Host` value means this machine, with our port or none.
fn is_ours(host: &str, port: u16) -> bool {
    let (name, given) = match host.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((inside, after)) => match (inside.parse::<Ipv6Addr>(), after.strip_prefix(':')) {
                (Ok(ip), given) if ip.is_loopback() => match (given, after.is_empty()) {
                    (None, false) => return false,
                    (given, _) => ("localhost", given),
                },
                _ => return false,
            },
            None => return false,
        },
        None => match host.rsplit_once(':') {
            Some((name, given)) => (name, Some(given)),
            None => (host, None),
        },
    };
    let is_local =
        name.eq_ignore_ascii_case("localhost") || name.parse().is_ok_and(|ip: Ipv4Addr| ip.is_loopback());
    is_local && given.is_none_or(|given| given.parse() == Ok(port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_names_with_our_port_are_ours() {
        for ours in [
            "localhost",
            "LocalHost:5001",
            "127.0.0.1",
            "127.0.0.1:5001",
            "127.9.8.7:5001",
            "[::1]",
            "[::1]:5001",
            "[0:0:0:0:0:0:0:1]:5001",
        ] {
            assert!(is_ours(ours, 5001), "{ours}");
        }
        for foreign in [
            "",
            "evil.example",
            "evil.example:5001",
            "localhost.evil.example:5001",
            "localhost:80",
            "localhost:",
            "127.0.0.1:5002",
            "10.0.0.1:5001",
            "127.0.0.1.evil.example",
            "[::2]:5001",
            "[::1]5001",
            "[::1",
            "::1",
            "user@localhost:5001",
        ] {
            assert!(!is_ours(foreign, 5001), "{foreign}");
        }
    }

    #[test]
    fn an_origin_is_refused_and_a_request_without_host_is_not() {
        let uri = Uri::from_static("/v1/health");
        let mut headers = HeaderMap::new();
        assert!(check(&headers, &uri, 1).is_ok());
        headers.insert(header::ORIGIN, "http://localhost:1".parse().unwrap());
        assert_eq!(check(&headers, &uri, 1).unwrap_err().code, ErrorCode::ForeignOrigin);
        let absolute = Uri::from_static("http://evil.example/v1/health");
        assert!(check(&HeaderMap::new(), &absolute, 1).is_err());
    }
}
