//! From flags to a pace.

use std::time::Duration;

use connctl_api::pace::Pace;

use crate::args::bulk::PaceArgs;
use crate::error::Failure;

/// The pace that the flags ask for; none where they ask for none.
pub(crate) fn of(args: &PaceArgs) -> Result<Option<Pace>, Failure> {
    let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let pace = Pace {
        rate: args.rate,
        jitter_percent: args.jitter,
        ramp_ms: args.ramp.map(ms),
        until_reconnect_rate: args.until_reconnect_rate,
        pause_if_percent: args.pause_if,
    };
    match pace.check() {
        Ok(()) => Ok(pace.is_set().then_some(pace)),
        Err((field, message)) => {
            let flag = match field {
                "jitter_percent" => "--jitter",
                "ramp_ms" => "--ramp",
                "until_reconnect_rate" => "--until-reconnect-rate",
                "pause_if_percent" => "--pause-if",
                _ => "--rate",
            };
            let problem = message.replacen(field, "", 1);
            let problem = problem.replace("goes with rate", "goes with --rate");
            Err(Failure::usage(format!("{flag}: {}", problem.trim_start())))
        }
    }
}
