//! Where an agent is found when nobody says.

use std::path::PathBuf;

/// The control socket's place below the directory for run-time files.
const SOCKET: &str = "connctl/agent.sock";

/// The default control socket: below `/run` for root, else below `$XDG_RUNTIME_DIR`, else in a directory
/// of the user's own below the directory for temporary files.
pub fn default_socket() -> PathBuf {
    let uid = rustix::process::getuid();
    let base = if uid.is_root() {
        PathBuf::from("/run")
    } else if let Some(dir) = std::env::var_os("XDG_RUNTIME_DIR").filter(|dir| !dir.is_empty()) {
        PathBuf::from(dir)
    } else {
        std::env::temp_dir().join(format!("user-{}", uid.as_raw()))
    };
    base.join(SOCKET)
}
