//! Log lines on stderr, written by a thread of their own: a reader that is slow, or a pipe that is full,
//! never holds a connection up. What does not fit is dropped and counted.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// Lines that wait to be written.
const QUEUE_LINES: usize = 16_384;

/// Sets the log up for the whole process. `CONNCTL_LOG` chooses what is logged, as `info` or
/// `connctl_agent=debug`.
pub fn start() {
    let (lines, queue) = sync_channel::<Vec<u8>>(QUEUE_LINES);
    let dropped = Arc::new(AtomicU64::new(0));
    let writer = Writer { lines, dropped: Arc::clone(&dropped) };
    let spawned = std::thread::Builder::new().name("log".to_owned()).spawn(move || {
        let mut batch = Vec::new();
        while let Ok(line) = queue.recv() {
            batch.extend_from_slice(&line);
            while let Ok(more) = queue.try_recv() {
                batch.extend_from_slice(&more);
                if batch.len() > 1 << 16 {
                    break;
                }
            }
            let lost = dropped.swap(0, Ordering::Relaxed);
            if lost > 0 {
                batch.extend_from_slice(format!("{lost} log lines were dropped\n").as_bytes());
            }
            // There is nowhere left to tell that stderr is gone.
            let _ = std::io::stderr().write_all(&batch);
            batch.clear();
        }
    });
    let filter = EnvFilter::try_from_env("CONNCTL_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_target(false);
    // A second agent in one process, as in tests, goes on with the first one's log.
    let _ = match spawned {
        Ok(_) => log.with_writer(writer).try_init(),
        Err(_) => log.with_writer(std::io::stderr).try_init(),
    };
}

#[derive(Debug, Clone)]
struct Writer {
    lines: SyncSender<Vec<u8>>,
    dropped: Arc<AtomicU64>,
}

impl Write for Writer {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) = self.lines.try_send(line.to_vec())
        {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Writer {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
