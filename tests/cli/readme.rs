//! Every command that README.md shows is run.
//!
//! A `sh` block is run as one script by `bash -euo pipefail`, in a directory of its own, with `connctl` on
//! the PATH. A block that a reader would run in a terminal of its own, or that needs what this machine may
//! not have, says so in its opening line: `sh no_run`.
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::support::agent::BINARY;
use crate::support::dir::Dir;
use crate::support::process::run;

/// The `sh` blocks of a text: the line each begins at, and its script.
fn blocks(text: &str) -> Vec<(usize, String)> {
    let (mut blocks, mut open) = (Vec::new(), None::<(usize, String)>);
    for (number, line) in text.lines().enumerate() {
        match &mut open {
            None if line.trim_end() == "```sh" => open = Some((number + 1, String::new())),
            None => {}
            Some(_) if line.trim_end() == "```" => blocks.extend(open.take()),
            Some((_, script)) => {
                script.push_str(line);
                script.push('\n');
            }
        }
    }
    blocks
}

#[test]
fn blocks_are_found_with_their_lines() {
    let text = "a\n```sh\nx\ny\n```\n```sh no_run\nz\n```\n```json\n{}\n```\n```sh\nlast\n```\n";
    assert_eq!(blocks(text), [(2, "x\ny\n".to_owned()), (12, "last\n".to_owned())]);
}

#[test]
fn every_command_of_the_readme_works() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("no README.md yet");
        return;
    };
    let found = blocks(&text);
    assert!(!found.is_empty(), "README.md shows no command");
    let bin = Path::new(BINARY).parent().unwrap();
    let search = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    for (line, script) in found {
        let dir = Dir::new();
        let mut command = Command::new("bash");
        // Whatever a block leaves running ends with it.
        let whole = format!("trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n{script}");
        command.args(["-euo", "pipefail", "-c", &whole]).current_dir(dir.path());
        command.env("PATH", &search).env("HOME", dir.path()).env("XDG_RUNTIME_DIR", dir.path());
        command.env_remove("CONNCTL_AGENT").env_remove("CONNCTL_TOKEN");
        let run = run(&mut command, "", Duration::from_secs(60));
        assert_eq!(run.code, Some(0), "README.md:{line}\n{}\n{}", run.stdout, run.stderr);
    }
}
