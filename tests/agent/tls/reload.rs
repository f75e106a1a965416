//! New certificates while the agent runs.
use std::io::{Read as _, Write as _};
use std::sync::Arc;

use rustix::process::Signal;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Value, json};

use crate::support::certs::{Ca, Leaf, Pair};
use crate::support::http::Wire;
use crate::support::{Agent, Setup, until};

const EYES: &str = "[[certificate]]\nname = 'eyes'\nrole = 'viewer'\n";

fn agent(ca: &Ca, server: &Pair) -> Agent {
    Setup::new().tls(server, Some(ca), EYES).echo("one").start()
}

/// `key outcome` of each change.
fn reload(agent: &Agent) -> Vec<String> {
    let report = agent.http().post("/v1/agent/reload", &json!({})).is(200).json();
    let told = |row: &Value| format!("{} {}", row["key"].as_str().unwrap(), row["outcome"].as_str().unwrap());
    report["changes"].as_array().unwrap().iter().map(told).collect()
}

/// The status of a request on an open connection.
fn ask(wire: &mut Wire) -> u16 {
    wire.write_all(b"GET /v1/health HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut seen = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let n = wire.read(&mut chunk).unwrap();
        assert_ne!(n, 0, "the agent closed");
        seen.extend_from_slice(&chunk[..n]);
        if let Some(response) = crate::support::http::Response::parse(&seen) {
            return response.status;
        }
    }
}

/// The certificate that the agent shows now.
fn shown(agent: &Agent, ca: &Ca) -> CertificateDer<'static> {
    let mut wire = agent.tls(ca.trusting(None)).open();
    assert_eq!(ask(&mut wire), 401);
    let Wire::Tls(stream) = wire else { unreachable!() };
    stream.conn.peer_certificates().unwrap()[0].clone().into_owned()
}

fn der(pair: &Pair) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pair.certificate.as_bytes()).unwrap()
}

#[test]
fn a_new_certificate_is_shown_to_the_next_client_and_nobody_is_cut_off() {
    let ca = Ca::new("authority");
    let [old, new, third] = [(); 3].map(|()| ca.issue(&Leaf::server()));
    let agent = agent(&ca, &old);
    let mut before = agent.tls(ca.trusting(Some(&ca.client("eyes")))).open();
    assert_eq!(ask(&mut before), 200);
    assert_eq!(shown(&agent, &ca), der(&old));
    assert_eq!(reload(&agent), Vec::<String>::new());
    agent.dir().write("server.crt", &new.certificate);
    agent.dir().write("server.key", &new.key);
    assert_eq!(shown(&agent, &ca), der(&old), "nobody has said to read it again");
    assert_eq!(reload(&agent), ["tls applied"]);
    assert_eq!(shown(&agent, &ca), der(&new));
    assert_eq!(ask(&mut before), 200);
    agent.dir().write("server.crt", &third.certificate);
    agent.dir().write("server.key", &third.key);
    agent.signal(Signal::HUP);
    until("the third is shown", || (shown(&agent, &ca) == der(&third)).then_some(()));
}

#[test]
fn files_that_do_not_go_together_change_nothing() {
    let ca = Ca::new("authority");
    let (old, new) = (ca.issue(&Leaf::server()), ca.issue(&Leaf::server()));
    let agent = agent(&ca, &old);
    // One file of two has come, as in the middle of a renewal.
    agent.dir().write("server.crt", &new.certificate);
    let message = agent.http().post("/v1/agent/reload", &json!({})).error(422, "bad_config");
    assert!(message.contains("server.crt") && message.contains("server.key"), "{message}");
    for text in ["", "-----BEGIN CERTIFICATE-----\nc2VjcmV0\n-----END CERTIFICATE-----\n"] {
        agent.dir().write("client_ca.crt", text);
        agent.dir().write("server.key", &new.key);
        let message = agent.http().post("/v1/agent/reload", &json!({})).error(422, "bad_config");
        assert!(message.contains("client_ca"), "{message}");
    }
    std::fs::remove_file(agent.dir().path().join("server.key")).unwrap();
    let message = agent.http().post("/v1/agent/reload", &json!({})).error(422, "bad_config");
    assert!(message.contains("server.key"), "{message}");
    assert_eq!(shown(&agent, &ca), der(&old));
    agent.tls(ca.trusting(Some(&ca.client("eyes")))).get("/v1/health").is(200);
}

#[test]
fn whoever_is_taken_out_is_out_at_once_also_on_a_connection_that_is_open() {
    let ca = Ca::new("authority");
    let server = ca.issue(&Leaf::server());
    let agent = agent(&ca, &server);
    let client = ca.trusting(Some(&ca.client("eyes")));
    let mut open = agent.tls(Arc::clone(&client)).open();
    assert_eq!(ask(&mut open), 200);
    let table = std::fs::read_to_string(agent.dir().path().join("agent.toml")).unwrap();
    agent.dir().write("agent.toml", &table.replace("'eyes'", "'others'"));
    assert_eq!(reload(&agent), ["certificate applied"]);
    assert_eq!(ask(&mut open), 401);
    agent.dir().write("agent.toml", &table.replace("viewer", "admin"));
    assert_eq!(reload(&agent), ["certificate applied"]);
    assert_eq!(ask(&mut open), 200);
}

#[test]
fn what_a_former_authority_has_vouched_for_does_not_count_any_more() {
    let (ca, next) = (Ca::new("authority"), Ca::new("next"));
    let agent = agent(&ca, &ca.issue(&Leaf::server()));
    let mut open = agent.tls(ca.trusting(Some(&ca.client("eyes")))).open();
    assert_eq!(ask(&mut open), 200);
    agent.dir().write("client_ca.crt", &next.pem);
    assert_eq!(reload(&agent), ["tls applied"]);
    assert_eq!(ask(&mut open), 401);
    agent.tls(ca.trusting(Some(&next.client("eyes")))).get("/v1/health").is(200);
    // Both, as in the middle of a change from one to the other.
    agent.dir().write("client_ca.crt", &(ca.pem.clone() + &next.pem));
    assert_eq!(reload(&agent), ["tls applied"]);
    for one in [&ca, &next] {
        agent.tls(ca.trusting(Some(&one.client("eyes")))).get("/v1/health").is(200);
    }
}

#[test]
fn an_address_that_speaks_tls_goes_on_where_the_file_no_longer_says_so() {
    let ca = Ca::new("authority");
    let setup = Setup::new();
    let socket = setup.socket();
    let control = format!("control = ['unix:{}', 'tls:127.0.0.1:0']\n", socket.display());
    let table = setup.tls_table(&ca.issue(&Leaf::server()), Some(&ca));
    let listener = "[[listener]]\nname = 'one'\nmode = 'echo'\nbind = '127.0.0.1:0'\n";
    let agent = setup.without_control().config(format!("{control}{table}{EYES}{listener}")).start();
    let client = ca.trusting(Some(&ca.client("eyes")));
    agent.tls(Arc::clone(&client)).get("/v1/health").is(200);
    agent.dir().write("agent.toml", &format!("control = ['unix:{}']\n{listener}", socket.display()));
    let mut told = reload(&agent);
    told.sort();
    assert_eq!(told, ["certificate applied", "control needs_restart", "tls needs_restart"]);
    // The address is there, and nobody is let in.
    agent.tls(client).get("/v1/health").error(401, "unauthenticated");
}
