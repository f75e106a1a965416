//! Who may ask: tokens, client certificates, and peers of the unix socket, as the file has them.

use anyhow::{Context, bail, ensure};
use connctl_api::access::{Role, Scope};
use serde::Deserialize;

use super::tls::TlsSettings;
use super::value::HASH_BYTES;

/// The longest name of a token or a peer in bytes.
pub const MAX_NAME_BYTES: usize = 64;
/// The longest name of a certificate in bytes: a URI, at most.
const MAX_CERTIFICATE_NAME_BYTES: usize = 255;
/// The most tokens, and the most peers: every request with a token is held against all of them.
const MAX_ENTRIES: usize = 1_000;

/// A `[[token]]` table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// Its name, for logs and the audit.
    pub name: String,
    /// What its bearer may do.
    pub role: Role,
    /// The SHA-256 of the token, in hexadecimal.
    pub sha256: String,
    /// Only these listeners.
    #[serde(default)]
    pub listeners: Vec<String>,
    /// Only these users.
    #[serde(default)]
    pub uids: Vec<String>,
}

/// A `[[peer]]` table: who may use the unix socket beside root and the agent's own user.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Peer {
    /// The name for logs and the audit.
    pub name: Option<String>,
    /// A user of the system.
    pub uid: Option<u32>,
    /// A group of the system: the effective one of the process that asks.
    pub gid: Option<u32>,
    /// What it may do.
    pub role: Role,
    /// Only these listeners.
    #[serde(default)]
    pub listeners: Vec<String>,
    /// Only connections of these users.
    #[serde(default)]
    pub uids: Vec<String>,
}

/// A `[[certificate]]` table: who may come over TLS without a token.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// The name that is in the client's certificate; also for logs and the audit.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Only these listeners.
    #[serde(default)]
    pub listeners: Vec<String>,
    /// Only connections of these users.
    #[serde(default)]
    pub uids: Vec<String>,
}

/// Who may ask, checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustSettings {
    /// Tokens.
    pub tokens: Vec<TokenSettings>,
    /// Peers of the unix socket.
    pub peers: Vec<PeerSettings>,
    /// Clients by the name of their certificate.
    pub certificates: Vec<CertificateSettings>,
    /// TLS, for what of the control API speaks it.
    pub tls: Option<TlsSettings>,
}

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenSettings {
    /// Its name.
    pub name: String,
    /// What its bearer may do.
    pub role: Role,
    /// Its SHA-256.
    pub sha256: [u8; HASH_BYTES],
    /// What its bearer may see; everything where absent.
    pub scope: Option<Scope>,
}

/// A client by the name of its certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateSettings {
    /// The name.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// What it may see; everything where absent.
    pub scope: Option<Scope>,
}

/// A peer of the unix socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerSettings {
    /// Its name.
    pub name: String,
    /// Who.
    pub who: Who,
    /// What it may do.
    pub role: Role,
    /// What it may see; everything where absent.
    pub scope: Option<Scope>,
}

/// A user or a group of the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// A user.
    User(u32),
    /// A group.
    Group(u32),
}

impl TrustSettings {
    /// Checks the tables; `listeners` are the names that there are.
    ///
    /// # Errors
    /// Names the table and the value. A token's hash is no secret, but is not repeated either.
    pub fn check(
        tokens: Vec<Token>,
        peers: Vec<Peer>,
        certificates: Vec<Certificate>,
        listeners: &[&str],
    ) -> anyhow::Result<Self> {
        let counts = [("token", tokens.len()), ("peer", peers.len()), ("certificate", certificates.len())];
        for (what, count) in counts {
            ensure!(count <= MAX_ENTRIES, "there are {count} [[{what}]] tables: at most {MAX_ENTRIES}");
        }
        let mut checked = Self::default();
        for token in tokens {
            checked.add_token(token, listeners)?;
        }
        for peer in peers {
            checked.add_peer(peer, listeners)?;
        }
        for certificate in certificates {
            checked.add_certificate(certificate, listeners)?;
        }
        Ok(checked)
    }

    fn add_token(&mut self, token: Token, listeners: &[&str]) -> anyhow::Result<()> {
        check_name(&token.name, "token")?;
        let of = |key: &str| format!("{key} of token {:?}", token.name);
        let sha256 = hash(&token.sha256).with_context(|| of("sha256"))?;
        let is_new = self.tokens.iter().all(|other| other.name != token.name);
        ensure!(is_new, "two tokens are named {:?}", token.name);
        if let Some(twin) = self.tokens.iter().find(|other| other.sha256 == sha256) {
            bail!("sha256 of token {:?} is that of token {:?} too", token.name, twin.name);
        }
        let scope = scope(token.listeners, token.uids, listeners).with_context(|| of("listeners"))?;
        self.tokens.push(TokenSettings { role: token.role, sha256, scope, name: token.name });
        Ok(())
    }

    fn add_peer(&mut self, peer: Peer, listeners: &[&str]) -> anyhow::Result<()> {
        let who = match (peer.uid, peer.gid) {
            (Some(uid), None) => Who::User(uid),
            (None, Some(gid)) => Who::Group(gid),
            (Some(_), Some(_)) => bail!("a [[peer]] has uid and gid: one of them"),
            (None, None) => bail!("a [[peer]] has neither uid nor gid: one of them"),
        };
        let name = peer.name.unwrap_or_else(|| match who {
            Who::User(uid) => format!("uid-{uid}"),
            Who::Group(gid) => format!("gid-{gid}"),
        });
        check_name(&name, "peer")?;
        ensure!(self.peers.iter().all(|other| other.who != who), "peer {name:?} comes twice");
        let scope = scope(peer.listeners, peer.uids, listeners)
            .with_context(|| format!("listeners of peer {name:?}"))?;
        self.peers.push(PeerSettings { name, who, role: peer.role, scope });
        Ok(())
    }

    fn add_certificate(&mut self, certificate: Certificate, listeners: &[&str]) -> anyhow::Result<()> {
        let Certificate { name, role, listeners: own, uids } = certificate;
        check_certificate_name(&name)?;
        let is_new = self.certificates.iter().all(|other| other.name != name);
        ensure!(is_new, "two certificates are named {name:?}");
        let scope =
            scope(own, uids, listeners).with_context(|| format!("listeners of certificate {name:?}"))?;
        self.certificates.push(CertificateSettings { name, role, scope });
        Ok(())
    }
}

fn check_certificate_name(name: &str) -> anyhow::Result<()> {
    let is_fine = (1..=MAX_CERTIFICATE_NAME_BYTES).contains(&name.len())
        && !name.chars().any(|c| c.is_control())
        && name.trim() == name;
    ensure!(
        is_fine,
        "{name:?} is not a name of a certificate: 1 to {MAX_CERTIFICATE_NAME_BYTES} bytes of text, as in its \
         subject alternative names or its common name"
    );
    Ok(())
}

fn check_name(name: &str, what: &str) -> anyhow::Result<()> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '@');
    let is_fine = (1..=MAX_NAME_BYTES).contains(&name.len()) && name.chars().all(is_part);
    ensure!(
        is_fine,
        "{name:?} is not a name for a {what}: 1 to {MAX_NAME_BYTES} letters, digits, '-', '_', '.' or '@'"
    );
    Ok(())
}

fn scope(listeners: Vec<String>, uids: Vec<String>, known: &[&str]) -> anyhow::Result<Option<Scope>> {
    for name in &listeners {
        ensure!(known.contains(&name.as_str()), "there is no listener {name:?}");
    }
    Ok((!listeners.is_empty() || !uids.is_empty()).then_some(Scope { listeners, uids }))
}

fn hash(text: &str) -> anyhow::Result<[u8; HASH_BYTES]> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let bytes: Option<Vec<u8>> = text
        .as_bytes()
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect();
    let wrong = "is not a SHA-256: 64 hexadecimal digits, as `connctl agent token` prints them";
    bytes.and_then(|bytes| bytes.try_into().ok()).context(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(name: &str, sha256: &str) -> Token {
        let (name, sha256) = (name.to_owned(), sha256.to_owned());
        Token { name, role: Role::Viewer, sha256, listeners: Vec::new(), uids: Vec::new() }
    }

    fn said(tokens: Vec<Token>, peers: Vec<Peer>) -> String {
        format!("{:#}", TrustSettings::check(tokens, peers, Vec::new(), &["redis"]).unwrap_err())
    }

    #[test]
    fn a_hash_is_64_hexadecimal_digits() {
        let read =
            TrustSettings::check(vec![token("a", &"aF".repeat(32))], Vec::new(), Vec::new(), &[]).unwrap();
        assert_eq!(read.tokens[0].sha256, [0xaf; 32]);
        for wrong in
            ["", "af", &"g".repeat(64), &"a".repeat(63), &"a".repeat(66), &"+1".repeat(32), &"é".repeat(32)]
        {
            let said = said(vec![token("a", wrong)], Vec::new());
            assert!(said.contains("sha256 of token \"a\"") && !said.contains(&"a".repeat(63)), "{said}");
        }
    }

    #[test]
    fn a_mistake_names_the_table_and_the_value() {
        let (one, other) = ("0".repeat(64), "1".repeat(64));
        assert!(said(vec![token("a", &one), token("a", &other)], Vec::new()).contains("\"a\""));
        assert!(said(vec![token("a", &one), token("b", &one)], Vec::new()).contains("\"b\""));
        assert!(said(vec![token("a b", &one)], Vec::new()).contains("\"a b\""));
        let scoped = Token { listeners: vec!["rediss".into()], ..token("a", &one) };
        assert!(said(vec![scoped], Vec::new()).contains("\"rediss\""));
        let peer = Peer {
            name: None,
            uid: Some(7),
            gid: None,
            role: Role::Viewer,
            listeners: Vec::new(),
            uids: Vec::new(),
        };
        assert!(said(Vec::new(), vec![peer.clone(), peer.clone()]).contains("uid-7"));
        assert!(said(Vec::new(), vec![Peer { gid: Some(7), ..peer.clone() }]).contains("one of them"));
        assert!(said(Vec::new(), vec![Peer { uid: None, ..peer }]).contains("neither"));
    }
    #[test]
    fn a_certificate_is_known_by_a_name_that_one_can_have() {
        let named = |names: &[&str]| {
            let certificate = |name: &&str| Certificate {
                name: (*name).into(),
                role: Role::Viewer,
                listeners: Vec::new(),
                uids: Vec::new(),
            };
            TrustSettings::check(Vec::new(), Vec::new(), names.iter().map(certificate).collect(), &[])
        };
        assert_eq!(
            named(&["ops laptop", "spiffe://example/ops", "host.example"]).unwrap().certificates.len(),
            3
        );
        for wrong in ["", " ops", "ops\n", "a\0b", &"x".repeat(256)] {
            let error = named(&[wrong]).unwrap_err().to_string();
            assert!(error.contains(&format!("{wrong:?}")), "{error}");
        }
        assert!(named(&["ops", "ops"]).unwrap_err().to_string().contains("\"ops\""));
    }
}
