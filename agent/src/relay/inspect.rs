//! What `show` tells of the sockets.

use connctl_api::conn::{Side, SideDetail, Sides};

use super::pair::{Pair, Phase};
use crate::net::tcp_info;

pub(super) fn sides(pair: &Pair) -> Sides {
    Sides {
        client: side(pair, Side::Client),
        upstream: if pair.phase == Phase::Open { side(pair, Side::Upstream) } else { None },
    }
}

fn side(pair: &Pair, side: Side) -> Option<SideDetail> {
    let leg = pair.leg(side);
    let fd = leg.fd.as_ref()?;
    let (local, peer) = match side {
        Side::Client => (Some(pair.conn.local()), Some(pair.conn.peer())),
        Side::Upstream => {
            (rustix::net::getsockname(fd).ok().and_then(|any| any.try_into().ok()), pair.conn.upstream())
        }
    };
    Some(SideDetail {
        local,
        peer,
        paused: leg.paused,
        read_closed: leg.ended,
        write_closed: leg.shut,
        pending_bytes: pair.held_for(side),
        tcp: tcp_info::facts(fd),
    })
}
