//! Floor 3: what happened: counts, the events, the audit, and the connections that have ended.

pub mod asked;
pub mod audit;
mod bytes;
pub mod entry;
pub mod events;
pub mod history;
pub mod latency;
pub mod ring;
pub mod stats;
mod store;

use std::cell::RefCell;
use std::path::PathBuf;

use connctl_api::event::EventKind;

use crate::config::RecordSettings;
use asked::Asked;
use entry::Happening;
use events::Events;
use history::History;
use latency::Latencies;
pub use ring::Head;
use ring::New;

/// All that is written down of what happens.
#[derive(Debug)]
pub struct Record {
    /// The connections that have ended.
    pub history: History,
    /// What happened of late.
    pub events: Events,
    /// How long things took.
    pub latencies: Latencies,
}

impl Record {
    /// Opens the history, which may be in a file, and begins an empty log of events.
    ///
    /// # Errors
    /// As [`History::open`].
    pub fn open(settings: &RecordSettings, file: Option<PathBuf>) -> anyhow::Result<Self> {
        Ok(Self {
            history: History::open(settings, file)?,
            events: Events::new(settings.events_size),
            latencies: Latencies::default(),
        })
    }

    /// Writes what is left to disk.
    pub fn close(&self) {
        self.history.close();
    }

    /// Writes down that something happened. An ending goes into the history as well.
    pub fn tell(&self, happening: &Happening<'_>, asked: Option<&Asked>) {
        thread_local! {
            static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
        }
        SCRATCH.with_borrow_mut(|bytes| {
            bytes.clear();
            happening.encode(bytes);
            let conn_id = happening.conn.map_or(0, |conn| conn.conn_id);
            let new = New { bytes, asked, wall_ms: happening.wall_ms, conn_id };
            if happening.kind == EventKind::Ended {
                self.history.push(&new);
            }
            self.events.push(&new);
        });
    }
}
