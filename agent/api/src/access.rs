//! Roles and scopes, and what a route asks of whoever calls it.

use std::fmt;

use crate::words::words;

words!(
    /// What someone may do. Each role may do what the ones before it may.
    Role {
        /// Read.
        Viewer = "viewer",
        /// Act on connections and listeners.
        Operator = "operator",
        /// Change policies and the agent itself.
        Admin = "admin",
    }
);

/// What a route asks of whoever calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// The least role.
    pub role: Role,
    /// Whether it changes anything: then it is written to the audit.
    pub is_change: bool,
    /// Whether it keeps to a scope. One that does not is closed to those who have a scope.
    pub is_scoped: bool,
}

/// Reads connections or listeners.
pub const READ: Access = Access { role: Role::Viewer, is_change: false, is_scoped: true };
/// Reads what belongs to the agent as a whole.
pub const READ_ALL: Access = Access { is_scoped: false, ..READ };
/// Reads, and keeps something for the one who acts.
pub const PREPARE: Access = Access { role: Role::Operator, ..READ };
/// Acts on connections or listeners.
pub const ACT: Access = Access { role: Role::Operator, is_change: true, is_scoped: true };
/// Acts on what belongs to the agent as a whole.
pub const ACT_ALL: Access = Access { is_scoped: false, ..ACT };
/// Changes policies or the agent itself.
pub const ADMIN: Access = Access { role: Role::Admin, ..ACT_ALL };

/// A part of the connections. Both lists count; an empty one leaves everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Scope {
    /// Only connections of these listeners.
    pub listeners: Vec<String>,
    /// Only connections of these users.
    pub uids: Vec<String>,
}

impl Scope {
    /// Whether connections of this listener may be seen. What the agent opened itself has none.
    pub fn has_listener(&self, listener: Option<&str>) -> bool {
        self.listeners.is_empty()
            || listener.is_some_and(|listener| self.listeners.iter().any(|own| own == listener))
    }

    /// Whether connections of this user may be seen.
    pub fn has_uid(&self, uid: Option<&str>) -> bool {
        self.uids.is_empty() || uid.is_some_and(|uid| self.uids.iter().any(|own| own == uid))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [("listeners", &self.listeners), ("uids", &self.uids)];
        let told: Vec<_> = parts
            .into_iter()
            .filter(|(_, names)| !names.is_empty())
            .map(|(what, names)| format!("{what} {}", names.join(", ")))
            .collect();
        f.write_str(&told.join(" and "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_lists_count_and_an_empty_one_leaves_everything() {
        let scope = Scope { listeners: vec!["redis".into()], uids: Vec::new() };
        assert!(scope.has_listener(Some("redis")) && scope.has_uid(None) && scope.has_uid(Some("u1")));
        assert!(!scope.has_listener(Some("pg")) && !scope.has_listener(None));
        let scope = Scope { listeners: vec!["a".into(), "b".into()], uids: vec!["u1".into()] };
        assert!(!scope.has_uid(None) && !scope.has_uid(Some("u2")) && scope.has_uid(Some("u1")));
        assert_eq!(scope.to_string(), "listeners a, b and uids u1");
    }
}
