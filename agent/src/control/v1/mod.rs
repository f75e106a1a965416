//! The native API: one file a resource.

mod audit;
mod connections;
mod description;
mod events;
mod history;
mod jobs;
mod limits;
mod listeners;
mod node;
mod operations;
mod plans;
mod revocations;
mod stats;
mod wait;

use axum::Router;
use axum::routing::{delete, get, post};
use connctl_api::route;

use super::App;

/// Every native route; a test compares them with [`route::ALL`] and with `openapi.json`.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route(route::CONNECTIONS, get(connections::list))
        .route(route::CONNECTION, get(connections::show))
        .route(route::ASSIGN, post(connections::assign))
        .route(route::WHY, get(history::why))
        .route(route::HISTORY, get(history::list))
        .route(route::AUDIT, get(audit::list))
        .route(route::AUDIT_LINES, get(audit::lines))
        .route(route::EVENTS, get(events::events))
        .route(route::OPERATIONS, post(operations::start))
        .route(route::LISTENERS, get(listeners::list))
        .route(route::LISTENER, get(listeners::show))
        .route(route::REJECT, post(listeners::reject))
        .route(route::ACCEPT, post(listeners::accept))
        .route(route::DRAIN, post(listeners::drain))
        .route(route::LIMITS, get(limits::list).patch(limits::set).delete(limits::remove))
        .route(route::STATS, get(stats::counts))
        .route(route::NODE, get(node::report))
        .route(route::RELOAD, post(node::reload))
        .route(route::NODE_DRAIN, post(node::drain))
        .route(route::HEALTH, get(node::health))
        .route(route::REVOCATIONS, get(revocations::list).post(revocations::make))
        .route(route::REVOCATION, delete(revocations::lift))
        .route(route::WAIT, post(wait::wait))
        .route(route::PLANS, get(plans::list).post(plans::make))
        .route(route::PLAN, get(plans::show).delete(plans::remove))
        .route(route::PLAN_CONNECTIONS, get(plans::connections))
        .route(route::APPLY, post(plans::apply))
        .route(route::JOBS, get(jobs::list))
        .route(route::JOB, get(jobs::show))
        .route(route::JOB_WATCH, get(jobs::follow))
        .route(route::JOB_PAUSE, post(jobs::pause))
        .route(route::JOB_RESUME, post(jobs::resume))
        .route(route::JOB_CANCEL, post(jobs::cancel))
        .route(route::OPENAPI, get(node::openapi))
}
