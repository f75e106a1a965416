//! A line of the agent, read.

use anyhow::{Context, Result};

/// Reads a line of the agent.
pub(crate) fn read<'a, T: serde::Deserialize<'a>>(line: &'a [u8]) -> Result<T> {
    serde_json::from_slice(line).with_context(|| {
        let shown: String =
            String::from_utf8_lossy(line).chars().take(120).flat_map(char::escape_debug).collect();
        format!("the agent sent a line that cannot be read: {shown}")
    })
}
