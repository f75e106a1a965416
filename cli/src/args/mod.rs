//! What can be typed: clap types only, no behaviour. `Invocation` resolves them once.

pub(crate) mod audit;
pub(crate) mod bulk;
pub(crate) mod cert;
pub(crate) mod context;
pub(crate) mod drain;
pub(crate) mod job;
pub(crate) mod lean;
pub(crate) mod limit;
pub(crate) mod listener;
pub(crate) mod output;
pub(crate) mod past;
pub(crate) mod revoke;
pub(crate) mod selector;
pub(crate) mod target;
pub(crate) mod top;
pub(crate) mod values;
pub(crate) mod verb;

use clap::Parser;

/// See every live TCP connection of a service, and act on any of them.
#[derive(Debug, Parser)]
#[command(
    name = "connctl",
    version,
    before_help = "\
Examples:
  connctl demo                                  see it work, with no other software
  connctl agent run --forward 127.0.0.1:6380=127.0.0.1:6379
  connctl list --uid u17 --idle-over 10m        who is connected
  connctl remove --uid u17                      close one user's connections
  connctl list -o jsonl | jq -c 'select(.age_ms > 3600000)' | connctl remove --batch -",
    after_help = "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no such thing, 4 not permitted, \
5 no agent, 6 partly done, 7 refused by a guard, 8 out of time, 130 interrupted.",
    disable_help_subcommand = true,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub target: target::TargetArgs,
    #[command(flatten)]
    pub output: output::OutputArgs,
    #[command(subcommand)]
    pub verb: verb::Verb,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Cli;

    #[test]
    fn the_tree_of_arguments_is_sound_and_help_begins_with_examples() {
        let mut command = Cli::command();
        command.clone().debug_assert();
        command.build();
        begins_with_examples(&mut command);
    }

    fn begins_with_examples(verb: &mut clap::Command) {
        let help = verb.render_long_help().to_string();
        assert!(help.starts_with("Examples:") || verb.get_name() == "help", "{}", verb.get_name());
        verb.get_subcommands_mut().for_each(begins_with_examples);
    }
}
