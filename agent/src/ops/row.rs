//! The row of a connection as JSON, written by hand: a listing writes thousands, and the general serialiser
//! takes three times as long. A test holds it against the row's type.

use std::net::SocketAddr;

use connctl_api::conn::Health;
use connctl_api::instant::Instant;

use super::Node;
use crate::registry::Conn;

/// Appends the row of a connection as one JSON line.
pub fn write_row(node: &Node, conn: &Conn, health: Option<Health>, now_ms: u64, out: &mut Vec<u8>) {
    let node_id = node.settings.node_id.get();
    write(node_id, conn, health, now_ms, out);
}

fn write(node_id: u64, conn: &Conn, health: Option<Health>, now_ms: u64, out: &mut Vec<u8>) {
    number(out, b"{\"conn_id\":", conn.id().get());
    number(out, b",\"node_id\":", node_id);
    let (client, upstream);
    {
        let labels = conn.labels();
        (client, upstream) = (conn.client_of(&labels), labels.upstream());
        optional_text(out, b",\"uid\":", labels.uid.as_deref());
        optional_text(out, b",\"device\":", labels.device.as_deref());
        out.extend_from_slice(b",\"tags\":");
        match labels.tags.as_deref() {
            None => out.extend_from_slice(b"{}"),
            Some(tags) => json(out, tags),
        }
    }
    optional_text(out, b",\"listener\":", conn.listener());
    word(out, b",\"mode\":\"", conn.origin().mode.word());
    word(out, b",\"state\":\"", conn.state().word());
    address(out, b",\"client\":", client);
    address(out, b",\"local\":", Some(conn.local()));
    address(out, b",\"upstream\":", upstream);
    out.extend_from_slice(b",\"opened_at\":\"");
    out.extend_from_slice(&Instant(conn.opened_wall_ms()).text());
    number(out, b"\",\"age_ms\":", conn.age_ms(now_ms));
    number(out, b",\"idle_ms\":", conn.idle_ms(now_ms));
    number(out, b",\"to_upstream_bytes\":", conn.to_upstream_bytes());
    number(out, b",\"to_client_bytes\":", conn.to_client_bytes());
    if let Some(health) = health {
        word(out, b",\"health\":\"", health.word());
    }
    out.extend_from_slice(b"}\n");
}

fn number(out: &mut Vec<u8>, key: &[u8], number: u64) {
    out.extend_from_slice(key);
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// A word of a fixed table, which needs no escapes.
fn word(out: &mut Vec<u8>, key: &[u8], word: &str) {
    out.extend_from_slice(key);
    out.extend_from_slice(word.as_bytes());
    out.push(b'"');
}

fn optional_text(out: &mut Vec<u8>, key: &[u8], text: Option<&str>) {
    out.extend_from_slice(key);
    match text {
        None => out.extend_from_slice(b"null"),
        Some(text) => json(out, text),
    }
}

/// Anything that needs escapes.
fn json(out: &mut Vec<u8>, value: &(impl serde::Serialize + ?Sized)) {
    let length = out.len();
    if serde_json::to_writer(&mut *out, value).is_err() {
        // Writing text into memory cannot fail; if it does, the value is unknown and the line is whole.
        out.truncate(length);
        out.extend_from_slice(b"null");
    }
}

fn address(out: &mut Vec<u8>, key: &[u8], address: Option<SocketAddr>) {
    out.extend_from_slice(key);
    match address {
        None => out.extend_from_slice(b"null"),
        Some(SocketAddr::V4(address)) => {
            // A quote, and four times what an octet has.
            let mut text = [b'"'; 1 + 4 * OCTET_BYTES];
            let mut end = 1;
            for octet in address.ip().octets() {
                let (digits, length) = OCTETS[usize::from(octet)];
                text[end..end + OCTET_BYTES].copy_from_slice(&digits);
                end += length;
            }
            text[end - 1] = b':';
            out.extend_from_slice(&text[..end]);
            out.extend_from_slice(itoa::Buffer::new().format(address.port()).as_bytes());
            out.push(b'"');
        }
        Some(address) => json(out, &address),
    }
}

/// The most bytes of an octet with its point.
const OCTET_BYTES: usize = 4;

/// Each octet's digits with the point after them, and how many bytes these are: copied as a whole, which takes a
/// third of what it takes to print them one by one.
static OCTETS: [([u8; OCTET_BYTES], usize); 256] = octets();

const fn octets() -> [([u8; OCTET_BYTES], usize); 256] {
    let mut table = [([b'.'; OCTET_BYTES], 0); 256];
    let mut octet = 0;
    loop {
        let (hundreds, tens, ones) = (b'0' + octet / 100, b'0' + octet / 10 % 10, b'0' + octet % 10);
        table[octet as usize] = match octet {
            0..10 => ([ones, b'.', b'.', b'.'], 2),
            10..100 => ([tens, ones, b'.', b'.'], 3),
            100.. => ([hundreds, tens, ones, b'.'], 4),
        };
        if octet == u8::MAX {
            return table;
        }
        octet += 1;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use connctl_api::conn::{ConnRow, Mode};
    use connctl_api::id::ConnId;
    use proptest::prelude::*;

    use super::*;
    use crate::registry::conn::{Birth, Origin};

    fn addresses() -> impl Strategy<Value = SocketAddr> {
        any::<(std::net::IpAddr, u16)>().prop_map(SocketAddr::from)
    }

    #[test]
    fn every_octet_is_printed_as_it_is() {
        for octet in 0..=u8::MAX {
            let mut out = Vec::new();
            address(&mut out, b"", Some(SocketAddr::from(([octet, 0, 10, octet], 65_535))));
            assert_eq!(String::from_utf8(out), Ok(format!("\"{octet}.0.10.{octet}:65535\"")));
        }
    }

    proptest! {
        #[test]
        fn is_what_the_rows_type_says(
            peer in addresses(), local in addresses(), upstream in prop::option::of(addresses()),
            uid in prop::option::of(".*"), device in prop::option::of(".*"),
            tags in prop::collection::btree_map(".*", ".*", 0..3), bytes in 0u64..1 << 50,
            health in prop::option::of(prop::sample::select(Health::ALL)),
        ) {
            let conn = Conn::new(Birth {
                id: ConnId::new(12).unwrap(),
                origin: Arc::new(Origin::new("redis", Mode::Forward, 0)),
                peer, local, wall_ms: 1_795_262_400_123, now_ms: 5, thread: 0,
            });
            conn.add_to_upstream(bytes, 7);
            conn.set_upstream(upstream);
            {
                let mut labels = conn.labels();
                labels.uid = uid.clone().map(Box::from);
                labels.device = device.clone().map(Box::from);
                labels.tags = (!tags.is_empty()).then(|| Box::new(tags.clone()));
            }
            let mut line = Vec::new();
            write(1, &conn, health, 10, &mut line);
            let row: ConnRow<'_> = serde_json::from_slice(&line).unwrap();
            let mut again = serde_json::to_vec(&row).unwrap();
            again.push(b'\n');
            prop_assert_eq!(String::from_utf8(line), String::from_utf8(again));
            prop_assert_eq!(row.health, health);
            prop_assert_eq!(row.uid.as_deref(), uid.as_deref());
            prop_assert_eq!(row.device.as_deref(), device.as_deref());
            prop_assert_eq!(row.tags.into_owned(), tags);
            prop_assert_eq!((row.client, row.local, row.upstream), (Some(peer), Some(local), upstream));
            prop_assert_eq!((row.to_upstream_bytes, row.age_ms, row.idle_ms), (bytes, 5, 3));
        }
    }
}
