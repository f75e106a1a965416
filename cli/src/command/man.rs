//! `man`: the manual, from the same tree of arguments as the help.

use anyhow::Result;
use clap::{Command, CommandFactory};
use clap_mangen::Man;
use connctl_api::error::Exit;

use crate::args::Cli;
use crate::error::Failure;
use crate::output;

pub(crate) fn run(verbs: &[String]) -> Result<Exit> {
    output::text(&page(verbs)?)?;
    Ok(Exit::Done)
}

/// The page of a verb; of the whole command where none is named.
fn page(verbs: &[String]) -> Result<String> {
    let mut command = Cli::command();
    command.build();
    let mut found: &Command = &command;
    for verb in verbs {
        found = found.find_subcommand(verb).ok_or_else(|| {
            let known: Vec<_> = found.get_subcommands().map(Command::get_name).collect();
            Failure::usage(format!("{} has no verb {verb:?}", found.get_name()))
                .hint(format!("its verbs are {}", known.join(", ")))
        })?;
    }
    let title =
        std::iter::once("connctl").chain(verbs.iter().map(String::as_str)).collect::<Vec<_>>().join("-");
    let mut bytes = Vec::new();
    Man::new(found.clone()).title(title).render(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verb_has_a_page_and_an_unknown_one_is_named() {
        fn visit(command: &Command, path: &mut Vec<String>) {
            assert!(page(path).is_ok_and(|page| page.contains(".TH")), "{path:?}");
            for verb in command.get_subcommands().filter(|verb| verb.get_name() != "help") {
                path.push(verb.get_name().to_owned());
                visit(verb, path);
                path.pop();
            }
        }
        visit(&Cli::command(), &mut Vec::new());
        assert!(page(&["lst".to_owned()]).is_err_and(|error| error.to_string().contains("\"lst\"")));
    }
}
