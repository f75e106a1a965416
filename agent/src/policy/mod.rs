//! Floor 5: may it come in, and may it stay.

pub mod admission;
pub mod book;
pub mod evict;
pub mod health;
pub mod revoke;
pub mod timeouts;
