//! The words connctl and its agent share.

pub mod selector;
pub mod units;
