//! The connctl command.
