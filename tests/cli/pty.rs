//! The command on a terminal of its own, of a known size, with all that it writes there.
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::process::Command;
use std::sync::{Arc, Mutex};

use rustix::fs::{Mode, OFlags, open};
use rustix::process::Signal;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Termios, Winsize, tcgetattr, tcsetwinsize};

use crate::support::agent::BINARY;
use crate::support::process::{Running, has_program};
use crate::support::{Agent, LIMIT, until};

/// What takes a terminal, and what gives it back.
const ENTER: &str = "\x1b[?1049h";
const LEAVE: &str = "\x1b[?7h\x1b[?25h\x1b[?1049l";
/// What begins a picture.
const HOME: &str = "\x1b[H";

pub(crate) struct Pty {
    keyboard: File,
    terminal: OwnedFd,
    before: Termios,
    written: Arc<Mutex<Vec<u8>>>,
    process: Running,
}

impl Pty {
    /// Starts it with these words on a terminal so wide and so high.
    pub(crate) fn start(agent: &Agent, words: &str, size: (u16, u16)) -> Self {
        assert!(has_program("setsid"), "setsid (of util-linux) is needed for a terminal");
        let keyboard = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&keyboard).unwrap();
        unlockpt(&keyboard).unwrap();
        let name = ptsname(&keyboard, Vec::new()).unwrap();
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let terminal = open(name.as_c_str(), flags, Mode::empty()).unwrap();
        let (ws_col, ws_row) = size;
        tcsetwinsize(&terminal, Winsize { ws_row, ws_col, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        let before = tcgetattr(&terminal).unwrap();
        let mut command = Command::new("setsid");
        command.args(["-c", BINARY]).args(words.split(' '));
        command.env("CONNCTL_AGENT", agent.endpoint()).env("TERM", "xterm").env("NO_COLOR", "1");
        command.stdin(terminal.try_clone().unwrap());
        command.stdout(terminal.try_clone().unwrap()).stderr(terminal.try_clone().unwrap());
        let process = Running::start(&mut command);
        let written = Arc::new(Mutex::new(Vec::new()));
        let mut screen = File::from(keyboard.try_clone().unwrap());
        let own = Arc::clone(&written);
        // It ends with the terminal.
        std::thread::spawn(move || {
            let mut buffer = [0; 4_096];
            while let Ok(length @ 1..) = screen.read(&mut buffer) {
                own.lock().unwrap().extend_from_slice(&buffer[..length]);
            }
        });
        Self { keyboard: keyboard.into(), terminal, before, written, process }
    }

    fn written(&self) -> String {
        String::from_utf8_lossy(&self.written.lock().unwrap()).into_owned()
    }

    /// Waits until a picture has this.
    #[track_caller]
    pub(crate) fn shows(&self, text: &str) {
        until(text, || self.written().contains(text).then_some(()));
    }

    /// The lines of each whole picture so far.
    pub(crate) fn pictures(&self) -> Vec<Vec<String>> {
        let written = self.written();
        let mut pictures: Vec<_> = written.split(HOME).skip(1).collect();
        pictures.pop();
        let plain = |line: &str| line.replace("\x1b[K", "").replace("\x1b[J", "").trim_end().to_owned();
        pictures.into_iter().map(|picture| picture.lines().map(plain).collect()).collect()
    }

    pub(crate) fn types(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    pub(crate) fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Whether it sleeps until somebody lets it go on.
    pub(crate) fn has_stopped(&self) -> bool {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.pid())).unwrap();
        status.contains("State:\tT")
    }

    /// What was written after the last of these.
    pub(crate) fn after_last(&self, text: &str) -> String {
        self.written().rsplit_once(text).map_or_else(String::new, |(_, after)| after.to_owned())
    }

    /// Its exit code.
    #[track_caller]
    pub(crate) fn ends(&mut self) -> Option<i32> {
        self.process.wait(LIMIT).code()
    }

    /// Whether keys are not shown now.
    pub(crate) fn is_taken(&self) -> bool {
        !tcgetattr(&self.terminal).unwrap().local_modes.contains(LocalModes::ECHO)
    }

    /// Checks that the terminal is as it was.
    #[track_caller]
    pub(crate) fn is_given_back(&self) {
        let now = tcgetattr(&self.terminal).unwrap();
        assert_eq!(format!("{now:?}"), format!("{:?}", self.before));
        // Taken as often as given back: what it wrote last may still be on its way.
        until("the other screen is left", || {
            let written = self.written();
            let (taken, left) = (written.matches(ENTER).count(), written.matches(LEAVE).count());
            (taken > 0 && taken == left).then_some(())
        });
    }

    /// What was written after the terminal was given back.
    pub(crate) fn after(&self) -> String {
        until("something more", || {
            let written = self.written();
            let (_, after) = written.rsplit_once(LEAVE)?;
            after.ends_with('\n').then(|| after.to_owned())
        })
    }
}
