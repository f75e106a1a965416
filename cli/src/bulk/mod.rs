//! What verbs that change many connections share.

pub(crate) mod batch;
pub(crate) mod confirm;
pub(crate) mod follow;
pub(crate) mod pace;
pub(crate) mod progress;
pub(crate) mod report;
