//! A last packet to a client, where its protocol has one and says where packets end. The bytes of a server
//! are looked at for that and never changed: ours goes in between two of its packets, and is said once.

use connctl_api::conn::{Mode, Side};

use super::flow::Cut;
use super::pair::{Pair, Way};

/// The client has said which protocol it speaks. If the server has spoken before it, nobody knows where its
/// packets end.
pub(super) fn expect(pair: &mut Pair) {
    if pair.conn.origin().mode == Mode::Forward && pair.conn.to_client_bytes() == 0 {
        pair.farewell = Some(Box::default());
    }
}

/// The server's next bytes, before they are written on. Where the packet belongs in between, gives all of it
/// in its order.
pub(super) fn pass(pair: &mut Pair, bytes: &[u8]) -> Option<Vec<u8>> {
    let is_open = pair.flow(Way::ToClient).cut == Cut::Open;
    let farewell = pair.farewell.as_mut()?;
    let Ok(end) = farewell.frames.pass(bytes) else {
        // These are no packets, and nothing is said in between.
        pair.farewell = None;
        return None;
    };
    let (before, behind) = bytes.split_at_checked(end.filter(|_| is_open && !farewell.packet.is_empty())?)?;
    let all = [before, &farewell.packet, behind].concat();
    pair.flow_mut(Way::ToClient).uncounted = u32::try_from(all.len() - bytes.len()).unwrap_or(0);
    pair.farewell = None;
    Some(all)
}

/// Says it now, or behind the packet that is under way.
pub(super) fn say(pair: &mut Pair, packet: &[u8]) {
    let is_open = pair.flow(Way::ToClient).cut == Cut::Open && !pair.leg(Side::Client).shut;
    let Some(farewell) = pair.farewell.as_mut().filter(|_| is_open) else {
        return;
    };
    if !farewell.frames.is_between() {
        farewell.packet = packet.to_vec();
        return;
    }
    let flow = pair.flow_mut(Way::ToClient);
    flow.add_bytes(packet);
    flow.uncounted += u32::try_from(packet.len()).unwrap_or(0);
    pair.farewell = None;
}
