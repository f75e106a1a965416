//! Floor 1: settings, read from a file and flags and checked as a whole before anything uses them.

pub mod address;
pub mod audit;
pub mod check;
pub mod diff;
pub mod file;
pub mod health;
pub mod identity;
pub mod keys;
mod mistake;
pub mod policy;
pub mod reconnect;
pub mod record;
pub mod settings;
pub mod tls;
pub mod trust;
pub mod value;
pub mod words;
pub mod x509;

pub use address::{Control, Upstream};
pub use health::HealthRules;
pub use keys::Keys;
pub use policy::{Limits, Policies, Timeouts};
pub use reconnect::Reconnection;
pub use record::RecordSettings;
pub use settings::{Bind, Keepalive, ListenerSettings, OutboundSettings, Settings};
pub use words::{Compat, KeepAlive, OnOver, Reconnect, Unhealthy};
