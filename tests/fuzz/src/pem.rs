//! The files of the `[tls]` table.

use std::sync::OnceLock;

use connctl_agent::config::tls::{Tls, TlsSettings};
use rcgen::{CertificateParams, Issuer, KeyPair};

use crate::input::parts;

/// A certificate, its key, its authority, and the key of nobody, as PEM.
struct Pems([String; 4]);

/// What stands for each of them in an input: no key is ever in a seed.
const MARKS: [&[u8]; 4] = [b"@C", b"@K", b"@A", b"@O"];

fn pems() -> &'static Pems {
    static PEMS: OnceLock<Pems> = OnceLock::new();
    PEMS.get_or_init(|| {
        let keys = [0; 3].map(|_| KeyPair::generate().expect("a key"));
        let params = |name: &str| CertificateParams::new(vec![name.to_owned()]).expect("a name");
        let mut authority = params("authority.example");
        authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let own = authority.self_signed(&keys[0]).expect("a certificate");
        let issuer = Issuer::from_params(&authority, &keys[0]);
        let leaf = params("agent.example").signed_by(&keys[1], &issuer).expect("a certificate");
        Pems([leaf.pem(), keys[1].serialize_pem(), own.pem(), keys[2].serialize_pem()])
    })
}

/// An input with the PEM in place of the marks.
fn expanded(part: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    let mut rest = part;
    'next: while let Some((first, tail)) = rest.split_first() {
        for (mark, pem) in MARKS.iter().zip(&pems().0) {
            if let Some(behind) = rest.strip_prefix(*mark) {
                text.extend_from_slice(pem.as_bytes());
                rest = behind;
                continue 'next;
            }
        }
        text.push(*first);
        rest = tail;
    }
    text
}

fn has(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// The second line of a PEM: its secret, where it has one.
fn body(pem: &str) -> &str {
    pem.lines().nth(1).expect("PEM has lines")
}

/// Files make what the agent serves with, or an error that names the key of the table and nothing that is secret.
pub(crate) fn files(bytes: &[u8]) {
    let folder = crate::scratch().join("pem");
    std::fs::create_dir_all(&folder).expect("a directory");
    let texts: Vec<_> = parts(bytes).take(3).map(expanded).collect();
    let paths: Vec<_> = ["certificate", "key", "client_ca"].map(|name| folder.join(name)).into();
    for (path, text) in paths.iter().zip(&texts) {
        std::fs::write(path, text).expect("a file");
    }
    let [certificate, key, rest @ ..] = texts.as_slice() else { return };
    let client_ca = rest.first().map(|_| paths[2].clone());
    let table = Tls { certificate: paths[0].clone(), key: paths[1].clone(), client_ca };
    let (first, second) = (TlsSettings::read(&table), TlsSettings::read(&table));
    let [own, own_key, _, other_key] = &pems().0;
    match (first, second) {
        (Ok(first), Ok(second)) => {
            assert!(first == second, "the same files are the same settings");
            assert_eq!(first.client_ca.is_some(), table.client_ca.is_some());
            assert!(has(certificate, body(own).as_bytes()), "a certificate that is not the one of the key");
            assert!(has(key, body(own_key).as_bytes()), "a key that is not the one of the certificate");
        }
        (Err(first), Err(second)) => {
            let told = format!("{first:#}");
            assert_eq!(told, format!("{second:#}"));
            assert!(["certificate", "key", "client_ca"].iter().any(|name| told.contains(name)), "{told}");
            assert!(told.len() < 4_096 && !told.contains(body(own_key)), "{told}");
            assert!(!told.contains(body(other_key)), "{told}");
            let is_right = certificate == own.as_bytes() && key == own_key.as_bytes();
            assert!(!is_right || table.client_ca.is_some(), "{told}");
        }
        (first, second) => panic!("{first:?} and {second:?}"),
    }
}
