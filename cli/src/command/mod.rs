//! One file per verb. A command computes; `output` prints.

pub(crate) mod agent;
pub(crate) mod assign;
pub(crate) mod audit;
pub(crate) mod cert;
pub(crate) mod change;
pub(crate) mod completion;
pub(crate) mod context;
#[cfg(feature = "agent")]
pub(crate) mod demo;
pub(crate) mod events;
pub(crate) mod history;
pub(crate) mod job;
pub(crate) mod limit;
pub(crate) mod list;
pub(crate) mod listener;
pub(crate) mod man;
pub(crate) mod node;
pub(crate) mod plan;
pub(crate) mod revoke;
pub(crate) mod show;
pub(crate) mod stats;
pub(crate) mod token;
pub(crate) mod top;
pub(crate) mod wait;
mod watch;
pub(crate) mod why;

use anyhow::Result;
use connctl_api::error::Exit;
use connctl_api::operation::OperationKind;

use crate::args::verb::{AgentVerb, Verb};
use crate::invocation::Invocation;

/// Runs a verb that talks to an agent, or needs none.
pub(crate) async fn run(verb: Verb, invocation: &Invocation) -> Result<Exit> {
    match verb {
        Verb::List(args) => list::run(&args, invocation).await,
        Verb::Show(args) => show::run(&args, invocation).await,
        Verb::Remove(args) => change::remove(&args, invocation).await,
        Verb::Reset(args) => change::run(OperationKind::Reset, &args, invocation).await,
        Verb::Halfclose(args) => change::run(OperationKind::Halfclose, &args, invocation).await,
        Verb::Pause(args) => change::run(OperationKind::Pause, &args, invocation).await,
        Verb::Resume(args) => change::run(OperationKind::Resume, &args, invocation).await,
        Verb::Apply(args) => plan::apply(&args, invocation).await,
        Verb::Job(verb) => job::run(verb, invocation).await,
        Verb::Revoke(args) => revoke::run(args, invocation).await,
        Verb::Node(verb) => node::run(verb, invocation).await,
        Verb::Listener(verb) => listener::run(verb, invocation).await,
        Verb::Limit(verb) => limit::run(verb, invocation).await,
        Verb::Stats(args) => stats::run(&args, invocation).await,
        Verb::Events(args) => events::run(&args, invocation).await,
        Verb::Top(args) => top::run(&args, invocation).await,
        Verb::History(args) => history::run(&args, invocation).await,
        Verb::Why(args) => why::run(&args, invocation).await,
        Verb::Audit(verb) => audit::run(verb, invocation).await,
        Verb::Assign(args) => assign::run(args, invocation).await,
        Verb::Wait(args) => wait::run(&args, invocation).await,
        // It makes a runtime of its own: `main` took this branch before.
        #[cfg(feature = "agent")]
        Verb::Agent(AgentVerb::Run(_)) => Ok(Exit::Failed),
        Verb::Agent(AgentVerb::Token(args)) => token::run(&args, invocation),
        Verb::Agent(AgentVerb::Cert(verb)) => cert::run(&verb, invocation),
        Verb::Agent(AgentVerb::Status) => agent::status(invocation).await,
        Verb::Agent(AgentVerb::Reload) => agent::reload(invocation).await,
        Verb::Context(verb) => context::run(verb, invocation),
        Verb::Completion(args) => completion::run(args.shell),
        Verb::Man(args) => man::run(&args.verb),
        #[cfg(feature = "agent")]
        Verb::Demo(args) => demo::run(&args, invocation).await,
    }
}
