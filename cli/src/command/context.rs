//! `context`: agents by name.

use anyhow::Result;
use connctl_api::client::Endpoint;
use connctl_api::error::Exit;

use crate::args::context::ContextVerb;
use crate::context::Contexts;
use crate::error::Failure;
use crate::invocation::Invocation;
use crate::output;
use crate::output::context::{ContextRow, ContextRows};

pub(crate) fn run(verb: ContextVerb, invocation: &Invocation) -> Result<Exit> {
    let mut contexts = Contexts::load()?;
    let row = match verb {
        ContextVerb::List => {
            let rows: Vec<_> = contexts.contexts.keys().map(|name| row(&contexts, name)).collect();
            output::list::<ContextRows, _>(invocation, &rows)?;
            return Ok(Exit::Done);
        }
        ContextVerb::Add { name, url, is_used } => {
            let agent = url.or_else(|| invocation.agent.clone()).ok_or_else(|| {
                Failure::usage(format!("no address for the context {name:?}"))
                    .hint(format!("connctl context add {name} unix:/run/connctl/agent.sock"))
            })?;
            let _: Endpoint = agent.parse().map_err(|error: String| Failure::usage(error))?;
            // A name is used from anywhere.
            contexts.contexts.insert(name.clone(), invocation.files.context(agent)?);
            if is_used {
                contexts.current = Some(name.clone());
            }
            row(&contexts, &name)
        }
        ContextVerb::Use { name } => {
            contexts.named(&name)?;
            contexts.current = Some(name.clone());
            row(&contexts, &name)
        }
        ContextVerb::Remove { name } => {
            contexts.named(&name)?;
            if contexts.current.as_ref() == Some(&name) {
                contexts.current = None;
            }
            let row = row(&contexts, &name);
            contexts.contexts.remove(&name);
            row
        }
    };
    contexts.save()?;
    output::list::<ContextRows, _>(invocation, &[row])?;
    Ok(Exit::Done)
}

fn row(contexts: &Contexts, name: &str) -> ContextRow {
    ContextRow {
        name: name.to_owned(),
        agent: contexts.contexts.get(name).map(|context| context.agent.clone()).unwrap_or_default(),
        current: contexts.current.as_deref() == Some(name),
    }
}
