//! `assign`: whose a connection is.

use anyhow::Result;
use connctl_api::conn::AssignRequest;
use connctl_api::error::Exit;

use crate::args::verb::AssignArgs;
use crate::invocation::Invocation;
use crate::output;
use crate::output::conn::Conns;
use crate::output::printer::Printer;

pub(crate) async fn run(args: AssignArgs, invocation: &Invocation) -> Result<Exit> {
    let request = AssignRequest { uid: args.uid, device: args.device, tags: args.tag.into_iter().collect() };
    let row = invocation.client()?.assign(args.conn_id, &request).await?;
    let mut out = output::stdout();
    let mut printer = Printer::<Conns>::list(invocation, &[])?;
    printer.line(row.trim_end().as_bytes(), &mut out, &mut |_| {})?;
    printer.finish(None, &mut out)?;
    Ok(Exit::Done)
}
