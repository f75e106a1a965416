//! Every target takes its seeds, without the fuzzer.
use std::path::Path;

use connctl_fuzz::{TARGETS, Target};

/// What the agents leave is removed, however this ends.
struct Scratch;

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(connctl_fuzz::scratch());
    }
}

/// Feeds every file of a folder, if there is one; gives how many there were.
fn feed(target: Target, folder: &Path) -> usize {
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    files.map(|file| target(&std::fs::read(file.path()).expect("a seed"))).count()
}

#[test]
fn every_target_takes_its_seeds_and_nothing() {
    let (_scratch, here) = (Scratch, Path::new(env!("CARGO_MANIFEST_DIR")));
    for (name, target) in TARGETS {
        target(b"");
        let seeds = feed(*target, &here.join("seeds").join(name));
        let recorded = feed(*target, &here.join("../recorded").join(name));
        // What is sent to one rule can be sent to all.
        let is_for_all = ["rules", "wire"].contains(name);
        assert!(is_for_all || seeds + recorded > 0, "{name} has no seed");
        for (other, _) in TARGETS.iter().filter(|_| is_for_all) {
            feed(*target, &here.join("../recorded").join(other));
            feed(*target, &here.join("seeds").join(other));
        }
    }
}
