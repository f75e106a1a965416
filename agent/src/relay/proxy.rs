//! The PROXY protocol, both ways: who the client was before it came through another proxy.

use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd;

use proxy_header::{ParseConfig, ProxiedAddress, ProxyHeader};
use rustix::io::Errno;
use rustix::net::RecvFlags;

use crate::config::settings::ProxyVersion;
use crate::identity::Found;

/// What a client's first bytes are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Header {
    /// A header, now consumed; without an address where the sender speaks for itself. It may name a user.
    Address(Option<SocketAddr>, Option<Found>),
    /// The beginning of one, or nothing yet.
    Incomplete,
    /// Something else.
    Wrong,
    /// The socket failed.
    Failed(Errno),
}

/// Looks at what has come without taking it, and takes exactly the header once it is complete.
pub(super) fn read(fd: impl AsFd, buffer: &mut [u8]) -> Header {
    let seen = match rustix::net::recv(&fd, &mut *buffer, RecvFlags::PEEK) {
        Ok((_, seen)) => seen,
        Err(Errno::AGAIN | Errno::INTR) => return Header::Incomplete,
        Err(error) => return Header::Failed(error),
    };
    let (address, found, length) = match parse(&buffer[..seen]) {
        Ok(found) => found,
        Err(header) => return header,
    };
    match rustix::net::recv(&fd, &mut buffer[..length], RecvFlags::empty()) {
        Ok(_) => Header::Address(address, found),
        Err(error) => Header::Failed(error),
    }
}

fn parse(bytes: &[u8]) -> Result<(Option<SocketAddr>, Option<Found>, usize), Header> {
    match ProxyHeader::parse(bytes, ParseConfig::default()) {
        Ok((header, length)) => {
            let address = header.proxied_address().map(|address| address.source);
            Ok((address, who(&header), length))
        }
        Err(proxy_header::Error::BufferTooShort) => Err(Header::Incomplete),
        Err(_) => Err(Header::Wrong),
    }
}

/// The name in the client's certificate, or else the server name that it asked for.
fn who(header: &ProxyHeader<'_>) -> Option<Found> {
    let ssl = header.ssl();
    let name = ssl.as_ref().and_then(|ssl| ssl.cn()).or(header.authority())?;
    Found::named(name, header.unique_id())
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
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_header_is_read_back_and_says_where_it_ends() {
        let client: SocketAddr = "192.0.2.7:4711".parse().unwrap();
        let local: SocketAddr = "127.0.0.1:80".parse().unwrap();
        for version in [ProxyVersion::V1, ProxyVersion::V2] {
            let mut bytes = header(version, client, local);
            let length = bytes.len();
            bytes.extend(b"GET /");
            assert_eq!(parse(&bytes), Ok((Some(client), None, length)));
            for end in 0..length {
                assert_eq!(parse(&bytes[..end]), Err(Header::Incomplete), "{end} of {length}");
            }
        }
        assert_eq!(parse(b"GET / HTTP/1.1\r\n"), Err(Header::Wrong));
    }

    #[test]
    fn two_families_become_one() {
        let bytes = header(ProxyVersion::V2, "192.0.2.7:1".parse().unwrap(), "[::1]:2".parse().unwrap());
        let (address, ..) = parse(&bytes).unwrap();
        assert_eq!(address, Some("[::ffff:192.0.2.7]:1".parse().unwrap()));
    }

    #[test]
    fn a_header_may_name_a_user() {
        use proxy_header::{SslInfo, Tlv};
        let address = ProxiedAddress::stream("192.0.2.7:1".parse().unwrap(), "192.0.2.8:2".parse().unwrap());
        let mut header = ProxyHeader::with_address(address);
        let named = |header: &ProxyHeader<'_>| {
            let mut bytes = Vec::new();
            header.encode_v2(&mut bytes).unwrap();
            parse(&bytes).unwrap().1
        };
        header.append_tlv(Tlv::Authority("db.example.com".into()));
        header.append_tlv(Tlv::UniqueId(b"id-1".into()));
        assert_eq!(named(&header), Found::named("db.example.com", Some(b"id-1")));
        let mut ssl = SslInfo::new(true, true, false, 0);
        ssl.append_tlv(Tlv::SslCn("alice".into()));
        header.append_tlv(Tlv::Ssl(ssl));
        assert_eq!(named(&header), Found::named("alice", Some(b"id-1")));
    }

    proptest! {
        #[test]
        fn hostile_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..300), v2 in any::<bool>()) {
            let mut input = if v2 { b"\r\n\r\n\0\r\nQUIT\n".to_vec() } else { b"PROXY ".to_vec() };
            input.extend(bytes);
            if let Ok((.., length)) = parse(&input) {
                prop_assert!(length <= input.len());
            }
        }
    }
}
