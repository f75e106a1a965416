//! The files that go with a call of an agent: a token, whom to trust, and a certificate to show.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::Result;
use connctl_api::client::{Credentials, Files as TlsFiles, Token};

use crate::args::target::TargetArgs;
use crate::context::Context;
use crate::error::Failure;

/// As the flags of these names take them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Files {
    token: Option<PathBuf>,
    ca: Option<PathBuf>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
}

impl Files {
    /// Those that were typed.
    pub(crate) fn typed(target: &TargetArgs) -> Self {
        let TargetArgs { token_file, ca_file, cert_file, key_file, .. } = target.clone();
        Self { token: token_file, ca: ca_file, certificate: cert_file, key: key_file }
    }

    /// Those of a context.
    pub(crate) fn of(context: &Context) -> Self {
        let Context { token_file, ca_file, cert_file, key_file, .. } = context.clone();
        Self { token: token_file, ca: ca_file, certificate: cert_file, key: key_file }
    }

    fn of_environment() -> Self {
        let path = |name| variable(name).map(PathBuf::from);
        let [ca, certificate, key] = ["CONNCTL_CA_FILE", "CONNCTL_CERT_FILE", "CONNCTL_KEY_FILE"].map(path);
        Self { token: None, ca, certificate, key }
    }

    /// A context with these, which can be used from anywhere.
    ///
    /// # Errors
    /// There is no current directory.
    pub(crate) fn context(&self, agent: String) -> std::io::Result<Context> {
        let absolute = |path: &Option<PathBuf>| path.as_deref().map(std::path::absolute).transpose();
        Ok(Context {
            agent,
            token_file: absolute(&self.token)?,
            ca_file: absolute(&self.ca)?,
            cert_file: absolute(&self.certificate)?,
            key_file: absolute(&self.key)?,
        })
    }

    /// What the agent is shown, of what was typed, of the environment and of a context, in this order. A token is
    /// read; of the others only the paths are.
    ///
    /// # Errors
    /// A token that cannot be read or is none, by where it comes from.
    pub(crate) fn credentials(&self, of_context: Self) -> Result<Credentials> {
        let environment = Self::of_environment();
        let ca = self.ca.clone().or(environment.ca).or(of_context.ca);
        // A certificate and its key come from one place.
        let typed = (self.certificate.clone(), self.key.clone());
        let (certificate, key) =
            [typed, (environment.certificate, environment.key), (of_context.certificate, of_context.key)]
                .into_iter()
                .find(|(certificate, key)| certificate.is_some() || key.is_some())
                .unwrap_or_default();
        Ok(Credentials { token: self.token(of_context.token)?, tls: TlsFiles { ca, certificate, key } })
    }

    fn token(&self, of_context: Option<PathBuf>) -> Result<Option<Token>> {
        let (text, what) = match (&self.token, variable("CONNCTL_TOKEN")) {
            (None, Some(text)) => (text.to_string_lossy().into_owned(), "CONNCTL_TOKEN".to_owned()),
            (typed, _) => {
                let Some(path) = typed.clone().or(of_context) else { return Ok(None) };
                let text = std::fs::read_to_string(&path).map_err(|error| {
                    Failure::usage(format!("the token file {} cannot be read: {error}", path.display()))
                })?;
                (text, format!("the token in {}", path.display()))
            }
        };
        Ok(Some(Token::new(&text).map_err(|error| Failure::usage(format!("{what} {error}")))?))
    }
}

fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}
