//! Resident memory of a relay.

use std::fs;

use anyhow::{Context, Result};

/// Resident bytes of these processes together. `smaps_rollup` walks the pages; the counter in `status` may be
/// off by some dozen pages for each thread.
pub(crate) fn resident(pids: &[u32]) -> Result<u64> {
    let mut total = 0;
    for pid in pids {
        let path = format!("/proc/{pid}/smaps_rollup");
        let text = fs::read_to_string(&path).with_context(|| path.clone())?;
        total += rss_kib(&text).with_context(|| format!("{path} has no Rss"))? * 1024;
    }
    Ok(total)
}

fn rss_kib(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("Rss:"))?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::rss_kib;

    #[test]
    fn rss_is_read_in_kib() {
        assert_eq!(rss_kib("5581 rollup\nRss:                1234 kB\nPss: 7 kB\n"), Some(1234));
        assert_eq!(rss_kib("Pss: 7 kB\n"), None);
    }
}
