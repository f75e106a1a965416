//! `connctl completion`, `connctl man`, and the committed scripts.
use std::path::Path;
use std::process::Command;

use crate::support::LIMIT;
use crate::support::cli::Connctl;
use crate::support::process::{has_program, run};

/// The shells, and the file of each in `completions/`.
const SHELLS: &[(&str, &str)] = &[
    ("bash", "connctl.bash"),
    ("zsh", "_connctl"),
    ("fish", "connctl.fish"),
    ("elvish", "connctl.elv"),
    ("powershell", "_connctl.ps1"),
];

fn script(shell: &str) -> String {
    Connctl::alone().run(&["completion", shell]).ok().stdout
}

#[test]
fn every_shell_gets_a_script_that_knows_the_verbs() {
    for (shell, _) in SHELLS {
        let script = script(shell);
        for verb in ["list", "remove", "listener", "halfclose"] {
            assert!(script.contains(verb), "{shell} knows no {verb}");
        }
    }
    Connctl::alone().line("completion tcsh").exits(2).says("tcsh");
}

#[test]
fn the_committed_scripts_are_those_of_the_command() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../completions");
    for (shell, file) in SHELLS {
        let path = folder.join(file);
        let fresh = script(shell);
        if std::env::var_os("CONNCTL_BLESS").is_some() {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&path, &fresh).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == fresh,
            "completions/{file} is out of date: CONNCTL_BLESS=1 cargo test rewrites it"
        );
    }
}

#[test]
fn the_shells_that_are_here_can_read_their_scripts() {
    for (shell, file) in SHELLS.iter().filter(|(shell, _)| has_program(shell)) {
        let dir = crate::support::dir::Dir::new();
        let path = dir.write(file, &script(shell));
        // These three check a script without running it.
        if ["bash", "zsh", "fish"].contains(shell) {
            let run = run(Command::new(shell).arg("-n").arg(&path), "", LIMIT).ok();
            assert_eq!(run.stderr, "", "{shell}");
        }
    }
    assert!(has_program("bash"), "not even bash is here");
}

#[test]
fn bash_completes_a_verb() {
    let dir = crate::support::dir::Dir::new();
    let path = dir.write("connctl.bash", &script("bash"));
    let text = format!(
        "source {path}; COMP_WORDS=(connctl halfc); COMP_CWORD=1; \
         _connctl connctl halfc connctl; echo \"${{COMPREPLY[@]}}\""
    );
    let run = run(Command::new("bash").args(["--norc", "-c", &text]), "", LIMIT).ok();
    assert_eq!(run.stdout.trim(), "halfclose", "{}", run.stderr);
}

#[test]
fn the_manual_page_names_every_verb() {
    let page = Connctl::alone().line("man").ok().stdout;
    assert!(page.contains(".TH"), "not a manual page");
    for verb in
        ["list", "show", "remove", "reset", "halfclose", "pause", "resume", "listener", "wait", "stats"]
    {
        assert!(page.contains(verb), "no {verb}");
    }
}

#[test]
fn help_names_every_verb_and_its_flags() {
    let help = Connctl::alone().line("--help").ok().stdout;
    for verb in ["list", "remove", "listener", "agent", "demo"] {
        assert!(help.contains(verb), "no {verb}:\n{help}");
    }
    for verb in ["list", "remove", "listener reject", "wait", "agent run"] {
        let help = Connctl::alone().line(&format!("{verb} --help")).ok().stdout;
        assert!(help.contains("Usage") && help.contains("--"), "{verb}:\n{help}");
    }
}
