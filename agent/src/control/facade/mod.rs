//! Facades: clients of other systems work unchanged against the agent. Each file decodes one system's
//! requests, calls the same functions of [`crate::ops`] as the native routes, and shapes that system's
//! answers; its words stay in its file.

mod address;
mod heynats;
mod params;
mod profile;
mod scassandra;
mod set;
mod simulacron;
mod wukongim;

use axum::Router;

use super::App;

/// Closes what nobody uses, until the agent stops.
pub(super) use heynats::watch;

/// The routes of all facades. No two systems share a path.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .merge(heynats::routes())
        .merge(scassandra::routes())
        .merge(simulacron::routes())
        .merge(wukongim::routes())
}
