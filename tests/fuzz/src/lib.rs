//! Everything of connctl that reads bytes of others, each as a function that is fed hostile ones.
//!
//! A target fails by panicking: the code under test must not panic, and what it says must agree with what the
//! target knows of it.

mod agent;
// The tests in the command's file are at home in the command.
#[cfg(not(test))]
mod batch;
mod config;
mod identity;
mod selector;
mod text;

pub use agent::scratch;

/// Feeds one input.
pub type Target = fn(&[u8]);

/// Every target by its name.
pub const TARGETS: &[(&str, Target)] = &[
    ("amqp", |bytes| identity::decode("amqp", bytes)),
    ("http", |bytes| identity::decode("http:X-User", bytes)),
    ("mqtt", |bytes| identity::decode("mqtt", bytes)),
    ("mysql", |bytes| identity::decode("mysql", bytes)),
    ("nats", |bytes| identity::decode("nats", bytes)),
    ("postgres", |bytes| identity::decode("postgres", bytes)),
    ("redis", |bytes| identity::decode("redis", bytes)),
    ("tls-sni", |bytes| identity::decode("tls-sni", bytes)),
    ("wukongim", |bytes| identity::decode("wukongim", bytes)),
    ("rules", identity::all_rules),
    ("proxy", identity::proxy_header),
    ("config", config::file),
    ("selector", selector::selector),
    ("units", text::units),
    ("addresses", text::addresses),
    ("bodies", text::bodies),
    #[cfg(not(test))]
    ("batch", batch::file),
    ("control", agent::control),
    ("wire", agent::wire),
];
