//! A private CA and what it signs. Its name is of its key, so the key alone is enough to sign again.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use connctl_api::error::Exit;
use connctl_api::instant::Instant;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData as _,
};
use sha2::{Digest as _, Sha256};

use super::files::{File, Pair};
use crate::error::Failure;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How long the CA is valid.
const LIFETIME_DAYS: u64 = 3_650;
/// Clocks of other machines may be slow by this.
const CLOCK_SKEW: Duration = Duration::from_secs(60 * 60);
/// How much of a hash is in the name of a CA.
const NAME_BYTES: usize = 4;
/// Its files.
pub(super) const FILES: Pair<'static> = Pair("ca.crt", "ca.key");

/// A private CA.
pub(super) struct Authority(Issuer<'static, KeyPair>);

/// What somebody is by a certificate.
pub(super) enum Holder<'a> {
    /// An agent that is called by these names.
    Agent(&'a [String]),
    /// A client that is known by this one.
    Client(&'a str),
}

impl Authority {
    /// A new one, and its files.
    pub(super) fn new() -> Result<(Self, Vec<File>)> {
        let key = KeyPair::generate()?;
        let own = own_params(&key)?;
        let files = FILES.files(own.self_signed(&key)?.pem(), key.serialize_pem());
        Ok((Self(Issuer::new(own, key)), files))
    }

    /// The one that was made in this directory.
    pub(super) fn open(dir: &Path) -> Result<Self> {
        let (certificate, key) = (dir.join(FILES.0), dir.join(FILES.1));
        let missing = |error: std::io::Error, path: &Path| {
            Failure::new(Exit::Failed, format!("{} cannot be read: {error}", path.display()))
                .hint("name the directory where `connctl agent cert init` made the CA")
        };
        let text = fs::read_to_string(&key).map_err(|error| missing(error, &key))?;
        // What it says of a damaged file could repeat some of it.
        let pair = KeyPair::from_pem(&text).ok();
        let pair = pair.with_context(|| format!("{} has no private key as PEM", key.display()))?;
        let text = fs::read_to_string(&certificate).map_err(|error| missing(error, &certificate))?;
        let own = own_params(&pair)?;
        let is_own = der(&text)
            .is_some_and(|der| contains(&der, name(&pair).as_bytes()) && contains(&der, pair.der_bytes()));
        anyhow::ensure!(is_own, "{} is not of the CA whose key is {}", certificate.display(), key.display());
        Ok(Self(Issuer::new(own, pair)))
    }

    /// Signs a certificate for a new key; gives both as PEM, and when it ends.
    pub(super) fn issue(&self, holder: &Holder<'_>, days: u64) -> Result<(String, String, Instant)> {
        let (subject, hosts, usage) = match holder {
            Holder::Agent(names) => ("connctl agent", names.to_vec(), ExtendedKeyUsagePurpose::ServerAuth),
            Holder::Client(name) => (*name, Vec::new(), ExtendedKeyUsagePurpose::ClientAuth),
        };
        let key = KeyPair::generate()?;
        let (mut leaf, until) = params(subject, hosts, days)?;
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![usage];
        leaf.use_authority_key_identifier_extension = true;
        Ok((leaf.signed_by(&key, &self.0)?.pem(), key.serialize_pem(), until))
    }
}

fn own_params(key: &KeyPair) -> Result<CertificateParams> {
    let (mut own, _) = params(&name(key), Vec::new(), LIFETIME_DAYS)?;
    own.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    own.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(own)
}

/// Of two that are called the same, only a failed signature would tell.
fn name(key: &KeyPair) -> String {
    let hash = Sha256::digest(key.public_key_raw());
    let short: String = hash.iter().take(NAME_BYTES).map(|byte| format!("{byte:02x}")).collect();
    format!("connctl CA {short}")
}

fn params(subject: &str, hosts: Vec<String>, days: u64) -> Result<(CertificateParams, Instant)> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let until = now + DAY * u32::try_from(days)?;
    let mut params = CertificateParams::new(hosts).context("the names of the agent")?;
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    params.not_before = epoch + now.saturating_sub(CLOCK_SKEW);
    params.not_after = epoch + until;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, subject);
    Ok((params, Instant(i64::try_from(until.as_millis())?)))
}

/// What is between the lines of the first PEM block.
fn der(pem: &str) -> Option<Vec<u8>> {
    let inside = pem.lines().skip_while(|line| !line.starts_with("-----BEGIN")).skip(1);
    let text: String = inside.take_while(|line| !line.starts_with("-----")).collect();
    STANDARD.decode(text).ok()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
