//! Addresses as people write them: of the control API, of listeners and upstreams, and networks.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::PathBuf;

use anyhow::{Context, bail, ensure};
use ipnet::IpNet;

/// An address of the control API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Control {
    /// A socket in the file system.
    Unix(PathBuf),
    /// A TCP address.
    Tcp(SocketAddr),
    /// A TCP address that speaks TLS.
    Tls(SocketAddr),
}

impl std::fmt::Display for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Tcp(address) => write!(f, "tcp:{address}"),
            Self::Tls(address) => write!(f, "tls:{address}"),
        }
    }
}

/// Where to relay to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Upstream {
    /// An address.
    Address(SocketAddr),
    /// A name, looked up for each connection.
    Name(Box<str>, u16),
}

impl std::fmt::Display for Upstream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Name(name, port) => write!(f, "{name}:{port}"),
        }
    }
}

/// Reads `unix:PATH`, `tcp:HOST:PORT` or `tls:HOST:PORT`.
///
/// # Errors
/// Names the text and what is expected of it.
pub fn control(text: &str) -> anyhow::Result<Control> {
    if let Some(path) = text.strip_prefix("unix:") {
        ensure!(!path.is_empty(), "control {text:?} names no path: write unix:PATH");
        return Ok(Control::Unix(path.into()));
    }
    let (make, address): (fn(SocketAddr) -> Control, _) = match text.split_once(':') {
        Some(("tcp", address)) => (Control::Tcp, address),
        Some(("tls", address)) => (Control::Tls, address),
        _ => bail!("control {text:?} is not an address: write unix:PATH, tcp:HOST:PORT or tls:HOST:PORT"),
    };
    Ok(make(resolve(address).with_context(|| format!("control {text:?}"))?))
}

/// The first address of `HOST:PORT`.
///
/// # Errors
/// The text is no address, or the host has none.
pub(super) fn resolve(text: &str) -> anyhow::Result<SocketAddr> {
    let (host, port) = host_port(text)?;
    (host, port)
        .to_socket_addrs()
        .ok()
        .and_then(|mut addresses| addresses.next())
        .with_context(|| format!("host {host:?} has no address"))
}

/// Reads the `HOST:PORT` of an upstream.
///
/// # Errors
/// Names the text and what is expected of it.
pub(super) fn upstream(text: &str) -> anyhow::Result<Upstream> {
    let (host, port) = host_port(text)?;
    ensure!(port != 0, "{text:?} has port 0: an upstream needs a real one");
    Ok(match host.parse::<IpAddr>() {
        Ok(ip) => Upstream::Address((ip, port).into()),
        Err(_) => Upstream::Name(host.into(), port),
    })
}

/// Reads a network, or an address as a network of its own.
///
/// # Errors
/// Names the text and what is expected of it.
pub(super) fn network(text: &str) -> anyhow::Result<IpNet> {
    text.parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .ok()
        .with_context(|| format!("{text:?} is not an address or a network such as 10.0.0.0/8"))
}

/// Splits `HOST:PORT` and `[V6]:PORT`.
///
/// # Errors
/// Names the text and what is expected of it.
pub fn host_port(text: &str) -> anyhow::Result<(&str, u16)> {
    let wrong = || format!("{text:?} is not an address: write HOST:PORT, with brackets around an IPv6 host");
    let (host, port) = text.rsplit_once(':').with_context(wrong)?;
    let port = port.parse::<u16>().ok().with_context(wrong)?;
    let host = match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').with_context(wrong)?,
        None if host.contains(':') => bail!(wrong()),
        None => host,
    };
    if host.is_empty() || host.contains(char::is_whitespace) {
        bail!(wrong());
    }
    Ok((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_split() {
        assert_eq!(host_port("127.0.0.1:80").unwrap(), ("127.0.0.1", 80));
        assert_eq!(host_port("[::1]:0").unwrap(), ("::1", 0));
        assert_eq!(host_port("db.internal:5432").unwrap(), ("db.internal", 5432));
        for wrong in ["", "80", ":80", "::1:80", "h:", "h:99999", "[::1:80", "h h:1", "h:-1"] {
            assert!(host_port(wrong).is_err(), "{wrong}");
        }
    }
}
