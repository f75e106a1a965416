//! Floor 1: settings, read from a file and flags and checked as a whole before anything uses them.

pub mod audit;
pub mod check;
pub mod diff;
pub mod file;
pub mod health;
pub mod identity;
pub mod keys;
pub mod policy;
pub mod reconnect;
pub mod record;
pub mod settings;
pub mod tls;
pub mod trust;

pub use health::{HealthRules, Unhealthy};
pub use keys::Keys;
pub use policy::{KeepAlive, Limits, OnOver, Policies, Timeouts};
pub use reconnect::{Reconnect, Reconnection};
pub use record::RecordSettings;
pub use settings::{
    Bind, Compat, Control, Keepalive, ListenerSettings, OutboundSettings, Settings, Upstream,
};
