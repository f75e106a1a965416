//! Sessions: who may use which connection that the agent opened, and what it takes to open it again.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use connctl_api::conn::State;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::secret::Key;
use super::target::{Failure, Target};
use crate::base::clock;
use crate::registry::{Conn, Registry};

/// A right to use one connection of the agent, whether that is open at the moment or not.
#[derive(Debug)]
pub struct Session {
    key: Key,
    target: Target,
    /// When it was last used, by both clocks.
    active_ms: AtomicU64,
    active_wall_ms: AtomicI64,
    attempts: AtomicU64,
    /// Whoever holds it is the one that looks after the connection; in it is why the last attempt failed.
    pub turn: tokio::sync::Mutex<Option<Failure>>,
    held: Mutex<Held>,
    _place: OwnedSemaphorePermit,
}

/// What a session has.
#[derive(Debug)]
enum Held {
    Nothing,
    Conn(Arc<Conn>),
    /// It has come to its end, and never has a connection again.
    Over,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Session {
    /// A session that is used for the first time now.
    pub fn new(key: Key, target: Target, conn: Arc<Conn>, place: OwnedSemaphorePermit) -> Self {
        Self {
            key,
            target,
            active_ms: clock::now_ms().into(),
            active_wall_ms: clock::wall_ms().into(),
            attempts: 0.into(),
            turn: tokio::sync::Mutex::new(None),
            held: Mutex::new(Held::Conn(conn)),
            _place: place,
        }
    }

    /// Its name, which is the right to use it.
    pub const fn key(&self) -> &Key {
        &self.key
    }

    /// Where it is connected to, and as whom.
    pub const fn target(&self) -> &Target {
        &self.target
    }

    /// It is being used.
    pub fn touch(&self) {
        self.active_ms.store(clock::now_ms(), Ordering::Relaxed);
        self.active_wall_ms.store(clock::wall_ms(), Ordering::Relaxed);
    }

    /// Milliseconds since it was used.
    pub fn idle_ms(&self) -> u64 {
        clock::now_ms().saturating_sub(self.active_ms.load(Ordering::Relaxed))
    }

    /// When it was used, in milliseconds since 1970.
    pub fn active_wall_ms(&self) -> i64 {
        self.active_wall_ms.load(Ordering::Relaxed)
    }

    /// How often it was tried to open its connection again.
    pub fn attempts(&self) -> u64 {
        self.attempts.load(Ordering::Relaxed)
    }

    /// One more attempt begins.
    pub fn attempt(&self) {
        self.attempts.fetch_add(1, Ordering::Relaxed);
    }

    /// Its connection, if that is live and both directions are open.
    pub fn live(&self, registry: &Registry) -> Option<Arc<Conn>> {
        let conn = match &*locked(&self.held) {
            Held::Conn(conn) => Arc::clone(conn),
            Held::Nothing | Held::Over => return None,
        };
        let is_open = matches!(conn.state(), State::Opening | State::Active | State::Paused);
        (is_open && registry.get(conn.id()).is_some()).then_some(conn)
    }

    /// Takes a connection in the place of the one that it has, which is given back. A session that is over
    /// takes none: then the new one is given back as an error.
    ///
    /// # Errors
    /// The new connection.
    pub fn hold(&self, conn: Arc<Conn>) -> Result<Option<Arc<Conn>>, Arc<Conn>> {
        let mut held = locked(&self.held);
        match std::mem::replace(&mut *held, Held::Over) {
            Held::Over => Err(conn),
            before => {
                *held = Held::Conn(conn);
                Ok(before.conn())
            }
        }
    }

    /// Lets its connection go, and may get another one later.
    pub fn let_go(&self) -> Option<Arc<Conn>> {
        let mut held = locked(&self.held);
        match &*held {
            Held::Over => None,
            _ => std::mem::replace(&mut *held, Held::Nothing).conn(),
        }
    }

    fn end(&self) -> Option<Arc<Conn>> {
        std::mem::replace(&mut *locked(&self.held), Held::Over).conn()
    }
}

impl Held {
    fn conn(self) -> Option<Arc<Conn>> {
        match self {
            Self::Conn(conn) => Some(conn),
            Self::Nothing | Self::Over => None,
        }
    }
}

/// All sessions, of which there is a bounded number.
#[derive(Debug)]
pub struct Sessions {
    all: Mutex<Vec<Arc<Session>>>,
    places: Arc<Semaphore>,
}

impl Sessions {
    /// Room for so many.
    pub fn new(most: usize) -> Self {
        Self { all: Mutex::default(), places: Arc::new(Semaphore::new(most)) }
    }

    /// The session with this name. All of them are looked at, and each in the same time.
    pub fn find(&self, key: &Key) -> Option<Arc<Session>> {
        let mut found = None;
        for session in &*locked(&self.all) {
            if session.key.is_same(key) {
                found = Some(Arc::clone(session));
            }
        }
        found
    }

    /// All of them.
    pub fn all(&self) -> Vec<Arc<Session>> {
        locked(&self.all).clone()
    }

    /// A place for one more. Where all are taken, the one without a connection that has not been used for the
    /// longest time is forgotten.
    pub fn place(&self, registry: &Registry) -> Option<OwnedSemaphorePermit> {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return Some(place);
        }
        let all = self.all();
        let is_unused =
            |session: &&Arc<Session>| session.live(registry).is_none() && session.turn.try_lock().is_ok();
        let idle = all.iter().filter(is_unused);
        let longest = idle.max_by_key(|session| session.idle_ms()).cloned()?;
        drop(all);
        self.forget(&longest);
        drop(longest);
        Arc::clone(&self.places).try_acquire_owned().ok()
    }

    /// Enters a new one.
    pub fn enter(&self, session: Session) -> Arc<Session> {
        let session = Arc::new(session);
        locked(&self.all).push(Arc::clone(&session));
        session
    }

    /// Ends a session: its name is nobody's from now on. Gives its connection, which is still to be closed.
    pub fn forget(&self, session: &Arc<Session>) -> Option<Arc<Conn>> {
        locked(&self.all).retain(|other| !Arc::ptr_eq(other, session));
        session.end()
    }
}

#[cfg(test)]
mod tests {
    use connctl_api::conn::Mode;
    use connctl_api::id::ConnId;

    use super::*;
    use crate::registry::conn::{Birth, Origin};

    fn conn(registry: &Registry, id: u64) -> Arc<Conn> {
        let conn = Arc::new(Conn::new(Birth {
            id: ConnId::new(id).unwrap(),
            origin: Arc::new(Origin::new("outbound", Mode::Outbound, usize::MAX)),
            peer: ([127, 0, 0, 1], 4222).into(),
            local: ([127, 0, 0, 1], 4000).into(),
            wall_ms: 0,
            now_ms: 0,
            thread: 0,
        }));
        registry.enter(&conn);
        conn
    }

    fn enter(sessions: &Sessions, registry: &Registry, conn: Arc<Conn>) -> Option<Arc<Session>> {
        let target = Target::new("h".into(), 4222, String::new(), String::new()).unwrap();
        let place = sessions.place(registry)?;
        Some(sessions.enter(Session::new(Key::random().unwrap(), target, conn, place)))
    }

    #[test]
    fn a_session_is_found_by_its_name_alone() {
        let (sessions, registry) = (Sessions::new(3), Registry::default());
        let one = enter(&sessions, &registry, conn(&registry, 1)).unwrap();
        let two = enter(&sessions, &registry, conn(&registry, 2)).unwrap();
        assert!(Arc::ptr_eq(&sessions.find(one.key()).unwrap(), &one));
        assert!(Arc::ptr_eq(&sessions.find(two.key()).unwrap(), &two));
        assert!(sessions.find(&Key::random().unwrap()).is_none());
        sessions.forget(&one);
        assert!(sessions.find(one.key()).is_none());
        assert!(sessions.find(two.key()).is_some());
    }

    #[test]
    fn a_full_table_forgets_who_has_no_connection_and_nobody_else() {
        let (sessions, registry) = (Sessions::new(2), Registry::default());
        let first = conn(&registry, 1);
        let one = enter(&sessions, &registry, Arc::clone(&first)).unwrap();
        let key = one.key().clone();
        drop(one);
        enter(&sessions, &registry, conn(&registry, 2)).unwrap();
        assert!(enter(&sessions, &registry, conn(&registry, 3)).is_none(), "both have a connection");
        registry.leave(&first);
        enter(&sessions, &registry, conn(&registry, 3)).unwrap();
        assert!(sessions.find(&key).is_none());
        assert_eq!(sessions.all().len(), 2);
    }

    #[test]
    fn a_session_that_is_over_takes_no_connection() {
        let (sessions, registry) = (Sessions::new(1), Registry::default());
        let session = enter(&sessions, &registry, conn(&registry, 1)).unwrap();
        assert_eq!(session.let_go().unwrap().id().get(), 1);
        assert!(session.let_go().is_none() && session.live(&registry).is_none());
        assert!(session.hold(conn(&registry, 2)).unwrap().is_none());
        assert_eq!(session.hold(conn(&registry, 3)).unwrap().unwrap().id().get(), 2);
        assert_eq!(sessions.forget(&session).unwrap().id().get(), 3);
        assert_eq!(session.hold(conn(&registry, 4)).unwrap_err().id().get(), 4);
        assert!(session.let_go().is_none() && session.live(&registry).is_none());
    }
}
