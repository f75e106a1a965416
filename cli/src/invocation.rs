//! Arguments and environment, resolved once. The rest of the program asks neither again.

use std::io::{IsTerminal, stderr, stdin, stdout};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use connctl_api::client::{Client, Endpoint};
use connctl_api::endpoint::{default_socket, is_own, temporary_dir};
use connctl_api::error::Exit;

use crate::args::output::{Format, OutputArgs, When};
use crate::args::target::TargetArgs;
use crate::context::Contexts;
use crate::error::Failure;
use crate::files::Files;
use crate::output::style::Style;
use crate::typed;

/// How long the agent may be silent where nothing is said.
pub(crate) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// What a command needs to know of how it was called.
#[derive(Debug, Clone)]
pub(crate) struct Invocation {
    pub format: Format,
    /// Titles in table, wide and csv.
    pub headers: bool,
    pub quiet: bool,
    pub style: Style,
    /// Of the terminal that stdout is; `None` where it is not one, and nothing is cut.
    pub width: Option<usize>,
    pub stdout_is_terminal: bool,
    pub stderr_is_terminal: bool,
    /// Somebody is there to answer a question.
    pub can_ask: bool,
    /// The verb and what follows it, as typed.
    pub typed: Option<String>,
    /// As typed; a verb may have another default.
    pub timeout: Option<Duration>,
    /// As typed, or of the environment where neither this nor a context was typed.
    pub agent: Option<String>,
    context: Option<String>,
    /// As typed.
    pub files: Files,
}

impl Invocation {
    /// The same, printed in another form.
    pub(crate) fn in_format(&self, format: Format) -> Self {
        Self { format, ..self.clone() }
    }

    pub(crate) fn resolve(target: &TargetArgs, output: &OutputArgs) -> Self {
        let stdout_is_terminal = stdout().is_terminal();
        let typed = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let from_env = || std::env::var("CONNCTL_AGENT").ok().filter(|agent| !agent.is_empty());
        let context = typed(&target.context);
        let width = stdout_is_terminal.then(terminal_size::terminal_size).flatten();
        Self {
            format: output.output,
            headers: !output.no_headers,
            quiet: output.quiet,
            style: Style::new(wants_colour(output.color, stdout_is_terminal)),
            width: width.map(|(width, _)| usize::from(width.0)).filter(|width| *width > 0),
            stdout_is_terminal,
            stderr_is_terminal: stderr().is_terminal(),
            can_ask: stdin().is_terminal(),
            typed: typed::command(std::env::args_os()),
            timeout: target.timeout,
            agent: typed(&target.agent).or_else(|| from_env().filter(|_| context.is_none())),
            context,
            files: Files::typed(target),
        }
    }

    /// The same on a terminal of this width.
    pub(crate) fn as_wide_as(&self, width: usize) -> Self {
        Self { width: Some(width), ..self.clone() }
    }

    /// How long the agent may be silent.
    pub(crate) fn patience(&self) -> Duration {
        self.timeout.unwrap_or(DEFAULT_TIMEOUT)
    }

    /// A client of the agent that this call is about.
    pub(crate) fn client(&self) -> Result<Client> {
        self.client_with(self.patience())
    }

    /// The same for a call that may be silent for longer.
    pub(crate) fn client_with(&self, patience: Duration) -> Result<Client> {
        let (endpoint, of_context) = self.target()?;
        Ok(Client::with(endpoint, patience, &self.files.credentials(of_context)?)?)
    }

    /// Where the agent is: what was typed, `CONNCTL_AGENT`, the context in use, the default socket; and the
    /// files that go with it.
    fn target(&self) -> Result<(Endpoint, Files)> {
        let contexts;
        let (agent, files) = match (&self.agent, &self.context) {
            (Some(_), Some(_)) => {
                return Err(Failure::usage("--agent and --context name two agents").hint("give one").into());
            }
            (Some(agent), None) => (agent, Files::default()),
            (None, name) => {
                contexts = Contexts::load()?;
                match name.as_ref().or(contexts.current.as_ref()) {
                    Some(name) => {
                        let context = contexts.named(name)?;
                        (&context.agent, Files::of(context))
                    }
                    None => return Ok((Endpoint::Unix(own_socket()?), Files::default())),
                }
            }
        };
        Ok((agent.parse().map_err(|error: String| Failure::usage(error))?, files))
    }
}

/// The default socket. Whoever has made its directory for another user is not to hear a token.
fn own_socket() -> Result<PathBuf> {
    if let Some(dir) = temporary_dir()
        && let Ok(found) = std::fs::symlink_metadata(&dir)
        && !(found.is_dir() && is_own(found.uid(), found.mode()))
    {
        let message = format!("{} is another user's, or others may write to it", dir.display());
        return Err(Failure::new(Exit::Denied, message).hint("say where the agent is with --agent").into());
    }
    Ok(default_socket())
}

/// The conventions of NO_COLOR and CLICOLOR_FORCE.
fn wants_colour(when: When, is_terminal: bool) -> bool {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    match when {
        When::Always => true,
        When::Never => false,
        When::Auto if set("NO_COLOR").is_some() => false,
        When::Auto if set("CLICOLOR_FORCE").is_some_and(|value| value != "0") => true,
        When::Auto => is_terminal && set("TERM").is_none_or(|term| term != "dumb"),
    }
}
