//! The PROXY protocol on the sockets, both ways: taken from a client, written to an upstream.

use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd;

use proxy_header::{ProxiedAddress, ProxyHeader};
use rustix::io::Errno;
use rustix::net::RecvFlags;

use crate::config::words::ProxyVersion;
use crate::identity::Miss;
use crate::identity::proxy::Header;

/// What a client's first bytes are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// A header, now consumed.
    Whole(Header),
    /// The beginning of one, or nothing yet.
    Incomplete,
    /// Something else.
    Wrong,
    /// The socket failed.
    Failed(Errno),
}

/// Looks at what has come without taking it, and takes exactly the header once it is complete.
pub(super) fn read(fd: impl AsFd, buffer: &mut [u8]) -> Read {
    let seen = match rustix::net::recv(&fd, &mut *buffer, RecvFlags::PEEK) {
        Ok((_, seen)) => seen,
        Err(Errno::AGAIN | Errno::INTR) => return Read::Incomplete,
        Err(error) => return Read::Failed(error),
    };
    let header = match Header::read(&buffer[..seen]) {
        Ok(header) => header,
        Err(Miss::More) => return Read::Incomplete,
        Err(Miss::No) => return Read::Wrong,
    };
    match rustix::net::recv(&fd, &mut buffer[..header.length], RecvFlags::empty()) {
        Ok(_) => Read::Whole(header),
        Err(error) => Read::Failed(error),
    }
}

/// The header that tells an upstream who the client is.
pub(super) fn header(version: ProxyVersion, client: SocketAddr, local: SocketAddr) -> Vec<u8> {
    let (client, local) = one_family(client, local);
    let header = ProxyHeader::with_address(ProxiedAddress::stream(client, local));
    let mut bytes = Vec::new();
    let encoded = match version {
        ProxyVersion::V1 => header.encode_v1(&mut bytes),
        ProxyVersion::V2 => header.encode_v2(&mut bytes),
    };
    if encoded.is_err() {
        tracing::error!(%client, %local, "a PROXY header cannot be written");
        bytes.clear();
    }
    bytes
}

/// Both addresses of a header are of one family.
fn one_family(client: SocketAddr, local: SocketAddr) -> (SocketAddr, SocketAddr) {
    let canonical = |address: SocketAddr| SocketAddr::new(address.ip().to_canonical(), address.port());
    let (client, local) = (canonical(client), canonical(local));
    let mapped = |address: SocketAddr| match address.ip() {
        IpAddr::V4(ip) => SocketAddr::new(ip.to_ipv6_mapped().into(), address.port()),
        IpAddr::V6(_) => address,
    };
    if client.is_ipv4() == local.is_ipv4() { (client, local) } else { (mapped(client), mapped(local)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_back_and_says_where_it_ends() {
        let client: SocketAddr = "192.0.2.7:4711".parse().unwrap();
        let local: SocketAddr = "127.0.0.1:80".parse().unwrap();
        for version in [ProxyVersion::V1, ProxyVersion::V2] {
            let mut bytes = header(version, client, local);
            let length = bytes.len();
            bytes.extend(b"GET /");
            let read = Header::read(&bytes).unwrap();
            assert_eq!((read.source, read.length), (Some(client), length));
            for end in 0..length {
                assert_eq!(Header::read(&bytes[..end]), Err(Miss::More), "{end} of {length}");
            }
        }
    }

    #[test]
    fn two_families_become_one() {
        let bytes = header(ProxyVersion::V2, "192.0.2.7:1".parse().unwrap(), "[::1]:2".parse().unwrap());
        let source = Header::read(&bytes).unwrap().source;
        assert_eq!(source, Some("[::ffff:192.0.2.7]:1".parse().unwrap()));
    }
}
