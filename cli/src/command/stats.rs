//! `stats`: endings by reason, or live connections by a field.

use anyhow::Result;
use connctl_api::error::Exit;
use connctl_api::stats::StatsBy;

use crate::args::verb::StatsArgs;
use crate::invocation::Invocation;
use crate::output;
use crate::output::resources::{Groups, Reasons};

pub(crate) async fn run(args: &StatsArgs, invocation: &Invocation) -> Result<Exit> {
    let client = invocation.client()?;
    match args.by {
        StatsBy::Reason => output::list::<Reasons, _>(invocation, &client.reasons().await?)?,
        by => output::list::<Groups, _>(invocation, &client.groups(by).await?)?,
    }
    Ok(Exit::Done)
}
