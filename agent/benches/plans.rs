//! Plans and paces held against a real agent, for longer than a test may take.
//!
//! `race STEPS`: births, deaths, plans and applications at random; every step checks that nobody outside a plan
//! that was applied has been touched. `reconnect CLIENTS RATE`: clients that come back at once when they are
//! closed; prints how many came back in the fullest second, as the clients saw it, beside the rate asked.
#![expect(clippy::print_stdout, reason = "a benchmark prints what it found")]

use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use connctl_agent::base::random::Random;
use serde_json::{Value, json};
use socket2::{Domain, SockRef, Socket, Type};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Clients at once in a race, and plans that wait to be applied.
const MOST: (usize, usize) = (200, 8);
/// Clients of which none is closed for so long will not be.
const SILENCE: Duration = Duration::from_secs(30);
/// How many bystanders come and go beside a race, and from where.
const BYSTANDERS: (usize, [u8; 4]) = (20, [127, 0, 0, 2]);

fn main() -> Result<(), Failure> {
    let words: Vec<_> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let number = |place: usize, usual: u64| words.get(place).map_or(Ok(usual), |word| word.parse());
    match words.first().map(String::as_str) {
        None | Some("race") => race(number(1, 20_000)?),
        Some("reconnect") => reconnect(usize::try_from(number(1, 5_000)?)?, number(2, 500)?),
        Some(other) => Err(format!("{other:?}: race STEPS, or reconnect CLIENTS RATE").into()),
    }
}

/// An agent with one listener; killed when dropped.
struct Agent {
    process: Child,
    socket: PathBuf,
    address: SocketAddr,
}

impl Agent {
    fn start(mode: &str) -> Result<Self, Failure> {
        let dir = std::env::temp_dir().join(format!("connctl-plans-{}", std::process::id()));
        std::fs::create_dir_all(&dir)?;
        let socket = dir.join("agent.sock");
        let mut process = Command::new(env!("CARGO_BIN_EXE_connctl-agent"))
            .args(["run", mode, "127.0.0.1:0", "--control", &format!("unix:{}", socket.display())])
            .env("CONNCTL_LOG", "warn")
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().ok_or("no stdout")?).read_line(&mut line)?;
        let ready: Value = serde_json::from_str(&line)?;
        let address = ready["listeners"][0]["bind"].as_str().ok_or("no address")?.parse()?;
        Ok(Self { process, socket, address })
    }

    /// The lines of an answer.
    fn ask(&self, method: &str, path: &str, body: &Value) -> Result<Vec<Value>, Failure> {
        let mut wire = UnixStream::connect(&self.socket)?;
        let body = if method == "GET" { String::new() } else { body.to_string() };
        write!(
            wire,
            "{method} {path} HTTP/1.0\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )?;
        let mut answer = String::new();
        wire.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").ok_or("no head")?;
        if !head.contains(" 200 ") {
            return Err(format!("{method} {path}: {answer}").into());
        }
        body.lines().filter(|line| !line.is_empty()).map(|line| Ok(serde_json::from_str(line)?)).collect()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if let Some(dir) = self.socket.parent() {
            let _ = std::fs::remove_dir_all(dir);
        }
    }
}

fn connect(to: SocketAddr, from: Option<[u8; 4]>) -> Result<TcpStream, Failure> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    if let Some(from) = from {
        socket.bind(&SocketAddr::from((from, 0)).into())?;
    }
    socket.connect(&to.into())?;
    // Leaves no port behind that has to wait.
    socket.set_linger(Some(Duration::ZERO))?;
    Ok(socket.into())
}

/// Whether nothing has come: no byte, no FIN, no RST.
fn is_untouched(client: &TcpStream) -> bool {
    let seen = SockRef::from(client).recv_with_flags(&mut [std::mem::MaybeUninit::uninit()], PEEK);
    seen.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

/// `MSG_PEEK | MSG_DONTWAIT`
const PEEK: i32 = 0x02 | 0x40;

/// A plan and whom it showed.
struct Shown {
    plan_id: String,
    ids: HashSet<u64>,
    clients: HashSet<String>,
}

fn race(steps: u64) -> Result<(), Failure> {
    let agent = Agent::start("--hold")?;
    let (stop, touched) = (AtomicBool::new(false), AtomicU64::new(0));
    let start = Instant::now();
    let (applied, acted) = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let clients: Vec<_> = (0..BYSTANDERS.0)
                    .filter_map(|_| connect(agent.address, Some(BYSTANDERS.1)).ok())
                    .collect();
                std::thread::sleep(Duration::from_millis(5));
                let hurt = clients.iter().filter(|client| !is_untouched(client)).count();
                touched.fetch_add(hurt as u64, Ordering::Relaxed);
            }
        });
        let result = race_steps(&agent, steps);
        stop.store(true, Ordering::Relaxed);
        result
    })?;
    let touched = touched.into_inner();
    println!(
        "{steps} steps in {:.1?}: {applied} plans applied, {acted} connections acted on, {touched} bystanders touched",
        start.elapsed()
    );
    if touched == 0 { Ok(()) } else { Err("a connection outside its plan was touched".into()) }
}

fn race_steps(agent: &Agent, steps: u64) -> Result<(u64, u64), Failure> {
    let mut random = Random::new();
    let mut live: HashMap<String, TcpStream> = HashMap::new();
    let mut plans: Vec<Shown> = Vec::new();
    let (mut applied, mut acted) = (0, 0);
    for step in 0..steps {
        match random.below(100) {
            0..=47 if live.len() < MOST.0 => {
                let client = connect(agent.address, None)?;
                live.insert(client.local_addr()?.to_string(), client);
            }
            0..=93 => {
                let pick = random.below(live.len().max(1));
                if let Some(name) = live.keys().nth(pick).cloned() {
                    live.remove(&name);
                }
            }
            94..=96 if plans.len() < MOST.1 => plans.push(freeze(agent, &mut random)?),
            _ if !plans.is_empty() => {
                let plan = plans.swap_remove(random.below(plans.len()));
                acted += apply(agent, &plan, &mut live).map_err(|error| format!("step {step}: {error}"))?;
                applied += 1;
            }
            _ => {}
        }
    }
    Ok((applied, acted))
}

fn freeze(agent: &Agent, random: &mut Random) -> Result<Shown, Failure> {
    let below = 32_768 + random.below(28_000);
    let selector = format!("ip = 127.0.0.1 and port < {below}");
    let operation = ["close", "reset"][random.below(2)];
    let request = json!({"operation": operation, "where": selector});
    let plan = agent.ask("POST", "/v1/plans", &request)?.remove(0);
    let plan_id = plan["plan_id"].as_str().ok_or("no plan id")?.to_owned();
    let rows = agent.ask("GET", &format!("/v1/plans/{plan_id}/connections"), &Value::Null)?;
    let ids = rows.iter().filter_map(|row| row["conn_id"].as_u64()).collect();
    let clients = rows.iter().filter_map(|row| Some(row["client"].as_str()?.to_owned())).collect();
    Ok(Shown { plan_id, ids, clients })
}

/// Applies a plan and looks at every client; gives how many connections were acted on.
fn apply(agent: &Agent, plan: &Shown, live: &mut HashMap<String, TcpStream>) -> Result<u64, Failure> {
    let lines = agent.ask("POST", &format!("/v1/plans/{}/apply", plan.plan_id), &json!({}))?;
    let mut done = 0;
    for line in lines.iter().filter(|line| line["status"] == "done") {
        let id = line["conn_id"].as_u64().ok_or("no id")?;
        done += 1;
        if !plan.ids.contains(&id) {
            return Err(format!("{id} was acted on and never shown").into());
        }
    }
    // A port can be somebody else's by now: such a client was not shown, and is looked at like any other.
    let rows = agent.ask("GET", "/v1/connections?stream=true", &Value::Null)?;
    let listed: HashSet<_> = rows.iter().filter_map(|row| row["client"].as_str()).collect();
    let is_gone = |name: &str| plan.clients.contains(name) && !listed.contains(name);
    for (name, client) in live.iter().filter(|(name, _)| !is_gone(name)) {
        if !is_untouched(client) {
            return Err(format!("{name} was touched and is in no plan that was applied").into());
        }
    }
    live.retain(|name, _| !is_gone(name));
    Ok(done)
}

fn reconnect(clients: usize, rate: u64) -> Result<(), Failure> {
    let agent = Agent::start("--hold")?;
    let streams: Vec<_> = (0..clients).map(|_| connect(agent.address, None)).collect::<Result<_, _>>()?;
    // A client is connected before it is accepted, and who is not accepted is not closed.
    while agent.ask("GET", "/v1/node", &Value::Null)?.first().ok_or("no node")?["connections"] != clients {
        std::thread::sleep(Duration::from_millis(10));
    }
    let back: Mutex<Vec<Instant>> = Mutex::new(Vec::with_capacity(clients));
    std::thread::scope(|scope| {
        let coming = scope.spawn(|| come_back(streams, agent.address, &back));
        let request =
            json!({"operation": "close", "where": "all", "pace": {"rate": rate, "jitter_percent": 20}});
        let lines = agent.ask("POST", "/v1/operations", &request)?;
        let summary = lines.last().ok_or("no summary")?;
        coming.join().map_err(|_| "the clients panicked")??;
        println!("{summary}");
        Ok::<(), Failure>(())
    })?;
    let mut back = back.into_inner()?;
    back.sort_unstable();
    let peak = (0..back.len()).map(|at| {
        let end = back[at] + Duration::from_secs(1);
        back[at..].partition_point(|time| *time < end)
    });
    let (first, last) = (back.first().ok_or("nobody")?, back.last().ok_or("nobody")?);
    println!(
        "{clients} clients came back within {:.1?}; {rate}/s asked, at most {} in any second",
        *last - *first,
        peak.max().unwrap_or(0)
    );
    Ok(())
}

/// Each client connects again as soon as it sees its end.
fn come_back(streams: Vec<TcpStream>, to: SocketAddr, back: &Mutex<Vec<Instant>>) -> Result<(), Failure> {
    let epoll = rustix::event::epoll::create(rustix::event::epoll::CreateFlags::CLOEXEC)?;
    for (at, stream) in streams.iter().enumerate() {
        let data = rustix::event::epoll::EventData::new_u64(at as u64);
        rustix::event::epoll::add(&epoll, stream.as_fd(), data, rustix::event::epoll::EventFlags::IN)?;
    }
    let mut streams: Vec<_> = streams.into_iter().map(Some).collect();
    let (mut kept, mut left) = (Vec::with_capacity(streams.len()), streams.len());
    let mut events = Vec::with_capacity(1024);
    while left > 0 {
        events.clear();
        let limit = rustix::event::Timespec { tv_sec: SILENCE.as_secs().cast_signed(), tv_nsec: 0 };
        rustix::event::epoll::wait(&epoll, rustix::buffer::spare_capacity(&mut events), Some(&limit))?;
        if events.is_empty() {
            return Err(format!("{left} clients were not closed").into());
        }
        for event in &events {
            let place = usize::try_from(event.data.u64())?;
            if streams.get_mut(place).and_then(Option::take).is_some() {
                kept.push(connect(to, None)?);
                if let Ok(mut back) = back.lock() {
                    back.push(Instant::now());
                }
                left -= 1;
            }
        }
    }
    Ok(())
}
