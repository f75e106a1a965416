//! What comes over the wire and is no good TLS, or none.
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use super::names::{agent, health};
use crate::support::certs::{Ca, Leaf, Pair};
use crate::support::process::run;
use crate::support::service::{have, program};
use crate::support::{Agent, Http, LIMIT};

/// What becomes of a request by a client that shows this: the error of its side.
fn refusal(agent: &Agent, ca: &Ca, own: Option<&Pair>) -> String {
    let mut wire = agent.tls(ca.trusting(own)).open();
    let head = b"GET /v1/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let done =
        wire.write_all(head).and_then(|()| wire.flush()).and_then(|()| wire.read_to_end(&mut Vec::new()));
    done.expect_err("the client was let in").to_string()
}

#[test]
fn a_certificate_that_is_not_good_is_refused_in_the_handshake_and_the_client_learns_why() {
    let (ca, other) = (Ca::new("authority"), Ca::new("another"));
    let twin = Ca::new("authority");
    let agent = agent(&ca);
    let server = Leaf { dns: Vec::new(), ..Leaf::server() };
    for (own, alert) in [
        (other.client("eyes"), "UnknownCA"),
        (twin.client("eyes"), "DecryptError"),
        (ca.issue(&Leaf::client("eyes").expired()), "CertificateExpired"),
        (ca.issue(&Leaf::client("eyes").of_tomorrow()), "CertificateExpired"),
        (ca.issue(&Leaf { common: Some("eyes".into()), ..server }), "UnsupportedCertificate"),
    ] {
        let said = refusal(&agent, &ca, Some(&own));
        assert!(said.contains(alert), "{alert}: {said}");
    }
    health(&agent, &ca, &ca.client("eyes"));
}

#[test]
fn a_client_does_not_take_an_agent_for_another() {
    let (ca, other) = (Ca::new("authority"), Ca::new("another"));
    let agent = agent(&ca);
    let said = refusal(&agent, &other, None);
    assert!(said.contains("UnknownIssuer"), "{said}");
}

#[test]
fn http_without_tls_is_told_what_is_missing() {
    let ca = Ca::new("authority");
    let agent = agent(&ca);
    for (method, path, body) in [
        ("GET", "/v1/connections", &b""[..]),
        ("POST", "/v1/operations", br#"{"operation":"close","where":"all"}"#),
    ] {
        let response =
            Http::Tcp(agent.tls_addr()).send(method, path, &[("Authorization", "Bearer chief")], body);
        assert_eq!(response.header("connection"), Some("close"));
        let hint = response.json()["error"]["detail"]["hint"].to_string();
        let message = response.error(400, "invalid_request");
        assert!(message.contains("TLS") && hint.contains("https://"), "{message} {hint}");
    }
}

#[test]
fn bytes_that_are_no_tls_end_their_connection_and_nothing_else() {
    let ca = Ca::new("authority");
    let agent = agent(&ca);
    let mut hello = vec![0x16, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3];
    hello.resize(205, 7);
    let mut longest = vec![0x16, 3, 3, 0xff, 0xff];
    longest.resize(200_000, 1);
    for bytes in [
        &b"\0"[..],
        b"SSH-2.0-client\r\n",
        b"GET",
        b"GARBAGE \x01\x02\r\n\r\n",
        b"\x16\x03\x01\x00\x00",
        b"\x15\x03\x01\x00\x02\x02\x28",
        b"\x17\x03\x03\x00\x05hello",
        b"\x80\x2e\x01\x03\x01",
        &hello,
        &longest,
        &[0xff; 70_000],
    ] {
        let mut stream = TcpStream::connect_timeout(&agent.tls_addr(), LIMIT).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        // The agent may have ended it before all is sent.
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(!answer.starts_with(b"HTTP/1.1 200"), "{answer:?}");
    }
    // Cut anywhere, a good beginning is no better.
    let session = rustls::ClientConnection::new(ca.trusting(None), std::net::Ipv4Addr::LOCALHOST.into());
    let mut hello = Vec::new();
    session.unwrap().write_tls(&mut hello).unwrap();
    for cut in (1..hello.len()).step_by(23) {
        let mut stream = TcpStream::connect_timeout(&agent.tls_addr(), LIMIT).unwrap();
        stream.write_all(&hello[..cut]).unwrap();
        drop(stream);
    }
    health(&agent, &ca, &ca.client("eyes"));
}

/// What `openssl s_client` sees.
fn s_client(agent: &Agent, ca_file: &str, flags: &[&str]) -> crate::support::process::Run {
    let mut command = program("openssl");
    command.args(["s_client", "-connect", &agent.tls_addr().to_string(), "-CAfile", ca_file]);
    command.args(["-verify_return_error", "-verify_ip", "127.0.0.1", "-ign_eof"]).args(flags);
    run(
        &mut command,
        "GET /v1/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        Duration::from_secs(60),
    )
}

#[test]
fn openssl_agrees_about_versions_certificates_and_sessions() {
    if !have(&["openssl"]) {
        return;
    }
    let ca = Ca::new("authority");
    let agent = agent(&ca);
    let ca_file = agent.dir().write("ca.crt", &ca.pem);
    let own = ca.client("eyes");
    let (own, key) =
        (agent.dir().write("eyes.crt", &own.certificate), agent.dir().write("eyes.key", &own.key));
    for version in ["-tls1_2", "-tls1_3"] {
        let run = s_client(&agent, &ca_file, &[version, "-cert", &own, "-key", &key]).ok();
        assert!(run.stdout.contains("Verify return code: 0 (ok)"), "{}", run.stdout);
        assert!(run.stdout.contains("HTTP/1.1 200"), "{}", run.stdout);
        // Nobody comes back on what an earlier connection has proved.
        assert!(!run.stdout.contains("TLS session ticket:"), "{}", run.stdout);
        let run = s_client(&agent, &ca_file, &[version]).ok();
        assert!(run.stdout.contains("HTTP/1.1 401"), "{}", run.stdout);
    }
    let other = agent.dir().write("other.crt", &Ca::new("another").pem);
    let run = s_client(&agent, &other, &[]);
    assert!(run.code != Some(0) && !run.stdout.contains("HTTP/1.1"), "{run:?}");
    let run = s_client(&agent, &ca_file, &["-tls1_1"]);
    assert!(run.code != Some(0) && !run.stdout.contains("HTTP/1.1"), "{run:?}");
}

#[test]
fn curl_is_served_as_it_is() {
    if !have(&["curl"]) {
        return;
    }
    let ca = Ca::new("authority");
    let agent = agent(&ca);
    let dir = agent.dir();
    let own = ca.client("eyes");
    let (own, key) = (dir.write("eyes.crt", &own.certificate), dir.write("eyes.key", &own.key));
    let curl = |url: &str, flags: &[&str]| {
        let mut command = program("curl");
        command.args([
            "--silent",
            "--show-error",
            "--max-time",
            "50",
            "--noproxy",
            "*",
            "-w",
            "%{http_code}",
            "-o",
        ]);
        command.args(["/dev/null", "--cacert", &dir.write("ca.crt", &ca.pem)]).args(flags).arg(url);
        run(&mut command, "", LIMIT)
    };
    let url = format!("https://localhost:{}/v1/node", agent.tls_addr().port());
    assert_eq!(curl(&url, &["--cert", &own, "--key", &key]).ok().stdout, "200");
    assert_eq!(curl(&url, &["-H", "Authorization: Bearer reader"]).ok().stdout, "200");
    assert_eq!(curl(&url, &[]).ok().stdout, "401");
    assert_eq!(curl(&url.replace("https", "http"), &[]).ok().stdout, "400");
}
