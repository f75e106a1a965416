//! The PROXY protocol, v1 and v2: who the client was before it came through another proxy.

use std::net::SocketAddr;

use proxy_header::{ParseConfig, ProxyHeader, Tlv};

use super::Miss;
use super::found::{hex, label};
use crate::config::identity::{self, Rule};

/// The first byte of a line of version 1, and how long the line may be in bytes.
const V1: (u8, usize) = (b'P', 107);
/// Where version 2 has its command, and the one of a sender that speaks for itself.
const LOCAL: (usize, u8) = (12, 0x20);

/// A header that is there to its end.
#[derive(Debug, PartialEq, Eq)]
pub struct Header {
    /// The client's address; none where the sender speaks for itself.
    pub source: Option<SocketAddr>,
    /// Its length in bytes: what follows is the client's.
    pub length: usize,
    /// What the sender says besides.
    pub labels: Vec<(&'static str, Box<str>)>,
}

impl Header {
    /// Reads the header that a stream begins with.
    ///
    /// # Errors
    /// [`Miss::More`] where it has not come to its end, [`Miss::No`] where there is none.
    pub fn read(bytes: &[u8]) -> Result<Self, Miss> {
        // A longer line would be one where it comes at once, and none where it comes in pieces.
        let is_line = bytes.first() == Some(&V1.0);
        let seen = if is_line { &bytes[..bytes.len().min(V1.1)] } else { bytes };
        match ProxyHeader::parse(seen, ParseConfig::default()) {
            Ok((header, length)) => {
                let is_local = !is_line && bytes.get(LOCAL.0) == Some(&LOCAL.1);
                Ok(Self {
                    source: header.proxied_address().map(|address| address.source),
                    length,
                    labels: if is_local { Vec::new() } else { labels(&header) },
                })
            }
            Err(proxy_header::Error::BufferTooShort) => Err(Miss::More),
            Err(_) => Err(Miss::No),
        }
    }

    /// The user by the first of these rules that it answers, and the place of the rule.
    pub fn user(&self, rules: &[Rule]) -> Option<(usize, &str)> {
        let value = |key: &str| self.labels.iter().find(|(own, _)| *own == key).map(|(_, value)| &**value);
        rules.iter().enumerate().find_map(|(place, rule)| match rule {
            // The certificate's name, or else the server name that was asked for.
            Rule::Proxy(None) => Some((place, value("cn").or_else(|| value("authority"))?)),
            Rule::Proxy(Some(key)) => Some((place, value(key)?)),
            _ => None,
        })
    }
}

/// The first value of each kind. What need not be text is written in hexadecimal where it is none.
fn labels(header: &ProxyHeader<'_>) -> Vec<(&'static str, Box<str>)> {
    let mut labels: Vec<(&'static str, Box<str>)> = Vec::new();
    let mut add = |key, value: Option<Box<str>>| {
        if let Some(value) = value
            && labels.iter().all(|(own, _)| *own != key)
        {
            labels.push((key, value));
        }
    };
    let text_or_hex = |bytes: &[u8]| label(bytes).or_else(|| hex(bytes));
    // Behind one that is broken nothing can be read.
    for tlv in header.tlvs().map_while(Result::ok) {
        match tlv {
            Tlv::Authority(name) => add("authority", label(name.as_bytes())),
            Tlv::UniqueId(bytes) => add("unique_id", text_or_hex(&bytes)),
            Tlv::Ssl(ssl) => add("cn", ssl.cn().and_then(|name| label(name.as_bytes()))),
            Tlv::Custom(kind, bytes) => {
                if let Some(key) = identity::custom_tlv(kind) {
                    add(key, text_or_hex(&bytes));
                }
            }
            _ => {}
        }
    }
    labels
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proxy_header::{ProxiedAddress, SslInfo};

    use super::super::testing::like;
    use super::*;

    const CLIENT: &str = "192.0.2.7:4711";

    fn encoded(tlvs: Vec<Tlv<'_>>) -> Vec<u8> {
        let (client, local) = (CLIENT.parse().unwrap(), "127.0.0.1:80".parse().unwrap());
        let mut bytes = Vec::new();
        let header = ProxyHeader::with_tlvs(Some(ProxiedAddress::stream(client, local)), tlvs);
        header.encode_v2(&mut bytes).unwrap();
        bytes
    }

    fn full() -> Vec<u8> {
        let mut ssl = SslInfo::new(true, true, false, 0);
        ssl.append_tlv(Tlv::SslCn("alice".into()));
        encoded(vec![
            Tlv::Authority("db.example.com".into()),
            Tlv::UniqueId(b"id-1"[..].into()),
            Tlv::Custom(0xe4, b"tenant-7"[..].into()),
            Tlv::Custom(0xea, b"\x01vpce-1"[..].into()),
            Tlv::Custom(0x40, b"reserved"[..].into()),
            Tlv::Noop(3),
            Tlv::Ssl(ssl),
        ])
    }

    fn rules(words: &[&str]) -> Vec<Rule> {
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        identity::rules(&words).unwrap()
    }

    /// Byte by byte, an answer that is given once is the one that all the bytes get.
    #[track_caller]
    fn is_steady(bytes: &[u8]) {
        let whole = Header::read(bytes);
        for end in 0..bytes.len() {
            let answer = Header::read(&bytes[..end]);
            if answer != Err(Miss::More) {
                assert_eq!(answer, whole, "after {end} of {} bytes: {bytes:?}", bytes.len());
            }
        }
        if let Ok(header) = whole {
            assert!(header.length <= bytes.len());
            let is_label = |value: &str| label(value.as_bytes()).is_some();
            assert!(header.labels.iter().all(|(_, value)| is_label(value)), "{header:?}");
        }
    }

    #[test]
    fn all_that_the_sender_says_is_known() {
        let header = Header::read(&full()).unwrap();
        assert_eq!(header.source, Some(CLIENT.parse().unwrap()));
        let labels: Vec<_> = header.labels.iter().map(|(key, value)| (*key, &**value)).collect();
        let wanted = [
            ("authority", "db.example.com"),
            ("unique_id", "id-1"),
            ("tlv_e4", "tenant-7"),
            ("tlv_ea", "0x01767063652d31"),
            ("cn", "alice"),
        ];
        assert_eq!(labels, wanted);
    }

    #[test]
    fn the_rules_choose_what_is_the_user() {
        let header = Header::read(&full()).unwrap();
        for (words, user) in [
            (&["proxy"][..], Some((0, "alice"))),
            (&["redis", "proxy:authority"], Some((1, "db.example.com"))),
            (&["proxy:unique_id", "proxy"], Some((0, "id-1"))),
            (&["proxy:tlv_e5", "proxy:tlv_e4"], Some((1, "tenant-7"))),
            (&["proxy:tlv_e5", "redis"], None),
        ] {
            assert_eq!(header.user(&rules(words)), user, "{words:?}");
        }
        let header = Header::read(&encoded(vec![Tlv::Authority("db.example.com".into())])).unwrap();
        assert_eq!(header.user(&rules(&["proxy"])), Some((0, "db.example.com")));
        assert_eq!(header.user(&rules(&["proxy:cn"])), None);
    }

    #[test]
    fn a_sender_that_speaks_for_itself_names_nobody() {
        let mut bytes = full();
        bytes[LOCAL.0] = LOCAL.1;
        let header = Header::read(&bytes).unwrap();
        assert_eq!((header.source, header.labels, header.length), (None, Vec::new(), bytes.len()));
        assert_eq!(Header::read(b"PROXY UNKNOWN\r\nx").unwrap().length, 15);
    }

    #[test]
    fn an_unprintable_name_is_none() {
        let header = Header::read(&encoded(vec![Tlv::Authority("a\u{1b}[2J".into())])).unwrap();
        assert_eq!(header.labels, []);
        let header = Header::read(&encoded(vec![Tlv::UniqueId(vec![7; 200].into())])).unwrap();
        assert_eq!(header.labels, [], "in hexadecimal it is too long");
    }

    #[test]
    fn a_line_of_version_1_has_a_limit() {
        let line = |length: usize| format!("PROXY UNKNOWN {}\r\n", "x".repeat(length - 16)).into_bytes();
        assert_eq!(Header::read(&line(107)).unwrap().length, 107);
        assert_eq!(Header::read(&line(108)), Err(Miss::No));
        is_steady(&line(200));
        assert_eq!(Header::read(b"GET / HTTP/1.1\r\n"), Err(Miss::No));
        assert_eq!(Header::read(b""), Err(Miss::More));
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in prop_oneof![
            like(&full()),
            like(b"PROXY TCP4 192.0.2.7 127.0.0.1 4711 80\r\nGET /"),
            like(b"PROXY TCP6 2001:db8::1 ::1 4711 80\r\nGET /"),
        ]) {
            is_steady(&bytes);
        }
    }
}
