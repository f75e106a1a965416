//! A typed client of the native API: a method a route.
//!
//! Calls run on the caller's tokio runtime. Over a unix socket no certificate is read and nothing of proxies or
//! name resolution set up, so a call costs well under a millisecond.

mod audit;
mod credentials;
mod endpoint;
mod error;
mod lines;
mod tls;
mod trouble;

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response};
use serde::de::DeserializeOwned;

pub use self::credentials::{Credentials, Token};
pub use self::endpoint::{ENDPOINT_FORM, Endpoint};
pub use self::error::ClientError;
pub use self::lines::{Lines, split};
pub use self::tls::Files;
pub use self::trouble::Trouble;
use crate::conn::{AssignRequest, ConnPage, CountReport, ListQuery};
use crate::drain::{DrainReport, DrainRequest};
use crate::error::{ApiError, ErrorBody, ErrorCode};
use crate::event::EventQuery;
use crate::history::HistoryQuery;
use crate::id::{ConnId, RevocationId};
use crate::job::{JobPage, JobRow};
use crate::limit::{LimitPage, LimitRemoval, LimitReport, LimitRequest};
use crate::listener::{GateReports, GateRequest, ListenerPage, ListenerRow};
use crate::node::NodeReport;
use crate::operation::OperationRequest;
use crate::plan::{ApplyRequest, PlanRow};
use crate::reload::ReloadReport;
use crate::revocation::{RevocationPage, RevocationRow, RevokeRequest};
use crate::route;
use crate::stats::{GroupCount, ReasonCount, StatsBy, StatsQuery};
use crate::wait::{WaitReport, WaitRequest};

/// How long a connect may take: the agent is on this machine or near.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// The longest URL that can be sent: the HTTP library's bound, and the agent's.
const MAX_URL_BYTES: usize = 65_534;

/// A client of one agent.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    endpoint: Endpoint,
    base: String,
    patience: Duration,
}

impl Client {
    /// A client that gives up when the agent is silent for longer than `patience`.
    ///
    /// # Errors
    /// The address cannot be used at all.
    pub fn new(endpoint: Endpoint, patience: Duration) -> Result<Self, ClientError> {
        Self::with(endpoint, patience, &Credentials::default())
    }

    /// The same, for an agent that asks who calls.
    ///
    /// # Errors
    /// The address or the credentials cannot be used at all.
    pub fn with(
        endpoint: Endpoint,
        patience: Duration,
        credentials: &Credentials,
    ) -> Result<Self, ClientError> {
        // Never `Client::new()`: the defaults read proxies from the environment and follow redirects.
        let builder = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_LIMIT.min(patience))
            .read_timeout(patience)
            .default_headers(credentials.headers())
            .user_agent(concat!("connctl/", env!("CARGO_PKG_VERSION")));
        let (builder, base) = match &endpoint {
            Endpoint::Unix(path) => (builder.unix_socket(path.as_path()), "http://localhost".to_owned()),
            Endpoint::Http(authority) => (builder, format!("http://{authority}")),
            Endpoint::Https(authority) => (builder.https_only(true), format!("https://{authority}")),
        };
        // Always given: left to itself, the library would load the system's authorities for every call.
        let config = match &endpoint {
            Endpoint::Unix(_) | Endpoint::Http(_) => tls::none(),
            Endpoint::Https(_) => credentials.tls.config(),
        };
        let config = config.map_err(ClientError::Credentials)?;
        let builder = builder.tls_backend_preconfigured(config);
        let http = builder.build().map_err(|error| ClientError::from_http(&error, &endpoint, patience))?;
        Ok(Self { http, endpoint, base, patience })
    }

    /// Where the agent is.
    pub const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// One page of a listing.
    ///
    /// # Errors
    /// See [`ClientError`]; so for every method below.
    pub async fn page(&self, query: &ListQuery) -> Result<ConnPage, ClientError> {
        self.json(self.get(route::CONNECTIONS).query(query)).await
    }

    /// A listing as JSON lines, one row each.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn rows(&self, query: &ListQuery) -> Result<Lines, ClientError> {
        let query = ListQuery { stream: true, ..query.clone() };
        let request = self.get(route::CONNECTIONS).query(&query);
        self.lines(request).await
    }

    /// How many connections match; with `by`, also by the values of a field.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn count(
        &self,
        selector: Option<String>,
        by: Option<String>,
    ) -> Result<CountReport, ClientError> {
        let query = ListQuery { selector, by, count: true, ..ListQuery::default() };
        self.json(self.get(route::CONNECTIONS).query(&query)).await
    }

    /// One connection in depth, as the agent's JSON: a [`ConnDetail`](crate::conn::ConnDetail).
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn connection(&self, conn_id: ConnId) -> Result<String, ClientError> {
        self.text(self.get(&route::CONNECTION.replace("{conn_id}", &conn_id.to_string()))).await
    }

    /// Sets the user, device and tags of a connection; answers its row as JSON.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn assign(&self, conn_id: ConnId, request: &AssignRequest) -> Result<String, ClientError> {
        let path = route::ASSIGN.replace("{conn_id}", &conn_id.to_string());
        self.text(self.post(&path).json(request)).await
    }

    /// Why a connection ended, or that it lives, as the agent's JSON: a
    /// [`WhyReport`](crate::history::WhyReport).
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn why(&self, conn_id: ConnId) -> Result<String, ClientError> {
        self.text(self.get(&route::WHY.replace("{conn_id}", &conn_id.to_string()))).await
    }

    /// Connections that have ended, as JSON lines, the latest first.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn history(&self, query: &HistoryQuery) -> Result<Lines, ClientError> {
        let query = HistoryQuery { stream: true, ..query.clone() };
        let request = self.get(route::HISTORY).query(&query);
        self.lines(request).await
    }

    /// How many connections have ended; with `by`, also by the values of a field.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn history_count(&self, query: &HistoryQuery) -> Result<CountReport, ClientError> {
        let query = HistoryQuery { count: true, stream: false, ..query.clone() };
        self.json(self.get(route::HISTORY).query(&query)).await
    }

    /// What happens, as JSON lines, see [`EventRow`](crate::event::EventRow); an empty line says that nothing
    /// does. The client must be patient for longer than [`HEARTBEAT_MS`](crate::event::HEARTBEAT_MS).
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn events(&self, query: &EventQuery) -> Result<Lines, ClientError> {
        let query = EventQuery { stream: true, ..query.clone() };
        let request = self.get(route::EVENTS).query(&query);
        self.lines(request).await
    }

    /// Acts on connections; a line per connection as each one ends, then the summary: see
    /// [`OperationLine`](crate::operation::OperationLine).
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn operate(&self, request: &OperationRequest) -> Result<Lines, ClientError> {
        self.lines(self.post(route::OPERATIONS).json(request)).await
    }

    /// The same as a job that runs whoever waits for it.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn detach(&self, request: &OperationRequest) -> Result<JobRow, ClientError> {
        let request = OperationRequest { detach: true, ..request.clone() };
        self.json(self.post(route::OPERATIONS).json(&request)).await
    }

    /// Freezes a set without touching it.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn plan(&self, request: &OperationRequest) -> Result<PlanRow, ClientError> {
        self.json(self.post(route::PLANS).json(request)).await
    }

    /// One plan.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn plan_row(&self, plan_id: &str) -> Result<PlanRow, ClientError> {
        self.json(self.request(Method::GET, route::PLAN, plan_id)?).await
    }

    /// The connections of a plan that still live, as JSON lines, one row each.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn plan_rows(&self, plan_id: &str) -> Result<Lines, ClientError> {
        let request = self.request(Method::GET, route::PLAN_CONNECTIONS, plan_id)?;
        self.lines(request).await
    }

    /// Drops a plan.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn drop_plan(&self, plan_id: &str) -> Result<PlanRow, ClientError> {
        self.json(self.request(Method::DELETE, route::PLAN, plan_id)?).await
    }

    /// Carries a plan out; lines as for [`Client::operate`].
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn apply(&self, plan_id: &str, request: &ApplyRequest) -> Result<Lines, ClientError> {
        let http = self.request(Method::POST, route::APPLY, plan_id)?.json(request);
        self.lines(http).await
    }

    /// Carries a plan out by a job that runs whoever waits for it.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn apply_detached(&self, plan_id: &str, request: &ApplyRequest) -> Result<JobRow, ClientError> {
        let request = ApplyRequest { detach: true, ..request.clone() };
        self.json(self.request(Method::POST, route::APPLY, plan_id)?.json(&request)).await
    }

    /// Every job.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn jobs(&self) -> Result<JobPage, ClientError> {
        self.json(self.get(route::JOBS)).await
    }

    /// One job.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn job(&self, job_id: &str) -> Result<JobRow, ClientError> {
        self.json(self.request(Method::GET, route::JOB, job_id)?).await
    }

    /// Follows a job to its end; see [`JobLine`](crate::job::JobLine). The agent is never silent for longer than
    /// a second.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn watch_job(&self, job_id: &str, items: bool) -> Result<Lines, ClientError> {
        let request = self.request(Method::GET, route::JOB_WATCH, job_id)?;
        self.lines(request.query(&[("items", items)])).await
    }

    /// Pauses, resumes or cancels a job: `path` is the route.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn change_job(&self, path: &'static str, job_id: &str) -> Result<JobRow, ClientError> {
        self.json(self.request(Method::POST, path, job_id)?).await
    }

    /// Every listener.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn listeners(&self) -> Result<ListenerPage, ClientError> {
        self.json(self.get(route::LISTENERS)).await
    }

    /// One listener.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn listener(&self, name: &str) -> Result<ListenerRow, ClientError> {
        self.json(self.request(Method::GET, route::LISTENER, name)?).await
    }

    /// Makes listeners reject new connections.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn reject(&self, request: &GateRequest) -> Result<GateReports, ClientError> {
        self.json(self.post(route::REJECT).json(request)).await
    }

    /// Makes listeners accept again.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn accept(&self, request: &GateRequest) -> Result<GateReports, ClientError> {
        self.json(self.post(route::ACCEPT).json(request)).await
    }

    /// Makes listeners reject new connections while the live ones come to their end.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn drain(&self, request: &GateRequest) -> Result<GateReports, ClientError> {
        self.json(self.post(route::DRAIN).json(request)).await
    }

    /// The limits of the agent and all listeners, or of one listener.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn limits(&self, listener: Option<String>) -> Result<LimitPage, ClientError> {
        let query: Vec<_> = listener.iter().map(|name| ("listener", name)).collect();
        self.json(self.get(route::LIMITS).query(&query)).await
    }

    /// Changes limits.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn set_limits(&self, request: &LimitRequest) -> Result<LimitReport, ClientError> {
        let url = format!("{}{}", self.base, route::LIMITS);
        self.json(self.http.patch(url).json(request)).await
    }

    /// Goes back to the limits in the file.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn remove_limits(&self, removal: &LimitRemoval) -> Result<LimitReport, ClientError> {
        let url = format!("{}{}", self.base, route::LIMITS);
        self.json(self.http.delete(url).query(removal)).await
    }

    /// Endings by reason and side.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn reasons(&self) -> Result<Vec<ReasonCount>, ClientError> {
        self.json(self.get(route::STATS).query(&StatsQuery { by: Some(StatsBy::Reason) })).await
    }

    /// Live connections by the values of a field; not for [`StatsBy::Reason`].
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn groups(&self, by: StatsBy) -> Result<Vec<GroupCount>, ClientError> {
        self.json(self.get(route::STATS).query(&StatsQuery { by: Some(by) })).await
    }

    /// The agent itself.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn node(&self) -> Result<NodeReport, ClientError> {
        self.json(self.get(route::NODE)).await
    }

    /// Has the agent read its configuration again.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn reload(&self) -> Result<ReloadReport, ClientError> {
        self.json(self.post(route::RELOAD)).await
    }

    /// Rejects new connections and begins to close the live ones.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn drain_node(&self, request: &DrainRequest) -> Result<DrainReport, ClientError> {
        self.json(self.post(route::NODE_DRAIN).json(request)).await
    }

    /// Waits until a condition holds; the client must be patient for longer than the wait.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn wait(&self, request: &WaitRequest) -> Result<WaitReport, ClientError> {
        self.json(self.post(route::WAIT).json(request)).await
    }

    /// Revokes a user or a network; a line per connection as each one ends, then the last: see
    /// [`RevokeLine`](crate::revocation::RevokeLine).
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn revoke(&self, request: &RevokeRequest) -> Result<Lines, ClientError> {
        self.lines(self.post(route::REVOCATIONS).json(request)).await
    }

    /// The revocations in force.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn revocations(&self) -> Result<RevocationPage, ClientError> {
        self.json(self.get(route::REVOCATIONS)).await
    }

    /// Lifts a revocation; answers what it was.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn lift(&self, id: RevocationId) -> Result<RevocationRow, ClientError> {
        let path = route::REVOCATION.replace("{id}", &id.to_string());
        self.json(self.http.delete(format!("{}{path}", self.base))).await
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(format!("{}{path}", self.base))
    }

    fn post(&self, path: &str) -> RequestBuilder {
        self.http.post(format!("{}{path}", self.base))
    }

    /// A request to a route with one name in it, which may be any text.
    fn request(&self, method: Method, path: &str, name: &str) -> Result<RequestBuilder, ClientError> {
        let mut url = reqwest::Url::parse(&self.base).map_err(|error| self.garbled(&error))?;
        if let Ok(mut segments) = url.path_segments_mut() {
            let parts = path.trim_start_matches('/').split('/');
            segments.clear().extend(parts.map(|part| if part.starts_with('{') { name } else { part }));
        }
        Ok(self.http.request(method, url))
    }

    async fn lines(&self, request: RequestBuilder) -> Result<Lines, ClientError> {
        Lines::new(self.send(request).await?, self.endpoint.clone(), self.patience)
    }

    fn garbled(&self, problem: &dyn std::fmt::Display) -> ClientError {
        ClientError::Garbled { endpoint: self.endpoint.clone(), problem: problem.to_string() }
    }

    /// Sends, and turns an answer that is not a success into an error.
    async fn send(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        let http = |error: reqwest::Error| ClientError::from_http(&error, &self.endpoint, self.patience);
        let (client, request) = request.build_split();
        let request = request.map_err(http)?;
        let bytes = request.url().as_str().len();
        if bytes > MAX_URL_BYTES {
            return Err(ClientError::TooLong { bytes, most: MAX_URL_BYTES });
        }
        let response = client.execute(request).await.map_err(http)?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let body = response.bytes().await.map_err(http)?;
        if let Ok(told) = serde_json::from_slice::<ErrorBody>(&body) {
            return Err(told.error.into());
        }
        // Not the words of an agent: a proxy's or another program's, or the HTTP library's own refusal.
        let said = String::from_utf8_lossy(&body);
        let said = said.lines().next().unwrap_or_default().trim();
        match status.as_u16() {
            413 => Err(ApiError::new(ErrorCode::TooLarge, "the request is too large").into()),
            code => Err(self.garbled(&format!("status {code} {said}").trim_end())),
        }
    }

    /// The body as text. The whole call has the limit, not only each read.
    async fn text(&self, request: RequestBuilder) -> Result<String, ClientError> {
        let response = self.send(request.timeout(self.patience)).await?;
        response.text().await.map_err(|error| ClientError::from_http(&error, &self.endpoint, self.patience))
    }

    async fn json<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, ClientError> {
        serde_json::from_str(&self.text(request).await?).map_err(|error| self.garbled(&error))
    }
}
