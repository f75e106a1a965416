//! Floor 1: the clock, the inbox of a thread, the state directory.
pub mod clock;
pub mod inbox;
pub mod log;
pub mod state_dir;
