//! End-to-end tests of the command: the real binary, real sockets, only loopback.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test says what went wrong by panicking")]

#[path = "../support/mod.rs"]
#[allow(dead_code, unused_imports, clippy::print_stderr, reason = "each suite uses its own part")]
mod support;

mod audit;
mod batch;
mod completions;
mod context;
mod demo;
mod events;
mod exit_codes;
mod history;
mod inspect;
mod job;
mod limit;
mod list;
mod listener;
mod node;
mod output;
mod plan;
mod pty;
mod readme;
mod reload;
mod remove;
mod revoke;
mod select;
mod terminal;
mod tls;
mod token;
mod top;
mod use_cases;
mod watch;
