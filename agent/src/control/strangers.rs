//! Those who have come and have not yet shown who they are: a bounded crowd, of which the oldest is sent away when one
//! more comes. Whoever says nothing holds up nobody, and there is room for whoever is known.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

/// Strangers at once: they have come to their first request within a few round trips, and it takes as many others to
/// send one away. There are more places than this.
const MAX_STRANGERS: usize = 256;

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Strangers(Mutex<Crowd>);

#[derive(Debug, Default)]
struct Crowd {
    next: u64,
    by_age: BTreeMap<u64, oneshot::Sender<()>>,
}

/// One of them. Dropped, or known, it is none any more.
#[derive(Debug)]
pub(super) struct Stranger {
    number: u64,
    all: Arc<Strangers>,
}

/// Comes when a stranger has to make room.
#[derive(Debug)]
pub(super) struct SentAway(oneshot::Receiver<()>);

impl Strangers {
    /// One more, which may cost the oldest its place.
    pub(super) fn enter(self: &Arc<Self>) -> (Stranger, SentAway) {
        let (send, sent) = oneshot::channel();
        let mut crowd = self.crowd();
        let number = crowd.next;
        crowd.next += 1;
        crowd.by_age.insert(number, send);
        if crowd.by_age.len() > MAX_STRANGERS
            && let Some((_, oldest)) = crowd.by_age.pop_first()
        {
            // It may have left at this moment.
            let _ = oldest.send(());
        }
        drop(crowd);
        (Stranger { number, all: Arc::clone(self) }, SentAway(sent))
    }

    fn crowd(&self) -> std::sync::MutexGuard<'_, Crowd> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stranger {
    /// It has shown who it is: it is not sent away any more.
    pub(super) fn is_known(&self) {
        self.all.crowd().by_age.remove(&self.number);
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        self.is_known();
    }
}

impl SentAway {
    /// Returns when the place is another's; never for one who has become known.
    pub(super) async fn wait(self) {
        if self.0.await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_oldest_stranger_makes_room_and_whoever_is_known_stays() {
        let all = Arc::new(Strangers::default());
        let (first, mut first_away) = all.enter();
        let (_second, mut second_away) = all.enter();
        first.is_known();
        let crowd: Vec<_> = (1..MAX_STRANGERS).map(|_| all.enter()).collect();
        assert!(second_away.0.try_recv().is_err(), "there was room for all");
        let _one_more = all.enter();
        SentAway(second_away.0).wait().await;
        assert!(first_away.0.try_recv().is_err_and(|error| error == oneshot::error::TryRecvError::Closed));
        drop(crowd);
        assert!(all.crowd().by_age.len() <= 1);
    }
}
