//! Printing: forms, columns, tables, colour. Commands compute; only what is in here and in `bulk` writes.

pub mod columns;
pub mod conn;
mod csv;
pub mod human;
pub mod item;
mod layout;
pub mod pairs;
pub mod printer;
pub mod resources;
pub mod style;
mod table;
pub mod tree;
mod yaml;

use std::io::{self, BufWriter, StdoutLock, Write};

use anyhow::Result;

use self::columns::Record;
use self::printer::Printer;
use crate::invocation::Invocation;

/// What goes to stdout, in pieces of this size.
const BUFFER_BYTES: usize = 64 << 10;

/// Where results go.
pub type Out = BufWriter<StdoutLock<'static>>;

/// Stdout, taken once for the whole command.
pub fn stdout() -> Out {
    BufWriter::with_capacity(BUFFER_BYTES, io::stdout().lock())
}

/// Prints a whole list.
pub fn list<R: Record, T: serde::Serialize>(invocation: &Invocation, things: &[T]) -> Result<()> {
    let mut out = stdout();
    let mut printer = Printer::<R>::list(invocation, &[])?;
    for thing in things {
        printer.line(&serde_json::to_vec(thing)?, &mut out, &mut |_| {})?;
    }
    printer.finish(None, &mut out)
}

/// Prints text as it is.
pub fn text(text: &str) -> Result<()> {
    let mut out = stdout();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// Says something beside the result, unless told to be quiet.
pub fn note(invocation: &Invocation, text: &str) {
    if !invocation.quiet {
        complain(text);
    }
}

/// Says something on stderr, whatever was asked. That stderr is gone is no reason to stop.
pub fn complain(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
