//! Certificates of every kind, good and bad, and clients over TLS that show them.
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use super::agent::{Agent, Setup};
use super::http::Http;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// An authority.
pub(crate) struct Ca {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) pem: String,
}

/// A certificate and its key, as PEM.
#[derive(Debug, Clone)]
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

/// What a certificate is to say.
#[derive(Debug, Clone, Default)]
pub(crate) struct Leaf {
    /// The common name of its subject.
    pub(crate) common: Option<String>,
    pub(crate) dns: Vec<String>,
    pub(crate) uris: Vec<String>,
    /// For a server, and not for a client.
    pub(crate) is_server: bool,
    /// Valid from and until, in days from now; a day before and a day behind where absent.
    pub(crate) days: Option<(i32, i32)>,
}

impl Leaf {
    pub(crate) fn client(name: &str) -> Self {
        Self { common: Some(name.to_owned()), ..Self::default() }
    }

    /// A server's on loopback.
    pub(crate) fn server() -> Self {
        let dns = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        Self { dns, is_server: true, ..Self::client("server") }
    }

    pub(crate) fn expired(self) -> Self {
        Self { days: Some((-2, -1)), ..self }
    }

    pub(crate) fn of_tomorrow(self) -> Self {
        Self { days: Some((1, 2)), ..self }
    }
}

impl Ca {
    pub(crate) fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = params(Some(name), (-10, 10));
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    pub(crate) fn issue(&self, leaf: &Leaf) -> Pair {
        let key = KeyPair::generate().unwrap();
        let mut params = params(leaf.common.as_deref(), leaf.days.unwrap_or((-1, 1)));
        let host = |name: &String| match name.parse() {
            Ok(address) => SanType::IpAddress(address),
            Err(_) => SanType::DnsName(name.as_str().try_into().unwrap()),
        };
        params.subject_alt_names = leaf.dns.iter().map(host).collect();
        let uri = |uri: &String| SanType::URI(uri.as_str().try_into().unwrap());
        params.subject_alt_names.extend(leaf.uris.iter().map(uri));
        params.extended_key_usages = vec![match leaf.is_server {
            true => ExtendedKeyUsagePurpose::ServerAuth,
            false => ExtendedKeyUsagePurpose::ClientAuth,
        }];
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        Pair { certificate, key: key.serialize_pem() }
    }

    /// A client's by this name.
    pub(crate) fn client(&self, name: &str) -> Pair {
        self.issue(&Leaf::client(name))
    }

    /// What a client is that trusts this authority and shows a certificate, if any.
    pub(crate) fn trusting(&self, own: Option<&Pair>) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.pem.as_bytes()).unwrap()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        Arc::new(match own {
            None => builder.with_no_client_auth(),
            Some(pair) => {
                let chain = vec![CertificateDer::from_pem_slice(pair.certificate.as_bytes()).unwrap()];
                let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
                builder.with_client_auth_cert(chain, key).unwrap()
            }
        })
    }
}

fn params(common: Option<&str>, (from, until): (i32, i32)) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    if let Some(name) = common {
        params.distinguished_name.push(DnType::CommonName, name);
    }
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let at = |days: i32| {
        let span = DAY * days.unsigned_abs();
        rcgen::date_time_ymd(1970, 1, 1) + if days < 0 { now - span } else { now + span }
    };
    (params.not_before, params.not_after) = (at(from), at(until));
    params
}

impl Setup {
    /// Serves the control API over TLS on a free loopback port, with this certificate and this authority for
    /// clients; `more` of the file begins with tables.
    pub(crate) fn tls(self, server: &Pair, client_ca: Option<&Ca>, more: &str) -> Self {
        let table = self.tls_table(server, client_ca);
        self.arg("--control").arg("tls:127.0.0.1:0").config(table + more)
    }

    /// Writes the files; gives the `[tls]` table.
    pub(crate) fn tls_table(&self, server: &Pair, client_ca: Option<&Ca>) -> String {
        let certificate = self.dir().write("server.crt", &server.certificate);
        let key = self.dir().write("server.key", &server.key);
        let mut table = format!("[tls]\ncertificate = '{certificate}'\nkey = '{key}'\n");
        if let Some(ca) = client_ca {
            table += &format!("client_ca = '{}'\n", self.dir().write("client_ca.crt", &ca.pem));
        }
        table
    }
}

impl Agent {
    /// The address of the control API over TLS.
    #[track_caller]
    pub(crate) fn tls_addr(&self) -> SocketAddr {
        let control = self.ready()["control"].as_array().unwrap();
        let found = control.iter().find_map(|each| each.as_str().unwrap().strip_prefix("tls:"));
        found.expect("a tls control address").parse().unwrap()
    }

    /// The control API over TLS, for such a client.
    #[track_caller]
    pub(crate) fn tls(&self, client: Arc<ClientConfig>) -> Http {
        Http::Tls(self.tls_addr(), client)
    }
}
