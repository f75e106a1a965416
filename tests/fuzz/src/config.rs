//! The configuration file.

use std::net::SocketAddr;

use connctl_agent::config::check::{Flags, settings};
use connctl_agent::config::file::{self, File};

/// A file that can be read is checked; what is wrong is told, and told the same way each time.
pub(crate) fn file(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    match file::parse(text) {
        Err(error) => assert!(!error.to_string().is_empty()),
        Ok(file) if is_local(&file) => {
            let (first, second) =
                (settings(Flags::default(), file.clone()), settings(Flags::default(), file));
            match (first, second) {
                (Ok(first), Ok(second)) => assert_eq!(first, second),
                (Err(first), Err(second)) => {
                    let text = format!("{first:#}");
                    assert!(!text.is_empty());
                    assert_eq!(text, format!("{second:#}"));
                }
                (first, second) => panic!("{first:?} and {second:?}"),
            }
        }
        Ok(_) => {}
    }
}

/// Whether checking it looks no name up.
fn is_local(file: &File) -> bool {
    let is_address = |text: &str| text.parse::<SocketAddr>().is_ok();
    let controls = file.control.iter().flatten().filter_map(|control| control.strip_prefix("tcp:"));
    controls.chain(file.listener.iter().map(|listener| listener.bind.as_str())).all(is_address)
}
