//! Floor 7: who gets in. One place accepts for all listeners, so that a count of accepted connections is
//! exact, and hands each connection to the relay thread with the fewest. It works on the first of them.

mod gate;
mod porter;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use connctl_api::listener::{GateReport, ListenerRow, RejectMode};
use tokio::sync::oneshot;

use crate::base::inbox::{Outbox, inbox};
use crate::base::state_dir::Ids;
use crate::config::{ListenerSettings, Policies};
use crate::net::listen::Door;
use crate::policy::admission::Admission;
use crate::record::stats::Stats;
use crate::registry::Registry;
use crate::registry::conn::Origin;
use crate::relay;

/// What an operator asks of listeners.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GateOrder {
    /// Reject new connections, now or after so many more.
    Reject {
        /// How many more are accepted first, over all listeners of the order.
        after: u64,
        /// How.
        mode: RejectMode,
    },
    /// Accept them again.
    Accept,
    /// Reject new ones and let the live ones end.
    Drain {
        /// How.
        mode: RejectMode,
    },
}

/// The one place that accepts, seen from other threads.
#[derive(Debug)]
pub struct Listeners {
    outbox: Outbox<Message>,
    places: Vec<Place>,
}

/// A listener as it was set up.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its settings.
    pub settings: Arc<ListenerSettings>,
    /// Where it is really bound.
    pub address: SocketAddr,
    /// What its connections have in common: its policies, too.
    pub origin: Arc<Origin>,
}

#[derive(Debug)]
enum Message {
    Order { indexes: Vec<usize>, order: GateOrder, reply: oneshot::Sender<Vec<GateReport>> },
    Policies { most: usize, policies: Vec<Policies>, reply: oneshot::Sender<()> },
    Rows { reply: oneshot::Sender<Vec<ListenerRow>> },
}

/// Listeners that are bound, before anything is accepted.
#[derive(Debug)]
pub struct Bound(Vec<Opened>);

/// One of them.
#[derive(Debug)]
struct Opened {
    settings: Arc<ListenerSettings>,
    door: Door,
    origin: Arc<Origin>,
}

/// Binds all listeners, or none.
///
/// # Errors
/// Names the listener and the address that cannot be bound.
pub fn bind(listeners: &[ListenerSettings]) -> anyhow::Result<Bound> {
    let open = |(index, settings): (usize, &ListenerSettings)| {
        let door = Door::open(settings)
            .with_context(|| format!("listener {:?} cannot listen on {}", settings.name, settings.bind))?;
        let origin = Origin::new(&settings.name, settings.mode, index);
        let origin = Arc::new(origin.with_upstreams(settings.upstream.len()));
        origin.set_policies(settings.policies);
        Ok(Opened { settings: Arc::new(settings.clone()), door, origin })
    };
    listeners.iter().enumerate().map(open).collect::<anyhow::Result<_>>().map(Bound)
}

/// What accepting needs of the rest of the agent.
#[derive(Debug)]
pub struct Inside {
    /// Where connections go.
    pub pool: Arc<relay::Pool>,
    /// Where their ids come from.
    pub ids: Arc<Ids>,
    /// Who is here.
    pub registry: Arc<Registry>,
    /// What places there are.
    pub admission: Arc<Admission>,
    /// Where they are counted.
    pub stats: Arc<Stats>,
    /// What descriptors are left for them.
    pub descriptors: Arc<relay::Budget>,
}

impl Listeners {
    /// Begins to accept.
    ///
    /// # Errors
    /// Where the kernel gives no thread or descriptor.
    pub fn start(bound: Bound, inside: Inside) -> anyhow::Result<Self> {
        let (outbox, inbox) = inbox()?;
        let places = bound
            .0
            .iter()
            .map(|Opened { settings, door, origin }| Place {
                settings: Arc::clone(settings),
                address: door.address(),
                origin: Arc::clone(origin),
            })
            .collect();
        let pool = Arc::clone(&inside.pool);
        pool.host(Box::new(porter::Porter::new(bound.0, inbox, inside)?));
        Ok(Self { outbox, places })
    }

    /// The listeners in the order of the configuration.
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// Carries an order out and tells what changed, one report for each index.
    pub async fn order(&self, indexes: Vec<usize>, order: GateOrder) -> Vec<GateReport> {
        let (reply, answer) = oneshot::channel();
        self.outbox.post(Message::Order { indexes, order, reply });
        answer.await.unwrap_or_default()
    }

    /// Puts policies in force: the agent's `max_connections`, and those of each listener. The order of the
    /// calls is the order of the changes; what is returned is done when all accepting goes by them.
    pub fn set_policies(
        &self,
        most: usize,
        policies: Vec<Policies>,
    ) -> impl Future<Output = ()> + Send + use<> {
        let (reply, done) = oneshot::channel();
        self.outbox.post(Message::Policies { most, policies, reply });
        async {
            // Without an answer the agent is stopping, and nothing is accepted any more.
            let _ = done.await;
        }
    }

    /// All listeners as they are now.
    pub async fn rows(&self) -> Vec<ListenerRow> {
        let (reply, answer) = oneshot::channel();
        self.outbox.post(Message::Rows { reply });
        answer.await.unwrap_or_default()
    }
}
