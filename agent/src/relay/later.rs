//! Connections that are ending and wait until others have been told of theirs: where many are closed at once,
//! each client has its FIN before the first upstream has.

use std::collections::VecDeque;

use crate::conn::command::Target;

/// Turns of commands in a row for which endings wait. More than enough for all that a process may hold; whoever
/// asks for ever more does not keep endings from coming to their end.
const MOST_TURNS: u32 = 512;

/// Connections, and since when each waits, in their order. One may end meanwhile, and another have its slot.
#[derive(Debug, Default)]
pub(super) struct Later {
    targets: VecDeque<(Target, u64)>,
    turns: u32,
}

impl Later {
    pub(super) fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// Another one waits, from now on.
    pub(super) fn add(&mut self, target: Target, now_ms: u64) {
        self.targets.push_back((target, now_ms));
    }

    /// Whether some have their turn now, while there are commands or there are none. Asked once in each turn.
    pub(super) fn is_time(&mut self, has_commands: bool) -> bool {
        self.turns = if self.targets.is_empty() { 0 } else { self.turns.saturating_add(1) };
        !has_commands || self.turns > MOST_TURNS
    }

    /// The one that has waited longest, and since when.
    pub(super) fn next(&mut self) -> Option<(Target, u64)> {
        self.targets.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use connctl_api::id::ConnId;

    use super::*;

    #[test]
    fn endings_wait_for_commands_but_not_for_ever() {
        let mut later = Later::default();
        let [one, other] = [7, 8].map(|number| (0, ConnId::new(number).unwrap()));
        assert!(later.is_time(false) && later.next().is_none());
        later.add(one, 20);
        assert!((0..MOST_TURNS).all(|_| !later.is_time(true)));
        assert!(later.is_time(true));
        assert_eq!(later.next(), Some((one, 20)));
        // The next one waits from the beginning.
        assert!(!later.is_time(true));
        later.add(other, 30);
        assert!(!later.is_time(true));
        assert!(later.is_time(false));
    }
}
