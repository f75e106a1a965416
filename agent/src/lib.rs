//! The agent that holds live connections: listeners, the relay, and the control API.
//!
//! The modules are floors, and a module uses its own and lower ones only:
//! 10 [`args`] [`agent`] · 9 [`control`] · 8 [`ops`] · 7 [`listener`] [`outbound`] · 6 [`relay`] ·
//! 5 [`identity`] [`policy`] · 4 [`conn`] ·
//! 3 [`registry`] [`record`] · 2 [`net`] [`nats`] · 1 [`base`] [`config`] · 0 the crate `connctl-api`.

pub mod agent;
pub mod args;
pub mod base;
pub mod config;
pub mod conn;
pub mod control;
pub mod identity;
pub mod listener;
pub mod nats;
pub mod net;
pub mod ops;
pub mod outbound;
pub mod policy;
pub mod record;
pub mod registry;
pub mod relay;

pub use agent::run;
