//! The agent's part in the conversation with a server, on the connection that it opened: what its
//! [`Speaker`](super::speaker::Speaker) says is held for the upstream as if a client had sent it.

use connctl_api::conn::Side;
use tokio::sync::oneshot;

use super::flow::Cut;
use super::pair::{Pair, Way};

/// The server's next bytes. What they ask for is held for it, behind what is held already.
pub(super) fn hear(pair: &mut Pair, bytes: &[u8]) {
    let Some(speaker) = &mut pair.speaker else {
        return;
    };
    let answers = speaker.hear(bytes);
    say(pair, &answers);
}

/// Asks the server whether it is there. Who asks is told by `asker`, and that nothing will come by its end.
pub(super) fn ask(pair: &mut Pair, asker: oneshot::Sender<()>) {
    let is_open = pair.leg(Side::Upstream).fd.is_some() && pair.flow(Way::ToUpstream).cut == Cut::Open;
    let Some(speaker) = &mut pair.speaker else {
        return;
    };
    if is_open && let Some(question) = speaker.ask(asker) {
        say(pair, question);
    }
}

/// Our direction may be at its end already, and then nothing more is said.
fn say(pair: &mut Pair, bytes: &[u8]) {
    let flow = pair.flow_mut(Way::ToUpstream);
    if !bytes.is_empty() && flow.cut == Cut::Open {
        flow.add_bytes(bytes);
    }
}

/// Whether the server has to take its answers before more of it is read: who asks faster than it reads is not
/// given memory for it.
pub(super) fn owes(pair: &Pair, way: Way) -> bool {
    way == Way::ToClient && pair.speaker.is_some() && !pair.flow(Way::ToUpstream).is_empty()
}
