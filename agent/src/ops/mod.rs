//! Floor 8: what can be asked of connections and listeners. The control API and every facade call these
//! functions and nothing below them.

pub mod assign;
pub mod audit;
pub mod drain;
pub mod events;
pub mod farewell;
pub mod freeze;
pub mod gate;
mod guard;
mod health;
pub mod history;
pub mod job;
pub mod limit;
pub mod list;
pub mod metrics;
pub mod node;
pub mod operate;
pub mod operation;
pub mod pace;
mod past;
pub mod plan;
pub mod reload;
pub mod revoke;
mod row;
mod seen;
pub mod select;
pub mod session;
pub mod show;
pub mod source;
pub mod stats;
pub mod stop;
pub mod threads;
pub mod trust;
pub mod wait;
pub mod why;

pub use node::{Node, Parts};
