//! What a selector compares: the value of a field.

use std::net::{IpAddr, SocketAddr};

/// A field's value. A comparison with a value of another kind than the field's never holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// Not known, or there is none.
    Missing,
    /// Text, or one of a field's words.
    Text(&'a str),
    /// An id, a count, a port.
    Int(u64),
    /// A percentage, or bytes per second. NaN compares with nothing.
    Float(f64),
    /// Microseconds.
    Duration(u64),
    /// Bytes.
    Size(u64),
    /// An address; IPv4 in IPv6 clothes is taken for IPv4.
    Ip(IpAddr),
    /// An address and a port; likewise.
    Address(SocketAddr),
    /// Unix milliseconds.
    Time(i64),
    /// Yes or no.
    Bool(bool),
}
