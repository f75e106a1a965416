//! Where an agent is.

use std::path::PathBuf;

/// The address of an agent's control API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// A unix socket.
    Unix(PathBuf),
    /// `HOST:PORT`, without TLS.
    Http(String),
    /// `HOST:PORT`, over TLS.
    Https(String),
}

/// What an address looks like, for messages.
pub const ENDPOINT_FORM: &str = "unix:PATH, http://HOST:PORT or https://HOST:PORT";

/// How an address begins that is a host and a port, and whether it asks for TLS; `tcp:` and `tls:` are how an
/// agent's ready line writes it.
const SCHEMES: [(&str, bool); 4] = [("http://", false), ("tcp:", false), ("https://", true), ("tls:", true)];

impl std::str::FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |what: &str| format!("agent address {text:?} {what}: write {ENDPOINT_FORM}");
        if let Some(path) = text.strip_prefix("unix:") {
            // `unix:///run/x` is the same file: a path may begin with several slashes.
            return if path.is_empty() { Err(wrong("names no path")) } else { Ok(Self::Unix(path.into())) };
        }
        let known = SCHEMES.iter().find_map(|(scheme, is_tls)| Some((*is_tls, text.strip_prefix(scheme)?)));
        let Some((is_tls, rest)) = known else {
            return Err(wrong("has no known scheme"));
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains(['/', '?', '#', '@']) {
            return Err(wrong("has more than a host and a port"));
        }
        let (host, port) = authority.rsplit_once(':').ok_or_else(|| wrong("names no port"))?;
        if port.parse::<u16>().is_err() {
            return Err(wrong("has a bad port"));
        }
        let bracketed = host.starts_with('[') && host.ends_with(']');
        if host.is_empty() || host.contains(char::is_whitespace) || (host.contains(':') && !bracketed) {
            return Err(wrong("has a bad host"));
        }
        Ok(if is_tls { Self::Https(authority.to_owned()) } else { Self::Http(authority.to_owned()) })
    }
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Http(authority) => write!(f, "http://{authority}"),
            Self::Https(authority) => write!(f, "https://{authority}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_printed_back() {
        for (text, printed) in [
            ("unix:/run/a.sock", "unix:/run/a.sock"),
            ("http://127.0.0.1:5001", "http://127.0.0.1:5001"),
            ("http://[::1]:5001/", "http://[::1]:5001"),
            ("tcp:127.0.0.1:5001", "http://127.0.0.1:5001"),
            ("https://agent.example:5002/", "https://agent.example:5002"),
            ("tls:[::1]:5002", "https://[::1]:5002"),
        ] {
            assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), printed);
        }
    }

    #[test]
    fn a_wrong_address_is_named_with_what_is_right() {
        for wrong in [
            "",
            "unix:",
            "127.0.0.1:80",
            "https://h",
            "https://h:1/x",
            "tls:h",
            "http://",
            "http://h",
            "http://h:x",
            "http://h:1/v1",
            "http://::1:80",
            "http://a b:1",
            "ftp://h:1",
            "http://u@h:1",
        ] {
            let error = wrong.parse::<Endpoint>().unwrap_err();
            assert!(error.contains(&format!("{wrong:?}")) && error.contains("unix:PATH"), "{error}");
        }
    }
}
