//! Asking for the audit.

use super::{Client, ClientError, Lines};
use crate::audit::{AuditPage, AuditQuery};
use crate::route;

impl Client {
    /// What was asked of the agent that changes something, the latest first.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn audit(&self, query: &AuditQuery) -> Result<AuditPage, ClientError> {
        self.json(self.get(route::AUDIT).query(query)).await
    }

    /// Every line of the audit as it is written, for a [`Verifier`](crate::audit::chain::Verifier).
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn audit_lines(&self) -> Result<Lines, ClientError> {
        self.lines(self.get(route::AUDIT_LINES)).await
    }
}
