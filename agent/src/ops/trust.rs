//! Who may ask: tokens by their hashes, clients by the names in their certificates, and peers of the unix socket by
//! what the kernel says of them.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};

use connctl_api::access::{Role, Scope};
use connctl_api::instant::Instant;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::sync::watch;

use crate::base::actor::{Actor, Evidence, Peer};
use crate::base::clock;
use crate::config::tls::{Authorities, TlsSettings};
use crate::config::trust::{PeerSettings, TrustSettings, Who};

/// The tokens, certificates and peers in force.
#[derive(Debug)]
pub struct Trust {
    lists: RwLock<Arc<Lists>>,
    /// How often it was replaced.
    news: watch::Sender<u64>,
}

#[derive(Debug)]
struct Lists {
    tokens: Vec<Known>,
    peers: Vec<(Who, Known)>,
    certificates: Vec<Known>,
    tls: Option<TlsSettings>,
}

/// A name with its rights; a token's hash, too.
#[derive(Debug)]
struct Known {
    name: Arc<str>,
    role: Role,
    scope: Option<Arc<Scope>>,
    sha256: Hash,
}

/// A SHA-256 in words: to compare it so, and in constant time, takes a fraction of what it takes byte by byte.
type Hash = [u64; 4];

fn words(sha256: [u8; 32]) -> Hash {
    let mut words = Hash::default();
    for (word, bytes) in words.iter_mut().zip(sha256.as_chunks().0) {
        *word = u64::from_ne_bytes(*bytes);
    }
    words
}

impl Known {
    fn actor(&self, evidence: Evidence, address: Option<SocketAddr>) -> Arc<Actor> {
        let (name, scope) = (Arc::clone(&self.name), self.scope.clone());
        Arc::new(Actor { name, role: self.role, scope, evidence, address })
    }
}

impl Trust {
    /// Those of the settings.
    pub fn new(settings: &TrustSettings) -> Self {
        Self { lists: RwLock::new(Arc::new(Lists::new(settings))), news: watch::Sender::new(0) }
    }

    /// Puts others in force, from the next request on. Whoever reads already is told to look again.
    pub fn replace(&self, settings: &TrustSettings) {
        *self.lists.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Lists::new(settings));
        self.news.send_modify(|count| *count += 1);
    }

    /// Changes when others are put in force.
    pub fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    fn lists(&self) -> Arc<Lists> {
        Arc::clone(&self.lists.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether there are tokens: then one is needed over TCP.
    pub fn has_tokens(&self) -> bool {
        !self.lists().tokens.is_empty()
    }

    /// The bearer of a token, where it is known. Takes as long for one that is not, wherever it differs.
    pub fn bearer(&self, token: &[u8], address: Option<SocketAddr>) -> Option<Arc<Actor>> {
        let hash = words(Sha256::digest(token).into());
        let lists = self.lists();
        let mut found = None;
        for known in &lists.tokens {
            if bool::from(known.sha256.ct_eq(hash.as_slice())) {
                found = Some(known.actor(Evidence::Token, address));
            }
        }
        found
    }

    /// What TLS is spoken with, where it is spoken.
    pub fn tls(&self) -> Option<TlsSettings> {
        self.lists().tls.clone()
    }

    /// The client whose certificate has one of these names; of several that are known, the first in the file.
    ///
    /// # Errors
    /// None is known, or the authorities that vouched for the certificate are no longer those for clients.
    pub fn certificate(
        &self,
        names: &[Box<str>],
        vouched: Option<Authorities>,
        address: Option<SocketAddr>,
    ) -> Result<Arc<Actor>, Stranger> {
        let lists = self.lists();
        if lists.tls.as_ref().and_then(|tls| tls.client_ca) != vouched {
            return Err(Stranger::OfOthers);
        }
        let is_named = |known: &&Known| names.iter().any(|name| **name == *known.name);
        let known = lists.certificates.iter().find(is_named).ok_or(Stranger::Unknown)?;
        Ok(known.actor(Evidence::Certificate, address))
    }

    /// Whether someone may still act on connections, on those of the same scope. A token that was renewed under its
    /// name is the same one's.
    pub fn may_go_on(&self, actor: &Actor) -> bool {
        let lists = self.lists();
        let named = |all: &[Known]| {
            let known = all.iter().find(|known| known.name == actor.name)?;
            Some(known.actor(actor.evidence, actor.address))
        };
        let now = match actor.evidence {
            Evidence::Token => named(&lists.tokens),
            Evidence::Certificate => named(&lists.certificates),
            Evidence::Unix(peer) => self.peer(peer, rustix::process::geteuid().as_raw()),
            Evidence::Loopback => lists.tokens.is_empty().then(|| Arc::new(actor.clone())),
        };
        now.is_some_and(|now| now.role >= Role::Operator && now.scope == actor.scope)
    }

    /// The peer of a unix socket, where it is known. `own` is the user that the agent runs as. A user counts
    /// before a group.
    pub fn peer(&self, peer: Peer, own: u32) -> Option<Arc<Actor>> {
        let lists = self.lists();
        let listed = |who: Who| lists.peers.iter().find(|(one, _)| *one == who).map(|(_, known)| known);
        // What the file says of root or the agent's own user does not count: both can change the file.
        if peer.uid == own || peer.uid == 0 {
            let name = format!("uid-{}", peer.uid).into();
            let evidence = Evidence::Unix(peer);
            return Some(Arc::new(Actor { name, role: Role::Admin, scope: None, evidence, address: None }));
        }
        let known = listed(Who::User(peer.uid)).or_else(|| listed(Who::Group(peer.gid)))?;
        Some(known.actor(Evidence::Unix(peer), None))
    }
}

/// Why a certificate is nobody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stranger {
    /// The file has none of its names.
    Unknown,
    /// It was vouched for by authorities that are not the ones for clients any more.
    OfOthers,
}

impl Lists {
    fn new(settings: &TrustSettings) -> Self {
        let known = |name: &str, role, scope: &Option<Scope>, sha256| Known {
            name: name.into(),
            role,
            scope: scope.clone().map(Arc::new),
            sha256: words(sha256),
        };
        if let Some(tls) = &settings.tls {
            warn_of_expiry(tls);
        }
        let peer = |peer: &PeerSettings| (peer.who, known(&peer.name, peer.role, &peer.scope, [0; 32]));
        Self {
            tokens: settings
                .tokens
                .iter()
                .map(|token| known(&token.name, token.role, &token.scope, token.sha256))
                .collect(),
            peers: settings.peers.iter().map(peer).collect(),
            certificates: settings
                .certificates
                .iter()
                .map(|one| known(&one.name, one.role, &one.scope, [0; 32]))
                .collect(),
            tls: settings.tls.clone(),
        }
    }
}

/// Says which certificates are to be renewed.
fn warn_of_expiry(tls: &TlsSettings) {
    let now = Instant(clock::wall_ms());
    for row in tls.certificates.iter().filter(|row| row.is_due(now)) {
        let (of, number, name, at) = (row.of.word(), row.number, row.name.as_deref(), row.expires_at);
        tracing::warn!(of, number, name, expires_at = %at, "a certificate of the control API is to be renewed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::trust::{CertificateSettings, TokenSettings};

    fn trust() -> Trust {
        let token = |name: &str, secret: &str| TokenSettings {
            name: name.into(),
            role: Role::Operator,
            sha256: Sha256::digest(secret).into(),
            scope: None,
        };
        let peer = |name: &str, who, role| PeerSettings { name: name.into(), who, role, scope: None };
        Trust::new(&TrustSettings {
            tokens: vec![token("one", "secret-1"), token("two", "secret-2")],
            peers: vec![
                peer("group", Who::Group(50), Role::Viewer),
                peer("user", Who::User(1001), Role::Operator),
                peer("root", Who::User(0), Role::Viewer),
            ],
            certificates: [("first.example", Role::Viewer), ("second.example", Role::Admin)]
                .map(|(name, role)| CertificateSettings { name: name.into(), role, scope: None })
                .to_vec(),
            tls: None,
        })
    }

    fn peer(uid: u32, gid: u32) -> Option<(String, Role)> {
        let actor = trust().peer(Peer { uid, gid, pid: None }, 1000)?;
        Some((actor.name.to_string(), actor.role))
    }

    #[test]
    fn a_hash_that_differs_in_any_byte_is_another() {
        let hash: [u8; 32] = Sha256::digest("secret").into();
        for place in 0..hash.len() {
            let mut other = hash;
            other[place] ^= 1;
            assert!(!bool::from(words(other).ct_eq(words(hash).as_slice())), "{place}");
        }
        assert!(bool::from(words(hash).ct_eq(words(hash).as_slice())));
    }

    #[test]
    fn a_token_is_its_bearers_and_no_other_is() {
        let name = |token: &str| trust().bearer(token.as_bytes(), None).map(|actor| actor.name.to_string());
        assert_eq!(name("secret-1").as_deref(), Some("one"));
        assert_eq!(name("secret-2").as_deref(), Some("two"));
        for wrong in ["", "secret-", "secret-11", "SECRET-1"] {
            assert_eq!(name(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_agents_own_user_and_root_may_everything_and_others_what_is_said_of_them() {
        assert_eq!(peer(1000, 7), Some(("uid-1000".into(), Role::Admin)));
        assert_eq!(peer(0, 50), Some(("uid-0".into(), Role::Admin)));
        assert_eq!(peer(1001, 50), Some(("user".into(), Role::Operator)));
        assert_eq!(peer(1002, 50), Some(("group".into(), Role::Viewer)));
        assert_eq!(peer(1002, 51), None);
    }

    #[test]
    fn a_certificate_is_known_by_a_whole_name_and_the_file_says_which_counts_first() {
        let of = |names: &[&str]| {
            let names: Vec<Box<str>> = names.iter().map(|name| (*name).into()).collect();
            trust().certificate(&names, None, None).map(|actor| actor.role)
        };
        assert_eq!(of(&["other.example", "second.example"]), Ok(Role::Admin));
        assert_eq!(of(&["second.example", "first.example"]), Ok(Role::Viewer));
        for wrong in [&[][..], &[""], &["First.example"], &["first.example "], &["example"], &["*.example"]] {
            assert_eq!(of(wrong), Err(Stranger::Unknown), "{wrong:?}");
        }
    }

    #[test]
    fn whoever_is_taken_out_or_may_less_may_not_go_on_and_a_renewed_token_may() {
        let trust = trust();
        let actor = trust.bearer(b"secret-1", None).unwrap();
        assert!(trust.may_go_on(&actor));
        let token = |name: &str, role, scope| TokenSettings {
            name: name.into(),
            role,
            sha256: Sha256::digest("renewed").into(),
            scope,
        };
        let narrow = || Some(Scope { listeners: vec!["a".into()], uids: Vec::new() });
        for (settings, expected) in [
            (token("one", Role::Operator, None), true),
            (token("one", Role::Admin, None), true),
            (token("one", Role::Viewer, None), false),
            (token("one", Role::Operator, narrow()), false),
            (token("other", Role::Operator, None), false),
        ] {
            let tokens = vec![settings];
            trust.replace(&TrustSettings { tokens, ..TrustSettings::default() });
            assert_eq!(trust.may_go_on(&actor), expected);
            // Whoever came without any had the rights of loopback, until there was a token.
            let anyone = Actor { evidence: Evidence::Loopback, ..(*actor).clone() };
            assert!(!trust.may_go_on(&anyone));
        }
        trust.replace(&TrustSettings::default());
        assert!(trust.may_go_on(&Actor { evidence: Evidence::Loopback, ..(*actor).clone() }));
        let own = Peer { uid: rustix::process::geteuid().as_raw(), gid: 0, pid: None };
        assert!(trust.may_go_on(&Actor { evidence: Evidence::Unix(own), ..(*actor).clone() }));
        let other = Evidence::Unix(Peer { uid: 4_000_000, ..own });
        assert!(!trust.may_go_on(&Actor { evidence: other, ..(*actor).clone() }));
    }

    #[test]
    fn what_is_replaced_counts_at_once() {
        let trust = trust();
        trust.replace(&TrustSettings::default());
        assert!(trust.bearer(b"secret-1", None).is_none() && !trust.has_tokens());
    }
}
