//! A progress bar on stderr, where somebody can see it.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::invocation::Invocation;

/// How often it is drawn at most, a second.
const DRAWS: u8 = 10;

/// A bar for so many connections; hidden where stderr is no terminal, for programs and where quiet is asked.
pub(crate) fn bar(invocation: &Invocation, total: Option<u64>) -> ProgressBar {
    let seen = invocation.stderr_is_terminal && !invocation.quiet && invocation.format.is_table();
    if !seen {
        return ProgressBar::hidden();
    }
    let target = ProgressDrawTarget::stderr_with_hz(DRAWS);
    let bar = match total {
        Some(total) => ProgressBar::with_draw_target(Some(total), target),
        None => ProgressBar::with_draw_target(None, target),
    };
    let form = if total.is_some() {
        "{bar:30} {pos}/{len}  {elapsed}  {msg}"
    } else {
        "{spinner} {pos}  {elapsed}  {msg}"
    };
    // The template is constant and right; without it the bar would merely look different.
    let bar = match ProgressStyle::with_template(form) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    };
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}
