//! Peers that do their worst.
use crate::support::upstream::Upstream;
use crate::support::{Agent, End, Peer};

#[test]
fn an_upstream_that_accepts_and_never_answers_holds_nobody_up_and_can_be_cut() {
    let upstream = Upstream::silent();
    let agent = Agent::front(upstream.addr());
    let mut clients: Vec<_> = (0..20).map(|_| Peer::connect(agent.only())).collect();
    agent.settled(20);
    // It takes what fits into the sockets on the way, and then nothing.
    let filled = clients[0].fill();
    assert!(filled > 0);
    let row = agent.row(&clients[0]);
    assert_eq!(row["state"], "active", "{row}");
    agent.does("reset", "both", &clients[0]);
    for client in &mut clients[1..] {
        assert!(client.is_quiet());
        agent.does("close", "both", client);
        client.ends_with(End::Fin);
    }
    agent.settled(0);
    agent.counts("upstream", "operator_reset", 1);
    agent.counts("upstream", "operator_close", 19);
}
