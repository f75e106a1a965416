//! Floor 3: what happened.
pub mod stats;
