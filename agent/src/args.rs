//! The arguments of `agent run`, for the agent's own binary and for the command.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use connctl_api::conn::Mode;
use connctl_api::id::MAX_ID;

use crate::config::settings::MAX_THREADS;
use crate::config::{Compat, Settings, address, check, file};

/// Run the agent: hold connections and serve the control API.
#[derive(Debug, Clone, Default, Args)]
pub struct RunArgs {
    #[command(flatten)]
    listeners: ListenerArgs,

    /// Where the control API is: unix:PATH, tcp:HOST:PORT (loopback only) or tls:HOST:PORT
    #[arg(long, value_name = "ADDRESS", value_parser = control)]
    control: Vec<String>,

    /// The agent's id, from 1
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MAX_ID))]
    node_id: Option<u64>,

    /// Where what must survive a restart is kept; made where it is missing
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,

    /// Settings from a TOML file; flags win over it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Relay threads [default: the cores, at most 4]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=i64::from(MAX_THREADS)))]
    threads: Option<u16>,

    /// How facades answer where a system's document and code differ [default: documented]
    #[arg(long, value_name = "PROFILE", value_parser = compat)]
    compat: Option<Compat>,
}

/// The listeners of the command line, in the order in which they stand there, whatever their mode.
#[derive(Debug, Clone, Default)]
struct ListenerArgs(Vec<file::Listener>);

const LISTENER_FLAGS: [(Mode, &str, &str); 3] = [
    (
        Mode::Forward,
        "[NAME@]BIND=UPSTREAM",
        "Relay connections to an upstream; several upstreams, with commas between, are tried in order",
    ),
    (Mode::Echo, "[NAME@]BIND", "Send what a client sends back to it"),
    (Mode::Hold, "[NAME@]BIND", "Read what a client sends and discard it"),
];

impl Args for ListenerArgs {
    fn augment_args(command: Command) -> Command {
        LISTENER_FLAGS.into_iter().fold(command, |command, (mode, value, help)| {
            let parser = move |text: &str| listener(mode, text);
            let argument = Arg::new(mode.word()).long(mode.word()).value_name(value).help(help);
            command.arg(argument.action(ArgAction::Append).value_parser(parser))
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for ListenerArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut placed = Vec::new();
        for (mode, ..) in LISTENER_FLAGS {
            let places = matches.indices_of(mode.word()).into_iter().flatten();
            let listeners = matches.get_many::<file::Listener>(mode.word()).into_iter().flatten();
            placed.extend(places.zip(listeners.cloned()));
        }
        placed.sort_by_key(|(place, _)| *place);
        Ok(Self(placed.into_iter().map(|(_, listener)| listener).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn listener(mode: Mode, text: &str) -> Result<file::Listener, String> {
    check::listener_flag(mode, text).map_err(|error| format!("{error:#}"))
}

fn control(text: &str) -> Result<String, String> {
    address::control(text).map(|_| text.to_owned()).map_err(|error| format!("{error:#}"))
}

fn compat(text: &str) -> Result<Compat, String> {
    [Compat::Documented, Compat::Actual]
        .into_iter()
        .find(|compat| compat.word() == text)
        .ok_or_else(|| "documented or actual".to_owned())
}

impl RunArgs {
    /// Whether there is a file beside the flags.
    pub const fn has_file(&self) -> bool {
        self.config.is_some()
    }

    /// Flags and file as one set of checked settings.
    ///
    /// # Errors
    /// The first value that is wrong, by its name.
    pub fn settings(self) -> anyhow::Result<Settings> {
        let file = self.config.as_deref().map(file::read).transpose()?.unwrap_or_default();
        let flags = check::Flags {
            listeners: self.listeners.0,
            control: self.control,
            node_id: self.node_id,
            state_dir: self.state_dir,
            threads: self.threads,
            compat: self.compat,
        };
        check::settings(flags, file)
    }
}
