//! From a request to its routes: who asks is found out first, and whoever has a scope comes to routes that
//! know only what is in it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::http::Request;
use connctl_api::access::Scope;

use super::guard::Transport;
use super::who::Caller;
use super::{App, router};

/// Scopes whose routes are kept ready. There are as many as the configuration has; a reload may bring others.
const MAX_SCOPES: usize = 64;

/// The routes, for everyone.
pub(super) struct Doors {
    app: App,
    whole: Router,
    narrowed: Mutex<HashMap<Arc<Scope>, Router>>,
}

impl Doors {
    pub(super) fn new(app: App) -> Self {
        Self { whole: router(app.clone()), app, narrowed: Mutex::default() }
    }

    /// Finds out who asks, marks the request with it, and gives the routes for it.
    pub(super) fn open<B>(&self, request: &mut Request<B>, transport: Transport) -> Router {
        let caller = Caller::of(request.uri().path(), request.headers(), &transport, &self.app.node.trust);
        let scope = caller.0.as_ref().ok().and_then(|actor| actor.scope.clone());
        request.extensions_mut().insert(transport);
        request.extensions_mut().insert(caller);
        match scope {
            None => self.whole.clone(),
            Some(scope) => self.narrowed(scope),
        }
    }

    fn narrowed(&self, scope: Arc<Scope>) -> Router {
        let mut narrowed = self.narrowed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(router) = narrowed.get(&scope) {
            return router.clone();
        }
        if narrowed.len() >= MAX_SCOPES {
            narrowed.clear();
        }
        let node = Arc::new(self.app.node.narrowed(Arc::clone(&scope)));
        let router = router(App { node, stop: self.app.stop.clone() });
        narrowed.insert(scope, router.clone());
        router
    }
}
