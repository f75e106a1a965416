//! The options of the sockets that carry data.

use std::os::fd::AsFd;

use socket2::{SockRef, TcpKeepalive};

use crate::config::ListenerSettings;

/// Sets what the listener's settings say. On a listening socket it counts for all that it accepts.
pub fn dress(fd: &impl AsFd, settings: &ListenerSettings) {
    let socket = SockRef::from(fd);
    // An option that the kernel refuses costs comfort and never the connection.
    if settings.nodelay
        && let Err(error) = socket.set_tcp_nodelay(true)
    {
        tracing::debug!(%error, "TCP_NODELAY refused");
    }
    if let Some(keepalive) = settings.keepalive {
        let wanted = TcpKeepalive::new()
            .with_time(keepalive.idle)
            .with_interval(keepalive.interval)
            .with_retries(keepalive.probes);
        if let Err(error) = socket.set_tcp_keepalive(&wanted) {
            tracing::debug!(%error, "keep-alive refused");
        }
    }
}
