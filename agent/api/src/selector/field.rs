//! The one table of fields. The parser, `connctl list --fields`, column titles, sort keys and the reference
//! are all made from it or compared with it.

use std::fmt;

use super::value::Value;
use crate::conn::{CONGESTION_STATES, Health, Mode, State, TCP_STATES};
use crate::end::Initiator;
use crate::id::MAX_ID;
use crate::units;

/// What a field holds: decides which literals and operators it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An id, from 1 to 2^53-1. A [`Value::Int`].
    Id,
    /// A count. A [`Value::Int`].
    Int,
    /// A port number. A [`Value::Int`].
    Port,
    /// Any text. A [`Value::Text`].
    Text,
    /// One of these words. A [`Value::Text`].
    Enum(&'static [&'static str]),
    /// A length of time. A [`Value::Duration`], in microseconds.
    Duration,
    /// A number of bytes. A [`Value::Size`].
    Size,
    /// Bytes per second. A [`Value::Float`].
    Rate,
    /// From 0 to 100. A [`Value::Float`].
    Percent,
    /// An IP address. A [`Value::Ip`].
    Ip,
    /// An IP address and a port. A [`Value::Address`].
    Address,
    /// An instant. A [`Value::Time`], in Unix milliseconds.
    Time,
    /// Yes or no. A [`Value::Bool`].
    Bool,
}

impl Kind {
    /// The kind's name in listings: `duration`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Int => "integer",
            Self::Port => "port",
            Self::Text => "text",
            Self::Enum(_) => "word",
            Self::Duration => "duration",
            Self::Size => "size",
            Self::Rate => "rate",
            Self::Percent => "percentage",
            Self::Ip => "ip",
            Self::Address => "address",
            Self::Time => "time",
            Self::Bool => "boolean",
        }
    }

    /// What a literal of this kind looks like, for messages: `a duration such as 10m`.
    pub fn expected(self) -> String {
        match self {
            Self::Id => format!("an id from 1 to {MAX_ID}"),
            Self::Int => "an integer from 0".to_owned(),
            Self::Port => "a port from 0 to 65535".to_owned(),
            Self::Text => "text, in quotes if it is more than one plain word".to_owned(),
            Self::Enum(words) => format!("one of {}", words.join(", ")),
            Self::Duration => units::DURATION_FORM.to_owned(),
            Self::Size => units::SIZE_FORM.to_owned(),
            Self::Rate => units::BYTE_RATE_FORM.to_owned(),
            Self::Percent => units::PERCENT_FORM.to_owned(),
            Self::Ip => "an IP address such as 10.0.0.1 or 2001:db8::1".to_owned(),
            Self::Address => "an address and port such as 10.0.0.1:5432 or [2001:db8::1]:5432".to_owned(),
            Self::Time => "a time such as 2026-11-21T12:00:00Z".to_owned(),
            Self::Bool => "true or false".to_owned(),
        }
    }

    /// Is this a value that a field of this kind may have? Missing always is. A comparison with any other
    /// value never holds, so tests of a [`Subject`](super::Subject) should check theirs with this.
    pub fn admits(self, value: &Value<'_>) -> bool {
        match value {
            Value::Missing => true,
            Value::Text(word) => match self {
                Self::Enum(words) => words.contains(word),
                kind => kind == Self::Text,
            },
            Value::Int(_) => matches!(self, Self::Id | Self::Int | Self::Port),
            Value::Float(value) => matches!(self, Self::Rate | Self::Percent) && value.is_finite(),
            Value::Duration(_) => self == Self::Duration,
            Value::Size(_) => self == Self::Size,
            Value::Ip(_) => self == Self::Ip,
            Value::Address(_) => self == Self::Address,
            Value::Time(_) => self == Self::Time,
            Value::Bool(_) => self == Self::Bool,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldInfo {
    /// The name in selectors, on the wire, in `--columns` and `--sort`.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// May a listing be sorted by it?
    pub sortable: bool,
    /// The title of its column.
    pub title: &'static str,
    /// What it means, one line.
    pub meaning: &'static str,
    /// Does the answer come from the kernel (TCP_INFO), at a cost per connection?
    pub needs_kernel: bool,
}

const STATES: &[&str] = State::WORDS;
const MODES: &[&str] = Mode::WORDS;
const INITIATORS: &[&str] = Initiator::WORDS;
const HEALTH: &[&str] = Health::WORDS;

/// Makes the enum and its table from one list, so that neither can miss a row.
macro_rules! fields {
    ($($variant:ident $name:literal $kind:expr, $source:ident, $sort:ident, $title:literal, $meaning:literal;)*) => {
        /// A field of a connection. One row of the table each; [`Field::info`] has the rest.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Field {
            $(#[doc = $meaning] $variant,)*
        }

        impl Field {
            /// Every field, in the order of listings.
            pub const ALL: &'static [Field] = &[$(Field::$variant,)*];
        }

        const TABLE: &[FieldInfo] = &[$(FieldInfo {
            name: $name,
            kind: $kind,
            sortable: fields!(@sort $sort),
            title: $title,
            meaning: $meaning,
            needs_kernel: fields!(@source $source),
        },)*];
    };
    (@sort sortable) => { true };
    (@sort unsortable) => { false };
    (@source agent) => { false };
    (@source kernel) => { true };
}

fields! {
    ConnId "conn_id" Kind::Id, agent, sortable, "CONN", "the connection's id, never used twice on a node";
    NodeId "node_id" Kind::Id, agent, sortable, "NODE", "the node that holds the connection";
    Uid "uid" Kind::Text, agent, sortable, "UID", "who it belongs to, as identified or assigned";
    Device "device" Kind::Text, agent, sortable, "DEVICE", "the kind of device it comes from";
    Tag "tag.KEY" Kind::Text, agent, unsortable, "TAGS", "the tag named KEY; other keys in quotes, tag.\"my key\"";
    Identified "identified" Kind::Bool, agent, sortable, "IDENTIFIED", "whether a uid is known";
    Listener "listener" Kind::Text, agent, sortable, "LISTENER", "the listener that accepted it, by name";
    Mode "mode" Kind::Enum(MODES), agent, sortable, "MODE", "what its listener does with bytes";
    State "state" Kind::Enum(STATES), agent, sortable, "STATE", "where it is in its life";
    Health "health" Kind::Enum(HEALTH), kernel, sortable, "HEALTH", "what its queues and timers say about the peers";
    Thread "thread" Kind::Int, agent, sortable, "THREAD", "the agent's worker thread that owns it";
    Client "client" Kind::Address, agent, sortable, "CLIENT", "the client's address and port";
    Ip "ip" Kind::Ip, agent, sortable, "IP", "the client's address";
    Port "port" Kind::Port, agent, sortable, "PORT", "the client's port";
    Local "local" Kind::Address, agent, sortable, "LOCAL", "the agent's own address and port on the client's side";
    LocalIp "local_ip" Kind::Ip, agent, sortable, "LOCAL IP", "the agent's own address on the client's side";
    LocalPort "local_port" Kind::Port, agent, sortable, "LOCAL PORT", "the agent's own port on the client's side";
    Upstream "upstream" Kind::Address, agent, sortable, "UPSTREAM", "the upstream's address and port";
    UpstreamIp "upstream_ip" Kind::Ip, agent, sortable, "UPSTREAM IP", "the upstream's address";
    UpstreamPort "upstream_port" Kind::Port, agent, sortable, "UPSTREAM PORT", "the upstream's port";
    OpenedAt "opened_at" Kind::Time, agent, sortable, "OPENED", "when it was accepted";
    Age "age" Kind::Duration, agent, sortable, "AGE", "time since it was accepted (until its end, in the history)";
    Idle "idle" Kind::Duration, agent, sortable, "IDLE", "time since a byte went either way";
    IdlePercent "idle_percent" Kind::Percent, agent, sortable, "IDLE%", "idle as a share of age";
    Bytes "bytes" Kind::Size, agent, sortable, "BYTES", "bytes relayed, both ways together";
    ToUpstreamBytes "to_upstream_bytes" Kind::Size, agent, sortable, "TO UPSTREAM", "bytes relayed to the upstream";
    ToClientBytes "to_client_bytes" Kind::Size, agent, sortable, "TO CLIENT", "bytes relayed to the client";
    ToUpstreamRate "to_upstream_rate" Kind::Rate, agent, sortable, "UPSTREAM/S", "bytes per second over its life to the upstream";
    ToClientRate "to_client_rate" Kind::Rate, agent, sortable, "CLIENT/S", "bytes per second over its life to the client";
    PendingBytes "pending_bytes" Kind::Size, kernel, sortable, "PENDING", "bytes on their way to a peer that has not acknowledged them, both sides together";
    Initiator "initiator" Kind::Enum(INITIATORS), agent, sortable, "INITIATOR", "who began its end; missing while nobody has";
    Reason "reason" Kind::Text, agent, sortable, "REASON", "why it ended; missing while it has not";
    EndedAt "ended_at" Kind::Time, agent, sortable, "ENDED", "when it ended; missing while it has not";
    Rtt "rtt" Kind::Duration, kernel, sortable, "RTT", "smoothed round-trip time, the larger of both sides";
    Retransmits "retransmits" Kind::Int, kernel, sortable, "RETRANS", "segments sent again, both sides together";
    ClientRtt "client_rtt" Kind::Duration, kernel, sortable, "CLIENT RTT", "smoothed round-trip time to the client";
    ClientRetransmits "client_retransmits" Kind::Int, kernel, sortable, "CLIENT RETRANS", "segments sent to the client again";
    ClientSendQueue "client_send_queue" Kind::Size, kernel, sortable, "CLIENT SENDQ", "bytes in the kernel that the client has not acknowledged";
    ClientReceiveQueue "client_receive_queue" Kind::Size, kernel, sortable, "CLIENT RECVQ", "bytes from the client in the kernel, not yet read";
    ClientCongestion "client_congestion" Kind::Enum(CONGESTION_STATES), kernel, sortable, "CLIENT CONG", "congestion state of sending to the client";
    ClientTcpState "client_tcp_state" Kind::Enum(TCP_STATES), kernel, sortable, "CLIENT TCP", "TCP state of the client's socket";
    UpstreamRtt "upstream_rtt" Kind::Duration, kernel, sortable, "UPSTREAM RTT", "smoothed round-trip time to the upstream";
    UpstreamRetransmits "upstream_retransmits" Kind::Int, kernel, sortable, "UPSTREAM RETRANS", "segments sent to the upstream again";
    UpstreamSendQueue "upstream_send_queue" Kind::Size, kernel, sortable, "UPSTREAM SENDQ", "bytes in the kernel that the upstream has not acknowledged";
    UpstreamReceiveQueue "upstream_receive_queue" Kind::Size, kernel, sortable, "UPSTREAM RECVQ", "bytes from the upstream in the kernel, not yet read";
    UpstreamCongestion "upstream_congestion" Kind::Enum(CONGESTION_STATES), kernel, sortable, "UPSTREAM CONG", "congestion state of sending to the upstream";
    UpstreamTcpState "upstream_tcp_state" Kind::Enum(TCP_STATES), kernel, sortable, "UPSTREAM TCP", "TCP state of the upstream's socket";
}

/// The beginning of a tag's name.
pub(super) const TAG_PREFIX: &str = "tag.";

impl Field {
    /// This field's row of the table.
    pub fn info(self) -> &'static FieldInfo {
        // The enum and the table come from one list, so every discriminant is a place in it.
        &TABLE[self as usize]
    }

    /// The name in selectors and on the wire; `tag.KEY` for tags.
    pub fn name(self) -> &'static str {
        self.info().name
    }

    /// What it holds.
    pub fn kind(self) -> Kind {
        self.info().kind
    }

    /// The field of this exact name. `tag.` followed by any key is [`Field::Tag`].
    pub fn by_name(name: &str) -> Option<Self> {
        if name.strip_prefix(TAG_PREFIX).is_some_and(|key| !key.is_empty()) {
            return Some(Self::Tag);
        }
        Self::ALL.iter().copied().find(|field| field.name() == name)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::selector::REFERENCE;

    #[test]
    fn every_row_stands_in_its_fields_place_and_names_are_unique() {
        assert_eq!(Field::ALL.len(), TABLE.len());
        assert!(TABLE.len() >= 30);
        let mut names = HashSet::new();
        for field in Field::ALL {
            let info = field.info();
            assert_eq!(Field::by_name(info.name), Some(*field));
            assert!(names.insert(info.name), "{} twice", info.name);
            assert!(!info.meaning.is_empty() && !info.meaning.ends_with('.'), "{}", info.name);
        }
    }

    #[test]
    fn tags_are_found_under_any_key_and_unknown_names_are_not() {
        assert_eq!(Field::by_name("tag.team"), Some(Field::Tag));
        assert_eq!(Field::by_name("tag."), None);
        assert_eq!(Field::by_name("UID"), None);
        assert_eq!(Field::by_name(""), None);
    }

    #[test]
    fn the_reference_lists_the_table_row_for_row() {
        for field in Field::ALL {
            let FieldInfo { name, kind, meaning, .. } = field.info();
            let row = format!("| `{name}` | {kind} | {meaning} |");
            assert!(REFERENCE.contains(&row), "reference.md lacks the line\n{row}");
        }
    }
}
