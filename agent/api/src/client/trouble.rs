//! What keeps TLS from coming about, in words, and what helps.

use std::error::Error as StdError;
use std::io;

use jiff::Timestamp;
use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, Error};

/// The most names of a certificate that are told.
const MAX_TOLD_NAMES: usize = 8;

/// Why TLS does not come about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What is wrong.
    pub problem: String,
    /// What helps.
    pub hint: String,
    /// The agent turned this client away; otherwise this client did not trust what answered.
    pub is_refusal: bool,
}

impl Trouble {
    /// Finds an error of TLS among the causes of another.
    pub(super) fn find(error: &(dyn StdError + 'static)) -> Option<Self> {
        let mut next = Some(error);
        while let Some(cause) = next {
            if let Some(error) = cause.downcast_ref::<Error>() {
                return Some(Self::of(error));
            }
            // The error inside of an error of the system is not among its causes.
            next = match cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
                Some(inside) => Some(inside),
                None => cause.source(),
            };
        }
        None
    }

    fn of(error: &Error) -> Self {
        match error {
            Error::InvalidCertificate(why) => Self::of_certificate(why),
            Error::AlertReceived(alert) => Self::of_alert(*alert),
            // The first bytes of what it says are not those of a handshake.
            Error::InvalidMessage(_) => Self::new("what answers there does not speak TLS", NO_TLS),
            error => Self::new(error.to_string(), "the agent's log may say more"),
        }
    }

    fn new(problem: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { problem: problem.into(), hint: hint.into(), is_refusal: false }
    }

    fn of_certificate(why: &CertificateError) -> Self {
        match why {
            CertificateError::UnknownIssuer => {
                Self::new("its certificate is not signed by an authority that is trusted here", NO_AUTHORITY)
            }
            CertificateError::BadSignature => {
                let problem =
                    "its certificate is signed by another authority of the same name as a trusted one";
                Self::new(problem, NO_AUTHORITY)
            }
            CertificateError::ExpiredContext { not_after, .. } => {
                Self::new(format!("its certificate has expired at {}", at(*not_after)), EXPIRED)
            }
            CertificateError::Expired => Self::new("its certificate has expired", EXPIRED),
            CertificateError::NotValidYetContext { not_before, .. } => {
                Self::new(format!("its certificate is not valid before {}", at(*not_before)), TOO_EARLY)
            }
            CertificateError::NotValidYet => Self::new("its certificate is not valid yet", TOO_EARLY),
            CertificateError::NotValidForNameContext { expected, presented } => {
                let told: Vec<_> = presented.iter().take(MAX_TOLD_NAMES).map(|name| shown(name)).collect();
                let problem = match told.len() {
                    0 => {
                        format!("its certificate has no name of a host, and {} was called", expected.to_str())
                    }
                    _ => format!(
                        "its certificate is for {}, and not for {}",
                        told.join(", "),
                        expected.to_str()
                    ),
                };
                Self::new(problem, OTHER_NAME)
            }
            CertificateError::NotValidForName => Self::new("its certificate is for another name", OTHER_NAME),
            why => Self::new(format!("its certificate cannot be trusted: {why}"), NO_AUTHORITY),
        }
    }

    fn of_alert(alert: AlertDescription) -> Self {
        let (problem, hint) = match alert {
            AlertDescription::UnknownCA => (
                "it does not know the authority that signed this client's certificate",
                "show one that is signed by its client_ca, with --cert-file and --key-file",
            ),
            AlertDescription::CertificateExpired => (
                "this client's certificate has expired, or its time has not come",
                "have a new one made, and show it with --cert-file and --key-file",
            ),
            AlertDescription::CertificateRequired => {
                ("it wants a certificate of this client", "show one with --cert-file and --key-file")
            }
            AlertDescription::BadCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::DecryptError => (
                "it does not take this client's certificate",
                "show one for clients that is signed by its client_ca; the agent's log says what is wrong with this",
            ),
            alert => {
                let problem = format!("it broke the handshake off: {alert:?}");
                return Self::new(problem, "the agent's log may say more");
            }
        };
        Self { is_refusal: true, ..Self::new(problem, hint) }
    }
}

const NO_TLS: &str = "write http:// instead of https:// if the agent has no TLS there";
const NO_AUTHORITY: &str = "name its authority's certificate with --ca-file or CONNCTL_CA_FILE: ca.crt, where \
     `connctl agent cert init` made it";
const EXPIRED: &str = "the agent needs a new one: put it in its file there, then `connctl agent reload`";
const TOO_EARLY: &str = "look at the clock of this machine, and at the agent's";
const OTHER_NAME: &str =
    "call the agent by one of these names, or have its certificate made for this one too";

/// A name as it is told: `DnsName("a")` is `a`.
fn shown(name: &str) -> String {
    let inside = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inside.unwrap_or(name).trim_matches('"').to_owned()
}

fn at(time: UnixTime) -> String {
    i64::try_from(time.as_secs())
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .map_or_else(|| "an unknown time".to_owned(), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rustls::pki_types::ServerName;

    use super::*;

    #[test]
    fn an_error_is_found_however_deep_it_is_wrapped() {
        let inside = Error::AlertReceived(AlertDescription::UnknownCA);
        let wrapped = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, inside));
        let found = Trouble::find(&wrapped).unwrap();
        assert!(found.is_refusal && found.problem.contains("authority"), "{found:?}");
        assert_eq!(Trouble::find(&io::Error::other("else")), None);
    }

    #[test]
    fn names_and_times_are_told_as_people_write_them() {
        let expected = ServerName::try_from("other.example").unwrap();
        let presented = vec!["DnsName(\"agent.example\")".into(), "IpAddress(127.0.0.1)".into()];
        let told = Trouble::of_certificate(&CertificateError::NotValidForNameContext { expected, presented });
        assert_eq!(
            told.problem,
            "its certificate is for agent.example, 127.0.0.1, and not for other.example"
        );
        let time = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let expired = CertificateError::ExpiredContext { time: time(2), not_after: time(1) };
        let told = Trouble::of_certificate(&expired);
        assert_eq!(told.problem, "its certificate has expired at 1970-01-01T00:00:01Z");
    }
}
