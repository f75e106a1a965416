//! From an error of the kernel to the reason a connection ended.

use connctl_api::end::Reason;
use rustix::io::Errno;

/// The reason that an error of an established socket, or of a dial, stands for.
pub fn reason(error: Errno) -> Reason {
    match error {
        // A write after the peer's RST was already told fails with EPIPE: the same event, seen later.
        Errno::CONNRESET | Errno::PIPE | Errno::CONNABORTED => Reason::Econnreset,
        Errno::TIMEDOUT => Reason::Etimedout,
        Errno::CONNREFUSED => Reason::Econnrefused,
        Errno::HOSTUNREACH | Errno::NETUNREACH | Errno::HOSTDOWN | Errno::NETDOWN => Reason::Ehostunreach,
        Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM | Errno::ADDRNOTAVAIL => Reason::Resource,
        _ => Reason::SocketError,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_their_reason() {
        assert_eq!(reason(Errno::PIPE), Reason::Econnreset);
        assert_eq!(reason(Errno::NETUNREACH), Reason::Ehostunreach);
        assert_eq!(reason(Errno::MFILE), Reason::Resource);
        assert_eq!(reason(Errno::INVAL), Reason::SocketError);
    }
}
