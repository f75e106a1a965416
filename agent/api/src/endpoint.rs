//! Where an agent is found when nobody says.

use std::path::PathBuf;

/// The control socket's place below the directory for run-time files.
const SOCKET: &str = "connctl/agent.sock";

/// The default control socket: below `/run` for root, else below `$XDG_RUNTIME_DIR`, else in a directory
/// of the user's own below the directory for temporary files.
pub fn default_socket() -> PathBuf {
    let runtime = || runtime_dir().unwrap_or_else(|| PathBuf::from("/run"));
    temporary_dir().unwrap_or_else(runtime).join(SOCKET)
}

/// The user's own directory below the one for temporary files, if that is where the default socket is. Anybody
/// could have made it: whoever uses it looks first whose it is, by [`is_own`].
pub fn temporary_dir() -> Option<PathBuf> {
    let uid = rustix::process::getuid();
    (!uid.is_root() && runtime_dir().is_none())
        .then(|| std::env::temp_dir().join(format!("user-{}", uid.as_raw())))
}

/// `$XDG_RUNTIME_DIR`, which root does not need.
fn runtime_dir() -> Option<PathBuf> {
    let dir = std::env::var_os("XDG_RUNTIME_DIR").filter(|dir| !dir.is_empty())?;
    (!rustix::process::getuid().is_root()).then(|| PathBuf::from(dir))
}

/// Whether a directory of this owner and mode is the user's, and nobody else can put anything there.
pub fn is_own(owner: u32, mode: u32) -> bool {
    owner == rustix::process::getuid().as_raw() && mode & 0o022 == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_of_somebody_else_or_open_to_others_is_not_ones_own() {
        let own = rustix::process::getuid().as_raw();
        assert!(is_own(own, 0o40700) && is_own(own, 0o40755));
        assert!(!is_own(own + 1, 0o40700), "somebody else's");
        assert!(!is_own(own, 0o40777) && !is_own(own, 0o41777) && !is_own(own, 0o40770));
    }
}
