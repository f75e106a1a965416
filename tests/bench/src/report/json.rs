//! The same as JSON, with every repetition's value.

use anyhow::Result;

use super::Report;

pub(crate) fn render(report: &Report) -> Result<String> {
    Ok(serde_json::to_string_pretty(report)? + "\n")
}
