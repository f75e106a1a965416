//! What the kernel knows of a TCP socket.

use std::borrow::Cow;
use std::os::fd::{AsFd, AsRawFd};

use connctl_api::conn::{CONGESTION_STATES, TCP_STATES, TcpFacts};

/// A state of the TCP state machine, as in `net/tcp_states.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TcpState(u8);

impl TcpState {
    /// Nothing is left of the connection.
    pub const CLOSED: Self = Self(7);

    /// Its name.
    pub fn word(self) -> &'static str {
        usize::from(self.0).checked_sub(1).and_then(|at| TCP_STATES.get(at)).copied().unwrap_or("unknown")
    }

    /// Whether a FIN was sent and acknowledged.
    pub const fn is_fin_acked(self) -> bool {
        matches!(self.0, 5..=7)
    }

    /// Whether a FIN was asked for, acknowledged or not. It is on the wire when nothing is unsent before it.
    pub const fn is_fin_sent(self) -> bool {
        matches!(self.0, 4..=7 | 9 | 11)
    }

    /// Whether a hard close puts a RST on the wire.
    pub const fn can_reset(self) -> bool {
        matches!(self.0, 1 | 3 | 4 | 5 | 8)
    }

    /// Whether nothing is left of the connection.
    pub const fn is_closed(self) -> bool {
        self.0 == 7
    }
}

fn tcp_info(fd: &impl AsFd) -> Option<libc::tcp_info> {
    // SAFETY: `tcp_info` is plain integers, for which all zero bits are a value.
    #[expect(unsafe_code, reason = "no safe crate offers TCP_INFO")]
    let mut info: libc::tcp_info = unsafe { std::mem::zeroed() };
    let mut length = libc::socklen_t::try_from(size_of_val(&info)).ok()?;
    // SAFETY: the kernel writes at most `length` bytes, which is the size of `info`; the descriptor is
    // borrowed and so open. An older kernel writes less, and the rest stays zero.
    #[expect(unsafe_code, reason = "no safe crate offers TCP_INFO")]
    let answer = unsafe {
        libc::getsockopt(
            fd.as_fd().as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            std::ptr::from_mut(&mut info).cast(),
            &raw mut length,
        )
    };
    (answer == 0).then_some(info)
}

/// The state alone.
pub fn state(fd: &impl AsFd) -> TcpState {
    TcpState(tcp_info(fd).map_or(7, |info| info.tcpi_state))
}

/// The state, and bytes written that are not on the wire yet; a FIN that waits behind them counts as one.
pub fn state_and_unsent(fd: &impl AsFd) -> (TcpState, u64) {
    tcp_info(fd)
        .map_or((TcpState::CLOSED, 0), |info| (TcpState(info.tcpi_state), info.tcpi_notsent_bytes.into()))
}

/// Bytes written that the peer has not acknowledged; a FIN that was sent counts as one.
pub fn send_queue(fd: &impl AsFd) -> u64 {
    queue(fd, libc::TIOCOUTQ)
}

/// Bytes received and not read; a FIN that was received does not count.
pub fn receive_queue(fd: &impl AsFd) -> u64 {
    queue(fd, libc::FIONREAD)
}

fn queue(fd: &impl AsFd, request: libc::Ioctl) -> u64 {
    let mut bytes: libc::c_int = 0;
    // SAFETY: both requests write one int, to which the pointer points; the descriptor is borrowed.
    #[expect(unsafe_code, reason = "one ioctl for two queue lengths")]
    let answer = unsafe { libc::ioctl(fd.as_fd().as_raw_fd(), request, &raw mut bytes) };
    if answer == 0 { u64::try_from(bytes).unwrap_or(0) } else { 0 }
}

/// Everything a person may ask about.
pub fn facts(fd: &impl AsFd) -> Option<TcpFacts> {
    let info = tcp_info(fd)?;
    let congestion = CONGESTION_STATES.get(usize::from(info.tcpi_ca_state)).copied().unwrap_or("unknown");
    Some(TcpFacts {
        state: Cow::Borrowed(TcpState(info.tcpi_state).word()),
        congestion: Cow::Borrowed(congestion),
        rtt_us: info.tcpi_rtt.into(),
        rtt_var_us: info.tcpi_rttvar.into(),
        rto_us: info.tcpi_rto.into(),
        retransmits: info.tcpi_retransmits.into(),
        total_retransmits: info.tcpi_total_retrans.into(),
        send_queue_bytes: send_queue(fd),
        receive_queue_bytes: receive_queue(fd),
        congestion_window: info.tcpi_snd_cwnd.into(),
        mss_bytes: info.tcpi_snd_mss.into(),
        acked_bytes: info.tcpi_bytes_acked,
        received_bytes: info.tcpi_bytes_received,
        last_sent_ms: info.tcpi_last_data_sent.into(),
        last_received_ms: info.tcpi_last_data_recv.into(),
        last_acked_ms: info.tcpi_last_ack_recv.into(),
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn the_kernel_tells_states_and_queues() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        client.write_all(b"hello").unwrap();
        assert_eq!(state(&server).word(), "established");
        assert_eq!(receive_queue(&server), 5);
        assert!(facts(&server).unwrap().received_bytes >= 5);
        client.shutdown(std::net::Shutdown::Write).unwrap();
        assert!(state(&client).is_fin_sent());
        assert!(state(&server).can_reset());
        drop(listener);
    }
}
