//! Floor 7: who gets in. One place accepts for all listeners, so that a count of accepted connections is
//! exact, and hands each connection to the relay thread with the fewest. It works on the first of them.

mod gate;
mod porter;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use connctl_api::listener::{GateReport, ListenerRow, RejectMode};
use tokio::sync::oneshot;

use crate::base::inbox::{Outbox, inbox};
use crate::base::state_dir::Ids;
use crate::config::{ListenerSettings, Policies};
use crate::net::handed::Handed;
use crate::net::listen::Door;
use crate::policy::admission::Admission;
use crate::policy::revoke::Revocations;
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
    places: Mutex<Arc<[Place]>>,
    /// The index of the next one: none is used twice.
    next: AtomicUsize,
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
    /// The service manager opened it, and keeps who dials while there is no agent.
    pub is_handed: bool,
}

#[derive(Debug)]
enum Message {
    Order {
        indexes: Vec<usize>,
        order: GateOrder,
        ran_out: Option<oneshot::Sender<()>>,
        reply: oneshot::Sender<Vec<Ordered>>,
    },
    Change {
        change: Change,
        reply: oneshot::Sender<()>,
    },
    Rows {
        reply: oneshot::Sender<Vec<ListenerRow>>,
    },
}

/// What became of a listener that an order was about.
#[derive(Debug)]
pub struct Ordered {
    /// How it is now.
    pub report: GateReport,
    /// Why its socket does not do what was asked for, where it does not: then it is as it was before.
    pub error: Option<std::io::Error>,
}

/// What changes between two accepts. Listeners are named by their index.
#[derive(Debug)]
struct Change {
    /// The agent's `max_connections`.
    most: usize,
    policies: Vec<(usize, Policies)>,
    settings: Vec<(usize, Arc<ListenerSettings>)>,
    came: Vec<Opened>,
    gone: Vec<usize>,
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

impl Opened {
    fn place(&self) -> Place {
        let (settings, origin) = (Arc::clone(&self.settings), Arc::clone(&self.origin));
        Place { settings, address: self.door.address(), origin, is_handed: self.door.is_handed() }
    }
}

/// Binds all listeners, or none. Their indexes are from `first` on.
///
/// # Errors
/// Names the listener and the address that cannot be bound.
pub fn bind<'a>(
    listeners: impl IntoIterator<Item = &'a ListenerSettings>,
    first: usize,
) -> anyhow::Result<Bound> {
    take_or_bind(listeners, first, &mut Handed::default())
}

/// The same, where the service manager has opened some of them already.
///
/// # Errors
/// As [`bind`].
pub fn take_or_bind<'a>(
    listeners: impl IntoIterator<Item = &'a ListenerSettings>,
    first: usize,
    handed: &mut Handed,
) -> anyhow::Result<Bound> {
    let open = |(settings, index): (&ListenerSettings, usize)| {
        let door = match handed.take_tcp(&settings.name, settings.bind) {
            Some(fd) => Door::take_over(fd, settings),
            None => Door::open(settings),
        };
        let door =
            door.with_context(|| format!("listener {:?} cannot listen on {}", settings.name, settings.bind))?;
        let origin = Origin::new(&settings.name, settings.mode, index);
        let origin = Arc::new(origin.with_upstreams(settings.upstream.len()));
        origin.set_policies(settings.policies);
        Ok(Opened { settings: Arc::new(settings.clone()), door, origin })
    };
    listeners.into_iter().zip(first..).map(open).collect::<anyhow::Result<_>>().map(Bound)
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
    /// Who is refused.
    pub revocations: Arc<Revocations>,
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
        let places = Mutex::new(bound.0.iter().map(Opened::place).collect());
        let next = AtomicUsize::new(bound.0.len());
        let pool = Arc::clone(&inside.pool);
        pool.host(Box::new(porter::Porter::new(bound.0, inbox, inside)?));
        Ok(Self { outbox, places, next })
    }

    /// The listeners in the order of the configuration.
    pub fn places(&self) -> Arc<[Place]> {
        Arc::clone(&self.places.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Binds more listeners, which accept nothing yet. Whoever binds some puts them in force before the next.
    ///
    /// # Errors
    /// Names the listener and the address that cannot be bound.
    pub fn bind_more(&self, listeners: &[&ListenerSettings]) -> anyhow::Result<Bound> {
        bind(listeners.iter().copied(), self.next.load(Ordering::Relaxed))
    }

    /// Carries an order out and tells what became of each index. `ran_out` is told when the count
    /// of the order has run out, behind the last connection that it lets in, and dropped when it never will.
    pub async fn order(
        &self,
        indexes: Vec<usize>,
        order: GateOrder,
        ran_out: Option<oneshot::Sender<()>>,
    ) -> Vec<Ordered> {
        let (reply, answer) = oneshot::channel();
        self.outbox.post(Message::Order { indexes, order, ran_out, reply });
        answer.await.unwrap_or_default()
    }

    /// Puts policies in force: the agent's `max_connections`, and those of listeners by their index. The order
    /// of the calls is the order of the changes; what is returned is done when all accepting goes by them.
    pub fn set_policies(
        &self,
        most: usize,
        policies: Vec<(usize, Policies)>,
    ) -> impl Future<Output = ()> + Send + use<> {
        let (settings, came, gone) = (Vec::new(), Vec::new(), Vec::new());
        self.change(Change { most, policies, settings, came, gone })
    }

    /// Puts settings in force for new connections, and their policies for all. Who came begins to accept; who
    /// is not among the settings is gone: its address is free, and its connections come to their own end. It is
    /// the same with the order as in [`Listeners::set_policies`].
    pub fn set_settings(
        &self,
        most: usize,
        settings: &[ListenerSettings],
        came: Bound,
    ) -> impl Future<Output = ()> + Send + use<> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        self.next.fetch_add(came.0.len(), Ordering::Relaxed);
        let fresh: Vec<_> = came.0.iter().map(Opened::place).collect();
        let of = |settings: &ListenerSettings| {
            let place = places.iter().chain(&fresh).find(|place| place.settings.name == settings.name)?;
            Some(Place { settings: Arc::new(settings.clone()), ..place.clone() })
        };
        let next: Arc<[Place]> = settings.iter().filter_map(of).collect();
        let is_gone = |place: &&Place| next.iter().all(|other| other.origin.index != place.origin.index);
        let change = Change {
            most,
            policies: next.iter().map(|place| (place.origin.index, place.settings.policies)).collect(),
            settings: next.iter().map(|place| (place.origin.index, Arc::clone(&place.settings))).collect(),
            came: came.0,
            gone: places.iter().filter(is_gone).map(|place| place.origin.index).collect(),
        };
        *places = next;
        self.change(change)
    }

    fn change(&self, change: Change) -> impl Future<Output = ()> + Send + use<> {
        let (reply, done) = oneshot::channel();
        self.outbox.post(Message::Change { change, reply });
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
