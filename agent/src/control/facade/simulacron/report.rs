//! Reports of connections and of the topology, in the forms of this system. Nothing is added to them: its
//! clients refuse fields that they do not know.

use std::collections::BTreeMap;
use std::sync::Arc;

use connctl_api::listener::ListenerRow;
use serde::Serialize;

use super::scope::{CLUSTER_ID, CLUSTER_NAME, node_name};
use crate::control::facade::address;
use crate::registry::Conn;

/// Whether a connection is of this listener. Its name tells: the place among all moves when another goes.
pub(super) fn is_of(conn: &Conn, listener: &ListenerRow) -> bool {
    *conn.origin().name == *listener.name
}

/// Who is connected, by data centre and node.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    id: u64,
    data_centers: Vec<CenterReport>,
}

#[derive(Debug, Serialize)]
struct CenterReport {
    id: usize,
    nodes: [NodeReport; 1],
}

#[derive(Debug, Serialize)]
struct NodeReport {
    id: u64,
    connections: Vec<String>,
    address: String,
}

impl Report {
    /// A report on the listeners at the places that `includes`, with those of the connections that are theirs.
    pub(super) fn new(
        rows: &[ListenerRow],
        includes: impl Fn(usize) -> bool,
        conns: &[Arc<Conn>],
        node_id: u64,
    ) -> Self {
        let mut clients: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for conn in conns {
            let client = conn.client().map(|client| address::canonical(client).to_string());
            clients.entry(&conn.origin().name).or_default().extend(client);
        }
        let centers = rows.iter().enumerate().filter(|(index, _)| includes(*index)).map(|(id, row)| {
            let connections = clients.remove(row.name.as_str()).unwrap_or_default();
            CenterReport { id, nodes: [NodeReport { id: node_id, connections, address: row.bind.clone() }] }
        });
        Self { id: CLUSTER_ID, data_centers: centers.collect() }
    }
}

/// What there is, with the number of connections at each level.
#[derive(Debug, Serialize)]
pub(super) struct Topology {
    id: u64,
    name: &'static str,
    data_centers: Vec<Center>,
    active_connections: u64,
}

#[derive(Debug, Serialize)]
struct Center {
    id: usize,
    name: String,
    nodes: [OneNode; 1],
    active_connections: u64,
}

#[derive(Debug, Serialize)]
struct OneNode {
    id: u64,
    name: String,
    address: String,
    active_connections: u64,
}

impl Topology {
    /// The cluster with the listeners at the places that `includes`.
    pub(super) fn new(rows: &[ListenerRow], includes: impl Fn(usize) -> bool, node_id: u64) -> Self {
        let centers = rows.iter().enumerate().filter(|(index, _)| includes(*index)).map(|(id, row)| Center {
            id,
            name: row.name.clone(),
            nodes: [OneNode {
                id: node_id,
                name: node_name(node_id),
                address: row.bind.clone(),
                active_connections: row.connections,
            }],
            active_connections: row.connections,
        });
        let data_centers: Vec<_> = centers.collect();
        let active_connections = data_centers.iter().map(|center| center.active_connections).sum();
        Self { id: CLUSTER_ID, name: CLUSTER_NAME, data_centers, active_connections }
    }
}

#[cfg(test)]
mod tests {
    use super::super::scope::row;
    use super::*;

    #[test]
    fn reports_have_the_form_of_the_original() {
        let rows = [row("a", "127.0.0.1:1"), row("b", "127.0.0.1:2")];
        let report = serde_json::to_string(&Report::new(&rows, |index| index == 1, &[], 7)).unwrap();
        let nodes = r#"[{"id":7,"connections":[],"address":"127.0.0.1:2"}]"#;
        assert_eq!(report, format!(r#"{{"id":0,"data_centers":[{{"id":1,"nodes":{nodes}}}]}}"#));
        let topology = serde_json::to_value(Topology::new(&rows, |_| true, 7)).unwrap();
        assert_eq!(topology["active_connections"], 4);
        assert_eq!(topology["data_centers"][1]["name"], "b");
        assert_eq!(topology["data_centers"][1]["nodes"][0]["active_connections"], 2);
    }
}
