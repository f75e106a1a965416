//! The sets of connections that facades ask for, and acting on them. Those systems know connections that
//! clients opened: one that the agent itself opened (`outbound`) is in no set.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use connctl_api::operation::{DEFAULT_GRACE_MS, Item, OperationKind, SideChoice};

use crate::ops::operation::Operation;
use crate::ops::{self, Node};
use crate::registry::Conn;

/// Every connection, by id.
pub(super) async fn all(node: &Node) -> Vec<Arc<Conn>> {
    matching(node, "all").await
}

/// The connections of a client at one of these addresses, and with this port where one is given.
pub(super) async fn of_client(node: &Node, ips: &[IpAddr], port: Option<u16>) -> Vec<Arc<Conn>> {
    if ips.is_empty() {
        return Vec::new();
    }
    let ips: Vec<_> = ips.iter().map(ToString::to_string).collect();
    let mut text = format!("ip in ({})", ips.join(", "));
    if let Some(port) = port {
        text.push_str(&format!(" and port = {port}"));
    }
    matching(node, &text).await
}

/// The connections of a client with this port, at whatever address.
pub(super) async fn of_port(node: &Node, port: u16) -> Vec<Arc<Conn>> {
    matching(node, &format!("port = {port}")).await
}

/// The connections of a user.
pub(super) async fn of_user(node: &Node, uid: &str) -> Vec<Arc<Conn>> {
    matching(node, &format!("uid = {}", quoted(uid))).await
}

/// One connection by its number, where there is one.
pub(super) async fn by_id(node: &Node, conn_id: u64) -> Option<Arc<Conn>> {
    matching(node, &format!("conn_id = {conn_id}")).await.into_iter().next()
}

async fn matching(node: &Node, text: &str) -> Vec<Arc<Conn>> {
    let mut conns = match ops::select::parse(text) {
        Ok(selector) => ops::select::matching(node, &selector).await,
        // A value that no connection can have: an id that is none, a name longer than a selector.
        Err(error) => {
            tracing::debug!(%error, "a facade asked for a set that cannot exist");
            Vec::new()
        }
    };
    conns.retain(|conn| conn.client().is_some());
    conns
}

fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

/// Acts on exactly these connections and returns when each has been acted on. Goes on to the end also if the
/// client that asked leaves: it cannot ask for the rest again.
pub(super) async fn operate(
    node: &Arc<Node>,
    conns: Vec<Arc<Conn>>,
    kind: OperationKind,
    side: SideChoice,
    note: &'static str,
) -> Vec<Item> {
    let grace = Duration::from_millis(DEFAULT_GRACE_MS);
    let note = Some(note.to_owned());
    let operation = Operation { kind, side, is_usual_side: false, grace, note, ..Operation::new(kind) };
    let mut run = ops::operate::run(node, conns, operation);
    let items = tokio::spawn(async move {
        let mut items = Vec::new();
        while let Some(item) = run.next().await {
            items.push(item);
        }
        items
    });
    items.await.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_cannot_leave_the_quotes() {
        assert_eq!(quoted("u1"), "\"u1\"");
        assert_eq!(quoted("a\" or uid != \"b\\"), r#""a\" or uid != \"b\\""#);
    }
}
