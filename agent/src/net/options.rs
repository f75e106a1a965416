//! The options of the sockets that carry data.

use std::os::fd::AsFd;

use socket2::{SockRef, TcpKeepalive};

use crate::config::ListenerSettings;

/// Sets what the listener's settings say. On a listening socket it counts for all that it accepts.
pub fn dress(fd: &impl AsFd, settings: &ListenerSettings) {
    let socket = SockRef::from(fd);
    // An option that the kernel refuses costs comfort and never the connection.
    if let Err(error) = socket.set_tcp_nodelay(settings.nodelay) {
        tracing::debug!(%error, "TCP_NODELAY refused");
    }
    let kept = match settings.keepalive {
        None => socket.set_keepalive(false),
        Some(keepalive) => {
            let wanted = TcpKeepalive::new()
                .with_time(keepalive.idle)
                .with_interval(keepalive.interval)
                .with_retries(keepalive.probes);
            socket.set_tcp_keepalive(&wanted)
        }
    };
    if let Err(error) = kept {
        tracing::debug!(%error, "keep-alive refused");
    }
}
