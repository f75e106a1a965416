//! The control API over TLS, on real sockets: who is let in, who is not, and whom that holds up.
mod crowd;
mod names;
mod reload;
mod start;
mod wire;
