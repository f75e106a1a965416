//! `/metrics`, read as strictly as OpenMetrics is written.
use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::json;

use crate::support::certs::{Ca, Leaf};
use crate::support::upstream::Upstream;
use crate::support::{Agent, Peer, Setup, until};

/// One figure: its labels and its value.
type Sample = (BTreeMap<String, String>, f64);

/// A family of figures.
#[derive(Debug, Default)]
struct Family {
    kind: String,
    /// By the suffix of their name.
    samples: Vec<(String, Sample)>,
}

/// Reads a scrape; panics at the first thing that OpenMetrics does not allow.
fn read(text: &str) -> HashMap<String, Family> {
    let body = text.strip_suffix("# EOF\n").expect("the mark of the end, and nothing behind it");
    let (mut families, mut current) = (HashMap::<String, Family>::new(), String::new());
    for line in body.split_terminator('\n') {
        assert!(!line.is_empty() && line.trim() == line, "{line:?}");
        if let Some(rest) = line.strip_prefix("# ") {
            let mut words = rest.splitn(3, ' ');
            let (word, name, value) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
            if word == "HELP" {
                assert!(families.insert(name.to_owned(), Family::default()).is_none(), "{name} twice");
                name.clone_into(&mut current);
                assert!(value.len() > 3 && !value.contains(['"', '\\']), "{line}");
            }
            assert_eq!(name, current, "what belongs to a family stands together: {line}");
            match word {
                "HELP" => {}
                "TYPE" => {
                    assert!(["gauge", "counter", "histogram"].contains(&value), "{line}");
                    value.clone_into(&mut families.get_mut(name).unwrap().kind);
                }
                "UNIT" => assert!(name.ends_with(&format!("_{value}")), "{line}"),
                _ => panic!("{line}"),
            }
            continue;
        }
        let (name, labels, value) = sample(line);
        let family = families.get_mut(&current).unwrap();
        let suffix = name.strip_prefix(&current).unwrap_or_else(|| panic!("{line} is not of {current}"));
        let allowed: &[&str] = match family.kind.as_str() {
            "gauge" => &[""],
            "counter" => &["_total"],
            "histogram" => &["_sum", "_count", "_bucket"],
            kind => panic!("{current} has type {kind:?}"),
        };
        assert!(allowed.contains(&suffix), "{line}");
        assert!(value >= 0.0 && value.is_finite(), "{line}");
        family.samples.push((suffix.to_owned(), (labels, value)));
    }
    for (name, family) in &families {
        let mut seen = HashSet::new();
        for (suffix, (labels, _)) in &family.samples {
            assert!(seen.insert(format!("{suffix}{labels:?}")), "{name}{suffix} {labels:?} twice");
        }
        if family.kind == "histogram" {
            check_buckets(name, family);
        }
    }
    families
}

/// `name{key="value",…} number`
fn sample(line: &str) -> (&str, BTreeMap<String, String>, f64) {
    let name_end = line.find(['{', ' ']).unwrap();
    let (name, mut rest) = line.split_at(name_end);
    assert!(name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'), "{line}");
    let mut labels = BTreeMap::new();
    if let Some(inside) = rest.strip_prefix('{') {
        let (mut at, mut chars) = (0, inside.char_indices().peekable());
        while !inside[at..].starts_with('}') {
            let (key, after) = inside[at..].trim_start_matches(',').split_once("=\"").unwrap();
            let start = inside.len() - after.len();
            let (mut value, mut end) = (String::new(), None);
            while chars.next_if(|(place, _)| *place < start).is_some() {}
            while let Some((place, c)) = chars.next() {
                match c {
                    '"' => {
                        end = Some(place + 1);
                        break;
                    }
                    '\\' => value.push(match chars.next().unwrap().1 {
                        'n' => '\n',
                        other => other,
                    }),
                    other => value.push(other),
                }
            }
            at = end.unwrap_or_else(|| panic!("{line}"));
            assert!(labels.insert(key.to_owned(), value).is_none(), "{line}");
        }
        rest = &inside[at + 1..];
    }
    let number = rest.strip_prefix(' ').unwrap_or_else(|| panic!("{line}"));
    (name, labels, number.parse().unwrap_or_else(|_| panic!("{line}")))
}

fn check_buckets(name: &str, family: &Family) {
    let mut series: BTreeMap<String, (Vec<(f64, f64)>, f64)> = BTreeMap::new();
    for (suffix, (labels, value)) in &family.samples {
        let mut labels = labels.clone();
        let le = labels.remove("le");
        let entry = series.entry(format!("{labels:?}")).or_default();
        match suffix.as_str() {
            "_bucket" => {
                let le = le.expect("le");
                let le = if le == "+Inf" { f64::INFINITY } else { le.parse().unwrap() };
                entry.0.push((le, *value));
            }
            "_count" => entry.1 = *value,
            _ => {}
        }
    }
    assert!(!series.is_empty(), "{name}");
    for (buckets, count) in series.values() {
        assert!(
            buckets.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1),
            "{buckets:?}"
        );
        assert_eq!(buckets.last(), Some(&(f64::INFINITY, *count)), "{name}");
    }
}

fn scrape(agent: &Agent) -> HashMap<String, Family> {
    let response = agent.http().get("/metrics").is(200);
    let kind = response.header("content-type").unwrap();
    assert_eq!(kind, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    read(&response.text())
}

/// The figure with these labels.
#[track_caller]
fn figure(families: &HashMap<String, Family>, name: &str, labels: &[(&str, &str)]) -> f64 {
    let (base, suffix) = ["_total", "_count"]
        .iter()
        .find_map(|suffix| Some((name.strip_suffix(suffix)?, *suffix)))
        .unwrap_or((name, ""));
    let family = families.get(base).unwrap_or_else(|| panic!("no {base}"));
    let wanted: BTreeMap<_, _> =
        labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let found = family.samples.iter().find(|(own, (labels, _))| own == suffix && *labels == wanted);
    found.unwrap_or_else(|| panic!("no {name} {labels:?} in {family:?}")).1.1
}

#[test]
fn the_figures_are_those_of_the_agent() {
    let upstream = Upstream::echo();
    let agent = Setup::new().forward("front", upstream.addr()).echo("echo").start();
    let mut clients: Vec<_> = (0..3).map(|_| Peer::connect(agent.addr("front"))).collect();
    for client in &mut clients {
        client.send("hello");
        client.expect("hello");
        agent.counted(client, 5, 5);
    }
    agent.does("reset", "both", &clients[0]);
    agent.does("pause", "client", &clients[1]);
    let seen = scrape(&agent);
    let connections =
        |listener, state| figure(&seen, "connctl_connections", &[("listener", listener), ("state", state)]);
    assert_eq!((connections("front", "active"), connections("front", "paused")), (1.0, 1.0));
    assert_eq!((connections("echo", "active"), connections("echo", "closing")), (0.0, 0.0));
    let ended = [("side", "upstream"), ("reason", "operator_reset")];
    assert_eq!(figure(&seen, "connctl_endings_total", &ended), 1.0);
    assert_eq!(figure(&seen, "connctl_accepted_total", &[]), 3.0);
    assert_eq!(figure(&seen, "connctl_relayed_bytes_total", &[("to", "upstream")]), 15.0);
    assert_eq!(figure(&seen, "connctl_relayed_bytes_total", &[("to", "client")]), 15.0);
    assert_eq!(figure(&seen, "connctl_accept_seconds_count", &[]), 3.0);
    assert_eq!(figure(&seen, "connctl_dial_seconds_count", &[]), 3.0);
    assert_eq!(figure(&seen, "connctl_operation_seconds_count", &[("operation", "reset")]), 1.0);
    assert_eq!(figure(&seen, "connctl_operation_seconds_count", &[("operation", "close")]), 0.0);
    assert_eq!(figure(&seen, "connctl_listener_accepting", &[("listener", "echo")]), 1.0);
    assert!(figure(&seen, "connctl_memory_bytes", &[]) > 1e6);
    assert!(figure(&seen, "connctl_descriptors", &[]) > 5.0);
    assert!(figure(&seen, "connctl_start_time_seconds", &[]) > 1.6e9);
}

#[test]
fn names_that_clients_choose_are_no_labels() {
    let agent = Agent::echo();
    let clients: Vec<_> = (0..20).map(|_| Peer::connect(agent.only())).collect();
    for (number, client) in clients.iter().enumerate() {
        agent.assign(client, &format!("user-{number}"));
    }
    let count = |families: &HashMap<String, Family>| {
        families.values().map(|family| family.samples.len()).sum::<usize>()
    };
    let before = scrape(&agent);
    let text = agent.http().get("/metrics").is(200).text();
    assert!(!text.contains("user-"), "{text}");
    drop(clients);
    agent.settled(0);
    agent.http().post("/v1/operations", &json!({ "operation": "reset", "where": "all" })).is(200);
    // A reason that had not occurred is all that is new.
    assert!(count(&scrape(&agent)) <= count(&before) + 1);
}

#[test]
fn counters_never_fall_while_connections_come_and_go() {
    let agent = Agent::echo();
    let address = agent.only();
    let clients = std::thread::spawn(move || {
        for _ in 0..300 {
            let mut client = Peer::connect(address);
            client.send("hello");
            client.expect("hello");
        }
    });
    let mut last = (0.0, 0.0);
    while !clients.is_finished() {
        let seen = scrape(&agent);
        let now = (
            figure(&seen, "connctl_relayed_bytes_total", &[("to", "client")]),
            figure(&seen, "connctl_ended_total", &[]),
        );
        assert!(now.0 >= last.0 && now.1 >= last.1, "{last:?} {now:?}");
        last = now;
    }
    clients.join().unwrap();
    agent.settled(0);
    assert_eq!(figure(&scrape(&agent), "connctl_relayed_bytes_total", &[("to", "client")]), 1_500.0);
}

/// The expiries that are told, by what the certificates are for and their place in the file.
fn expiries(agent: &Agent) -> BTreeMap<(String, String), f64> {
    let told = scrape(agent).remove("connctl_certificate_expiry_seconds").unwrap();
    let row = |(_, (labels, value)): (String, Sample)| {
        assert_eq!(labels.len(), 2, "{labels:?}");
        ((labels["of"].clone(), labels["number"].clone()), value)
    };
    told.samples.into_iter().map(row).collect()
}

/// Seconds since 1970, so many days from now; `is_near` allows for the test's own time.
fn in_days(days: i32) -> f64 {
    let now = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap();
    f64::from(days).mul_add(86_400.0, now.as_secs_f64())
}

fn is_near(one: f64, other: f64) -> bool {
    (one - other).abs() < 3_600.0
}

#[test]
fn certificates_tell_when_they_expire_and_a_renewed_one_tells_anew() {
    let (ca, next) = (Ca::new("authority"), Ca::new("next"));
    let days = |days: i32| Leaf { days: Some((-1, days)), ..Leaf::server() };
    let mut server = ca.issue(&days(3));
    server.certificate += &ca.pem;
    let more = "[[certificate]]\nname = 'eyes'\nrole = 'viewer'\n";
    let agent = Setup::new().tls(&server, Some(&ca), more).echo("one").start();
    let place = |of: &str, number: &str| (of.to_owned(), number.to_owned());
    let before = expiries(&agent);
    let expected = [(place("server", "1"), 3), (place("server", "2"), 10), (place("client_ca", "1"), 10)];
    assert_eq!(before.len(), expected.len(), "{before:?}");
    for (place, days) in &expected {
        assert!(is_near(before[place], in_days(*days)), "{place:?} in {before:?}");
    }
    until("the log reminds", || agent.log().contains("is to be renewed").then_some(()));
    // What the files say does not count before it is read.
    let renewed = ca.issue(&days(90));
    agent.dir().write("server.crt", &renewed.certificate);
    agent.dir().write("server.key", &renewed.key);
    agent.dir().write("client_ca.crt", &(ca.pem.clone() + &next.pem));
    assert_eq!(expiries(&agent), before);
    agent.http().post("/v1/agent/reload", &json!({})).is(200);
    let after = expiries(&agent);
    assert!(is_near(after[&place("server", "1")], in_days(90)), "{after:?}");
    assert_eq!(after.len(), 3, "{after:?}");
    assert!(after.contains_key(&place("client_ca", "2")), "{after:?}");
    let text = agent.http().get("/metrics").is(200).text();
    assert!(!text.contains("authority") && !text.contains("server.crt"), "{text}");
    // The node tells the same, the first to expire at the front.
    let node = agent.http().get("/v1/node").is(200).json();
    let told: Vec<_> = node["certificates"].as_array().unwrap().iter().map(|row| &row["name"]).collect();
    assert_eq!(told.last(), Some(&&json!("localhost")), "{node}");
}

#[test]
fn without_tls_and_an_audit_there_is_nothing_to_tell_of_them() {
    let seen = scrape(&Agent::echo());
    assert!(seen["connctl_certificate_expiry_seconds"].samples.is_empty());
    assert!(!seen.keys().any(|name| name.starts_with("connctl_audit")), "{:?}", seen.keys());
}

#[test]
fn the_audit_counts_what_it_wrote_allowed_or_denied() {
    let hash = "0".repeat(64);
    let token = format!("[[token]]\nname = 'other'\nrole = 'viewer'\nsha256 = '{hash}'\n");
    let setup = Setup::new().tcp_control().config(token).echo("echo");
    let state = setup.dir().join("state");
    let agent = setup.arg("--state-dir").arg(state).start();
    let audit = |name: &str| figure(&scrape(&agent), &format!("connctl_audit_{name}"), &[]);
    // That it has started is its first line.
    assert_eq!([audit("lines_total"), audit("sequence")], [1.0, 1.0]);
    agent.http().post("/v1/listeners/reject", &json!({})).is(200);
    until("both lines of the change are there", || (audit("lines_total") == 3.0).then_some(()));
    agent.tcp().post("/v1/listeners/accept", &json!({})).is(401);
    until("the refusal is there", || (audit("lines_total") == 4.0).then_some(()));
    assert_eq!(audit("sequence"), 4.0);
    let size = std::fs::metadata(agent.dir().path().join("state/audit.jsonl")).unwrap().len();
    assert_eq!(audit("file_bytes").to_string(), size.to_string());
    for none in ["write_failures_total", "refused_changes_total", "lost_lines_total", "waiting_lines"] {
        assert_eq!(audit(none), 0.0, "{none}");
    }
}
