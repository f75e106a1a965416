//! Ports to listen on.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

use anyhow::{Result, bail};

/// Below the ports that outgoing connections take: those are all in use for a minute after a connection test.
static NEXT: AtomicU16 = AtomicU16::new(2048);
const END: u16 = 10_000;

/// An address of loopback that nobody listens on and that is not given out again. Another program could still
/// take it before it is used; none is there in the private network that `run` makes.
pub(crate) fn free() -> Result<SocketAddr> {
    loop {
        let port = NEXT.fetch_add(1, Ordering::Relaxed);
        if port >= END {
            bail!("no free port below {END}");
        }
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if TcpListener::bind(address).is_ok() {
            return Ok(address);
        }
    }
}
