//! Printing: forms, columns, tables, colour. Commands compute; only what is in here and in `bulk` writes.

pub(crate) mod audit;
pub(crate) mod changes;
pub(crate) mod columns;
pub(crate) mod conn;
pub(crate) mod conn_view;
pub(crate) mod context;
pub(crate) mod csv;
pub(crate) mod event;
pub(crate) mod history;
pub(crate) mod human;
pub(crate) mod item;
pub(crate) mod jobs;
mod layout;
pub(crate) mod limit;
pub(crate) mod line;
pub(crate) mod nodes;
pub(crate) mod pairs;
pub(crate) mod printer;
pub(crate) mod resources;
mod scan;
pub(crate) mod style;
mod table;
pub(crate) mod top;
pub(crate) mod tree;
pub(crate) mod yaml;

use std::io::{self, BufWriter, StdoutLock, Write};

use anyhow::Result;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use self::columns::Record;
use self::printer::Printer;
use crate::invocation::Invocation;

/// What goes to stdout, in pieces of this size.
const BUFFER_BYTES: usize = 64 << 10;

/// Where results go.
pub(crate) type Out = BufWriter<StdoutLock<'static>>;

/// Stdout, taken once for the whole command.
pub(crate) fn stdout() -> Out {
    BufWriter::with_capacity(BUFFER_BYTES, io::stdout().lock())
}

/// Whether anybody reads stdout still. What prints something now and then asks, lest it go on for nobody.
pub(crate) fn is_read() -> bool {
    let gone = PollFlags::ERR | PollFlags::HUP;
    let stdout = io::stdout();
    let mut asked = [PollFd::new(&stdout, PollFlags::empty())];
    let polled = poll(&mut asked, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
    polled.is_err() || !asked.iter().any(|stdout| stdout.revents().intersects(gone))
}

/// Prints a whole list.
pub(crate) fn list<R: Record, T: serde::Serialize>(invocation: &Invocation, things: &[T]) -> Result<()> {
    let mut out = stdout();
    let mut printer = Printer::<R>::list(invocation, &[])?;
    for thing in things {
        printer.line(&serde_json::to_vec(thing)?, &mut out, &mut |_| {})?;
    }
    printer.finish(None, &mut out)
}

/// Prints text as it is.
pub(crate) fn text(text: &str) -> Result<()> {
    let mut out = stdout();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// Says something beside the result, unless told to be quiet.
pub(crate) fn note(invocation: &Invocation, text: &str) {
    if !invocation.quiet {
        complain(text);
    }
}

/// Says something on stderr, whatever was asked. That stderr is gone is no reason to stop.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
