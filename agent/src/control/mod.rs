//! Floor 9: the control API over HTTP: who may ask, the native routes under `/v1`, and the facades of other
//! systems. Handlers decode a request, call one function of [`crate::ops`] and shape the answer; nothing here
//! touches a connection's sockets.

mod bind;
mod certificate;
#[cfg(test)]
mod defect_tests;
mod doors;
mod error;
mod extract;
mod facade;
mod guard;
mod http;
mod ledger;
mod metrics;
mod permit;
mod serve;
mod standing;
mod strangers;
mod stream;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod tls;
mod transport;
#[cfg(test)]
mod trust_tests;
mod v1;
mod who;

use std::sync::Arc;

use axum::Router;
use axum::extract::FromRef;
use axum::routing::get;
use connctl_api::route;

use crate::ops::Node;

pub use serve::Server;

/// What every handler can reach.
#[derive(Clone)]
struct App {
    node: Arc<Node>,
    stop: Stop,
}

/// Becomes true when the agent stops: answers that could last end then.
#[derive(Clone)]
struct Stop(tokio::sync::watch::Receiver<bool>);

impl Stop {
    /// Returns when the agent stops, also if it stopped long ago.
    async fn wait(&mut self) {
        // An error means that the sender is gone, which is a stop as well.
        let _ = self.0.wait_for(|stops| *stops).await;
    }
}

impl FromRef<App> for Arc<Node> {
    fn from_ref(app: &App) -> Self {
        Self::clone(&app.node)
    }
}

impl FromRef<App> for Stop {
    fn from_ref(app: &App) -> Self {
        app.stop.clone()
    }
}

/// All routes. The two guards stand before every one of them, also before those that do not exist.
fn router(app: App) -> Router {
    v1::routes()
        .route(route::METRICS, get(metrics::metrics))
        .merge(facade::routes())
        .fallback(error::no_route)
        .method_not_allowed_fallback(error::method_not_allowed)
        .layer(axum::middleware::from_fn_with_state(app.clone(), permit::permit))
        .layer(axum::middleware::from_fn_with_state(app.clone(), guard::local_only))
        .with_state(app)
}
