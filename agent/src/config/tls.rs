//! TLS of the control API: the `[tls]` table, and what its files make.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, ensure};
use connctl_api::instant::Instant;
use connctl_api::node::{CertificateRow, CertificateUse};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use webpki::EndEntityCert;
use zeroize::Zeroizing;

use super::value::HASH_BYTES;
use super::x509::{common_name, expires_s};

/// The largest file that is read: a chain or a bundle of authorities has a few KiB.
const MAX_FILE_BYTES: u64 = 1 << 20;
/// The most certificates that are told when they expire: those that do first.
const MAX_TOLD: usize = 64;

/// The `[tls]` table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The agent's certificate and those between it and its authority, as PEM.
    pub certificate: PathBuf,
    /// Its private key, as PEM.
    pub key: PathBuf,
    /// The authorities whose certificates clients may show, as PEM.
    pub client_ca: Option<PathBuf>,
}

/// What the files of the table make. Two are the same where the files say the same.
#[derive(Clone)]
pub struct TlsSettings {
    /// For the next client that comes.
    pub server: Arc<ServerConfig>,
    /// Names the authorities for clients; absent where there are none.
    pub client_ca: Option<Authorities>,
    /// When its certificates expire, those that do first at the front; at most [`MAX_TOLD`].
    pub certificates: Arc<[CertificateRow]>,
    /// Of all files.
    hash: [u8; HASH_BYTES],
}

/// Some authorities, told apart from others by what their file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Authorities([u8; HASH_BYTES]);

impl TlsSettings {
    /// Reads the files.
    ///
    /// # Errors
    /// A file that cannot be read or is something else, and a key of another certificate; by the table's key.
    pub fn read(table: &Tls) -> anyhow::Result<Self> {
        let chain = read(&table.certificate, "certificate")?;
        let key = read(&table.key, "key")?;
        let client_ca = table.client_ca.as_deref().map(|path| read(path, "client_ca")).transpose()?;
        let mut hash = Sha256::new();
        for text in [Some(&chain), Some(&key), client_ca.as_ref()].into_iter().flatten() {
            hash.update(Sha256::digest(&**text));
        }
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .context("[tls] cannot be set up")?;
        let own = certificates(&chain, "certificate", &table.certificate)?;
        let mut told = rows(CertificateUse::Server, &own);
        let builder = match (&client_ca, &table.client_ca) {
            (Some(text), Some(path)) => {
                let authorities = certificates(text, "client_ca", path)?;
                told.extend(rows(CertificateUse::ClientCa, &authorities));
                // Whoever shows none may still have a token, and is told so by the API if not.
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(roots(authorities, path)?, provider)
                        .allow_unauthenticated()
                        .build()
                        .with_context(|| of("client_ca", path))?;
                builder.with_client_cert_verifier(verifier)
            }
            _ => builder.with_no_client_auth(),
        };
        let mut server =
            builder.with_single_cert(own, private_key(&key, &table.key)?).with_context(|| {
                format!("{} and {}", of("certificate", &table.certificate), table.key.display())
            })?;
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        // Nobody comes in on what an earlier connection has proved: certificates expire, and authorities change.
        server.session_storage = Arc::new(NoServerSessionStorage {});
        server.send_tls13_tickets = 0;
        told.sort_by_key(|row| row.expires_at);
        told.truncate(MAX_TOLD);
        let authorities = |text: &Zeroizing<Vec<u8>>| Authorities(Sha256::digest(&**text).into());
        Ok(Self {
            server: Arc::new(server),
            client_ca: client_ca.as_ref().map(authorities),
            certificates: told.into(),
            hash: hash.finalize().into(),
        })
    }
}

impl PartialEq for TlsSettings {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash && self.client_ca == other.client_ca
    }
}

impl Eq for TlsSettings {}

impl fmt::Debug for TlsSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsSettings").field("client_ca", &self.client_ca.is_some()).finish_non_exhaustive()
    }
}

fn of(key: &str, path: &Path) -> String {
    format!("{key} of [tls], {}", path.display())
}

fn read(path: &Path, key: &str) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let of = || of(key, path);
    let file = std::fs::File::open(path).with_context(|| format!("{} cannot be read", of()))?;
    let mut text = Zeroizing::new(Vec::new());
    file.take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut text)
        .with_context(|| format!("{} cannot be read", of()))?;
    ensure!(text.len() as u64 <= MAX_FILE_BYTES, "{} has more than {MAX_FILE_BYTES} bytes", of());
    Ok(text)
}

fn certificates(text: &[u8], key: &str, path: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let read: Vec<_> = CertificateDer::pem_slice_iter(text)
        .collect::<Result<_, _>>()
        .with_context(|| format!("{} is damaged", of(key, path)))?;
    ensure!(
        !read.is_empty(),
        "{} has no certificate: it wants PEM, `-----BEGIN CERTIFICATE-----`",
        of(key, path)
    );
    Ok(read)
}

fn private_key(text: &[u8], path: &Path) -> anyhow::Result<PrivateKeyDer<'static>> {
    // What it says of a damaged file may not repeat any of it.
    PrivateKeyDer::from_pem_slice(text).ok().with_context(|| {
        format!("{} has no private key: it wants PEM, `-----BEGIN PRIVATE KEY-----`", of("key", path))
    })
}

fn roots(authorities: Vec<CertificateDer<'static>>, path: &Path) -> anyhow::Result<Arc<RootCertStore>> {
    let mut roots = RootCertStore::empty();
    for certificate in authorities {
        roots.add(certificate).with_context(|| of("client_ca", path))?;
    }
    Ok(Arc::new(roots))
}

/// When the certificates of a file expire.
fn rows(of: CertificateUse, all: &[CertificateDer<'_>]) -> Vec<CertificateRow> {
    let row = |(number, certificate): (u64, &CertificateDer<'_>)| {
        // rustls takes no certificate that says it in a form which is not read here.
        let expires_at = Instant(expires_s(certificate)?.saturating_mul(1_000));
        Some(CertificateRow { of, number, name: name(certificate), expires_at })
    };
    (1..).zip(all).filter_map(row).collect()
}

/// A name in a certificate, for people.
fn name(certificate: &CertificateDer<'_>) -> Option<String> {
    let read = EndEntityCert::try_from(certificate).ok()?;
    let mut names = read.valid_dns_names();
    names.next().or_else(|| common_name(read.subject())).map(str::to_owned)
}
