//! Counts of endings and of live connections.

use std::collections::BTreeMap;

use connctl_api::error::{ApiError, ErrorCode};
use connctl_api::stats::{GroupCount, ReasonCount, StatsBy};

use super::Node;

/// How often connections ended for which reason, by side.
///
/// # Errors
/// `denied` to someone with a scope: endings are counted for the agent as a whole.
pub fn by_reason(node: &Node) -> Result<Vec<ReasonCount>, ApiError> {
    if let Some(scope) = &node.scope {
        let message = format!("endings are counted for the whole agent, and the caller's scope is {scope}");
        return Err(ApiError::new(ErrorCode::Denied, message).field("by"));
    }
    Ok(node.stats.by_reason())
}

/// Live connections and their bytes by user, address, listener or device, most connections first.
pub fn by_group(node: &Node, by: StatsBy) -> Vec<GroupCount> {
    let mut groups: BTreeMap<Option<String>, GroupCount> = BTreeMap::new();
    for conn in node.registry.all() {
        let value = match by {
            StatsBy::Uid => conn.labels().uid.as_deref().map(str::to_owned),
            StatsBy::Device => conn.labels().device.as_deref().map(str::to_owned),
            StatsBy::Ip => conn.client().map(|client| client.ip().to_canonical().to_string()),
            StatsBy::Listener => conn.listener().map(str::to_owned),
            StatsBy::Reason => None,
        };
        let group = groups.entry(value.clone()).or_insert(GroupCount {
            value,
            connections: 0,
            to_upstream_bytes: 0,
            to_client_bytes: 0,
        });
        group.connections += 1;
        group.to_upstream_bytes += conn.to_upstream_bytes();
        group.to_client_bytes += conn.to_client_bytes();
    }
    let mut rows: Vec<_> = groups.into_values().collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.connections));
    rows
}
