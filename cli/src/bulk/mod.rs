//! What verbs that change many connections share.

pub mod batch;
pub mod confirm;
pub mod progress;
pub mod report;
