//! What a client needs for TLS: whom it trusts, and what it shows. Only a call over https:// reads any of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};
use rustls_platform_verifier::BuilderVerifierExt as _;

/// Files for TLS, as PEM.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files {
    /// Authorities that vouch for the agent; those of the system where absent.
    pub ca: Option<PathBuf>,
    /// The client's certificate.
    pub certificate: Option<PathBuf>,
    /// Its private key; in the certificate's file where absent.
    pub key: Option<PathBuf>,
}

impl Files {
    /// Reads them.
    ///
    /// # Errors
    /// Names the file, and what is wrong with it.
    pub(super) fn config(&self) -> Result<ClientConfig, String> {
        let builder = match &self.ca {
            Some(path) => {
                let verifier = WebPkiServerVerifier::builder_with_provider(roots(path)?, provider())
                    .build()
                    .map_err(|error| format!("the CA file {} cannot be used: {error}", path.display()))?;
                builder()?.with_webpki_verifier(verifier)
            }
            None => builder()?
                .with_platform_verifier()
                .map_err(|error| format!("the system's authorities cannot be used: {error}"))?,
        };
        let (own, key) = match (&self.certificate, &self.key) {
            (None, None) => return Ok(builder.with_no_client_auth()),
            (None, Some(key)) => {
                return Err(format!(
                    "the key file {} is of no certificate: give its file too",
                    key.display()
                ));
            }
            (Some(own), key) => (own, key.as_ref().unwrap_or(own)),
        };
        let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| {
            // What it says of a damaged file could repeat some of it.
            let why = if is_missing(&error) { "cannot be read" } else { "has no private key as PEM" };
            format!("the key file {} {why}", key.display())
        })?;
        builder.with_client_auth_cert(certificates(own, "certificate")?, secret).map_err(|error| {
            format!(
                "the certificate in {} and the key in {} do not work: {error}",
                own.display(),
                key.display()
            )
        })
    }
}

/// For a client that speaks no TLS: nothing is read, and nobody trusted.
pub(super) fn none() -> Result<ClientConfig, String> {
    Ok(builder()?.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn builder() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, String> {
    ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS cannot be set up: {error}"))
}

fn roots(path: &Path) -> Result<Arc<RootCertStore>, String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path, "CA")? {
        roots
            .add(certificate)
            .map_err(|error| format!("the CA file {} cannot be used: {error}", path.display()))?;
    }
    Ok(Arc::new(roots))
}

fn certificates(path: &Path, what: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let of = || format!("the {what} file {}", path.display());
    let read: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    match read {
        Ok(read) if read.is_empty() => {
            Err(format!("{} has no certificate as PEM, `-----BEGIN CERTIFICATE-----`", of()))
        }
        Ok(read) => Ok(read),
        Err(error) => Err(format!("{} cannot be read: {error}", of())),
    }
}

fn is_missing(error: &rustls::pki_types::pem::Error) -> bool {
    matches!(error, rustls::pki_types::pem::Error::Io(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_does_not_serve_is_named() {
        let dir = std::env::temp_dir().join(format!("connctl-tls-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let write = |name: &str, text: &str| {
            std::fs::write(dir.join(name), text).unwrap();
            Some(dir.join(name))
        };
        let (missing, empty) = (Some(dir.join("missing")), write("empty", ""));
        let broken = write("broken", "-----BEGIN CERTIFICATE-----\nc2VjcmV0\n-----END CERTIFICATE-----\n");
        let key = write("key", "-----BEGIN PRIVATE KEY-----\n???\n-----END PRIVATE KEY-----\n");
        let said = |ca: &Option<PathBuf>, certificate: &Option<PathBuf>, key: &Option<PathBuf>| {
            let files = Files { ca: ca.clone(), certificate: certificate.clone(), key: key.clone() };
            files.config().unwrap_err()
        };
        for (error, words) in [
            (said(&missing, &None, &None), ["CA file", "missing"]),
            (said(&empty, &None, &None), ["no certificate", "empty"]),
            (said(&broken, &None, &None), ["CA file", "broken"]),
            (said(&None, &None, &missing), ["missing", "no certificate"]),
            (said(&None, &missing, &None), ["key file", "missing"]),
            (said(&None, &broken, &key), ["no private key", "key"]),
        ] {
            assert!(words.iter().all(|word| error.contains(word)), "{words:?}: {error}");
            assert!(!error.contains("???"), "{error}");
        }
        std::fs::remove_dir_all(dir).unwrap();
    }
}
