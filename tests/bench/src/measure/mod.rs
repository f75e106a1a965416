//! What is read off the machine, and the arithmetic on it.

pub(crate) mod affinity;
pub(crate) mod cpu;
pub(crate) mod latency;
pub(crate) mod memory;
pub(crate) mod program;
pub(crate) mod spare;
pub(crate) mod statistics;
