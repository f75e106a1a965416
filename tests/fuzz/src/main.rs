//! The fuzzer: one program for all targets; `tests/fuzz/run` builds and runs it.
//!
//! `FUZZ_TARGET` names what is fed; without it the names are printed.
#![no_main]

use std::sync::OnceLock;

use connctl_fuzz::{TARGETS, Target};

static TARGET: OnceLock<Target> = OnceLock::new();

fn chosen() -> Target {
    let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
    let found = TARGETS.iter().find(|(known, _)| *known == name);
    let Some((_, target)) = found else {
        for (known, _) in TARGETS {
            println!("{known}");
        }
        std::process::exit(if name.is_empty() { 0 } else { 2 });
    };
    *target
}

libfuzzer_sys::fuzz_target!(init: { TARGET.get_or_init(chosen); }, |bytes: &[u8]| {
    TARGET.get_or_init(chosen)(bytes);
});
