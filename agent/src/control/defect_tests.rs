//! What a defect in the work on one connection does: it ends that one, like any other ending, and nothing else.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::testing::Agent;
use crate::config::Compat;
use crate::relay::DEFECTIVE;

/// Sends a byte and waits for what comes back, on a thread of its own: the agent may need this one.
async fn sends_a_byte(stream: &TcpStream) -> std::io::Result<usize> {
    let mut stream = stream.try_clone().unwrap();
    let asked = tokio::task::spawn_blocking(move || {
        stream.write_all(b"x")?;
        stream.read(&mut [0; 8])
    });
    asked.await.unwrap()
}

#[tokio::test]
async fn a_panic_resets_one_connection_counts_it_once_and_leaves_the_others() {
    let agent = Agent::start(Compat::Documented, &["echo"]);
    let (struck, _, id) = agent.client(0).await;
    let (other, _, other_id) = agent.client(0).await;
    assert_eq!(sends_a_byte(&struck).await.unwrap(), 1);
    let label = format!(r#"{{"uid":"{DEFECTIVE}"}}"#);
    assert_eq!(agent.ask("POST", &format!("/v1/connections/{id}/assign"), &label).await.status, 200);
    let end = sends_a_byte(&struck).await;
    assert_eq!(end.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    assert_eq!(sends_a_byte(&other).await.unwrap(), 1, "the other one is served");
    let rows = agent.ask("GET", "/v1/connections", "").await.json();
    assert_eq!(rows["connections"].as_array().unwrap().len(), 1);
    assert_eq!(rows["connections"][0]["conn_id"], other_id);
    let stats = agent.ask("GET", "/v1/stats?by=reason", "").await.json();
    let of_client: Vec<_> = stats.as_array().unwrap().iter().filter(|row| row["side"] == "client").collect();
    assert_eq!(of_client.len(), 1, "{stats}");
    assert_eq!((&of_client[0]["reason"], &of_client[0]["count"]), (&"internal".into(), &1.into()));
}
