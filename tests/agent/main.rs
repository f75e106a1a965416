//! End-to-end tests of the agent: the real binary, real sockets, only loopback.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test says what went wrong by panicking")]

#[path = "../support/mod.rs"]
#[allow(dead_code, unused_imports, clippy::print_stderr, reason = "each suite uses its own part")]
mod support;

mod audit;
mod bad_input;
mod bad_start;
mod browser;
mod churn;
mod close_kinds;
mod dial;
mod documents;
mod events;
mod facade_heynats;
mod facade_scassandra;
mod facade_simulacron;
mod facade_wukongim;
mod faults;
mod floors;
mod half_close;
mod health;
mod history;
mod identity;
mod instruments;
mod jobs;
mod kick_notice;
mod limits;
mod listener_gate;
mod log_lines;
mod memory;
mod metrics;
mod mixed;
mod nats_session;
mod nkey;
mod once_only;
mod plans;
mod policy;
mod proxy_protocol;
mod real_clients;
mod real_identities;
mod reconnect;
mod relay;
mod reload;
mod restart;
mod revoke;
mod service_manager;
mod tls;
mod trust;
mod v1;
mod withdrawn;
