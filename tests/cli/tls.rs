//! The command over TLS: certificates made, shown and refused, and what it says of each.
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::support::certs::{Ca, Leaf, Pair};
use crate::support::cli::Connctl;
use crate::support::dir::Dir;
use crate::support::process::run;
use crate::support::service::{have, program};
use crate::support::{Agent, LIMIT, Peer, Setup};

const FILES: [&str; 6] = ["ca.crt", "ca.key", "client.crt", "client.key", "server.crt", "server.key"];

/// The files below a directory, with their modes.
fn found(dir: &Path) -> Vec<(String, u32)> {
    let mut found: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
            (entry.file_name().into_string().unwrap(), mode)
        })
        .collect();
    found.sort();
    found
}

/// What is made, served, and called by its own client.
struct World {
    agent: Agent,
    url: String,
}

impl World {
    fn new(role: &str) -> Self {
        let setup = Setup::new().echo("echo");
        let tls = setup.dir().join("tls");
        let made =
            Connctl::alone().run(&["agent", "cert", "init", &tls, "--role", role, "--client", "deploy"]).ok();
        // What it prints is the configuration as it is; flags say where the control API is.
        let agent = setup.arg("--control").arg("tls:127.0.0.1:0").config(made.stdout).start();
        let url = format!("https://{}", agent.tls_addr());
        Self { agent, url }
    }

    fn file(&self, name: &str) -> String {
        self.agent.dir().join(&format!("tls/{name}"))
    }

    fn client(&self) -> Connctl {
        self.bare()
            .env("CONNCTL_CA_FILE", &self.file("ca.crt"))
            .env("CONNCTL_CERT_FILE", &self.file("client.crt"))
            .env("CONNCTL_KEY_FILE", &self.file("client.key"))
    }

    fn bare(&self) -> Connctl {
        Connctl::alone().env("CONNCTL_AGENT", &self.url)
    }
}

#[test]
fn what_cert_init_makes_works_as_it_is() {
    for (role, codes) in [("viewer", [0, 4, 4]), ("operator", [0, 0, 4]), ("admin", [0, 0, 0])] {
        let world = World::new(role);
        let _client = Peer::connect(world.agent.only());
        world.agent.settled(1);
        let own = world.client();
        assert_eq!(own.line("list --count -o json").exits(codes[0]).json()["count"], 1);
        let change = own.line("reset --all --yes").exits(codes[1]);
        let limit = own.line("limit set max_connections=5").exits(codes[2]);
        for (run, code) in [(change, codes[1]), (limit, codes[2])] {
            assert!(code == 0 || run.stderr.contains("deploy"), "{}", run.stderr);
        }
    }
}

#[test]
fn the_flags_do_what_the_environment_does_and_come_first() {
    let world = World::new("viewer");
    let (ca, own, key) = (world.file("ca.crt"), world.file("client.crt"), world.file("client.key"));
    let bare = world.bare();
    bare.run(&["--ca-file", &ca, "--cert-file", &own, "--key-file", &key, "list"]).ok();
    let wrong =
        world.client().env("CONNCTL_CA_FILE", "/nonexistent").env("CONNCTL_CERT_FILE", "/nonexistent");
    wrong.line("list").exits(2).says("/nonexistent");
    wrong.run(&["list", "--ca-file", &ca, "--cert-file", &own, "--key-file", &key]).ok();
    // One file may have both.
    let both = std::fs::read_to_string(&own).unwrap() + &std::fs::read_to_string(&key).unwrap();
    let both = world.agent.dir().write("both.pem", &both);
    bare.run(&["--ca-file", &ca, "--cert-file", &both, "list"]).ok();
    // `tls:` is how the agent's ready line writes its address.
    let url = world.url.replace("https://", "tls:");
    world.client().run(&["--agent", &url, "list"]).ok();
}

#[test]
fn a_context_keeps_where_the_files_are_and_not_what_is_in_them() {
    let world = World::new("viewer");
    let (ca, own, key) = (world.file("ca.crt"), world.file("client.crt"), world.file("client.key"));
    let home = world.agent.dir().join("home");
    let alone = || Connctl::alone().env("XDG_CONFIG_HOME", &home);
    let files = ["--ca-file", &ca, "--cert-file", &own, "--key-file", &key];
    alone().run(&[&["context", "add", "far", &world.url][..], &files].concat()).ok();
    alone().line("--context far list").ok();
    let kept = std::fs::read_to_string(format!("{home}/connctl/contexts.json")).unwrap();
    for path in [&ca, &own, &key] {
        let text = std::fs::read_to_string(path).unwrap();
        assert!(kept.contains(path) && !kept.contains(text.lines().nth(1).unwrap()), "{kept}");
    }
    // Another agent is not shown what belongs to this one.
    alone().line(&format!("--agent {} list", world.url)).exits(5).says("--ca-file");
}

#[test]
fn keys_are_their_owners_and_nothing_is_overwritten() {
    let dir = Dir::new();
    let (tls, own) = (dir.path().join("deep/tls"), Connctl::alone());
    let name = tls.to_str().unwrap();
    own.run(&["agent", "cert", "init", name]).ok();
    let modes = |name: &&str| (name.to_string(), if name.ends_with(".key") { 0o600 } else { 0o644 });
    let expected: Vec<_> = FILES.iter().map(modes).collect();
    assert_eq!(found(&tls), expected);
    assert_eq!(tls.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    let read = |name: &str| std::fs::read_to_string(tls.join(name)).unwrap();
    let before = FILES.map(read);
    own.run(&["agent", "cert", "init", name]).exits(1).says("ca.crt is there already");
    assert_eq!(FILES.map(read), before);
    // One of them is enough, a link to nowhere too.
    for name in FILES {
        let other = dir.path().join(format!("with-{name}"));
        std::fs::create_dir(&other).unwrap();
        std::os::unix::fs::symlink("/nonexistent/elsewhere", other.join(name)).unwrap();
        own.run(&["agent", "cert", "init", other.to_str().unwrap()]).exits(1).says(name);
        assert_eq!(std::fs::read_dir(&other).unwrap().count(), 1);
    }
}

#[test]
fn a_directory_that_cannot_be_written_is_named_and_left_as_it_was() {
    let dir = Dir::new();
    let file = dir.write("file", "precious");
    Connctl::alone().run(&["agent", "cert", "init", &file]).exits(1).says(&file);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "precious");
    if rustix::process::geteuid().is_root() {
        return;
    }
    let closed = dir.path().join("closed");
    std::fs::create_dir(&closed).unwrap();
    std::fs::set_permissions(&closed, Permissions::from_mode(0o500)).unwrap();
    Connctl::alone().run(&["agent", "cert", "init", closed.to_str().unwrap()]).exits(1).says("ca.crt");
    assert_eq!(std::fs::read_dir(&closed).unwrap().count(), 0);
}

#[test]
fn every_form_of_output_says_where_the_files_are() {
    let dir = Dir::new();
    let init = |name: &str, more: &str| {
        let words = format!("agent cert init {} {more}", dir.join(name));
        Connctl::alone().line(&words).ok()
    };
    let json = init("a", "--name agent.example --name 10.1.2.3 --client deploy --role admin -o json").json();
    assert_eq!((&json["client"], &json["role"]), (&"deploy".into(), &"admin".into()));
    assert!(json["server_key"].as_str().unwrap().ends_with("/a/server.key"), "{json}");
    let names: Vec<_> = json["names"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    for name in ["localhost", "127.0.0.1", "::1", "agent.example", "10.1.2.3"] {
        assert_eq!(names.iter().filter(|own| **own == name).count(), 1, "{names:?}");
    }
    assert_eq!(init("b", "-o name").stdout.trim(), dir.join("b"));
    assert_eq!(init("c", "-o jsonl").lines().len(), 1);
    assert_eq!(init("d", "-o csv").lines().len(), 2);
    assert!(init("e", "-o yaml").stdout.contains("ca_key:"));
    for wrong in ["--name a_b/c", "--name a..b", "--client a/b", "--days 0", "--days 99999", "--role king"] {
        Connctl::alone().line(&format!("agent cert init {} {wrong}", dir.join("f"))).exits(2);
    }
    assert!(!dir.path().join("f").exists());
}

#[test]
fn openssl_finds_the_certificates_good_for_what_they_are_made_for() {
    if !have(&["openssl"]) {
        return;
    }
    let dir = Dir::new();
    let tls = dir.join("tls");
    Connctl::alone().run(&["agent", "cert", "init", &tls, "--name", "agent.example", "--days", "30"]).ok();
    let file = |name: &str| format!("{tls}/{name}");
    let openssl = |args: &[&str]| run(program("openssl").args(args), "", LIMIT);
    for (purpose, good, bad) in
        [("sslserver", "server.crt", "client.crt"), ("sslclient", "client.crt", "server.crt")]
    {
        let verify = |own: &str| {
            openssl(&["verify", "-x509_strict", "-CAfile", &file("ca.crt"), "-purpose", purpose, &file(own)])
        };
        verify(good).ok();
        assert_ne!(verify(bad).code, Some(0));
    }
    let checked =
        |flag: &str, of: &str| openssl(&["x509", "-noout", "-in", &file("server.crt"), flag, of]).stdout;
    assert!(checked("-checkhost", "agent.example").contains("does match"));
    assert!(checked("-checkip", "::1").contains("does match"));
    assert!(checked("-checkhost", "other.example").contains("NOT match"));
    let ends = |days: u32| {
        openssl(&["x509", "-noout", "-in", &file("client.crt"), "-checkend", &(days * 86_400).to_string()])
    };
    assert_eq!((ends(29).code, ends(31).code), (Some(0), Some(1)));
}

/// An agent with this certificate, and the files of a client that it knows.
fn agent(server: &Pair, ca: &Ca) -> (Agent, Connctl) {
    let agent = Setup::new()
        .tls(server, Some(ca), "[[certificate]]\nname = 'eyes'\nrole = 'viewer'\n")
        .echo("echo")
        .start();
    let eyes = with(&agent, ca, Some(&ca.client("eyes")));
    (agent, eyes)
}

/// A client of it that trusts this authority and shows this certificate.
fn with(agent: &Agent, ca: &Ca, own: Option<&Pair>) -> Connctl {
    let url = format!("https://localhost:{}", agent.tls_addr().port());
    let connctl = Connctl::alone()
        .env("CONNCTL_AGENT", &url)
        .env("CONNCTL_CA_FILE", &agent.dir().write("trusted.crt", &ca.pem));
    let Some(own) = own else { return connctl };
    let both = own.certificate.clone() + &own.key;
    connctl.env("CONNCTL_CERT_FILE", &agent.dir().write("own.pem", &both))
}

#[test]
fn an_agent_that_is_not_to_be_trusted_is_told_from_one_that_is_not_there() {
    let (ca, other) = (Ca::new("authority"), Ca::new("another"));
    let (agent_, eyes) = agent(&ca.issue(&Leaf::server()), &ca);
    eyes.line("list").ok();
    with(&agent_, &other, None).line("list").exits(5).says("not signed by an authority").says("--ca-file");
    // Without a file the system's authorities count.
    let bare = Connctl::alone().env("CONNCTL_AGENT", &format!("https://{}", agent_.tls_addr()));
    bare.line("list").exits(5).says("--ca-file");

    let (_expired, eyes) = agent(&ca.issue(&Leaf::server().expired()), &ca);
    eyes.line("list").exits(5).says("has expired at 20").says("connctl agent reload");
    let (_early, eyes) = agent(&ca.issue(&Leaf::server().of_tomorrow()), &ca);
    eyes.line("list").exits(5).says("not valid before 20").says("clock");
    let elsewhere = Leaf { dns: vec!["agent.example".into(), "192.0.2.7".into()], ..Leaf::server() };
    let (_named, eyes) = agent(&ca.issue(&elsewhere), &ca);
    eyes.line("list").exits(5).says("is for agent.example, 192.0.2.7, and not for localhost");
    let client = Leaf { is_server: false, ..Leaf::server() };
    let (_client, eyes) = agent(&ca.issue(&client), &ca);
    eyes.line("list").exits(5).says("cannot be trusted");
}

#[test]
fn a_client_that_is_refused_is_told_why_and_what_to_show() {
    let (ca, other) = (Ca::new("authority"), Ca::new("another"));
    let (agent, _eyes) = agent(&ca.issue(&Leaf::server()), &ca);
    let said = |own: Option<&Pair>| with(&agent, &ca, own).line("list").exits(4);
    said(None).says("a token or the certificate of a client").says("--cert-file").says("--token-file");
    said(Some(&ca.client("mallory"))).says("\"mallory\"").says("[[certificate]]");
    said(Some(&other.client("eyes"))).says("does not know the authority").says("--cert-file");
    said(Some(&ca.issue(&Leaf::client("eyes").expired()))).says("has expired").says("--cert-file");
    said(Some(&ca.issue(&Leaf { is_server: true, ..Leaf::client("eyes") })))
        .says("does not take this client's");
}

#[test]
fn http_and_https_are_told_apart() {
    let world = World::new("viewer");
    let http = world.url.replace("https://", "http://");
    world.client().run(&["--agent", &http, "list"]).exits(2).says("https://");
    let plain = Setup::new().echo("echo").tcp_control().start();
    let crate::support::Http::Tcp(addr) = plain.tcp() else { panic!("not tcp") };
    world
        .client()
        .run(&["--agent", &format!("https://{addr}"), "list"])
        .exits(5)
        .says("does not speak TLS")
        .says("http://");
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    world.client().run(&["--agent", &format!("https://{nobody}"), "list"]).exits(5).says("no agent answers");
}

#[test]
fn a_file_that_is_none_is_wrong_usage_and_only_over_tls() {
    let world = World::new("viewer");
    let key = world.file("client.key");
    let secret = std::fs::read_to_string(&key).unwrap();
    for (name, value, words) in [
        ("CONNCTL_CA_FILE", "/nonexistent", "CA file"),
        ("CONNCTL_CA_FILE", &*key, "no certificate"),
        ("CONNCTL_CERT_FILE", "/nonexistent", "certificate file"),
        ("CONNCTL_CERT_FILE", &*key, "no certificate"),
        ("CONNCTL_KEY_FILE", "/nonexistent", "key file"),
        ("CONNCTL_KEY_FILE", &*world.file("ca.crt"), "no private key"),
        ("CONNCTL_KEY_FILE", &*world.file("ca.key"), "do not work"),
    ] {
        let run = world.client().env(name, value).line("list").exits(2).says(words).says(value);
        assert!(!run.stderr.contains(secret.lines().nth(1).unwrap()), "{}", run.stderr);
        // Over the unix socket nobody looks at them.
        Connctl::to(&world.agent).env(name, value).line("list").ok();
    }
    world.bare().run(&["list", "--key-file", &key]).exits(2).says("of no certificate");
}

#[test]
fn one_more_client_and_a_new_certificate_in_time_come_from_the_same_authority() {
    let world = World::new("viewer");
    let tls = world.agent.dir().join("tls");
    let issue = |words: &str| {
        let mut args = vec!["agent", "cert", "issue", &tls];
        args.extend(words.split_whitespace());
        Connctl::alone().run(&args)
    };
    // What it prints is the agent's configuration for it.
    let table = issue("--client hands --role operator").ok().stdout;
    let path = world.agent.dir().join("agent.toml");
    std::fs::write(&path, std::fs::read_to_string(&path).unwrap() + &table).unwrap();
    Connctl::to(&world.agent).line("agent reload").ok();
    let hands = || {
        world
            .bare()
            .env("CONNCTL_CA_FILE", &world.file("ca.crt"))
            .env("CONNCTL_CERT_FILE", &world.file("hands.crt"))
            .env("CONNCTL_KEY_FILE", &world.file("hands.key"))
    };
    hands().line("listener reject").ok();
    world.client().line("listener accept").exits(4);

    let before = std::fs::read_to_string(world.file("server.crt")).unwrap();
    issue("--server").exits(1).says("server.crt is there already");
    issue("--client hands").exits(1).says("hands.crt is there already");
    assert_eq!(std::fs::read_to_string(world.file("server.crt")).unwrap(), before);
    let json = issue("--server --name agent.example --days 7 --renew -o json").ok().json();
    assert!(json["names"].as_array().unwrap().contains(&"agent.example".into()), "{json}");
    assert_ne!(std::fs::read_to_string(world.file("server.crt")).unwrap(), before);
    Connctl::to(&world.agent).line("agent reload").ok();
    hands().line("list").ok();
    assert_eq!(issue("--client hands --renew -o name").ok().stdout.trim(), world.file("hands.crt"));
    hands().line("list").ok();
    let mode = |name: &str| std::fs::metadata(world.file(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("hands.key"), mode("server.key"), mode("server.crt")), (0o600, 0o600, 0o644));
    let left: Vec<_> = found(Path::new(&tls)).into_iter().map(|(name, _)| name).collect();
    assert_eq!(left.len(), FILES.len() + 2, "{left:?}");
}

#[test]
fn nothing_is_issued_without_the_authority_or_in_the_place_of_another() {
    let dir = Dir::new();
    let (one, other) = (dir.join("one"), dir.join("other"));
    let cert = |words: &[&str]| Connctl::alone().run(&[&["agent", "cert"][..], words].concat());
    cert(&["issue", &one, "--client", "a"]).exits(1).says("ca.key").says("cert init");
    for dir in [&one, &other] {
        cert(&["init", dir]).ok();
    }
    for reserved in ["ca", "server"] {
        cert(&["issue", &one, "--client", reserved, "--renew"]).exits(2).says(reserved);
    }
    cert(&["issue", &one]).exits(2).says("--client");
    cert(&["issue", &one, "--client", "a", "--server"]).exits(2);
    cert(&["issue", &one, "--client", "a", "--name", "host"]).exits(2);
    cert(&["issue", &one, "--server", "--role", "admin"]).exits(2);
    // The key of one and the certificate of another sign nothing that anybody would take.
    std::fs::copy(format!("{other}/ca.key"), format!("{one}/ca.key")).unwrap();
    cert(&["issue", &one, "--client", "a"]).exits(1).says("ca.crt").says("is not of the CA");
    let secret = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n";
    std::fs::write(format!("{one}/ca.key"), secret).unwrap();
    let run = cert(&["issue", &one, "--client", "a"]).exits(1).says("no private key");
    assert!(!run.stderr.contains("c2VjcmV0"), "{}", run.stderr);
    assert!(!Path::new(&format!("{one}/a.crt")).exists());
}

#[test]
fn agent_status_tells_when_certificates_expire_and_reminds_of_those_that_are_due() {
    let ca = Ca::new("authority");
    let of = |days: i32| ca.issue(&Leaf { days: Some((-5, days)), ..Leaf::server() });
    let agent = Setup::new().tls(&of(-1), Some(&ca), "[[certificate]]\nname = 'x'\nrole = 'viewer'\n");
    let agent = agent.echo("echo").start();
    let own = Connctl::to(&agent);
    let told = own.line("agent status").ok();
    for part in [
        "certificate  server 1 localhost, has expired (",
        "certificate  client_ca 1 authority, expires in 9d",
    ] {
        assert!(told.stdout.contains(part), "{}", told.stdout);
    }
    assert_eq!(told.stderr.matches("to be renewed").count(), 2, "{}", told.stderr);
    assert_eq!(own.line("agent status --quiet").ok().stderr, "");
    let status = own.line("agent status -o json").ok().json();
    assert_eq!(status["certificates"][0]["of"], "server", "{status}");
    for format in ["csv", "yaml", "jsonl", "wide", "name"] {
        assert!(!own.line(&format!("agent status -o {format}")).ok().stdout.is_empty());
    }
    let renewed = of(90);
    agent.dir().write("server.crt", &renewed.certificate);
    agent.dir().write("server.key", &renewed.key);
    own.line("agent reload").ok();
    let told = own.line("agent status").ok();
    assert!(told.stdout.contains("server 1 localhost, expires in 89d"), "{}", told.stdout);
    assert_eq!(told.stderr.matches("to be renewed").count(), 1, "{}", told.stderr);
}
