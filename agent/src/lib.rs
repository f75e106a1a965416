//! The agent that holds live connections.
