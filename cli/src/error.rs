//! A command that did not come to a good end: what is said, and with which code it leaves.

use std::io;

use connctl_api::client::ClientError;
use connctl_api::error::Exit;

/// An error of the command itself.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// What went wrong: a lower-case fragment that names the value.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), hint: None }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Somebody closed stdout early, as `head` does: that is no error.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|io| io.kind() == io::ErrorKind::BrokenPipe)
    })
}

/// The exit code of an error.
pub(crate) fn exit_of(error: &anyhow::Error) -> Exit {
    for cause in error.chain() {
        if let Some(failure) = cause.downcast_ref::<Failure>() {
            return failure.exit;
        }
        if let Some(client) = cause.downcast_ref::<ClientError>() {
            return client.exit();
        }
    }
    Exit::Failed
}

/// The error on one line, and the hint on another where there is one.
pub(crate) fn text_of(error: &anyhow::Error) -> String {
    let mut text = format!("connctl: {error:#}");
    if let Some(hint) = error.chain().find_map(hint_of) {
        text.push_str("\n  hint: ");
        text.push_str(&hint);
    }
    text
}

fn hint_of(cause: &(dyn std::error::Error + 'static)) -> Option<String> {
    if let Some(failure) = cause.downcast_ref::<Failure>() {
        return failure.hint.clone();
    }
    match cause.downcast_ref::<ClientError>()? {
        ClientError::Unreachable { .. } => Some(
            "start one with `connctl agent run --echo 127.0.0.1:7000`, \
             or say where it is with --agent, --context or CONNCTL_AGENT"
                .to_owned(),
        ),
        ClientError::NotPermitted { .. } => Some("the socket is its owner's: run as that user".to_owned()),
        ClientError::TimedOut { .. } => Some("give it longer with --timeout".to_owned()),
        ClientError::Tls { trouble, .. } => Some(trouble.hint.clone()),
        ClientError::Api(error) => error.detail.hint.clone(),
        ClientError::TooLong { .. } => {
            Some("say it shorter; `connctl remove --batch` takes any number of connections".to_owned())
        }
        ClientError::Credentials(_) | ClientError::Garbled { .. } | ClientError::BrokeOff { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[test]
    fn an_error_is_one_line_and_a_hint() {
        let failure = Failure::usage("no connections are selected").hint("say --all");
        let error = anyhow::Error::from(failure).context("remove");
        assert_eq!(text_of(&error), "connctl: remove: no connections are selected\n  hint: say --all");
        assert_eq!(exit_of(&error), Exit::Usage);
    }

    #[test]
    fn a_broken_pipe_is_found_anywhere_in_the_chain() {
        let error: anyhow::Result<()> = Err(io::Error::from(io::ErrorKind::BrokenPipe)).context("stdout");
        assert!(error.is_err_and(|error| is_broken_pipe(&error)));
    }
}
