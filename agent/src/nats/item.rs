//! One item of the protocol: a line, and the payload behind it where there is one.

/// The longest line. A server takes 4 KiB from clients unless it is told otherwise; its own `INFO` is longer
/// in a large cluster.
pub const MAX_LINE_BYTES: usize = 64 * 1024;
/// The digits of a size: the server takes no more.
const MAX_DIGITS: usize = 9;
const CRLF: &[u8] = b"\r\n";

/// Who sent the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    Client,
    Server,
}

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    Info,
    Connect,
    Ping,
    Pong,
    Sub,
    Unsub,
    Pub,
    /// A publication with headers.
    Hpub,
    Msg,
    /// A message with headers.
    Hmsg,
    Ok,
    Err,
}

const OF_CLIENTS: &[(&[u8], Verb)] = &[
    (b"PUB", Verb::Pub),
    (b"HPUB", Verb::Hpub),
    (b"SUB", Verb::Sub),
    (b"UNSUB", Verb::Unsub),
    (b"PING", Verb::Ping),
    (b"PONG", Verb::Pong),
    (b"CONNECT", Verb::Connect),
];
const OF_SERVERS: &[(&[u8], Verb)] = &[
    (b"MSG", Verb::Msg),
    (b"HMSG", Verb::Hmsg),
    (b"PING", Verb::Ping),
    (b"PONG", Verb::Pong),
    (b"+OK", Verb::Ok),
    (b"-ERR", Verb::Err),
    (b"INFO", Verb::Info),
];

/// An item that is there as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item<'a> {
    /// What it is.
    pub verb: Verb,
    /// The line behind the verb, without the white space around it.
    pub args: &'a [u8],
    /// All of it: line, payload and their ends.
    pub whole: &'a [u8],
}

/// What the beginning of some bytes is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scan<'a> {
    /// An item.
    Item(Item<'a>),
    /// The beginning of one whose line has not ended.
    Line,
    /// The beginning of one that has so many bytes.
    More(usize),
    /// Nothing of the protocol.
    Wrong,
}

/// What these bytes begin with. `searched` of them are known to have no line feed.
pub fn scan(sender: Sender, bytes: &[u8], searched: usize) -> Scan<'_> {
    let Some(head) = head(sender, bytes) else {
        return Scan::Wrong;
    };
    let unsearched = &bytes[searched.min(bytes.len())..];
    let Some(end) = unsearched.iter().position(|byte| *byte == b'\n') else {
        return if bytes.len() > MAX_LINE_BYTES { Scan::Wrong } else { Scan::Line };
    };
    let line = bytes.len() - unsearched.len() + end + 1;
    let Head::Verb(verb, length) = head else {
        return Scan::Wrong;
    };
    if line > MAX_LINE_BYTES {
        return Scan::Wrong;
    }
    let args = bytes[length..line].trim_ascii();
    let whole = match payload(verb, args) {
        Ok(None) => line,
        Ok(Some(size)) => line + size + CRLF.len(),
        Err(()) => return Scan::Wrong,
    };
    match bytes.get(..whole) {
        None => Scan::More(whole),
        Some(whole) if whole.len() > line && !whole.ends_with(CRLF) => Scan::Wrong,
        Some(whole) => Scan::Item(Item { verb, args, whole }),
    }
}

/// The first word.
enum Head {
    /// With its length.
    Verb(Verb, usize),
    /// Too short to be told.
    Begun,
}

fn head(sender: Sender, bytes: &[u8]) -> Option<Head> {
    let table = match sender {
        Sender::Client => OF_CLIENTS,
        Sender::Server => OF_SERVERS,
    };
    table.iter().find_map(|(word, verb)| {
        let seen = bytes.len().min(word.len());
        if !bytes[..seen].eq_ignore_ascii_case(&word[..seen]) {
            return None;
        }
        match bytes.get(word.len()) {
            None => Some(Head::Begun),
            // The server wants no space before what is no plain word.
            Some(next) if next.is_ascii_whitespace() || matches!(verb, Verb::Connect | Verb::Err) => {
                Some(Head::Verb(*verb, word.len()))
            }
            Some(_) => None,
        }
    })
}

/// The size of the payload that a line announces, where it has one.
fn payload(verb: Verb, args: &[u8]) -> Result<Option<usize>, ()> {
    // Arguments before the sizes, at least and at most, and how many sizes there are.
    let (least, most, sizes) = match verb {
        Verb::Pub => (1, 2, 1),
        Verb::Hpub => (1, 2, 2),
        Verb::Msg => (2, 3, 1),
        Verb::Hmsg => (2, 3, 2),
        _ => return Ok(None),
    };
    let count = words(args).count();
    if !(least + sizes..=most + sizes).contains(&count) {
        return Err(());
    }
    let mut numbers = words(args).skip(count - sizes).map(number);
    let first = numbers.next().flatten().ok_or(())?;
    match numbers.next() {
        None => Ok(Some(first)),
        Some(total) => total.filter(|total| first <= *total).map(Some).ok_or(()),
    }
}

/// The arguments of a line.
pub(super) fn words(args: &[u8]) -> impl Iterator<Item = &[u8]> {
    args.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
}

/// A decimal number as the server takes it.
pub(super) fn number(word: &[u8]) -> Option<usize> {
    let is_fine = (1..=MAX_DIGITS).contains(&word.len()) && word.iter().all(u8::is_ascii_digit);
    is_fine.then(|| word.iter().fold(0, |value, digit| value * 10 + usize::from(digit - b'0')))
}

/// What is read of a server's `INFO`.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
pub struct Info {
    /// The largest payload it takes.
    pub max_payload: Option<usize>,
    /// It wants to know who connects.
    #[serde(default)]
    pub auth_required: bool,
    /// It wants TLS before anything else.
    #[serde(default)]
    pub tls_required: bool,
}

impl Info {
    /// Reads the argument of `INFO`; what cannot be read says nothing.
    pub fn read(args: &[u8]) -> Self {
        serde_json::from_slice(args).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(sender: Sender, bytes: &[u8]) -> Option<(Verb, usize)> {
        match scan(sender, bytes, 0) {
            Scan::Item(item) => Some((item.verb, item.whole.len())),
            Scan::Line | Scan::More(_) | Scan::Wrong => None,
        }
    }

    #[test]
    fn items_are_told_apart() {
        for (sender, bytes, verb) in [
            (Sender::Client, &b"PUB a 5\r\nhello\r\n"[..], Verb::Pub),
            (Sender::Client, b"pub a reply 0\n\r\n", Verb::Pub),
            (Sender::Client, b"HPUB a 12 14\r\nNATS/1.0\r\n\r\nhi\r\n", Verb::Hpub),
            (Sender::Client, b"CONNECT{}\r\n", Verb::Connect),
            (Sender::Client, b"SUB a.* q 1\r\n", Verb::Sub),
            (Sender::Client, b"UNSUB 1 5\r\n", Verb::Unsub),
            (Sender::Client, b"PING\r\n", Verb::Ping),
            (Sender::Server, b"MSG a 1 2\r\n\r\n\r\n", Verb::Msg),
            (Sender::Server, b"HMSG a 1 r 12 12\r\nNATS/1.0\r\n\r\n\r\n", Verb::Hmsg),
            (Sender::Server, b"+OK\r\n", Verb::Ok),
            (Sender::Server, b"-ERR 'no'\r\n", Verb::Err),
            (Sender::Server, b"INFO {}\r\n", Verb::Info),
        ] {
            assert_eq!(whole(sender, bytes), Some((verb, bytes.len())), "{}", bytes.escape_ascii());
            let more = [bytes, b"PING\r\n"].concat();
            assert_eq!(whole(sender, &more), Some((verb, bytes.len())), "{}", bytes.escape_ascii());
            for end in 0..bytes.len() {
                let has_line = bytes[..end].contains(&b'\n');
                let expected = if has_line { Scan::More(bytes.len()) } else { Scan::Line };
                assert_eq!(scan(sender, &bytes[..end], 0), expected, "{end}");
            }
        }
    }

    #[test]
    fn what_is_not_the_protocol_is_told_at_once() {
        for bytes in [
            &b"\x16\x03\x01"[..],
            b"GET / HTTP/1.1\r\n",
            b"\r\n",
            b"PUBLISH",
            b"MSG a 1 2",
            b"PUB a\r\n",
            b"PUB a b c 1\r\n",
            b"PUB a -1\r\n",
            b"PUB a 1234567890\r\n",
            b"HPUB a 9 8\r\n",
            b"PUB a 1\r\nxy\r\n",
        ] {
            assert_eq!(scan(Sender::Client, bytes, 0), Scan::Wrong, "{}", bytes.escape_ascii());
        }
        let mut long = b"SUB ".to_vec();
        long.resize(MAX_LINE_BYTES + 1, b'a');
        assert_eq!(scan(Sender::Client, &long, 0), Scan::Wrong);
    }

    #[test]
    fn an_info_says_what_it_says() {
        let info = Info::read(br#"{"server_id":"x","max_payload":1048576,"auth_required":true}"#);
        assert_eq!(info, Info { max_payload: Some(1 << 20), auth_required: true, tls_required: false });
        assert_eq!(Info::read(b"{"), Info::default());
    }
}
