//! Real clients, and what real clients were recorded to send: each is listed by its own user.

use serde_json::{Value, json};

use crate::identity::{front, holding, named};
use crate::nkey::{Nkey, Role};
use crate::support::process::Background;
use crate::support::service::{Service, have, program, psql, redis_cli};
use crate::support::upstream::ByHand;
use crate::support::{Agent, LIMIT, Peer, until};

/// Nobody who lists connections or reads the log may learn it.
const SECRET: &str = "s3cret";

/// Waits until a connection of this user is listed; gives its row.
#[track_caller]
fn listed(agent: &Agent, uid: &str) -> Value {
    let find = || agent.connections().into_iter().find(|row| row["uid"] == uid);
    until(&format!("a connection of {uid} is listed"), find)
}

/// Closes the connections of this user, of which there must be one.
#[track_caller]
fn close(agent: &Agent, uid: &str) {
    let (_, summary) = agent.operate(&json!({ "operation": "close", "where": format!("uid={uid}") }));
    assert_eq!(summary["done"], 1, "{summary}");
}

/// No answer of the agent and no line of its log has the secret.
#[track_caller]
fn is_discreet(agent: &Agent) {
    let rows = agent.connections();
    let mut paths = vec!["/v1/connections".to_owned(), "/v1/node".into(), "/v1/listeners".into()];
    paths.extend(["uid", "device", "reason", "ip"].map(|by| format!("/v1/stats?by={by}")));
    paths.extend(["/connz?limit=1000".into(), "/current/connections".into(), "/connections".into()]);
    paths.extend(rows.iter().map(|row| format!("/v1/connections/{}", row["conn_id"])));
    for path in paths {
        let answer = agent.http().get(&path);
        assert!(!answer.text().contains(SECRET), "{path} tells the secret: {}", answer.text());
    }
    assert!(!agent.log().contains(SECRET), "the log tells the secret:\n{}", agent.log());
}

/// A client that runs while the test goes on. What it needs comes from its arguments alone.
fn client(name: &str, args: &[&str]) -> Background {
    Background::start(program(name).args(args).env("HOME", "/nonexistent"), "")
}

/// The recordings, which say of themselves where they come from: rule, file, device and tags.
fn recordings() -> Vec<(&'static str, &'static str, Value, Value)> {
    let (none, till) = (Value::Null, json!({ "name": "till" }));
    let shop = |program: &str| json!({ "database": "shop", "program_name": program });
    let postgres = json!({ "database": "shop", "application_name": "till" });
    vec![
        ("amqp", "amqp-publish-0.11", none.clone(), json!({})),
        ("amqp", "pika-1.4", none.clone(), till.clone()),
        ("amqp", "py-amqp-5.4", none.clone(), till.clone()),
        ("http:X-User", "curl-7.88", none.clone(), json!({})),
        ("mqtt", "mosquitto_pub-2.0-v31", json!("dev-7"), json!({})),
        ("mqtt", "mosquitto_pub-2.0-v311", json!("dev-7"), json!({})),
        ("mqtt", "mosquitto_pub-2.0-v5", json!("dev-7"), json!({})),
        ("mqtt", "paho-2.2-v5", json!("dev-7"), json!({})),
        ("mysql", "mariadb-10.11", none.clone(), shop("mysql")),
        ("mysql", "mariadb-10.11-no-database", none.clone(), json!({ "program_name": "mysql" })),
        ("mysql", "pymysql-1.2", none.clone(), shop("till")),
        ("nats", "nats-py-user", none.clone(), till),
        ("postgres", "pg8000-1.31", none.clone(), postgres.clone()),
        ("postgres", "psql-15", none.clone(), postgres),
        ("redis", "redis-cli-7.0-resp2", none.clone(), json!({})),
        ("redis", "redis-cli-7.0-resp3", none.clone(), json!({})),
        ("redis", "redis-py-8.1-resp2", none.clone(), json!({})),
        ("redis", "redis-py-8.1-resp3", none, json!({})),
    ]
}

/// What a client sent, by the rule that reads it and the file's name.
fn recorded(rule: &str, file: &str) -> Vec<u8> {
    let folder = rule.split(':').next().unwrap();
    let path = format!("{}/../tests/recorded/{folder}/{file}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn every_recorded_client_is_listed_by_its_user() {
    let recordings = recordings();
    let rules: Vec<_> = recordings.iter().map(|(rule, ..)| format!("identity = [\"{rule}\"]")).collect();
    let agent = holding(&rules.iter().map(String::as_str).collect::<Vec<_>>());
    let mut clients = Vec::new();
    for (place, (rule, file, device, tags)) in recordings.iter().enumerate() {
        let mut client = Peer::connect(agent.addr(&format!("l{place}")));
        client.send(recorded(rule, file));
        let row = named(&agent, &client);
        assert_eq!((&row["uid"], &row["device"]), (&json!("alice"), device), "{file}: {row}");
        assert_eq!(row["tags"], *tags, "{file}");
        clients.push(client);
    }
    is_discreet(&agent);
    let (_, summary) = agent.operate(&json!({ "operation": "close", "where": "uid=alice" }));
    assert_eq!(summary["done"], clients.len(), "{summary}");
    is_discreet(&agent);
}

#[test]
fn recorded_clients_without_a_user_are_listed_by_what_they_name() {
    let agent = holding(&["identity = [\"mqtt\"]", "identity = [\"tls-sni\"]", "identity = [\"tls-sni\"]"]);
    for (place, (rule, file, uid)) in [
        ("mqtt", "mosquitto_pub-2.0-anonymous", "dev-7"),
        ("tls-sni", "openssl-3.0", "db.example.com"),
        ("tls-sni", "openssl-3.0-tls12-alpn", "db.example.com"),
    ]
    .into_iter()
    .enumerate()
    {
        let mut client = Peer::connect(agent.addr(&format!("l{place}")));
        client.send(recorded(rule, file));
        assert_eq!(named(&agent, &client)["uid"], uid, "{file}");
    }
}

#[test]
fn psql_is_listed_by_its_user_database_and_application() {
    if !have(&["postgres", "initdb", "psql"]) {
        return;
    }
    let server = Service::postgres();
    let agent = front(server.addr(), "identity = [\"postgres\"]");
    let waiting = psql(agent.only(), &["-c", "select pg_sleep(60)"]);
    let row = listed(&agent, "postgres");
    assert_eq!(row["tags"], json!({ "database": "postgres", "application_name": "psql" }));
    close(&agent, "postgres");
    assert_ne!(waiting.finish(LIMIT).code, Some(0));
}

#[test]
fn redis_cli_is_listed_by_its_acl_user() {
    if !have(&["redis-server", "redis-cli"]) {
        return;
    }
    let server = Service::redis();
    let user = ["ACL", "SETUSER", "alice", "on", ">s3cret", "~*", "+@all"];
    redis_cli(server.addr(), &user, "").finish(LIMIT).ok();
    let agent = front(server.addr(), "identity = [\"redis\"]");
    for version in ["-2", "-3"] {
        let login = [version, "--no-auth-warning", "--user", "alice", "--pass", SECRET];
        let waiting = redis_cli(agent.only(), &[&login[..], &["BLPOP", "nothing", "0"]].concat(), "");
        listed(&agent, "alice");
        is_discreet(&agent);
        // Closed before it has asked, redis-cli would connect once more.
        until("it waits for its answer", || {
            let list = redis_cli(server.addr(), &["CLIENT", "LIST"], "").finish(LIMIT).ok().stdout;
            list.contains("cmd=blpop").then_some(())
        });
        close(&agent, "alice");
        waiting.finish(LIMIT);
        agent.settled(0);
    }
    // As clients log in that speak the third version from the start: the server takes the name and the user.
    let mut hello = Peer::connect(agent.only());
    hello.send(format!("HELLO 3 AUTH alice {SECRET} SETNAME till\r\n"));
    assert_eq!(hello.line(), "%7");
    let row = listed(&agent, "alice");
    assert_eq!(row["tags"], json!({ "name": "till" }));
    is_discreet(&agent);
}

#[test]
fn mosquitto_is_listed_by_its_username_and_client_id() {
    if !have(&["mosquitto", "mosquitto_pub", "mosquitto_sub"]) {
        return;
    }
    let server = Service::mosquitto();
    let agent = front(server.addr(), "identity = [\"mqtt\"]");
    let port = agent.only().port().to_string();
    let to = ["-h", "127.0.0.1", "-p", &port, "-t", "news"];
    for (version, uid) in [("mqttv31", "v31"), ("mqttv311", "v311"), ("mqttv5", "v5")] {
        let who = ["-V", version, "-u", uid, "-P", SECRET, "-i", "dev-7"];
        let waiting = client("mosquitto_sub", &[&to[..], &who, &["-C", "1"]].concat());
        let row = listed(&agent, uid);
        assert_eq!(row["device"], "dev-7", "{row}");
        is_discreet(&agent);
        // A retained message reaches whoever subscribes, be it before or after.
        let message = ["-V", version, "-i", "till", "-r", "-m", version];
        client("mosquitto_pub", &[&to[..], &message].concat()).finish(LIMIT).ok();
        let news = waiting.finish(LIMIT).ok();
        assert_eq!(news.stdout.trim(), version);
        let clear = ["-V", version, "-r", "-n"];
        client("mosquitto_pub", &[&to[..], &clear].concat()).finish(LIMIT).ok();
        agent.settled(0);
    }
}

#[test]
fn mariadb_is_listed_by_its_user_database_and_program() {
    if !have(&["mariadbd", "mariadb"]) {
        return;
    }
    let server = Service::mariadb();
    let agent = front(server.addr(), "identity = [\"mysql\"]");
    let port = agent.only().port().to_string();
    let password = format!("-p{SECRET}");
    let login = ["--no-defaults", "-h", "127.0.0.1", "-P", &port, "-ualice", &password, "-N", "-e"];
    let ask = |words: &[&str]| client("mariadb", &[&login[..], words].concat());
    assert_eq!(ask(&["create database shop; select user()"]).finish(LIMIT).ok().stdout.trim(), "alice@");
    agent.settled(0);
    let waiting = ask(&["select sleep(60)", "shop"]);
    let row = listed(&agent, "alice");
    assert_eq!(row["tags"], json!({ "database": "shop", "program_name": "mysql" }));
    is_discreet(&agent);
    close(&agent, "alice");
    assert_ne!(waiting.finish(LIMIT).code, Some(0));
}

/// The `connection.start` of RabbitMQ, with these mechanisms.
fn amqp_start(mechanisms: &str) -> Vec<u8> {
    let long = |text: &str| [&u32::try_from(text.len()).unwrap().to_be_bytes()[..], text.as_bytes()].concat();
    let properties = [b"\x07productS", &long("RabbitMQ")[..], b"\x07versionS", &long("3.10.8")].concat();
    let size = u32::try_from(properties.len()).unwrap().to_be_bytes();
    let body = [b"\0\x0a\0\x0a\0\x09", &size[..], &properties, &long(mechanisms), &long("en_US")].concat();
    let size = u32::try_from(body.len()).unwrap().to_be_bytes();
    [b"\x01\0\0", &size[..], &body, b"\xce"].concat()
}

#[test]
fn an_amqp_client_is_listed_by_its_user() {
    if !have(&["amqp-publish"]) {
        return;
    }
    let broker = ByHand::listen();
    let agent = front(broker.addr(), "identity = [\"amqp\"]");
    let url = format!("--url=amqp://alice:{SECRET}@{}", agent.only());
    let waiting = client("amqp-publish", &[&url, "-r", "key", "-b", "body"]);
    let mut server = broker.accept();
    server.expect(b"AMQP\0\0\x09\x01");
    server.send(amqp_start("AMQPLAIN PLAIN"));
    listed(&agent, "alice");
    is_discreet(&agent);
    close(&agent, "alice");
    assert_ne!(waiting.finish(LIMIT).code, Some(0));
}

#[test]
fn curl_and_openssl_are_listed_by_header_and_server_name() {
    if !have(&["curl", "openssl"]) {
        return;
    }
    let agent = holding(&["identity = [\"http:X-User\"]", "identity = [\"tls-sni\"]"]);
    let secret = format!("Authorization: Bearer {SECRET}");
    let url = format!("http://{}/", agent.addr("l0"));
    let _curl = client("curl", &["-s", "-H", &secret, "-H", "X-User: alice", &url]);
    listed(&agent, "alice");
    let address = agent.addr("l1").to_string();
    let _openssl = client("openssl", &["s_client", "-servername", "Db.example.com", "-connect", &address]);
    listed(&agent, "db.example.com");
    is_discreet(&agent);
}

/// Logs in as a client with these members in its `CONNECT`; gives what the server says to it.
fn nats_login(agent: &Agent, connect: impl FnOnce(&str) -> Value) -> (Peer, String) {
    let mut peer = Peer::connect(agent.only());
    let line = peer.line();
    let info: Value = serde_json::from_str(line.strip_prefix("INFO ").unwrap()).unwrap();
    let connect = connect(info["nonce"].as_str().unwrap_or_default());
    peer.send(format!("CONNECT {connect}\r\nPING\r\n"));
    let answer = peer.line();
    (peer, answer)
}

#[test]
fn nats_clients_are_listed_by_user_and_by_public_nkey() {
    if !have(&["nats-server", "openssl"]) {
        return;
    }
    let key = Nkey::new(Role::User);
    let nkey = key.public();
    let server = Service::nats_with(&format!(
        "authorization {{ users = [ {{ user: alice, password: {SECRET} }}, {{ nkey: {nkey} }} ] }}"
    ));
    let agent = front(server.addr(), "identity = [\"nats\"]");
    let (_user, answer) =
        nats_login(&agent, |_| json!({ "verbose": false, "user": "alice", "pass": SECRET, "name": "till" }));
    assert_eq!(answer, "PONG");
    assert_eq!(listed(&agent, "alice")["tags"], json!({ "name": "till" }));
    let (_key, answer) = nats_login(
        &agent,
        |nonce| json!({ "verbose": false, "nkey": nkey, "sig": key.sign(nonce.as_bytes()) }),
    );
    assert_eq!(answer, "PONG", "the server has checked the signature");
    listed(&agent, nkey);
    // Who signs something else is nobody's user for the server, and is still listed as who it said it was.
    let (_, answer) =
        nats_login(&agent, |_| json!({ "verbose": false, "nkey": nkey, "sig": key.sign(b"other") }));
    assert!(answer.contains("Authorization Violation"), "{answer}");
    is_discreet(&agent);
}

#[test]
fn a_nats_client_with_a_jwt_is_listed_by_the_public_nkey_it_was_issued_for() {
    if !have(&["nats-server", "openssl"]) {
        return;
    }
    let (operator, account, user) =
        (Nkey::new(Role::Operator), Nkey::new(Role::Account), Nkey::new(Role::User));
    let limits = json!({
        "subs": -1, "conn": -1, "leaf": -1, "imports": -1, "exports": -1, "data": -1, "payload": -1,
        "wildcards": true,
    });
    let own = operator.jwt(operator.public(), "own", json!({ "type": "operator", "version": 2 }));
    let theirs = operator.jwt(
        account.public(),
        "theirs",
        json!({ "type": "account", "version": 2, "limits": limits }),
    );
    let jwt = account.jwt(
        user.public(),
        "till",
        json!({ "type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1 }),
    );
    let server = Service::nats_with(&format!(
        "operator: {own}\nresolver: MEMORY\nresolver_preload: {{ {}: {theirs} }}\n",
        account.public()
    ));
    let agent = front(server.addr(), "identity = [\"nats\"]");
    let (_client, answer) = nats_login(
        &agent,
        |nonce| json!({ "verbose": false, "jwt": jwt, "nkey": "", "sig": user.sign(nonce.as_bytes()), "name": "one" }),
    );
    assert_eq!(answer, "PONG", "the server has checked the chain and the signature");
    let row = listed(&agent, user.public());
    assert_eq!(row["tags"], json!({ "jwt_name": "till", "name": "one" }));
    close(&agent, user.public());
}
