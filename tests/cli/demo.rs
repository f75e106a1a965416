//! `connctl demo`: the tool shows itself, and leaves nothing behind.
use crate::support::cli::Connctl;

#[test]
fn the_demo_runs_to_its_end_and_shows_the_tool() {
    let run = Connctl::alone().line("demo").ok();
    for text in ["connctl list", "connctl reset", "FIN", "RST"] {
        assert!(run.stdout.contains(text), "no {text:?} in:\n{}", run.stdout);
    }
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
}
