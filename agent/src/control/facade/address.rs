//! Addresses as clients of other systems write them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The addresses that a host in a path means: one, or both loopback ones for `localhost`. No name is looked
/// up, so anything else means none.
pub(super) fn of_host(text: &str) -> Vec<IpAddr> {
    if text.eq_ignore_ascii_case("localhost") {
        return vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    }
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    bare.parse().map(|ip: IpAddr| ip.to_canonical()).into_iter().collect()
}

/// An address as it is shown: an IPv4 client of an IPv6 socket is shown as the IPv4 client that it is.
pub(super) fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_an_address_means_the_same() {
        let loopback: Vec<IpAddr> = vec![Ipv6Addr::LOCALHOST.into()];
        for text in ["::1", "[::1]", "0:0:0:0:0:0:0:1"] {
            assert_eq!(of_host(text), loopback, "{text}");
        }
        let four: Vec<IpAddr> = vec![Ipv4Addr::LOCALHOST.into()];
        assert_eq!(of_host("127.0.0.1"), four);
        assert_eq!(of_host("::ffff:127.0.0.1"), four);
        assert_eq!(of_host("LocalHost").len(), 2);
        for junk in ["", "example.org", "127.0.0", "9042", "[127.0.0.1"] {
            assert!(of_host(junk).is_empty(), "{junk}");
        }
    }
}
