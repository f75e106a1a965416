//! Links what carries a panic up the stack into the program. Otherwise it comes in a library of its own, and to
//! load that takes longer than a short command needs for its question to the agent.

use std::env;
use std::process::Command;

/// The archive of GCC that has it; the linker knows where.
const ARCHIVE: &str = "gcc_eh";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=RUSTC_LINKER");
    let is = |key, value| env::var(key).is_ok_and(|found| found == value);
    if is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") && is_there() {
        println!("cargo::rustc-link-lib=static:-bundle={ARCHIVE}");
    }
}

/// Whether the linker has the archive. One that does not say so links as ever.
fn is_there() -> bool {
    let linker = match env::var("RUSTC_LINKER") {
        Ok(linker) => linker,
        Err(_) if env::var("HOST").ok() == env::var("TARGET").ok() => "cc".to_owned(),
        Err(_) => return false,
    };
    let said = Command::new(linker).arg(format!("-print-file-name=lib{ARCHIVE}.a")).output();
    // A name that is not found is repeated as it is.
    said.is_ok_and(|said| said.status.success() && said.stdout.starts_with(b"/"))
}
