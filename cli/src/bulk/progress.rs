//! A progress bar on stderr, where somebody can see it.
//!
//! Made by hand. It is one line, and a library for it takes the C library of mathematics along to guess when it will
//! be done: every command would load that at its start.

use std::io::{Write as _, stderr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::invocation::Invocation;
use crate::output::human;

/// How often it is drawn. What is done before that never shows it.
const DRAW_EVERY: Duration = Duration::from_millis(100);
/// Columns of the bar itself.
const COLUMNS: u64 = 30;
/// What turns where nobody knows how many there will be.
const TURNS: [char; 4] = ['|', '/', '-', '\\'];
/// Back to the first column, and what stood there goes.
const CLEAR: &str = "\r\x1b[K";

/// A bar, or nothing where nobody would see it. It is cleared when it is dropped.
pub(crate) struct Bar(Option<Arc<Mutex<Line>>>);

/// What it shows.
struct Line {
    begun: Instant,
    total: Option<u64>,
    done: u64,
    message: String,
    is_drawn: bool,
    is_over: bool,
}

/// A bar for so many connections; hidden where stderr is no terminal, for programs and where quiet is asked.
pub(crate) fn bar(invocation: &Invocation, total: Option<u64>) -> Bar {
    let is_plain = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    let is_seen = invocation.stderr_is_terminal && !invocation.quiet && invocation.format.is_table();
    if !is_seen || is_plain {
        return Bar(None);
    }
    let line = Line {
        begun: Instant::now(),
        total,
        done: 0,
        message: String::new(),
        is_drawn: false,
        is_over: false,
    };
    let line = Arc::new(Mutex::new(line));
    let drawn = Arc::clone(&line);
    // Without a thread it is not drawn, and that is all.
    let drawing = thread::Builder::new().name("progress".to_owned()).spawn(move || {
        loop {
            thread::sleep(DRAW_EVERY);
            let mut line = lock(&drawn);
            if line.is_over {
                return;
            }
            line.draw();
        }
    });
    Bar(drawing.is_ok().then_some(line))
}

impl Bar {
    /// One more is done.
    pub(crate) fn advance(&self) {
        self.change(|line| line.done += 1);
    }

    /// So many are done.
    pub(crate) fn reach(&self, done: u64) {
        self.change(|line| line.done = done);
    }

    /// What stands behind it.
    pub(crate) fn say(&self, message: String) {
        self.change(|line| line.message = message);
    }

    /// Does something that writes to the terminal, too.
    pub(crate) fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        let Some(mut line) = self.0.as_deref().map(lock) else { return write() };
        if !line.is_drawn {
            return write();
        }
        put(CLEAR);
        let done = write();
        line.draw();
        done
    }

    /// Clears it for good.
    pub(crate) fn finish(&self) {
        self.change(|line| {
            line.is_over = true;
            if std::mem::take(&mut line.is_drawn) {
                put(CLEAR);
            }
        });
    }

    fn change(&self, change: impl FnOnce(&mut Line)) {
        if let Some(line) = &self.0 {
            change(&mut lock(line));
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.finish();
    }
}

impl Line {
    fn draw(&mut self) {
        let width = terminal_size::terminal_size_of(stderr()).map_or(0, |(width, _)| usize::from(width.0));
        // One that fills the last column would go on in the next line.
        let most = if width == 0 { usize::MAX } else { width - 1 };
        let text: String = self.text(self.begun.elapsed()).chars().take(most).collect();
        put(&format!("{CLEAR}{text}"));
        self.is_drawn = true;
    }

    fn text(&self, elapsed: Duration) -> String {
        let ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        let mut text = String::new();
        match self.total {
            Some(total) => {
                let full = COLUMNS * self.done.min(total) / total.max(1);
                text.extend((0..COLUMNS).map(|column| if column < full { '█' } else { '░' }));
                text += &format!(" {}/{total}  ", self.done);
            }
            None => {
                let draws = elapsed.as_millis() / DRAW_EVERY.as_millis();
                text.extend(TURNS.iter().cycle().nth(usize::try_from(draws).unwrap_or(0) % TURNS.len()));
                text += &format!(" {}  ", self.done);
            }
        }
        human::duration(ms, &mut text);
        if !self.message.is_empty() {
            text += &format!("  {}", self.message);
        }
        text
    }
}

fn lock(line: &Mutex<Line>) -> MutexGuard<'_, Line> {
    line.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A terminal that is gone is no reason to stop.
fn put(text: &str) {
    let _ = stderr().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(total: Option<u64>, done: u64, message: &str, ms: u64) -> String {
        let line = Line {
            begun: Instant::now(),
            total,
            done,
            message: message.to_owned(),
            is_drawn: false,
            is_over: false,
        };
        line.text(Duration::from_millis(ms))
    }

    #[test]
    fn it_is_as_full_as_they_are_done() {
        let bar = |full: usize| "█".repeat(full) + &"░".repeat(30 - full);
        assert_eq!(text(Some(80), 0, "", 200), format!("{} 0/80  200ms", bar(0)));
        assert_eq!(text(Some(80), 40, "50.0/s", 4_200), format!("{} 40/80  4.2s  50.0/s", bar(15)));
        assert_eq!(text(Some(80), 79, "", 0), format!("{} 79/80  0ms", bar(29)));
        assert_eq!(text(Some(80), 80, "", 0), format!("{} 80/80  0ms", bar(30)));
        assert_eq!(text(Some(80), 81, "", 0), format!("{} 81/80  0ms", bar(30)), "more than there were");
        assert_eq!(text(Some(0), 0, "", 0), format!("{} 0/0  0ms", bar(0)));
    }

    #[test]
    fn it_turns_where_nobody_knows_how_many_there_will_be() {
        assert_eq!(text(None, 7, "", 0), "| 7  0ms");
        assert_eq!(text(None, 7, "", 100), "/ 7  100ms");
        assert_eq!(text(None, 7, "paused", 400), "| 7  400ms  paused");
    }
}
