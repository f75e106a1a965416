//! Floor 2: sockets as the kernel has them. All unsafe code of the agent is in this room.

pub mod close;
pub mod connect;
pub mod errno;
pub mod handed;
pub mod listen;
pub mod options;
pub mod pipes;
pub mod poll;
pub mod tcp_info;
