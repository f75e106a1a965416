//! What the service manager is told, where one wants to know (`NOTIFY_SOCKET`), and how often it wants a sign of
//! life. Without one, nothing happens.

use std::time::Duration;

use sd_notify::NotifyState;

/// What a stop may take beyond its grace: closing, forcing, and the last answers of the control API.
const STOP_MARGIN: Duration = Duration::from_secs(10);

/// It serves.
pub fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// It reads its configuration again; [`ready`] ends that.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        // Without the time a manager would take the notice for an old one.
        Err(error) => tracing::warn!(%error, "the service manager is not told of the reload"),
    }
}

/// It ends, and waits for connections at most so long.
pub fn stopping(grace: Duration) {
    let limit = u32::try_from((grace + STOP_MARGIN).as_micros()).unwrap_or(u32::MAX);
    tell(&[NotifyState::Stopping, NotifyState::ExtendTimeoutUsec(limit), NotifyState::Status("stopping")]);
}

/// It is alive, and this is how it is.
pub fn alive(status: &str) {
    tell(&[NotifyState::Watchdog, NotifyState::Status(status)]);
}

/// How often [`alive`] is to be said: twice within the time after which the manager gives the agent up.
pub fn interval() -> Option<Duration> {
    let limit = sd_notify::watchdog_enabled()?;
    (!limit.is_zero()).then(|| limit / 2)
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "the service manager could not be told");
    }
}
