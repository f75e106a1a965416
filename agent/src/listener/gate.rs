//! Which listeners accept: a machine without sockets.
//!
//! An armed count belongs to all listeners of one order together, so the one that takes the last place
//! closes the others, too.

use connctl_api::listener::RejectMode;
use tokio::sync::oneshot;

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
    /// By the number that its gates have; none where the number is free.
    groups: Vec<Option<Group>>,
}

/// An armed order.
#[derive(Debug)]
struct Group {
    /// How many more it lets in.
    left: u64,
    /// Whom to tell when it has let in the last; dropped where that will not be.
    ran_out: Option<oneshot::Sender<()>>,
}

/// A count has run out.
#[derive(Debug)]
pub(super) struct RanOut(Option<oneshot::Sender<()>>);

impl RanOut {
    /// Tells who asked to be told. Whoever has stopped listening has lost interest, and nothing else.
    pub(super) fn tell(self) {
        if let Some(ran_out) = self.0 {
            let _ = ran_out.send(());
        }
    }
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
        self.gates[index].group.and_then(|group| self.groups[group].as_ref()).map(|group| group.left)
    }

    /// Carries an order out. Tells for each index whether anything changed, and `ran_out` when the count of the
    /// order has run out.
    pub(super) fn order(
        &mut self,
        indexes: &[usize],
        order: GateOrder,
        ran_out: Option<oneshot::Sender<()>>,
    ) -> Vec<bool> {
        let group = match order {
            GateOrder::Reject { after: left @ 1.., .. } => Some(self.add_group(Group { left, ran_out })),
            GateOrder::Reject { after: 0, .. } | GateOrder::Accept | GateOrder::Drain { .. } => None,
        };
        let changed = indexes.iter().map(|index| change(&mut self.gates[*index], order, group)).collect();
        self.forget_groups();
        changed
    }

    /// Undoes what an order has made of a gate that did not accept before it.
    pub(super) fn put_back(&mut self, index: usize, before: Gate) {
        self.gates[index] = Gate { group: None, ..before };
        self.forget_groups();
    }

    fn add_group(&mut self, group: Group) -> usize {
        let free = self.groups.iter().position(Option::is_none).unwrap_or(self.groups.len());
        if free == self.groups.len() {
            self.groups.push(None);
        }
        self.groups[free] = Some(group);
        free
    }

    /// A connection was accepted. Tells whether a count ran out, and with it these gates closed.
    pub(super) fn accepted(&mut self, index: usize) -> Option<RanOut> {
        let number = self.gates[index].group?;
        let group = self.groups[number].as_mut()?;
        group.left -= 1;
        if group.left > 0 {
            return None;
        }
        let ran_out = RanOut(group.ran_out.take());
        for gate in self.gates.iter_mut().filter(|gate| gate.group == Some(number)) {
            gate.accepting = false;
            gate.group = None;
        }
        self.forget_groups();
        Some(ran_out)
    }

    /// Counts that no gate belongs to any more go, so that arming again and again costs nothing.
    fn forget_groups(&mut self) {
        for (number, group) in self.groups.iter_mut().enumerate() {
            if self.gates.iter().all(|gate| gate.group != Some(number)) {
                *group = None;
            }
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

    fn order(gates: &mut Gates, indexes: &[usize], order: GateOrder) -> Vec<bool> {
        gates.order(indexes, order, None)
    }

    #[test]
    fn rejecting_twice_changes_once() {
        let mut gates = Gates::new(1);
        assert_eq!(order(&mut gates, &[0], NOW), [true]);
        assert_eq!(order(&mut gates, &[0], NOW), [false]);
        assert_eq!(order(&mut gates, &[0], after(3)), [false]);
        assert_eq!(gates.after(0), None);
        assert_eq!(order(&mut gates, &[0], GateOrder::Accept), [true]);
        assert_eq!(order(&mut gates, &[0], GateOrder::Accept), [false]);
    }

    #[test]
    fn a_count_lets_exactly_so_many_in() {
        let mut gates = Gates::new(1);
        assert_eq!(order(&mut gates, &[0], after(5)), [true]);
        assert_eq!(order(&mut gates, &[0], after(2)), [true], "arming again overwrites the count");
        assert!(gates.accepted(0).is_none());
        assert_eq!(gates.after(0), Some(1));
        assert!(gates.accepted(0).is_some());
        assert!(!gates.get(0).accepting);
    }

    #[test]
    fn accepting_cancels_a_count_and_changes_nothing_else() {
        let mut gates = Gates::new(1);
        order(&mut gates, &[0], after(1));
        assert_eq!(order(&mut gates, &[0], GateOrder::Accept), [false]);
        assert!(gates.accepted(0).is_none());
        assert!(gates.get(0).accepting);
    }

    #[test]
    fn a_count_is_shared_by_the_listeners_of_one_order() {
        let mut gates = Gates::new(3);
        assert_eq!(order(&mut gates, &[0, 2], after(2)), [true, true]);
        assert!(gates.accepted(0).is_none());
        assert!(gates.accepted(1).is_none());
        assert!(gates.accepted(2).is_some());
        assert!(!gates.get(0).accepting && gates.get(1).accepting && !gates.get(2).accepting);
    }

    #[test]
    fn another_mode_is_a_change() {
        let mut gates = Gates::new(1);
        order(&mut gates, &[0], NOW);
        let stall = GateOrder::Reject { after: 0, mode: RejectMode::Stall };
        assert_eq!(order(&mut gates, &[0], stall), [true]);
        assert_eq!(order(&mut gates, &[0], stall), [false]);
    }

    #[test]
    fn draining_is_told_apart_from_rejecting() {
        let mut gates = Gates::new(1);
        let drain = GateOrder::Drain { mode: RejectMode::Refuse };
        assert_eq!(order(&mut gates, &[0], drain), [true]);
        assert_eq!(order(&mut gates, &[0], drain), [false]);
        assert!(gates.get(0).draining);
        assert_eq!(order(&mut gates, &[0], GateOrder::Accept), [true]);
        assert!(!gates.get(0).draining);
    }

    #[test]
    fn whoever_waits_for_a_count_hears_that_it_ran_out_or_that_it_never_will() {
        let armed = |gates: &mut Gates, count| {
            let (ran_out, told) = oneshot::channel();
            gates.order(&[0], after(count), Some(ran_out));
            told
        };
        let mut gates = Gates::new(1);
        let mut told = armed(&mut gates, 1);
        gates.accepted(0).unwrap().tell();
        assert_eq!(told.try_recv(), Ok(()));
        let closed = Err(oneshot::error::TryRecvError::Closed);
        assert_eq!(armed(&mut gates, 1).try_recv(), closed, "it rejects already");
        for other in [GateOrder::Accept, NOW, after(3)] {
            order(&mut gates, &[0], GateOrder::Accept);
            let mut told = armed(&mut gates, 2);
            assert!(gates.accepted(0).is_none());
            order(&mut gates, &[0], other);
            assert_eq!(told.try_recv(), closed, "{other:?} took its place");
        }
    }

    #[test]
    fn a_gate_that_is_put_back_is_as_it_was_and_counts_nothing() {
        let mut gates = Gates::new(1);
        order(&mut gates, &[0], GateOrder::Drain { mode: RejectMode::Reset });
        let before = gates.get(0);
        order(&mut gates, &[0], GateOrder::Accept);
        let (ran_out, mut told) = oneshot::channel();
        gates.order(&[0], after(1), Some(ran_out));
        gates.put_back(0, before);
        assert_eq!(gates.get(0), before);
        assert!(gates.accepted(0).is_none());
        assert_eq!(told.try_recv(), Err(oneshot::error::TryRecvError::Closed));
    }

    #[test]
    fn arming_again_and_again_costs_nothing() {
        let mut gates = Gates::new(2);
        for count in 1..100 {
            order(&mut gates, &[usize::from(count % 2 == 0)], after(count));
        }
        assert!(gates.groups.len() <= 3, "{:?}", gates.groups);
    }
}
