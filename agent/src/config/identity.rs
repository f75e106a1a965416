//! How a listener finds whose its connections are.

use std::collections::BTreeMap;
use std::net::IpAddr;

use anyhow::{Context, bail, ensure};
use connctl_api::conn::MAX_LABEL_BYTES;
use ipnet::IpNet;

use super::address::network;

/// The most rules of a listener.
pub const MAX_RULES: usize = 16;
/// Headers whose value lets anyone in who knows it: it must not become a name that is listed.
const SECRET_HEADERS: [&str; 6] =
    ["authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "x-auth-token"];

/// Where a user is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// `CONNECT` of NATS.
    Nats,
    /// `CONNECT` of MQTT.
    Mqtt,
    /// The startup packet of PostgreSQL.
    Postgres,
    /// The handshake of MySQL.
    Mysql,
    /// `AUTH` and `HELLO` of Redis.
    Redis,
    /// `start-ok` of AMQP 0-9-1.
    Amqp,
    /// `CONNECT` of WuKongIM.
    Wukongim,
    /// A header of the first HTTP request.
    Http(Box<str>),
    /// The server name that a TLS client asks for.
    TlsSni,
    /// What a PROXY header says by this name; without one the certificate's name, or else the server name.
    Proxy(Option<&'static str>),
}

/// What a PROXY header of version 2 can say, as rules and tags name it: of the certificate, by TLS, by the
/// sender, and in the 16 kinds that each application may use as it likes.
const PROXY_LABELS: [&str; 19] = [
    "cn",
    "authority",
    "unique_id",
    "tlv_e0",
    "tlv_e1",
    "tlv_e2",
    "tlv_e3",
    "tlv_e4",
    "tlv_e5",
    "tlv_e6",
    "tlv_e7",
    "tlv_e8",
    "tlv_e9",
    "tlv_ea",
    "tlv_eb",
    "tlv_ec",
    "tlv_ed",
    "tlv_ee",
    "tlv_ef",
];
/// The first of the kinds without a meaning of their own.
const FIRST_CUSTOM: u8 = 0xe0;

/// How a kind of value in a PROXY header is named, where each application gives it a meaning of its own.
pub fn custom_tlv(kind: u8) -> Option<&'static str> {
    let place = usize::from(kind.checked_sub(FIRST_CUSTOM)?);
    PROXY_LABELS.get(3 + place).copied()
}

/// The rules without a name behind them.
const WORDS: [(&str, Rule); 9] = [
    ("nats", Rule::Nats),
    ("mqtt", Rule::Mqtt),
    ("postgres", Rule::Postgres),
    ("mysql", Rule::Mysql),
    ("redis", Rule::Redis),
    ("amqp", Rule::Amqp),
    ("wukongim", Rule::Wukongim),
    ("tls-sni", Rule::TlsSni),
    ("proxy", Rule::Proxy(None)),
];

/// Reads a listener's `identity`.
///
/// # Errors
/// A word that is no rule, with the nearest one; too many; one given twice.
pub fn rules(words: &[String]) -> anyhow::Result<Vec<Rule>> {
    ensure!(words.len() <= MAX_RULES, "{} rules are given: at most {MAX_RULES}", words.len());
    let mut rules = Vec::new();
    for word in words {
        let rule = rule(word)?;
        ensure!(!rules.contains(&rule), "{word:?} is given twice");
        rules.push(rule);
    }
    Ok(rules)
}

fn rule(word: &str) -> anyhow::Result<Rule> {
    if let Some(name) = word.strip_prefix("http:") {
        return header(word, name);
    }
    if let Some(name) = word.strip_prefix("proxy:") {
        let label = PROXY_LABELS.into_iter().find(|label| *label == name);
        let label = label.with_context(|| {
            format!("{word:?} names nothing of a PROXY header: there are cn, authority, unique_id, tlv_e0 to tlv_ef")
        })?;
        return Ok(Rule::Proxy(Some(label)));
    }
    if let Some((_, rule)) = WORDS.iter().find(|(known, _)| *known == word) {
        return Ok(rule.clone());
    }
    let known = WORDS.iter().map(|(known, _)| (*known, *known)).chain([("http", "http:HEADER")]);
    let distance = |(known, _): &(&str, &str)| strsim::damerau_levenshtein(known, word);
    let (_, nearest) = known.min_by_key(distance).unwrap_or_default();
    bail!("{word:?} is not a rule: the nearest known one is {nearest:?}")
}

fn header(word: &str, name: &str) -> anyhow::Result<Rule> {
    // A token, as HTTP calls it.
    let is_fine = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    ensure!(!name.is_empty() && name.chars().all(is_fine), "{word:?} names no header: write http:HEADER");
    let is_secret = SECRET_HEADERS.iter().any(|secret| secret.eq_ignore_ascii_case(name));
    ensure!(!is_secret, "{word:?} carries a secret, and a user is listed for all to see");
    Ok(Rule::Http(name.into()))
}

/// Networks whose connections belong to a user unless a rule finds another: the narrowest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(Vec<(IpNet, Box<str>)>);

impl Networks {
    /// Reads a listener's `networks`.
    ///
    /// # Errors
    /// A key that is no network, one given twice, or a user that cannot be a label.
    pub fn read(map: &BTreeMap<String, String>) -> anyhow::Result<Self> {
        let mut networks: Vec<(IpNet, Box<str>)> = Vec::new();
        for (key, uid) in map {
            let network = network(key)?.trunc();
            ensure!(networks.iter().all(|(other, _)| *other != network), "{key:?} is given twice");
            let is_fine = (1..=MAX_LABEL_BYTES).contains(&uid.len()) && !uid.contains(char::is_control);
            is_fine.then_some(()).with_context(|| {
                format!("{uid:?} of {key:?} is not a user: 1 to {MAX_LABEL_BYTES} bytes without control characters")
            })?;
            networks.push((network, uid.as_str().into()));
        }
        networks.sort_by_key(|(network, _)| std::cmp::Reverse(network.prefix_len()));
        Ok(Self(networks))
    }

    /// The user of an address.
    pub fn user(&self, ip: IpAddr) -> Option<&str> {
        let ip = ip.to_canonical();
        self.0.iter().find(|(network, _)| network.contains(&ip)).map(|(_, uid)| &**uid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(words: &[&str]) -> String {
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        rules(&words).unwrap_err().to_string()
    }

    #[test]
    fn a_wrong_rule_is_named_with_the_nearest() {
        assert_eq!(said(&["postgre"]), "\"postgre\" is not a rule: the nearest known one is \"postgres\"");
        assert!(said(&["http"]).contains("\"http:HEADER\""));
        assert!(said(&["http:X User"]).contains("\"http:X User\""));
        assert!(said(&["http:Authorization"]).contains("secret"));
        assert!(said(&["nats", "nats"]).contains("twice"));
        assert!(said(&["proxy:tlv_f0"]).contains("\"proxy:tlv_f0\" names nothing"));
        assert_eq!(
            (custom_tlv(0xdf), custom_tlv(0xe0), custom_tlv(0xef)),
            (None, Some("tlv_e0"), Some("tlv_ef"))
        );
        assert_eq!(custom_tlv(0xf0), None);
    }

    #[test]
    fn every_word_is_a_rule() {
        let words: Vec<_> = WORDS.iter().map(|(word, _)| (*word).to_owned()).collect();
        assert_eq!(rules(&words).unwrap().len(), WORDS.len());
        assert_eq!(rules(&["http:X-User".to_owned()]).unwrap(), [Rule::Http("X-User".into())]);
        for (word, label) in
            [("proxy:cn", "cn"), ("proxy:unique_id", "unique_id"), ("proxy:tlv_ef", "tlv_ef")]
        {
            assert_eq!(rules(&[word.to_owned()]).unwrap(), [Rule::Proxy(Some(label))]);
        }
    }

    #[test]
    fn the_narrowest_network_counts() {
        let map = [("10.0.0.0/8", "lan"), ("10.1.0.0/16", "lab"), ("::1", "self")];
        let map = map.map(|(key, uid)| (key.to_owned(), uid.to_owned())).into();
        let networks = Networks::read(&map).unwrap();
        let user = |ip: &str| networks.user(ip.parse().unwrap());
        assert_eq!(user("10.1.2.3"), Some("lab"));
        assert_eq!(user("::ffff:10.2.2.3"), Some("lan"));
        assert_eq!(user("::1"), Some("self"));
        assert_eq!(user("192.0.2.1"), None);
        for (key, uid) in [("10.0.0.0/99", "u"), ("10.0.0.0/8", ""), ("10.0.0.0/8", "a\nb")] {
            assert!(Networks::read(&[(key.to_owned(), uid.to_owned())].into()).is_err());
        }
    }
}
