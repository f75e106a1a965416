//! What a client's certificate says of it. Its authority has vouched for all of it before.

use rustls::pki_types::CertificateDer;
use webpki::EndEntityCert;

use crate::config::tls::Authorities;
use crate::config::x509::common_name;

/// A client by its certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Certificate {
    /// What it is known by.
    pub(super) names: Vec<Box<str>>,
    /// Those who vouched for it.
    pub(super) vouched: Option<Authorities>,
}

impl Certificate {
    /// Reads one that was verified.
    pub(super) fn new(der: &CertificateDer<'_>, vouched: Option<Authorities>) -> Self {
        Self { names: EndEntityCert::try_from(der).map(|read| names(&read)).unwrap_or_default(), vouched }
    }
}

/// The DNS and URI names among the subject's alternative names; where there are none, the common name.
fn names(certificate: &EndEntityCert<'_>) -> Vec<Box<str>> {
    let alternative: Vec<Box<str>> =
        certificate.valid_dns_names().chain(certificate.valid_uri_names()).map(Into::into).collect();
    if !alternative.is_empty() {
        return alternative;
    }
    common_name(certificate.subject()).map(Into::into).into_iter().collect()
}
