//! Answers that no agent would give, as the typed client reads them.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::mpsc::{self, Sender};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use connctl_api::client::{Client, ClientError, Endpoint, split};
use connctl_api::error::ErrorBody;
use connctl_api::event::EventQuery;
use tokio::runtime::Runtime;

use crate::input::pieces;

/// How long the client waits for an answer: the server here always gives one, and then closes.
const PATIENCE: Duration = Duration::from_secs(10);

struct Stage {
    client: Client,
    runtime: Runtime,
    /// What is answered next, in writes.
    answers: Mutex<Sender<Vec<Vec<u8>>>>,
}

fn stage() -> &'static Stage {
    static STAGE: OnceLock<Stage> = OnceLock::new();
    STAGE.get_or_init(|| {
        std::fs::create_dir_all(crate::scratch()).expect("a directory");
        let path = crate::scratch().join("server.sock");
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path).expect("a socket");
        let (sender, answers) = mpsc::channel::<Vec<Vec<u8>>>();
        std::thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().expect("the client comes");
                read_head(&mut stream);
                // Whoever is answered nonsense may leave before the end of it.
                let _ = answer.iter().try_for_each(|piece| stream.write_all(piece));
            }
        });
        let client = Client::new(Endpoint::Unix(path), PATIENCE).expect("a client");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        Stage { client, runtime, answers: Mutex::new(sender) }
    })
}

fn read_head(stream: &mut UnixStream) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|count| count > 0) {
        head.push(byte[0]);
    }
}

fn head(status: u16, framing: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} x\r\nConnection: close\r\n{framing}\r\n\r\n").into_bytes()
}

fn chunked(body: &[u8]) -> Vec<Vec<u8>> {
    let mut all = vec![head(200, "Content-Type: application/jsonl\r\nTransfer-Encoding: chunked")];
    for piece in pieces(body).into_iter().filter(|piece| !piece.is_empty()) {
        all.push([format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat());
    }
    all.push(b"0\r\n\r\n".to_vec());
    all
}

/// Lines, in pieces; one value; an error; or bytes that may not even be HTTP.
pub(crate) fn answers(bytes: &[u8]) {
    let Some((kind, body)) = bytes.split_first() else { return };
    let Stage { client, runtime, answers } = stage();
    let give = |answer| answers.lock().expect("nobody panics with it").send(answer).expect("the server");
    match kind {
        b'l' => {
            give(chunked(body));
            let (selector, kinds, after) = (None, None, None);
            let query = EventQuery { selector, kinds, after, follow: true, stream: true };
            let read = runtime.block_on(async {
                let mut lines = client.events(&query).await?;
                let mut blocks = Vec::new();
                while let Some(block) = lines.block().await? {
                    blocks.push(block.to_vec());
                }
                Ok::<_, ClientError>(blocks)
            });
            let blocks = read.expect("lines of this length are taken, whatever is in them");
            assert_eq!(blocks.concat(), body);
            let last = blocks.len().saturating_sub(1);
            assert!(blocks.iter().take(last).all(|block| block.ends_with(b"\n")), "a line was cut");
            let lines: Vec<_> = blocks.iter().flat_map(|block| split(block)).collect();
            let expected: Vec<_> =
                body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
            assert_eq!(lines, expected);
        }
        b'v' => {
            give(chunked(body));
            match runtime.block_on(client.plan_row("p-1a2b3c4d-1")) {
                Ok(row) => {
                    let text = serde_json::to_string(&row).expect("JSON");
                    let again: connctl_api::plan::PlanRow = serde_json::from_str(&text).expect("it was one");
                    assert_eq!(serde_json::to_string(&again).expect("JSON"), text);
                }
                Err(ClientError::Garbled { problem, .. }) => assert!(!problem.is_empty()),
                Err(error) => panic!("{error}"),
            }
        }
        b'e' => {
            give(vec![head(409, &format!("Content-Length: {}", body.len())), body.to_vec()]);
            let error = runtime.block_on(client.node()).expect_err("409 is no success");
            match (error, serde_json::from_slice::<ErrorBody>(body)) {
                (ClientError::Api(error), Ok(told)) => assert_eq!(error.message, told.error.message),
                (ClientError::Garbled { .. }, Err(_)) => {}
                (error, told) => panic!("{error:?} for {told:?}"),
            }
        }
        _ => {
            give(vec![body.to_vec()]);
            match runtime.block_on(client.jobs()) {
                Ok(_) => {}
                Err(ClientError::TimedOut { .. }) => panic!("the server had closed"),
                Err(error) => assert!(!error.to_string().is_empty()),
            }
        }
    }
}
