//! Scopes: `cluster[/data centre[/node]]`, each by its id or its name.

use connctl_api::listener::ListenerRow;

use super::Fault;
use crate::control::facade::params::decode;

/// The id of the one cluster that there is.
pub(super) const CLUSTER_ID: u64 = 0;
/// Its name.
pub(super) const CLUSTER_NAME: &str = "connctl";

/// The name of the node in each data centre.
pub(super) fn node_name(node_id: u64) -> String {
    format!("node{node_id}")
}

/// Which listeners a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// All.
    Cluster,
    /// The one at this place. The one node in it is the same.
    DataCenter(usize),
}

impl Scope {
    /// Reads the path after the verb.
    pub(super) fn parse(path: &str, rows: &[ListenerRow], node_id: u64) -> Result<Self, Fault> {
        let path = path.strip_suffix('/').unwrap_or(path);
        let mut parts = path.split('/').map(decode);
        let cluster_part = parts.next().unwrap_or_default();
        let (center, node, rest) = (parts.next(), parts.next(), parts.next());
        if rest.is_some() {
            return Err(Fault::missing(format!(
                "Not found: {path} has more than a cluster, a data center and a node"
            )));
        }
        cluster(&cluster_part)?;
        let Some(center) = center else { return Ok(Self::Cluster) };
        // An id comes before a name: a listener may be named by its port.
        let by_id = rows.iter().enumerate().position(|(index, _)| index.to_string() == center);
        let index = by_id.or_else(|| rows.iter().position(|row| row.name == center)).ok_or_else(|| {
            Fault::missing(format!("No datacenter registered with id {cluster_part}/{center}"))
        })?;
        let address = rows.get(index).map(|row| row.bind.as_str());
        let is_ours = |node: &String| {
            *node == node_id.to_string() || *node == node_name(node_id) || Some(node.as_str()) == address
        };
        match node {
            Some(node) if !is_ours(&node) => {
                Err(Fault::missing(format!("No node registered with id {CLUSTER_ID}/{index}/{node}")))
            }
            _ => Ok(Self::DataCenter(index)),
        }
    }

    /// Whether the listener at this place belongs to it.
    pub(super) fn includes(self, index: usize) -> bool {
        match self {
            Self::Cluster => true,
            Self::DataCenter(one) => one == index,
        }
    }
}

/// Whether this is the cluster's id or name. A number is only ever an id.
pub(super) fn cluster(text: &str) -> Result<(), Fault> {
    let is_ours = match text.parse::<i64>() {
        Ok(id) => u64::try_from(id) == Ok(CLUSTER_ID),
        Err(_) => text == CLUSTER_NAME,
    };
    if is_ours { Ok(()) } else { Err(Fault::missing(format!("No cluster registered with id {text}"))) }
}

#[cfg(test)]
pub(super) fn row(name: &str, bind: &str) -> ListenerRow {
    ListenerRow {
        name: name.into(),
        mode: connctl_api::conn::Mode::Echo,
        bind: bind.into(),
        upstream: None,
        accepting: true,
        after: None,
        reject_mode: connctl_api::listener::RejectMode::Refuse,
        draining: false,
        connections: 2,
        accepted: 0,
        rejected: 0,
        upstreams: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_ids_or_names() {
        let rows = [row("redis", "127.0.0.1:1"), row("5432", "127.0.0.1:2")];
        let parse = |path| Scope::parse(path, &rows, 7);
        for all in ["0", "connctl", "0/"] {
            assert_eq!(parse(all), Ok(Scope::Cluster), "{all}");
        }
        for first in ["0/0", "0/redis", "connctl/redis", "0/0/7", "0/redis/127.0.0.1:1", "0/0/node7/"] {
            assert_eq!(parse(first), Ok(Scope::DataCenter(0)), "{first}");
        }
        assert_eq!(parse("0/5432"), Ok(Scope::DataCenter(1)));
        for (path, message) in [
            ("1", "No cluster registered with id 1"),
            ("other", "No cluster registered with id other"),
            ("connctl/9", "No datacenter registered with id connctl/9"),
            ("0/pg", "No datacenter registered with id 0/pg"),
            ("connctl/redis/3", "No node registered with id 0/0/3"),
        ] {
            assert_eq!(parse(path), Err(Fault::missing(message)), "{path}");
        }
        assert_eq!(parse("0/0/7/127.0.0.1/1").unwrap_err().status_code, 404);
        assert_eq!(parse("").unwrap_err().status_code, 404);
    }
}
