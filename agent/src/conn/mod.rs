//! Floor 4: the life of a connection, without its sockets: how it is acted on and how it ends.

pub mod command;
pub mod finish;
pub mod tell;
