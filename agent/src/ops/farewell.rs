//! A last packet to clients, before something else ends their connections.

use std::sync::Arc;

use super::{Node, threads};
use crate::registry::Conn;

/// Says this to the clients whose protocol has such a packet, each between two packets of its server. The
/// others get nothing: what they would make of it is not known.
pub fn say(node: &Node, conns: &[Arc<Conn>], packet: &[u8]) {
    let packet: Arc<[u8]> = packet.into();
    for (thread, targets) in threads::by_thread(conns) {
        node.pool.say_farewell(thread, targets, Arc::clone(&packet));
    }
}
