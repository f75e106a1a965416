//! Everything of connctl that reads bytes of others, each as a function that is fed hostile ones.
//!
//! A target fails by panicking: the code under test must not panic, and what it says must agree with what the
//! target knows of it.

mod agent;
mod asked;
mod audit;
// The tests in the command's file are at home in the command.
#[cfg(not(test))]
mod batch;
mod client;
mod config;
mod identity;
mod input;
mod login;
mod nats;
mod pem;
#[cfg(not(test))]
mod secrets;
mod selector;
mod state;
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
    ("nats-session", nats::session),
    ("nats-lines", nats::lines),
    ("nats-login", login::server),
    ("audit-lines", audit::lines),
    ("audit-files", audit::files),
    ("state", state::files),
    ("history", state::history),
    ("history-file", state::history_file),
    ("pem", pem::files),
    #[cfg(not(test))]
    ("subject", secrets::subject),
    #[cfg(not(test))]
    ("secrets", secrets::token),
    #[cfg(not(test))]
    ("cookies", secrets::cookies),
    ("client", client::answers),
    ("token", asked::token),
    ("cursor", asked::cursor),
    ("control", agent::control),
    ("wire", agent::wire),
];
