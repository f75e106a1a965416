//! A wall clock that jumps, as it does when somebody or NTP sets it. What counts time has another clock.
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::service::have;
use crate::support::until::{stays, until};
use crate::support::{Agent, End, LIMIT, Peer, Setup};

/// Lets the agent's wall clock be set, and nothing else of its time: glibc's is replaced by this library's.
fn library() -> Option<String> {
    if !have(&["faketime"]) {
        return None;
    }
    let places = std::fs::read_dir("/usr/lib").unwrap().flatten();
    let mut files = places.map(|place| place.path().join("faketime/libfaketimeMT.so.1"));
    let file = files.find(|file| file.exists()).expect("faketime has its library");
    Some(file.to_str().unwrap().to_owned())
}

/// An agent, and the file that says how far its wall clock is ahead: `+1d`.
struct Clocked {
    setup: Setup,
    agent: Agent,
    offset: std::path::PathBuf,
}

impl Clocked {
    fn start(keys: &str) -> Option<Self> {
        let library = library()?;
        let setup = Setup::new()
            .config(format!("[[listener]]\nname = 'echo'\nmode = 'echo'\nbind = '127.0.0.1:0'\n{keys}\n"));
        let offset = setup.dir().write("offset", "+0d");
        let state = setup.dir().join("state");
        let setup = setup
            .arg("--state-dir")
            .arg(state)
            .env("LD_PRELOAD", library)
            .env("FAKETIME_TIMESTAMP_FILE", &offset)
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        Some(Self { agent: setup.clone().start(), setup, offset: offset.into() })
    }

    /// Stops it and starts it again.
    fn restart(mut self) -> Self {
        assert_eq!(self.agent.terminate(LIMIT), Some(0));
        Self { agent: self.setup.clone().start(), ..self }
    }

    /// Sets the clock, and sees that the agent takes it for the time.
    fn set(&self, offset: &str, days: i64) {
        // At once, and never half.
        let next = self.offset.with_extension("next");
        std::fs::write(&next, offset).unwrap();
        std::fs::rename(next, &self.offset).unwrap();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let day = i64::try_from(now.as_secs()).unwrap() / 86_400 + days;
        until("the agent's clock has jumped", || {
            let probe = Peer::connect(self.agent.only());
            let opened = self.agent.row(&probe)["opened_at"].as_str()?.to_owned();
            // A test that runs over midnight is off by one.
            [day, day + 1].iter().any(|day| opened.starts_with(&date(*day))).then_some(())
        });
    }
}

/// The date of a day since 1970, as ISO 8601 writes it. The algorithm is Howard Hinnant's `civil_from_days`.
fn date(day: i64) -> String {
    let z = day + 719_468;
    let (era, of_era) = (z / 146_097, z % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let (day, month) =
        (of_year - (153 * shifted + 2) / 5 + 1, shifted % 12 + if shifted < 10 { 3 } else { -9 });
    format!("{:04}-{month:02}-{day:02}", year + era * 400 + i64::from(month <= 2))
}

#[test]
fn a_clock_that_jumps_ends_no_connection_and_ages_none() {
    let Some(clocked) = Clocked::start("idle_timeout = '10m'\nmax_lifetime = '30m'") else { return };
    let agent = &clocked.agent;
    let begun = Instant::now();
    let mut client = Peer::connect(agent.only());
    let id = agent.id(&client);
    for (offset, days) in [("+2d", 2), ("-2d", -2), ("+0d", 0)] {
        clocked.set(offset, days);
        client.send("x");
        client.expect("x");
        let row = agent.row(&client);
        assert_eq!(row["conn_id"], id);
        for field in ["age_ms", "idle_ms"] {
            let most = u64::try_from(begun.elapsed().as_millis()).unwrap() + 1;
            assert!(row[field].as_u64().unwrap() <= most, "{offset}: {row}");
        }
    }
    stays("it is there", Duration::from_millis(300), || client.is_quiet());
    assert_eq!(agent.count_of("client", "inactivity") + agent.count_of("client", "max_lifetime"), 0);
}

#[test]
fn a_clock_that_is_set_back_repeats_no_id_and_keeps_the_order_of_the_history() {
    let Some(clocked) = Clocked::start("") else { return };
    let mut last = 0;
    let mut end_one = |agent: &Agent| {
        let mut client = Peer::connect(agent.only());
        let id = agent.id(&client);
        assert!(id > last, "{id} came after {last}");
        last = id;
        assert_eq!(agent.does("close", "both", &client)["status"], "done");
        client.ends_with(End::Fin);
    };
    end_one(&clocked.agent);
    clocked.set("-2d", -2);
    end_one(&clocked.agent);
    let clocked = clocked.restart();
    end_one(&clocked.agent);
    clocked.set("+2d", 2);
    end_one(&clocked.agent);
    let history =
        clocked.agent.http().get("/v1/history?stream=true&where=reason%20%3D%20operator_close").is(200);
    let ids: Vec<_> = history.json_lines().iter().filter_map(|row| row["conn_id"].as_u64()).collect();
    let mut newest_first = ids.clone();
    newest_first.sort_unstable_by(|one, other| other.cmp(one));
    assert_eq!((ids.len(), &ids), (4, &newest_first));
}

#[test]
fn a_paced_job_keeps_its_pace_while_the_clock_jumps() {
    let Some(clocked) = Clocked::start("") else { return };
    let agent = &clocked.agent;
    let clients: Vec<_> = (0..6).map(|_| Peer::connect(agent.only())).collect();
    agent.settled(6);
    let begun = Instant::now();
    let request = json!({"operation": "close", "where": "all", "pace": {"rate": 2}, "detach": true});
    let job = agent.http().post("/v1/operations", &request).is(200).json()["job_id"].clone();
    clocked.set("+2d", 2);
    clocked.set("-2d", -2);
    let path = format!("/v1/jobs/{}", job.as_str().unwrap());
    let row: Value = until("the job is done", || {
        let row = agent.http().get(&path).is(200).json();
        (row["state"] == "done").then_some(row)
    });
    assert_eq!(row["summary"]["done"], 6, "{row}");
    // Five waits of half a second.
    assert!(begun.elapsed() >= Duration::from_millis(2_400), "{:?}", begun.elapsed());
    drop(clients);
}
