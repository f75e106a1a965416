//! The words connctl and its agent share: ids, rows, operations, reasons, selectors, error codes and
//! routes, and (feature `client`) a typed HTTP client.
//!
//! Requests refuse unknown fields, so that a typo is an error that names the field. Answers tolerate
//! them, so that an older command reads a newer agent. Nothing here touches a socket, a file or a clock,
//! the `client` feature apart.
#![warn(missing_docs)]

pub mod access;
pub mod audit;
#[cfg(feature = "client")]
pub mod client;
pub mod conn;
pub mod drain;
pub mod end;
pub mod endpoint;
pub mod error;
pub mod event;
pub mod history;
pub mod id;
pub mod instant;
pub mod job;
pub mod limit;
pub mod listener;
pub mod node;
pub mod operation;
pub mod pace;
pub mod plan;
pub mod reload;
pub mod revocation;
pub mod route;
pub mod selector;
mod side;
pub mod stats;
pub mod units;
pub mod wait;
mod words;
