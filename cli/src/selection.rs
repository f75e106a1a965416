//! From flags to the one selector.

use connctl_api::selector::{Flags, Selector};

use crate::args::selector::SelectorArgs;
use crate::error::Failure;

/// What the flags say; `None` where they say nothing.
pub(crate) fn of(args: &SelectorArgs) -> Result<Option<Selector>, Failure> {
    let flags = Flags {
        uid: args.uid.clone(),
        conn_id: args.conn_id.clone(),
        ip: args.ip.clone(),
        port: args.port.clone(),
        listener: args.listener.clone(),
        node: args.node.clone(),
        device: args.device.clone(),
        tag: args.tag.clone(),
        state: args.state.clone(),
        idle_over: args.idle_over.clone(),
        age_over: args.age_over.clone(),
        all: args.all,
        where_: args.where_.clone(),
    };
    flags.compile().map_err(|error| match error.selector_error() {
        // The expression with a caret under the place says it all.
        Some(inside) => {
            Failure::usage(format!("--where: {}", inside.message())).hint(indented(&inside.render()))
        }
        None => Failure::usage(error.to_string()),
    })
}

/// The same for a query: no selector is every connection, and so is `--all`.
pub(crate) fn for_query(args: &SelectorArgs) -> Result<Option<String>, Failure> {
    Ok(of(args)?.filter(|selector| !selector.is_all()).map(|selector| selector.to_string()))
}

/// The same for a change: it is said what is meant.
pub(crate) fn for_change(args: &SelectorArgs) -> Result<String, Failure> {
    match of(args)? {
        Some(selector) => Ok(selector.to_string()),
        None => Err(Failure::usage("no connections are selected")
            .hint("say which, for example --uid u17, or --all for every connection")),
    }
}

/// Lines under one another, below a hint.
fn indented(text: &str) -> String {
    text.replace('\n', "\n        ")
}
