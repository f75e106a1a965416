//! The two sides of a connection.

use crate::words::words;

words!(
    /// One of the two sockets of a connection.
    Side {
        /// The socket the agent accepted.
        Client = "client",
        /// The socket the agent opened.
        Upstream = "upstream",
    }
);
