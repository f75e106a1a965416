//! Which listeners accept: a machine without sockets.
//!
//! An armed count belongs to all listeners of one order together, so the one that takes the last place
//! closes the others, too.

use connctl_api::listener::RejectMode;

use super::GateOrder;

/// One listener's gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gate {
    pub(super) accepting: bool,
    pub(super) mode: RejectMode,
    pub(super) draining: bool,
    group: Option<usize>,
}

/// All gates, and the counts that are armed.
#[derive(Debug, Default)]
pub(super) struct Gates {
    gates: Vec<Gate>,
    /// How many more each armed order lets in.
    groups: Vec<u64>,
}

impl Gates {
    /// All open.
    pub(super) fn new(count: usize) -> Self {
        let mut gates = Self::default();
        (0..count).for_each(|_| gates.add());
        gates
    }

    /// One more, open.
    pub(super) fn add(&mut self) {
        self.gates.push(Gate { accepting: true, mode: RejectMode::Refuse, draining: false, group: None });
    }

    pub(super) fn get(&self, index: usize) -> Gate {
        self.gates[index]
    }

    /// How many more this gate lets in, where a count is armed.
    pub(super) fn after(&self, index: usize) -> Option<u64> {
        self.gates[index].group.map(|group| self.groups[group])
    }

    /// Carries an order out. Tells for each index whether anything changed.
    pub(super) fn order(&mut self, indexes: &[usize], order: GateOrder) -> Vec<bool> {
        let group = match order {
            GateOrder::Reject { after: 1.., .. } => Some(self.new_group(order)),
            GateOrder::Reject { after: 0, .. } | GateOrder::Accept | GateOrder::Drain { .. } => None,
        };
        let changed = indexes.iter().map(|index| change(&mut self.gates[*index], order, group)).collect();
        self.forget_groups();
        changed
    }

    fn new_group(&mut self, order: GateOrder) -> usize {
        let after = if let GateOrder::Reject { after, .. } = order { after } else { 0 };
        self.groups.push(after);
        self.groups.len() - 1
    }

    /// A connection was accepted. Tells whether a count ran out, and with it these gates closed.
    pub(super) fn accepted(&mut self, index: usize) -> bool {
        let Some(group) = self.gates[index].group else {
            return false;
        };
        self.groups[group] -= 1;
        if self.groups[group] > 0 {
            return false;
        }
        for gate in self.gates.iter_mut().filter(|gate| gate.group == Some(group)) {
            gate.accepting = false;
            gate.group = None;
        }
        self.forget_groups();
        true
    }

    /// Counts that no gate belongs to any more go, so that arming again and again costs nothing.
    fn forget_groups(&mut self) {
        while let Some(last) = self.groups.len().checked_sub(1)
            && self.gates.iter().all(|gate| gate.group != Some(last))
        {
            self.groups.pop();
        }
    }
}

fn change(gate: &mut Gate, order: GateOrder, group: Option<usize>) -> bool {
    let before = *gate;
    match order {
        GateOrder::Reject { after: 1.., .. } if !before.accepting => return false,
        GateOrder::Reject { mode, .. } => {
            *gate = Gate { accepting: group.is_some(), mode, draining: false, group };
        }
        GateOrder::Drain { mode } => *gate = Gate { accepting: false, mode, draining: true, group: None },
        GateOrder::Accept => {
            *gate = Gate { accepting: true, mode: before.mode, draining: false, group: None }
        }
    }
    match order {
        // Arming a count is a change, also where one was armed before.
        GateOrder::Reject { .. } => before.accepting || before.mode != gate.mode || before.draining,
        GateOrder::Drain { .. } => before != *gate,
        // Disarming a count that had not run out leaves the listener accepting, as it was.
        GateOrder::Accept => !before.accepting,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: GateOrder = GateOrder::Reject { after: 0, mode: RejectMode::Refuse };

    const fn after(after: u64) -> GateOrder {
        GateOrder::Reject { after, mode: RejectMode::Refuse }
    }

    #[test]
    fn rejecting_twice_changes_once() {
        let mut gates = Gates::new(1);
        assert_eq!(gates.order(&[0], NOW), [true]);
        assert_eq!(gates.order(&[0], NOW), [false]);
        assert_eq!(gates.order(&[0], after(3)), [false]);
        assert_eq!(gates.after(0), None);
        assert_eq!(gates.order(&[0], GateOrder::Accept), [true]);
        assert_eq!(gates.order(&[0], GateOrder::Accept), [false]);
    }

    #[test]
    fn a_count_lets_exactly_so_many_in() {
        let mut gates = Gates::new(1);
        assert_eq!(gates.order(&[0], after(5)), [true]);
        assert_eq!(gates.order(&[0], after(2)), [true], "arming again overwrites the count");
        assert!(!gates.accepted(0));
        assert_eq!(gates.after(0), Some(1));
        assert!(gates.accepted(0));
        assert!(!gates.get(0).accepting);
    }

    #[test]
    fn accepting_cancels_a_count_and_changes_nothing_else() {
        let mut gates = Gates::new(1);
        gates.order(&[0], after(1));
        assert_eq!(gates.order(&[0], GateOrder::Accept), [false]);
        assert!(!gates.accepted(0));
        assert!(gates.get(0).accepting);
    }

    #[test]
    fn a_count_is_shared_by_the_listeners_of_one_order() {
        let mut gates = Gates::new(3);
        assert_eq!(gates.order(&[0, 2], after(2)), [true, true]);
        assert!(!gates.accepted(0));
        assert!(!gates.accepted(1));
        assert!(gates.accepted(2));
        assert!(!gates.get(0).accepting && gates.get(1).accepting && !gates.get(2).accepting);
    }

    #[test]
    fn another_mode_is_a_change() {
        let mut gates = Gates::new(1);
        gates.order(&[0], NOW);
        let stall = GateOrder::Reject { after: 0, mode: RejectMode::Stall };
        assert_eq!(gates.order(&[0], stall), [true]);
        assert_eq!(gates.order(&[0], stall), [false]);
    }

    #[test]
    fn draining_is_told_apart_from_rejecting() {
        let mut gates = Gates::new(1);
        let drain = GateOrder::Drain { mode: RejectMode::Refuse };
        assert_eq!(gates.order(&[0], drain), [true]);
        assert_eq!(gates.order(&[0], drain), [false]);
        assert!(gates.get(0).draining);
        assert_eq!(gates.order(&[0], GateOrder::Accept), [true]);
        assert!(!gates.get(0).draining);
    }
}
