//! From a request to its routes: who asks is found out first, and whoever has a scope comes to routes that
//! know only what is in it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::http::{HeaderName, HeaderValue, Request};
use connctl_api::access::Scope;

use super::transport::Transport;
use super::who::Caller;
use super::{App, router};
use crate::ops::trust::Trust;

/// Scopes whose routes are kept ready. There are as many as the configuration has; a reload may bring others.
const MAX_SCOPES: usize = 64;

/// How a facade learns that its client came over TLS, whoever ended that.
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

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

    /// Finds out who asks, marks the request with it, and gives the routes for it; says whether it is known.
    pub(super) fn open<B>(&self, request: &mut Request<B>, transport: Transport) -> (Router, bool) {
        let caller = Caller::of(request.uri().path(), request.headers(), &transport, &self.app.node.trust);
        let (scope, is_known) = match &caller.0 {
            Ok(actor) => (actor.scope.clone(), true),
            Err(_) => (None, false),
        };
        if matches!(transport, Transport::Tls { .. }) {
            request.headers_mut().insert(FORWARDED_PROTO, HeaderValue::from_static("https"));
        }
        request.extensions_mut().insert(transport);
        request.extensions_mut().insert(caller);
        let router = match scope {
            None => self.whole.clone(),
            Some(scope) => self.narrowed(scope),
        };
        (router, is_known)
    }

    /// Who may ask.
    pub(super) fn trust(&self) -> &Trust {
        &self.app.node.trust
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
