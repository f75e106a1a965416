//! The keys of the policies: one table, for the file and for changes while the agent runs.

use anyhow::bail;
use connctl_api::limit::LimitValue;

use super::file;
use super::value::{Kind, Size, Span};
use super::words::{KeepAlive, OnOver, Unhealthy};

/// Defines the table: the keys, and the kind of value of each.
macro_rules! keys {
    ($($(#[$doc:meta])* $name:ident: $kind:ty),+ $(,)?) => {
        /// Policies as they are asked for. Absent keys leave what is below: the file, then the default.
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct Keys { $($(#[$doc])* pub $name: Option<$kind>),+ }

        impl Keys {
            /// Their names, in the order in which they are listed.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name)),+];

            /// What a `[[listener]]` table says.
            pub const fn of(listener: &file::Listener) -> Self {
                Self { $($name: listener.$name),+ }
            }

            /// These, and for absent keys those of `below`.
            #[must_use]
            pub fn over(&self, below: &Self) -> Self {
                Self { $($name: self.$name.or(below.$name)),+ }
            }

            /// Sets a key.
            ///
            /// # Errors
            /// A name that is no key, with the nearest; a value that is none of the key's.
            pub fn set(&mut self, name: &str, value: &LimitValue) -> anyhow::Result<()> {
                match name {
                    $(stringify!($name) => self.$name = Some(read(name, value)?),)+
                    _ => bail!(unknown(name)),
                }
                Ok(())
            }

            /// Forgets a key.
            ///
            /// # Errors
            /// A name that is no key, with the nearest.
            pub fn unset(&mut self, name: &str) -> anyhow::Result<()> {
                match name {
                    $(stringify!($name) => self.$name = None,)+
                    _ => bail!(unknown(name)),
                }
                Ok(())
            }

            /// The value of a key, where there is one.
            pub fn get(&self, name: &str) -> Option<LimitValue> {
                match name {
                    $(stringify!($name) => self.$name.map(Kind::shown),)+
                    _ => None,
                }
            }
        }
    };
}

keys! {
    /// How long a connection may be without a byte.
    idle_timeout: Span,
    /// How much later than that it may be ended.
    idle_check_interval: Span,
    /// The class of its connections.
    keep_alive: KeepAlive,
    /// How long the client's first byte may take.
    initial_data_timeout: Span,
    /// How long a connection may last, give or take 5 %.
    max_lifetime: Span,
    /// How long a connection may be half-closed.
    half_close_linger: Span,
    /// The most connections.
    max_connections: u32,
    /// The most connections of one client address.
    max_per_ip: u32,
    /// The most connections of one client network.
    max_per_network: u32,
    /// The bits of an IPv4 address that make a network.
    network_prefix_ipv4: u32,
    /// The bits of an IPv6 address that make a network.
    network_prefix_ipv6: u32,
    /// The most connections of one user.
    max_per_uid: u32,
    /// The most connections of one device of one user.
    max_per_device: u32,
    /// The most new connections of one client address in any minute.
    connections_per_minute_per_ip: u32,
    /// What happens to one too many.
    on_over: OnOver,
    /// The most bytes that may wait for a peer of a connection.
    max_pending_bytes: Size,
    /// Which unhealthy ones are closed.
    close_unhealthy: Unhealthy,
    /// For how long they must be so.
    unhealthy_after: Span,
}

/// Reads a value; the error names key, value and what is allowed.
fn read<T: Kind>(name: &str, value: &LimitValue) -> anyhow::Result<T> {
    T::read(value).map_err(|problem| anyhow::anyhow!("{name} {value}: {problem}"))
}

fn unknown(name: &str) -> String {
    let nearest = Keys::NAMES.iter().min_by_key(|known| strsim::damerau_levenshtein(known, name));
    format!("there is no key {name:?}: the nearest known one is {:?}", nearest.unwrap_or(&""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(name: &str, value: &str) -> String {
        Keys::default().set(name, &value.into()).unwrap_err().to_string()
    }

    #[test]
    fn a_wrong_value_names_key_value_and_what_is_allowed() {
        for (name, value, words) in [
            ("idle_timeout", "10x", ["idle_timeout", "10x", "10m", "none"]),
            ("idle_timeout", "5", ["idle_timeout", "5", "10m", "none"]),
            ("max_per_uid", "-1", ["max_per_uid", "-1", "from 0", "4294967295"]),
            ("max_per_uid", "many", ["max_per_uid", "many", "from 0", "4294967295"]),
            ("max_per_uid", "4294967296", ["max_per_uid", "4294967296", "from 0", "4294967295"]),
            ("max_pending_bytes", "-5", ["max_pending_bytes", "-5", "4KiB", "0"]),
            ("max_pending_bytes", "1 meg", ["max_pending_bytes", "1 meg", "4KiB", "size"]),
            ("on_over", "evict", ["on_over", "evict", "evict-oldest-activity", "reject"]),
            ("keep_alive", "0", ["keep_alive", "0", "standard", "immortal"]),
        ] {
            let said = said(name, value);
            for word in words {
                assert!(said.contains(word), "{said}");
            }
        }
        assert_eq!(
            said("max_pr_uid", "1"),
            "there is no key \"max_pr_uid\": the nearest known one is \"max_per_uid\""
        );
    }

    #[test]
    fn every_value_is_shown_as_it_can_be_written() {
        let mut keys = Keys::default();
        for (name, value) in [
            ("idle_timeout", "1h30m"),
            ("max_lifetime", "none"),
            ("keep_alive", "extended"),
            ("max_per_uid", "5"),
            ("max_pending_bytes", "1MiB"),
            ("max_pending_bytes", "0"),
            ("on_over", "evict-oldest-activity"),
            ("close_unhealthy", "unacked,stuck"),
            ("close_unhealthy", "none"),
            ("unhealthy_after", "2m"),
        ] {
            keys.set(name, &value.into()).unwrap();
            assert_eq!(keys.get(name), Some(value.into()), "{name}");
        }
    }

    #[test]
    fn what_is_above_counts_and_what_is_forgotten_is_found_below() {
        let (mut above, mut below) = (Keys::default(), Keys::default());
        below.set("max_per_ip", &LimitValue::Number(3)).unwrap();
        above.set("max_per_ip", &LimitValue::Number(7)).unwrap();
        assert_eq!(above.over(&below).max_per_ip, Some(7));
        above.unset("max_per_ip").unwrap();
        assert_eq!(above.over(&below).max_per_ip, Some(3));
        assert!(above.unset("max_per_op").is_err());
    }
}
