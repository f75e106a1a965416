//! Floor 2: the protocol of NATS between a client and its server, as a machine without sockets or a clock.
//!
//! Bytes become [`Item`]s: a line, with its payload where it has one. A [`Session`] follows both directions of
//! a connection and knows what a new server must be told, so that its client need not notice the change.

mod answers;
mod framer;
mod item;
mod session;
mod state;
mod subs;
#[cfg(test)]
mod tests;

pub use framer::{Framer, NotNats};
pub use item::{Info, Item, MAX_LINE_BYTES, Scan, Sender, Verb, scan};
pub use session::Session;
pub use state::Stage;
