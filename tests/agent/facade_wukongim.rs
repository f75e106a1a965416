//! WuKongIM's clients, unchanged; where its document and its code differ, both profiles.
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Agent, End, Peer, Setup, until};

fn documented() -> Agent {
    Setup::new().echo("echo").tcp_control().start()
}

fn actual() -> Agent {
    Setup::new().echo("echo").config("compat = \"actual\"\n").tcp_control().start()
}

fn untouched(client: &mut Peer) {
    client.send("untouched");
    client.expect("untouched");
}

#[test]
fn remove_answers_ok_as_documented_and_really_closes() {
    let agent = documented();
    let (mut client, mut other) = (Peer::connect(agent.only()), Peer::connect(agent.only()));
    let id = agent.assign(&client, "user123");
    agent.assign(&other, "user123");
    let body = json!({ "uid": "user123", "conn_id": id, "node_id": 1 });
    assert_eq!(agent.tcp().post("/conn/remove", &body).is(200).json(), json!({ "status": "ok" }));
    client.ends_with(End::Fin);
    assert!(agent.connections().iter().all(|row| row["conn_id"] != id));
    untouched(&mut other);
}

#[test]
fn remove_answers_200_as_the_code_does_and_really_closes() {
    let agent = actual();
    let mut client = Peer::connect(agent.only());
    let id = agent.assign(&client, "user123");
    // No node_id: the own node. Unknown fields are ignored, and the content type is not looked at.
    let body = json!({ "uid": "user123", "conn_id": id, "foo": 1 }).to_string();
    let response =
        agent.tcp().send("POST", "/conn/remove", &[("Content-Type", "text/plain")], body.as_bytes());
    assert_eq!(response.is(200).json(), json!({ "status": 200 }));
    client.ends_with(End::Fin);
}

#[test]
fn remove_of_what_is_not_there_is_404_as_documented_and_closes_nothing() {
    let agent = documented();
    let mut client = Peer::connect(agent.only());
    let id = agent.assign(&client, "user123");
    for body in [
        json!({ "uid": "user123", "conn_id": id + 1000 }),
        json!({ "uid": "another", "conn_id": id }),
        json!({ "uid": "user123", "conn_id": id, "node_id": 99 }),
        json!({ "uid": "user123", "conn_id": -5 }),
    ] {
        let answer = agent.tcp().post("/conn/remove", &body).is(404).json();
        assert!(answer["msg"].as_str().is_some_and(|text| !text.is_empty()), "{body}: {answer}");
        untouched(&mut client);
    }
}

#[test]
fn remove_of_what_is_not_there_is_200_as_the_code_does_and_closes_nothing() {
    let agent = actual();
    let mut client = Peer::connect(agent.only());
    let id = agent.assign(&client, "user123");
    for body in [
        json!({ "uid": "user123", "conn_id": id + 1000 }),
        json!({ "uid": "another", "conn_id": id }),
        json!({ "conn_id": id }),
        json!({ "uid": "user123", "conn_id": -5 }),
    ] {
        assert_eq!(
            agent.tcp().post("/conn/remove", &body).is(200).json(),
            json!({ "status": 200 }),
            "{body}"
        );
        untouched(&mut client);
    }
}

#[test]
fn a_wrong_remove_is_400_and_closes_nothing() {
    for (agent, uid_needed) in [(documented(), true), (actual(), false)] {
        let mut client = Peer::connect(agent.only());
        let id = agent.assign(&client, "user123");
        let mut bodies = vec![
            "not json".to_owned(),
            "{\"uid\":\"user123\",".into(),
            json!({ "uid": "user123", "conn_id": id.to_string() }).to_string(),
            json!({ "uid": 5, "conn_id": id }).to_string(),
            json!({ "uid": "user123" }).to_string(),
            json!({ "uid": "user123", "conn_id": 0 }).to_string(),
            format!("{{\"uid\":\"user123\",\"conn_id\":{id}.5}}"),
            "{\"uid\":\"user123\",\"conn_id\":9223372036854775808}".into(),
        ];
        if uid_needed {
            bodies.push(json!({ "conn_id": id }).to_string());
            bodies.push(json!({ "uid": "", "conn_id": id }).to_string());
        }
        for body in bodies {
            for path in ["/conn/remove", "/conn/kick"] {
                let answer = agent.tcp().post_text(path, &body).is(400).json();
                assert_eq!(answer["status"], 400, "{body}: {answer}");
                assert!(answer["msg"].as_str().is_some_and(|text| !text.is_empty()), "{body}: {answer}");
            }
        }
        untouched(&mut client);
    }
}

#[test]
fn a_missing_conn_id_is_named_as_the_code_names_it() {
    let agent = actual();
    let answer = agent.tcp().post("/conn/remove", &json!({ "uid": "u" })).is(400).json();
    assert_eq!(answer, json!({ "msg": "conn_id is 0", "status": 400 }));
}

#[test]
fn an_unknown_op_node_id_is_400() {
    let agent = actual();
    let body = json!({ "uid": "u", "conn_id": 1, "op_node_id": 99 });
    let answer = agent.tcp().post("/conn/remove", &body).is(400).json();
    assert_eq!(answer, json!({ "msg": "node not found", "status": 400 }));
}

#[test]
fn kick_answers_at_once_and_closes_two_seconds_later() {
    for (agent, status) in [(documented(), json!("ok")), (actual(), json!(200))] {
        let client = Peer::connect(agent.only());
        let id = agent.assign(&client, "user123");
        let mut other = client.another();
        let reader = std::thread::spawn(move || (other.end().1, Instant::now()));
        let start = Instant::now();
        let body = json!({ "uid": "user123", "conn_id": id });
        assert_eq!(agent.tcp().post("/conn/kick", &body).is(200).json(), json!({ "status": status }));
        let answered = Instant::now();
        let (end, ended) = reader.join().unwrap();
        assert_eq!(end, End::Fin);
        assert!(answered < ended, "the answer came after the end");
        assert!(ended - start >= Duration::from_secs(2), "closed after {:?}", ended - start);
    }
}

#[test]
fn connz_lists_with_the_codes_field_names() {
    let agent = documented();
    let mut client = Peer::connect(agent.only());
    client.send("hello");
    client.expect("hello");
    agent.counted(&client, 5, 5);
    let id = agent.assign(&client, "user123");
    let anonymous = Peer::connect(agent.only());
    let other = agent.id(&anonymous);
    let body = agent.tcp().get("/connz").is(200).json();
    assert_eq!(
        (&body["total"], &body["offset"], &body["limit"]),
        (&json!(2), &json!(0), &json!(20)),
        "{body}"
    );
    assert!(body["now"].is_string(), "{body}");
    let rows = body["connections"].as_array().unwrap();
    assert_eq!(rows.iter().map(|row| &row["id"]).collect::<Vec<_>>(), [&json!(id), &json!(other)]);
    let row = &rows[0];
    assert_eq!((&row["uid"], &row["ip"]), (&json!("user123"), &json!("127.0.0.1")), "{row}");
    assert_eq!((&row["port"], &row["node_id"]), (&json!(client.local().port()), &json!(1)), "{row}");
    assert_eq!((&row["in_packet_bytes"], &row["out_packet_bytes"]), (&json!(5), &json!(5)), "{row}");
    for name in ["last_activity", "uptime", "idle", "device", "device_id"] {
        assert!(row[name].is_string(), "{name}: {row}");
    }
    for name in
        ["pending_bytes", "in_msgs", "out_msgs", "in_msg_bytes", "out_msg_bytes", "in_packets", "out_packets"]
    {
        assert!(row[name].is_u64(), "{name}: {row}");
    }
    assert_eq!(rows[1]["uid"], "", "{}", rows[1]);
    for _ in 0..20 {
        let again = agent.tcp().get("/connz").is(200).json();
        assert_eq!(again["connections"][0]["last_activity"], row["last_activity"]);
    }
}

#[test]
fn connz_pages_filters_and_sorts() {
    let agent = documented();
    let mut clients: Vec<_> = (0..5).map(|_| Peer::connect(agent.only())).collect();
    let mut ids = Vec::new();
    for (number, client) in clients.iter_mut().enumerate() {
        ids.push(agent.assign(client, &format!("user{number}")));
        let text = vec![b'x'; 100 * (number + 1)];
        client.send(&text);
        client.expect(&text);
        agent.counted(client, text.len() as u64, text.len() as u64);
    }
    let listed = |query: &str| -> Vec<u64> {
        let body = agent.tcp().get(&format!("/connz{query}")).is(200).json();
        body["connections"].as_array().unwrap().iter().map(|row| row["id"].as_u64().unwrap()).collect()
    };
    let turned: Vec<_> = ids.iter().rev().copied().collect();
    assert_eq!(listed(""), ids);
    assert_eq!(listed("?sort=id"), ids);
    assert_eq!(listed("?sort=idDesc"), turned);
    assert_eq!(listed("?sort=outPacketBytesDesc"), turned);
    assert_eq!(listed("?sort=outPacketBytes"), ids);
    assert_eq!(listed("?sort=uptime"), ids);
    assert_eq!(listed("?limit=2"), ids[..2]);
    assert_eq!(listed("?limit=2&offset=3"), ids[3..]);
    assert_eq!(listed("?offset=100"), Vec::<u64>::new());
    assert_eq!(listed("?limit=0").len(), 5);
    assert_eq!(listed("?limit=abc&offset=xyz"), ids);
    assert_eq!(listed("?offset=-1"), ids);
    assert_eq!(listed("?uid=user3"), [ids[3]]);
    assert_eq!(listed("?uid=ser"), ids, "the filter is a part of the uid");
}

#[test]
fn online_status_tells_who_is_there() {
    let agent = documented();
    let (one, two) = (Peer::connect(agent.only()), Peer::connect(agent.only()));
    agent.assign(&one, "u1");
    agent.assign(&two, "u2");
    let ask = |uids: &Value| agent.tcp().post("/user/onlinestatus", uids).is(200).json();
    let online = ask(&json!(["u1", "u3"]));
    assert_eq!(online.as_array().unwrap().len(), 1, "{online}");
    assert_eq!((&online[0]["uid"], &online[0]["online"]), (&json!("u1"), &json!(1)), "{online}");
    assert!(online[0]["device_flag"].is_i64(), "{online}");
    assert_eq!(ask(&json!(["nobody"])), json!([]));
    assert!(ask(&json!([])).get("status").is_some());
    agent.tcp().post_text("/user/onlinestatus", "{").is(400);
}

#[test]
fn device_quit_takes_every_connection_of_the_user() {
    let agent = documented();
    let (mut one, mut two) = (Peer::connect(agent.only()), Peer::connect(agent.only()));
    let mut other = Peer::connect(agent.only());
    agent.assign(&one, "u1");
    agent.assign(&two, "u1");
    agent.assign(&other, "u2");
    agent.tcp().post("/user/device_quit", &json!({ "uid": "u1", "device_flag": -1 })).is(200);
    assert_eq!((one.end().1, two.end().1), (End::Fin, End::Fin));
    until("only the other is left", || (agent.connections().len() == 1).then_some(()));
    untouched(&mut other);
}

#[test]
fn health_and_varz_answer() {
    for agent in [documented(), actual()] {
        assert_eq!(agent.tcp().get("/health").is(200).json(), json!({ "status": "ok" }));
        assert!(agent.tcp().get("/varz").is(200).json().is_object());
    }
}

#[test]
fn the_managers_list_has_its_own_limits() {
    let agent = documented();
    let client = Peer::connect(agent.only());
    let id = agent.assign(&client, "u1");
    let body = agent.tcp().get("/manager/connections").is(200).json().to_string();
    assert!(body.contains(&format!("\"session_id\":{id}")), "{body}");
    let one = agent.tcp().get(&format!("/manager/connections/{id}")).is(200).json();
    assert_eq!((&one["session_id"], &one["uid"]), (&json!(id), &json!("u1")), "{one}");
    for limit in ["0", "-1", "101", "abc"] {
        let answer = agent.tcp().get(&format!("/manager/connections?limit={limit}")).is(400).json();
        assert_eq!(answer, json!({ "error": "bad_request", "message": "invalid limit" }), "{limit}");
    }
    let answer = agent.tcp().get("/manager/connections/0").is(400).json();
    assert_eq!(answer, json!({ "error": "bad_request", "message": "invalid session_id" }));
    let answer = agent.tcp().get(&format!("/manager/connections/{}", id + 1000)).is(404).json();
    assert_eq!(answer, json!({ "error": "not_found", "message": "connection not found" }));
}

/// Asks for it eight times at once; gives the statuses, sorted.
fn at_once(agent: &Agent, verb: &str, id: u64) -> Vec<u16> {
    let path = format!("/conn/{verb}");
    let callers: Vec<_> = (0..8)
        .map(|_| {
            let (http, path) = (agent.tcp(), path.clone());
            let body = json!({ "uid": "user123", "conn_id": id });
            std::thread::spawn(move || http.post(&path, &body).status)
        })
        .collect();
    let mut statuses: Vec<_> = callers.into_iter().map(|caller| caller.join().unwrap()).collect();
    statuses.sort_unstable();
    statuses
}

#[test]
fn of_many_who_remove_the_same_connection_at_once_one_succeeds() {
    for (agent, others) in [(documented(), 404), (actual(), 200)] {
        let expected = [vec![200], vec![others; 7]].concat();
        for _ in 0..10 {
            let mut client = Peer::connect(agent.only());
            let id = agent.assign(&client, "user123");
            assert_eq!(at_once(&agent, "remove", id), expected);
            client.ends_with(End::Fin);
        }
        let mut client = Peer::connect(agent.only());
        let id = agent.assign(&client, "user123");
        assert_eq!(at_once(&agent, "kick", id), [200; 8], "until it is closed it is there");
        // Whoever does not want to wait for the notice removes it.
        let body = json!({ "uid": "user123", "conn_id": id });
        agent.tcp().post("/conn/remove", &body).is(200);
        client.ends_with(End::Fin);
        assert_eq!(agent.ended("client"), 11, "{:?}", agent.endings());
    }
}
