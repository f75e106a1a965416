//! The terminal while a live view has it, and how it is given back: whatever way the command ends, and before a
//! panic is told.

use std::io::{self, IsTerminal as _, Read as _, Write as _, stdin, stdout};
use std::sync::{Mutex, Once, PoisonError};

use rustix::process::{Signal, getpid, kill_process};
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use tokio::sync::mpsc;

/// Another screen, no cursor, and what does not fit is cut.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?25l\x1b[?7l";
/// All of it back.
const LEAVE: &[u8] = b"\x1b[?7h\x1b[?25h\x1b[?1049l";
/// The upper left corner.
const HOME: &[u8] = b"\x1b[H";
/// Nothing behind the end of a line, and the next one.
const NEXT: &[u8] = b"\x1b[K\r\n";
/// Nothing below.
const BELOW: &[u8] = b"\x1b[J";

/// Keys that wait to be looked at.
const KEYS: usize = 64;

/// How the terminal was, while a view has it.
static BEFORE: Mutex<Option<Before>> = Mutex::new(None);

struct Before {
    /// Of stdin, where that is a terminal.
    modes: Option<Termios>,
}

/// The terminal, taken; dropping it gives it back.
#[derive(Debug)]
pub(super) struct Screen(());

impl Screen {
    /// Takes the terminal that stdout is.
    ///
    /// # Errors
    /// It does not take what is written to it.
    pub(super) fn enter() -> io::Result<Self> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let told = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                leave();
                told(panic);
            }));
        });
        let modes = if stdin().is_terminal() { tcgetattr(stdin()).ok() } else { None };
        if let Some(mut own) = modes.clone() {
            // Keys come as they are pressed and are not shown; ctrl-c stays a signal.
            own.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
            own.special_codes[SpecialCodeIndex::VMIN] = 1;
            own.special_codes[SpecialCodeIndex::VTIME] = 0;
            tcsetattr(stdin(), OptionalActions::Now, &own)?;
        }
        *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = Some(Before { modes });
        // From here on there is something to give back, even if this fails.
        let screen = Self(());
        write(ENTER)?;
        Ok(screen)
    }

    /// Shows a picture: lines with line feeds, as many as fit.
    ///
    /// # Errors
    /// The terminal does not take it.
    pub(super) fn show(&self, picture: &[u8], height: usize) -> io::Result<()> {
        let mut text = HOME.to_vec();
        let lines = picture.strip_suffix(b"\n").unwrap_or(picture).split(|byte| *byte == b'\n');
        for (number, line) in lines.take(height).enumerate() {
            if number > 0 {
                text.extend_from_slice(NEXT);
            }
            text.extend_from_slice(line);
        }
        text.extend_from_slice(b"\x1b[K");
        text.extend_from_slice(BELOW);
        write(&text)
    }

    /// Gives the terminal back and stops this process, as ctrl-z does; goes on when the shell says so.
    ///
    /// # Errors
    /// The terminal cannot be taken again.
    pub(super) fn suspend(self) -> io::Result<Self> {
        drop(self);
        kill_process(getpid(), Signal::STOP)?;
        Self::enter()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        leave();
    }
}

/// Gives the terminal back, once.
fn leave() {
    let Some(before) = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
    // A terminal that is gone needs nothing back.
    let _ = write(LEAVE);
    if let Some(modes) = before.modes {
        let _ = tcsetattr(stdin(), OptionalActions::Now, &modes);
    }
}

/// All at once, so that no half of a picture is seen.
fn write(text: &[u8]) -> io::Result<()> {
    let mut out = stdout().lock();
    out.write_all(text)?;
    out.flush()
}

/// The keys that are pressed; none where stdin is no terminal. They are read on a thread of its own, which ends
/// with the process: nothing else can wait for a terminal and for an agent at once.
pub(super) fn keys() -> mpsc::Receiver<u8> {
    let (send, keys) = mpsc::channel(KEYS);
    if stdin().is_terminal() {
        std::thread::spawn(move || {
            let mut key = [0];
            while stdin().lock().read_exact(&mut key).is_ok() && send.blocking_send(key[0]).is_ok() {}
        });
    }
    keys
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// Set in the process that panics.
    const PANICS: &str = "CONNCTL_TEST_PANICS";

    #[test]
    fn a_panic_is_told_on_a_terminal_that_is_given_back() {
        if std::env::var_os(PANICS).is_some() {
            let _screen = Screen::enter().unwrap();
            panic!("this is told");
        }
        let own = "command::top::screen::tests::a_panic_is_told_on_a_terminal_that_is_given_back";
        let mut command = Command::new("sh");
        command.args(["-c", "exec \"$0\" --exact \"$1\" --nocapture </dev/null 2>&1"]);
        let run = command.arg(std::env::current_exe().unwrap()).arg(own).env(PANICS, "1").output().unwrap();
        let text = String::from_utf8(run.stdout).unwrap();
        let place = |what: &[u8]| text.find(std::str::from_utf8(what).unwrap());
        let (Some(taken), Some(back), Some(told)) = (place(ENTER), place(LEAVE), place(b"this is told"))
        else {
            panic!("{text:?}")
        };
        assert!(taken < back && back < told, "{text:?}");
        assert_eq!(text.matches("\x1b[?1049l").count(), 1, "once");
    }
}
