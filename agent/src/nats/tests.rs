//! Sessions that lose their server, with every byte under the test's hand.

use proptest::prelude::*;

use super::*;

const INFO: &str = "INFO {\"max_payload\":1048576}\r\n";
const CONNECT: &str = "CONNECT {\"verbose\":false,\"user\":\"u\",\"pass\":\"s3cret\"}\r\n";

/// A session with both its ends: what either has got.
#[derive(Default)]
struct Ends {
    session: Session,
    client: String,
    server: String,
}

impl Ends {
    /// A client that has said who it is.
    fn connected() -> Self {
        let mut ends = Self::default();
        ends.server(INFO);
        ends.client(CONNECT);
        assert_eq!((ends.client_got(), ends.server_got()), (INFO.to_owned(), CONNECT.to_owned()));
        ends
    }

    fn client(&mut self, text: &str) {
        let mut back = Vec::new();
        self.session.client(text.as_bytes(), &mut back);
        self.client += std::str::from_utf8(&back).unwrap();
        self.flush(usize::MAX);
    }

    fn server(&mut self, text: &str) {
        let mut down = Vec::new();
        self.session.server(text.as_bytes(), &mut down);
        self.client += std::str::from_utf8(&down).unwrap();
        if let Some(replay) = self.session.take_replay() {
            self.server += std::str::from_utf8(&replay).unwrap();
        }
        self.flush(usize::MAX);
    }

    /// The server's socket takes so much.
    fn flush(&mut self, most: usize) {
        let unsent = self.session.unsent();
        let count = unsent.len().min(most);
        self.server += std::str::from_utf8(&unsent[..count]).unwrap();
        self.session.handed(count);
    }

    /// What the client got since this was last asked.
    fn client_got(&mut self) -> String {
        std::mem::take(&mut self.client)
    }

    fn server_got(&mut self) -> String {
        std::mem::take(&mut self.server)
    }

    /// The server goes and another one comes; gives what that one is told.
    fn moved(&mut self) -> String {
        assert!(self.session.can_move());
        self.session.lose();
        self.greeted()
    }

    fn greeted(&mut self) -> String {
        self.session.dialled();
        self.server(INFO);
        let told = self.server_got();
        self.server("PONG\r\n");
        assert_eq!(self.session.stage(), Stage::Live);
        told
    }
}

#[test]
fn a_new_server_is_told_who_it_is_and_what_it_listens_to() {
    let mut ends = Ends::connected();
    ends.client("SUB news.> 1\r\nSUB jobs workers 2\r\nSUB gone 3\r\nUNSUB 3\r\n");
    ends.server_got();
    assert_eq!(ends.moved(), format!("{CONNECT}SUB news.> 1\r\nSUB jobs workers 2\r\nPING\r\n"));
    assert_eq!((ends.client_got(), ends.server_got()), (String::new(), String::new()));
    ends.server("MSG news.x 1 2\r\nhi\r\n");
    assert_eq!(ends.client_got(), "MSG news.x 1 2\r\nhi\r\n");
}

#[test]
fn messages_that_come_before_a_session_is_restored_are_passed_on() {
    let mut ends = Ends::connected();
    ends.client("SUB a 1\r\n");
    ends.session.lose();
    ends.session.dialled();
    ends.server(&format!("{INFO}MSG a 1 2\r\nhi\r\nPING\r\nPONG\r\nMSG a 1 2\r\nho\r\n"));
    assert_eq!(ends.client_got(), "MSG a 1 2\r\nhi\r\nPING\r\nMSG a 1 2\r\nho\r\n");
}

#[test]
fn a_message_that_is_cut_is_not_begun() {
    let mut ends = Ends::connected();
    ends.client("SUB a 1\r\nUNSUB 1 3\r\n");
    ends.server("MSG a 1 2\r\nhi\r\nMSG a 1 5\r\nhal");
    assert_eq!(ends.client_got(), "MSG a 1 2\r\nhi\r\n");
    ends.server_got();
    assert_eq!(ends.moved(), format!("{CONNECT}SUB a 1\r\nUNSUB 1 2\r\nPING\r\n"));
    ends.server("MSG a 1 2\r\nho\r\n");
    assert_eq!(ends.client_got(), "MSG a 1 2\r\nho\r\n");
}

#[test]
fn what_was_handed_over_in_part_is_whole_for_the_next_and_what_was_handed_over_is_not_sent_again() {
    let mut ends = Ends::connected();
    let mut back = Vec::new();
    ends.session.client(b"PUB a 2\r\nhi\r\nPUB a 2\r\nho\r\nPUB a 2\r\nhu\r\n", &mut back);
    ends.flush("PUB a 2\r\nhi\r\nPUB a 2\r\nh".len());
    ends.server_got();
    ends.session.lose();
    ends.client("PUB a 2\r\nla\r\nPUB a");
    assert_eq!(ends.server_got(), "");
    assert_eq!(ends.greeted(), format!("{CONNECT}PING\r\n"));
    ends.client(" 2\r\nle\r\n");
    let expected = "PUB a 2\r\nho\r\nPUB a 2\r\nhu\r\nPUB a 2\r\nla\r\nPUB a 2\r\nle\r\n";
    assert_eq!((ends.server_got(), ends.client_got()), (expected.to_owned(), String::new()));
}

#[test]
fn a_ping_is_answered_meanwhile_unless_something_before_it_waits() {
    let mut ends = Ends::connected();
    ends.session.lose();
    ends.client("PING\r\nPI");
    ends.client("NG\r\n");
    assert_eq!(ends.client_got(), "PONG\r\nPONG\r\n");
    assert!(!ends.session.wants_server());
    ends.client("PUB a 1\r\nx\r\nPING\r\n");
    assert_eq!(ends.client_got(), "");
    assert!(ends.session.wants_server());
    ends.greeted();
    assert_eq!(
        (ends.server_got(), ends.client_got()),
        ("PUB a 1\r\nx\r\nPING\r\n".to_owned(), String::new())
    );
    ends.server("PONG\r\n");
    assert_eq!(ends.client_got(), "PONG\r\n");
}

#[test]
fn answers_that_were_outstanding_come_from_the_next_server() {
    let mut ends = Ends::default();
    ends.server(INFO);
    ends.client("CONNECT {}\r\nSUB a 1\r\nPING\r\nPUB a 1\r\nx\r\n");
    ends.server("+OK\r\n");
    ends.client_got();
    ends.server_got();
    ends.session.lose();
    ends.client("PING\r\n");
    assert_eq!(ends.client_got(), "");
    assert_eq!(ends.session.stage(), Stage::Away);
    ends.session.dialled();
    ends.server(&format!("{INFO}+OK\r\n+OK\r\nPONG\r\n"));
    assert_eq!(ends.client_got(), "+OK\r\nPONG\r\n+OK\r\n");
    assert!(ends.server_got().ends_with("PING\r\nPING\r\n"));
}

#[test]
fn a_limit_counts_the_messages_of_all_servers() {
    let mut ends = Ends::connected();
    ends.client("SUB a 1\r\n");
    ends.server("MSG a 1 1\r\nx\r\nMSG a 1 1\r\ny\r\n");
    ends.moved();
    ends.client("UNSUB 1 5\r\n");
    assert_eq!(ends.server_got(), "UNSUB 1 3\r\n");
    ends.server("HMSG a 1 12 13\r\nNATS/1.0\r\n\r\nz\r\n");
    assert_eq!(ends.moved(), format!("{CONNECT}SUB a 1\r\nUNSUB 1 2\r\nPING\r\n"));
    let mut back = Vec::new();
    // Not handed over: the next server gets it in its own count.
    ends.session.client(b"UNSUB 1 6\r\n", &mut back);
    assert_eq!(ends.moved(), format!("{CONNECT}SUB a 1\r\nUNSUB 1 2\r\nPING\r\n"));
    assert_eq!(ends.server_got(), "UNSUB 1 3\r\n");
    ends.client("UNSUB 1 3\r\n");
    assert_eq!(ends.server_got(), "UNSUB 1\r\n");
    assert_eq!(ends.moved(), format!("{CONNECT}PING\r\n"));
}

#[test]
fn a_signed_connect_and_a_refusal_end_with_their_server() {
    let mut ends = Ends::default();
    ends.server(INFO);
    ends.client("CONNECT {\"nkey\":\"U\",\"sig\":\"abc\"}\r\n");
    assert!(!ends.session.can_move());
    let mut ends = Ends::connected();
    ends.server("-ERR 'Permissions Violation for Subscription to \"a\"'\r\n");
    assert!(ends.session.can_move());
    ends.server("-ERR 'Authorization Violation'\r\n");
    assert!(!ends.session.can_move());
}

#[test]
fn what_is_not_nats_passes_untouched() {
    let mut ends = Ends::connected();
    ends.client("PING\r\n\u{16}\u{3}\u{1}hello");
    ends.client("PUB a 1\r\nx\r\n");
    assert_eq!(ends.server_got(), "PING\r\n\u{16}\u{3}\u{1}helloPUB a 1\r\nx\r\n");
    ends.server("MSG a 1 5\r\nhal");
    ends.server("lo");
    assert_eq!(ends.client_got(), "MSG a 1 5\r\nhallo");
    assert_eq!((ends.session.stage(), ends.session.can_move()), (Stage::Opaque, false));
}

#[test]
fn where_one_side_is_found_to_be_no_nats_what_is_there_of_the_other_side_passes_at_once() {
    let mut ends = Ends::connected();
    ends.server("MSG a 1 5\r\nhal");
    assert_eq!(ends.client_got(), "");
    ends.client("\u{16}\u{3}\u{1}hello");
    assert_eq!(ends.client_got(), "MSG a 1 5\r\nhal");
    // Also where it was said before the new server came.
    let mut ends = Ends::default();
    ends.session.lose();
    ends.client("\u{16}\u{3}\u{1}hello");
    ends.session.dialled();
    ends.server(&format!("{INFO}h"));
    assert_eq!((ends.client_got(), ends.session.stage()), (format!("{INFO}h"), Stage::Opaque));
}

#[test]
fn a_server_that_goes_before_the_client_has_spoken_is_replaced() {
    let mut ends = Ends::default();
    ends.session.lose();
    ends.session.dialled();
    ends.server(INFO);
    assert_eq!((ends.client_got().as_str(), ends.session.stage()), (INFO, Stage::Live));
    ends.session.lose();
    ends.client(CONNECT);
    ends.session.dialled();
    ends.server(INFO);
    assert_eq!((ends.client_got(), ends.server_got()), (String::new(), CONNECT.to_owned()));
}

#[test]
fn what_a_client_sends_meanwhile_is_bounded_and_its_credentials_are_never_printed() {
    let mut ends = Ends::connected();
    ends.session.lose();
    let mut count = 0;
    while !ends.session.is_full() {
        ends.client("PUB a 1000\r\n");
        ends.client(&"x".repeat(1000));
        ends.client("\r\n");
        count += 1;
    }
    assert!((200..300).contains(&count), "{count}");
    assert!(!format!("{:?}", ends.session).contains("s3cret"));
    ends.greeted();
    assert_eq!(ends.server_got().matches("PUB a 1000").count(), count);
}

/// A step of a conversation.
#[derive(Clone)]
enum Step {
    Client(Vec<u8>),
    Server(Vec<u8>),
    Move,
}

impl std::fmt::Debug for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Client(bytes) => write!(f, "client {}", bytes.escape_ascii()),
            Self::Server(bytes) => write!(f, "server {}", bytes.escape_ascii()),
            Self::Move => f.write_str("move"),
        }
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let client = prop_oneof![
        Just("SUB a 1\r\n"),
        Just("SUB b q 2\r\n"),
        Just("UNSUB 1\r\n"),
        Just("UNSUB 1 3\r\n"),
        Just("PING\r\n"),
        Just("PONG\r\n"),
        Just("PUB a 3\r\nxyz\r\n"),
        Just("HPUB a 12 13\r\nNATS/1.0\r\n\r\nz\r\n"),
        Just("\0bad\n"),
        Just("CONNECT {\"verbose\":true}\r\n"),
    ];
    let server = prop_oneof![
        Just("MSG a 1 3\r\nabc\r\n"),
        Just("MSG b 2 0\r\n\r\n"),
        Just("+OK\r\n"),
        Just("PING\r\n"),
        Just("PONG\r\n"),
        Just("INFO {}\r\n"),
        Just("-ERR 'x'\r\n"),
        Just("oops"),
    ];
    let text = |text: &str| text.as_bytes().to_vec();
    let step = prop_oneof![
        6 => client.prop_map(move |one| Step::Client(text(one))),
        6 => server.prop_map(move |one| Step::Server(text(one))),
        1 => Just(Step::Move),
        1 => prop::collection::vec(any::<u8>(), 0..9).prop_map(Step::Client),
    ];
    prop::collection::vec(step, 0..30)
}

/// Carries a conversation out, each step in pieces of this size.
fn run(steps: &[Step], piece: usize) -> (Vec<u8>, Vec<u8>, Stage) {
    let (mut session, mut client, mut server) = (Session::default(), Vec::new(), Vec::new());
    let mut drain = |session: &mut Session| {
        if let Some(replay) = session.take_replay() {
            server.extend_from_slice(&replay);
        }
        while !session.unsent().is_empty() {
            let count = session.unsent().len().min(piece);
            server.extend_from_slice(&session.unsent()[..count]);
            session.handed(count);
        }
    };
    for step in steps {
        match step {
            Step::Client(bytes) => {
                for part in bytes.chunks(piece) {
                    session.client(part, &mut client);
                    drain(&mut session);
                }
            }
            Step::Server(bytes) => {
                for part in bytes.chunks(piece) {
                    session.server(part, &mut client);
                    drain(&mut session);
                }
            }
            Step::Move if session.can_move() => {
                session.lose();
                session.dialled();
            }
            Step::Move => {}
        }
    }
    client.extend(session.take_rest(Sender::Server));
    server.extend(session.take_rest(Sender::Client));
    (client, server, session.stage())
}

proptest! {
    #[test]
    fn any_conversation_in_any_pieces_is_the_same(steps in steps(), piece in 1usize..12) {
        let text = |(client, server, stage): (Vec<u8>, Vec<u8>, Stage)| {
            (client.escape_ascii().to_string(), server.escape_ascii().to_string(), stage)
        };
        prop_assert_eq!(text(run(&steps, piece)), text(run(&steps, usize::MAX)));
    }

    #[test]
    fn hostile_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..300), piece in 1usize..50) {
        let mut session = Session::default();
        let mut down = Vec::new();
        for part in bytes.chunks(piece) {
            session.server(part, &mut down);
        }
        down.extend(session.take_rest(Sender::Server));
        prop_assert_eq!(down, bytes);
    }
}
