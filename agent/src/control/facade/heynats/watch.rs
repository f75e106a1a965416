//! Looking for sessions that nobody uses, as often as the document or the code says.

use std::time::Duration;

use crate::control::App;
use crate::control::facade::profile::Profile;
use crate::ops::{Node, session};

/// How long a session's connection stays open without a request.
pub(super) fn idle_timeout(node: &Node) -> Duration {
    node.settings.outbound.idle_timeout.unwrap_or(Profile::of(&node.settings).heynats_idle().0)
}

/// Closes idle connections until the agent stops.
pub(in crate::control) async fn watch(app: App) {
    let (node, mut stop) = (app.node, app.stop);
    let profile = Profile::of(&node.settings);
    // A time-out that was made short is not looked after at the pace of the long one.
    let usual = match node.settings.outbound.idle_timeout {
        Some(time) => time.min(profile.heynats_idle().1),
        None => profile.heynats_idle().1,
    };
    let every = node.settings.outbound.idle_check_interval.unwrap_or(usual);
    loop {
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            () = stop.wait() => return,
        }
        session::sweep(&node, idle_timeout(&node), profile.heynats_forgets_the_idle());
    }
}
