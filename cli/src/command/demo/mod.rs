//! `demo`: the main job on real sockets, with no other software. Every command is run as an operator would
//! run it, and what it claims is looked for on the wire.

mod peer;
mod stage;
mod terminal;

use anyhow::{Context as _, Result, ensure};
use connctl_api::error::Exit;
use tokio::signal::unix::{SignalKind, signal};

use self::peer::{Ending, Peer};
use self::stage::Stage;
use self::terminal::Terminal;
use crate::args::verb::DemoArgs;
use crate::invocation::Invocation;

/// The users, and how many connections each has.
const USERS: &[(&str, usize)] = &[("alice", 4), ("bob", 3), ("carol", 3), ("dave", 2)];

pub(crate) async fn run(args: &DemoArgs, invocation: &Invocation) -> Result<Exit> {
    let mut terminated = signal(SignalKind::terminate()).context("cannot listen for signals")?;
    // The stage is taken down where this future ends, also where a signal drops it.
    tokio::select! {
        played = play(args.keep, invocation) => played.map(|()| Exit::Done),
        _ = terminated.recv() => Ok(Exit::Interrupted),
    }
}

async fn play(keep: bool, invocation: &Invocation) -> Result<()> {
    let stage = Stage::build().await?;
    let terminal = Terminal::new(&stage, invocation);
    terminal.say(
        "An agent of our own on free ports: `app` relays to a small server, `echo` answers by itself.",
    )?;
    terminal.show(&format!("connctl {} &", stage.typed), &stage.ready)?;

    let mut cast = enter(&stage, &terminal).await?;
    look(&terminal).await?;
    remove_one(&terminal, &mut cast).await?;
    reset_one(&terminal, &mut cast).await?;
    halfclose_one(&stage, &terminal, &mut cast).await?;
    remove_a_user(&terminal, &mut cast).await?;
    let guests = reject_after_two(&stage, &terminal).await?;
    terminal.say("Every ending was counted once, by reason and side.")?;
    terminal.run("stats --by reason").await?;

    if keep {
        terminal.say("The agent and its clients stay until ctrl-c. In another terminal:")?;
        terminal.tell(&format!(
            "  export CONNCTL_AGENT={}\n  connctl list\n  curl --unix-socket {} http://localhost/v1/connections\n",
            stage.endpoint(),
            stage.socket().display()
        ))?;
        tokio::signal::ctrl_c().await.context("cannot listen for ctrl-c")?;
        return Ok(());
    }
    terminal.say("And everybody who is left. A script says --yes; a person is asked.")?;
    terminal.run("remove --all --yes").await?;
    for peer in cast.iter_mut().map(|actor| &mut actor.peer).chain(&mut { guests }) {
        if !peer.is_over() {
            peer.sees(Ending::Fin).await?;
        }
    }
    terminal.run("wait --for count=0 --timeout 5s").await?;
    terminal.say("All of it was seen on the wire. Next: connctl --help, or connctl demo --keep.")
}

/// A client on the stage.
struct Actor {
    uid: &'static str,
    conn_id: u64,
    peer: Peer,
}

/// The first connection of a user that is still open.
fn first<'a>(cast: &'a mut [Actor], uid: &str) -> Result<&'a mut Actor> {
    let mut found = cast.iter_mut().filter(|actor| actor.uid == uid && !actor.peer.is_over());
    found.next().with_context(|| format!("{uid} has no connection left"))
}

/// Connects the clients and says whose they are.
async fn enter(stage: &Stage, terminal: &Terminal<'_>) -> Result<Vec<Actor>> {
    terminal.say("Twelve clients connect, each says a line and gets it back. Then we say whose they are.")?;
    let mut cast = Vec::new();
    for (uid, connections) in USERS {
        for _ in 0..*connections {
            let mut peer = Peer::connect(stage.address("app")?).await?;
            peer.send(&format!("hello from {uid}\n")).await?;
            peer.hears(&format!("hello from {uid}\n")).await?;
            let conn_id = terminal.conn_id_of(&peer).await?;
            let command = format!("assign {conn_id} --uid {uid} --device {}", device_of(conn_id));
            // One is enough to see how it is done.
            if cast.is_empty() {
                terminal.run(&command).await?
            } else {
                terminal.quietly(&command).await?
            };
            cast.push(Actor { uid, conn_id, peer });
        }
    }
    Ok(cast)
}

const fn device_of(conn_id: u64) -> &'static str {
    if conn_id.is_multiple_of(2) { "web" } else { "phone" }
}

async fn look(terminal: &Terminal<'_>) -> Result<()> {
    terminal.say("Who is connected?")?;
    let listed = terminal.run("list").await?;
    for (uid, _) in USERS {
        ensure!(listed.contains(uid), "`connctl list` does not show {uid}");
    }
    terminal.run("list --count --by uid").await?;
    Ok(())
}

async fn remove_one(terminal: &Terminal<'_>, cast: &mut [Actor]) -> Result<()> {
    let actor = first(cast, "alice")?;
    terminal.say("Close one connection: what is pending is flushed, then FIN.")?;
    terminal.run(&format!("remove --conn-id {}", actor.conn_id)).await?;
    actor.peer.sees(Ending::Fin).await?;
    terminal.tell("  the client's recv() returned 0: that was a FIN\n")
}

async fn reset_one(terminal: &Terminal<'_>, cast: &mut [Actor]) -> Result<()> {
    let actor = first(cast, "bob")?;
    terminal.say("Reset one: what is pending is dropped, then RST.")?;
    terminal.run(&format!("reset --conn-id {}", actor.conn_id)).await?;
    actor.peer.sees(Ending::Reset).await?;
    terminal.tell("  the client's recv() failed with ECONNRESET: that was a RST\n")
}

async fn halfclose_one(stage: &Stage, terminal: &Terminal<'_>, cast: &mut [Actor]) -> Result<()> {
    let actor = first(cast, "dave")?;
    terminal.say("Half-close one: the client gets a FIN, and may still send.")?;
    terminal.run(&format!("halfclose --conn-id {}", actor.conn_id)).await?;
    actor.peer.sees(Ending::Fin).await?;
    terminal.tell("  the client's recv() returned 0: that was a FIN\n")?;
    actor.peer.send("my last words\n").await?;
    stage.server_hears("my last words").await?;
    terminal.tell("  the client sent \"my last words\", and the server behind the agent received them\n")?;
    let listed = terminal.run("list --state half_closed").await?;
    ensure!(listed.contains("half_closed"), "no connection is half-closed");
    Ok(())
}

async fn remove_a_user(terminal: &Terminal<'_>, cast: &mut [Actor]) -> Result<()> {
    terminal.say("Close everything of a user, through a pipe that could filter in between.")?;
    terminal.pipe("list --uid carol -o jsonl", "remove --batch -").await?;
    let mut seen = 0;
    for actor in cast.iter_mut().filter(|actor| actor.uid == "carol") {
        actor.peer.sees(Ending::Fin).await?;
        seen += 1;
    }
    terminal.tell(&format!("  carol's {seen} clients each got a FIN\n"))
}

/// Lets two more in, and sees the third refused.
async fn reject_after_two(stage: &Stage, terminal: &Terminal<'_>) -> Result<Vec<Peer>> {
    terminal.say("Let two more in at `echo`, and refuse whoever comes after them.")?;
    terminal.run("listener reject echo --after 2").await?;
    let mut guests = Vec::new();
    for number in ["first", "second"] {
        let mut peer = Peer::connect(stage.address("echo")?).await?;
        peer.send("anybody there?\n").await?;
        peer.hears("anybody there?\n").await?;
        terminal.tell(&format!("  the {number} was served\n"))?;
        guests.push(peer);
    }
    Peer::is_refused(stage.address("echo")?).await?;
    terminal.tell("  the third got ECONNREFUSED\n")?;
    terminal.run("listener list").await?;
    Ok(guests)
}
