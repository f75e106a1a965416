//! `top`: what passes through connections now, the most first. On a terminal a picture that is drawn again and
//! again; otherwise so many looks, one by default.

mod sample;
mod screen;

use std::io;
use std::time::Duration;

use anyhow::Result;
use connctl_api::client::Client;
use connctl_api::conn::ListQuery;
use connctl_api::error::Exit;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::Instant;

use self::sample::{Picture, Watch};
use self::screen::Screen;
use crate::args::top::{TopArgs, TopKey, TopSort};
use crate::error;
use crate::invocation::Invocation;
use crate::output::human;
use crate::output::printer::Printer;
use crate::output::style::{RESET, Tone};
use crate::output::top::Tops;
use crate::output::{self};
use crate::selection;

/// The rows that are shown where no terminal has a height.
const ROWS: usize = 20;
/// The lines above the table: what is shown and by what, what it adds up to, the titles.
const HEAD_LINES: usize = 3;
/// Until the second look: the first has no rates.
const FIRST_WAIT: Duration = Duration::from_millis(300);
/// Where a terminal does not say how large it is.
const USUAL_SIZE: (usize, usize) = (80, 24);

pub(crate) async fn run(args: &TopArgs, invocation: &Invocation) -> Result<Exit> {
    let query = ListQuery { selector: selection::for_query(&args.selector)?, ..ListQuery::default() };
    let client = invocation.client()?;
    let can_draw = std::env::var_os("TERM").is_some_and(|term| !term.is_empty() && term != "dumb");
    if invocation.format.is_table() && invocation.stdout_is_terminal && can_draw {
        View { args, invocation, client, query, sort: args.sort }.run().await
    } else {
        print(args, invocation, &client, &query).await
    }
}

/// So many looks, one under the other.
async fn print(args: &TopArgs, invocation: &Invocation, client: &Client, query: &ListQuery) -> Result<Exit> {
    let (mut watch, limit) = (Watch::default(), args.limit.unwrap_or(ROWS));
    watch.look(client, query, args.sort, 0).await?;
    for _ in 0..args.times.unwrap_or(1) {
        tokio::time::sleep(args.every).await;
        let picture = watch.look(client, query, args.sort, limit).await?;
        let mut out = output::stdout();
        table(&picture, invocation, &mut out)?;
        if invocation.format.is_table() {
            output::note(invocation, &total(&picture));
        }
    }
    Ok(Exit::Done)
}

/// Prints the rows of a picture.
fn table(picture: &Picture, invocation: &Invocation, out: &mut dyn io::Write) -> Result<()> {
    let mut printer = Printer::<Tops>::list(invocation, &[])?;
    for row in &picture.rows {
        printer.line(row, out, &mut |_| {})?;
    }
    printer.finish(None, out)
}

/// What the connections add up to.
fn total(picture: &Picture) -> String {
    let mut line = picture.tally.line();
    for (begin, rate, end) in
        [("; ", picture.to_upstream_rate, "/s to upstream"), (", ", picture.to_client_rate, "/s to client")]
    {
        line.push_str(begin);
        human::size(rate, &mut line);
        line.push_str(end);
    }
    line
}

/// A live view on a terminal.
struct View<'a> {
    args: &'a TopArgs,
    invocation: &'a Invocation,
    client: Client,
    query: ListQuery,
    sort: TopSort,
}

/// What happened while nothing was drawn.
enum Next {
    /// It is time to look, or something else is to be seen.
    Look,
    /// The same picture at another size.
    Draw,
    Suspend,
    Leave(Exit),
}

impl View<'_> {
    async fn run(mut self) -> Result<Exit> {
        let mut watch = Watch::default();
        // Before the terminal is taken: where nobody answers, an error is all there is to show.
        let mut picture = watch.look(&self.client, &self.query, self.sort, self.limit()).await?;
        let mut hands = Hands::new()?;
        let mut screen = Screen::enter()?;
        let (mut trouble, mut looks) = (None, 0);
        let mut at = Instant::now() + FIRST_WAIT.min(self.args.every);
        loop {
            self.draw(&screen, &picture, trouble.as_deref())?;
            if self.args.times.is_some_and(|times| looks >= times) {
                break;
            }
            match hands.next(at, &mut self.sort).await {
                Next::Leave(exit) => return Ok(exit),
                Next::Suspend => screen = screen.suspend()?,
                Next::Draw => {}
                Next::Look => {
                    let look = watch.look(&self.client, &self.query, self.sort, self.limit());
                    let found = tokio::select! {
                        found = look => found,
                        exit = hands.leave() => return Ok(exit),
                    };
                    match found {
                        Ok(found) => (picture, trouble) = (found, None),
                        Err(error) if is_passing(&error) => trouble = Some(format!("{error:#}")),
                        Err(error) => return Err(error),
                    }
                    looks += 1;
                    at = Instant::now() + self.args.every;
                }
            }
        }
        drop(screen);
        // The last picture stays.
        table(&picture, self.invocation, &mut output::stdout())?;
        Ok(Exit::Done)
    }

    /// The rows that are asked for, or that fit.
    fn limit(&self) -> usize {
        let fit = size().1.saturating_sub(HEAD_LINES).max(1);
        self.args.limit.map_or(fit, |limit| limit.min(fit))
    }

    fn draw(&self, screen: &Screen, picture: &Picture, trouble: Option<&str>) -> Result<()> {
        let (width, height) = size();
        let mut text = Vec::new();
        let second = trouble.map_or_else(|| total(picture), |text| format!("trying again: {text}"));
        let tone = if trouble.is_some() { Tone::Bad } else { Tone::Plain };
        for (line, start) in
            [(self.title(), self.invocation.style.title()), (second, self.invocation.style.start(tone))]
        {
            let mut shown = String::new();
            human::clean(&line, &mut shown);
            let shown: String = shown.chars().take(width).collect();
            let line = start.map_or_else(|| shown.clone(), |start| format!("{start}{shown}{RESET}"));
            text.extend_from_slice(line.as_bytes());
            text.push(b'\n');
        }
        table(picture, &self.invocation.as_wide_as(width), &mut text)?;
        Ok(screen.show(&text, height)?)
    }

    fn title(&self) -> String {
        let sign = if self.sort.descending { "-" } else { "" };
        let by = self.sort.key.name();
        format!("by {sign}{by}   sort: r rate, u to upstream, c to client, b bytes, i idle, a age   q quits")
    }
}

/// Whether the next look may find what this one did not: an agent that was gone, slow, or cut off in its answer.
fn is_passing(error: &anyhow::Error) -> bool {
    !matches!(error::exit_of(error), Exit::Usage | Exit::NotFound | Exit::Denied)
}

/// Of the terminal: how wide and how high.
fn size() -> (usize, usize) {
    terminal_size::terminal_size()
        .map(|(width, height)| (usize::from(width.0), usize::from(height.0)))
        .filter(|(width, height)| *width > 0 && *height > 0)
        .unwrap_or(USUAL_SIZE)
}

/// What whoever looks at the terminal does: keys and signals.
struct Hands {
    /// Nothing comes from what is no terminal.
    keys: mpsc::Receiver<u8>,
    leaving: [Signal; 3],
    suspend: Signal,
    resize: Signal,
}

impl Hands {
    fn new() -> Result<Self> {
        Ok(Self {
            keys: screen::keys(),
            leaving: [
                signal(SignalKind::terminate())?,
                signal(SignalKind::hangup())?,
                signal(SignalKind::quit())?,
            ],
            suspend: signal(SignalKind::from_raw(rustix::process::Signal::TSTP.as_raw()))?,
            resize: signal(SignalKind::window_change())?,
        })
    }

    /// Waits until it is time to look, or something is done.
    async fn next(&mut self, at: Instant, sort: &mut TopSort) -> Next {
        let [terminate, hangup, quit] = &mut self.leaving;
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(at) => return Next::Look,
                _ = terminate.recv() => return Next::Leave(Exit::Interrupted),
                _ = hangup.recv() => return Next::Leave(Exit::Interrupted),
                _ = quit.recv() => return Next::Leave(Exit::Interrupted),
                _ = self.suspend.recv() => return Next::Suspend,
                _ = self.resize.recv() => return Next::Draw,
                Some(key) = self.keys.recv() => {
                    if key == b'q' {
                        return Next::Leave(Exit::Done);
                    }
                    if let Some(key) = key_of(key) {
                        // The same key again turns the order.
                        let descending = key != sort.key || !sort.descending;
                        *sort = TopSort { key, descending };
                        return Next::Look;
                    }
                }
            }
        }
    }

    /// Waits until the view is to end. Other keys are forgotten.
    async fn leave(&mut self) -> Exit {
        let never = Instant::now() + Duration::from_secs(86_400);
        loop {
            let mut any = TopSort { key: TopKey::Rate, descending: true };
            if let Next::Leave(exit) = self.next(never, &mut any).await {
                return exit;
            }
        }
    }
}

/// What a key sorts by.
fn key_of(key: u8) -> Option<TopKey> {
    Some(match key {
        b'r' => TopKey::Rate,
        b'u' => TopKey::ToUpstreamRate,
        b'c' => TopKey::ToClientRate,
        b'b' => TopKey::Bytes,
        b'i' => TopKey::Idle,
        b'a' => TopKey::Age,
        _ => return None,
    })
}
