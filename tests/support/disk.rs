//! A disk of a fixed size that can be filled: a file system in memory, in a mount namespace of its own.
use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;

use super::dir::Dir;
use super::process::Running;
use super::service::have;
use super::until::until;

/// Who is started on it sees it; others look at it through [`Disk::outside`]. It is gone when it is dropped.
#[derive(Debug)]
pub(crate) struct Disk {
    holder: Running,
    flags: &'static [&'static str],
    dir: Dir,
}

/// What fills it.
const BALLAST: &str = "ballast";

impl Disk {
    /// A disk of so many KiB; `None` where this user may mount nothing, which is told, and is an error where CI is
    /// set.
    pub(crate) fn new(kib: u32) -> Option<Arc<Self>> {
        if !have(&["unshare", "nsenter", "mount", "sleep"]) {
            return None;
        }
        let ways: [(&[&str], &[&str]); 2] = [
            (&["--mount"], &["--mount"]),
            (&["--user", "--map-root-user", "--mount"], &["--user", "--preserve-credentials", "--mount"]),
        ];
        let dir = Dir::new();
        let script = format!("mount -t tmpfs -o size={kib}k none \"$0\" && echo there && exec sleep 3600");
        for (unshare, flags) in ways {
            let mut command = Command::new("unshare");
            command.args(unshare).args(["sh", "-c", &script]).arg(dir.path());
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
            let mut holder = Running::start(&mut command);
            let mut line = String::new();
            let stdout = holder.child().stdout.take().unwrap();
            std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line).unwrap();
            if line == "there\n" {
                return Some(Arc::new(Self { holder, flags, dir }));
            }
        }
        assert!(std::env::var_os("CI").is_none(), "a tmpfs must be allowed where CI is set");
        eprintln!("skipped: no tmpfs can be mounted here");
        None
    }

    /// The words before a command that is to see it.
    pub(crate) fn words(&self) -> Vec<String> {
        let words = ["nsenter"].iter().chain(self.flags).map(|word| (*word).to_owned());
        words.chain(["--target".to_owned(), self.holder.pid().to_string()]).collect()
    }

    /// A place on it, as those see it who are on it.
    pub(crate) fn inside(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The same for everyone else.
    pub(crate) fn outside(&self, name: &str) -> PathBuf {
        let inside = self.inside(name);
        PathBuf::from(format!("/proc/{}/root{}", self.holder.pid(), inside.display()))
    }

    /// Leaves room for nothing more than is left in the last page of each file.
    pub(crate) fn fill(&self) {
        let file = std::fs::File::options().create(true).append(true).open(self.outside(BALLAST));
        let mut file = file.unwrap();
        let full = std::iter::repeat_with(|| file.write_all(&[0; 4_096])).find_map(Result::err).unwrap();
        assert_eq!(full.kind(), ErrorKind::StorageFull);
    }

    /// Takes the ballast away.
    pub(crate) fn make_room(&self) {
        std::fs::remove_file(self.outside(BALLAST)).unwrap();
        until("there is room", || self.has_room().then_some(()));
    }

    fn has_room(&self) -> bool {
        let probe = self.outside("probe");
        let written = std::fs::write(&probe, [0; 4_096]).is_ok();
        std::fs::remove_file(probe).unwrap();
        written
    }
}
