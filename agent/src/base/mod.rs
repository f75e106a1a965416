//! Floor 1: the clock, chance, the inbox of a thread, the service manager, the state directory.
pub mod actor;
pub mod clock;
pub mod inbox;
pub mod log;
pub mod manager;
pub mod random;
pub mod state_dir;
