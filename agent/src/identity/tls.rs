//! TLS: the server name that a `ClientHello` asks for. The stream stays as it is.

use std::borrow::Cow;

use super::bytes::Bytes;
use super::postgres::skip_ssl_request;
use super::{Decoded, Found, Miss};

const HANDSHAKE: u8 = 22;
const MAJOR: u8 = 3;
const MAX_RECORD: usize = 16 * 1024;
const CLIENT_HELLO: u8 = 1;
const SERVER_NAME: usize = 0;
const HOST: u8 = 0;

/// The server name in lower case. Before TLS there may be PostgreSQL's request for it.
pub(super) fn decode(bytes: &[u8]) -> Decoded {
    let (handshake, end) = handshake(skip_ssl_request(bytes)?);
    let answer = client_hello(&handshake);
    // What is missing may be in a record that is not there, or never come.
    if answer == Err(Miss::More) { Err(end) } else { answer }
}

/// What the records hold, and what it means where that is not enough. Mostly it is one record.
fn handshake(bytes: &[u8]) -> (Cow<'_, [u8]>, Miss) {
    let mut bytes = Bytes::new(bytes);
    let mut all = Cow::Borrowed(&[][..]);
    loop {
        match record(&mut bytes) {
            Ok(part) if all.is_empty() => all = Cow::Borrowed(part),
            Ok(part) => all.to_mut().extend_from_slice(part),
            Err(end) => return (all, end),
        }
    }
}

/// The content of the next record, as far as it is there.
fn record<'a>(bytes: &mut Bytes<'a>) -> Result<&'a [u8], Miss> {
    bytes.expect(&[HANDSHAKE])?;
    bytes.expect(&[MAJOR])?;
    bytes.u8()?;
    let length = bytes.u16()?;
    if length == 0 || length > MAX_RECORD {
        return Err(Miss::No);
    }
    let part = bytes.message(length).rest();
    if part.is_empty() { Err(Miss::More) } else { Ok(part) }
}

fn client_hello(handshake: &[u8]) -> Decoded {
    let mut bytes = Bytes::new(handshake);
    bytes.expect(&[CLIENT_HELLO])?;
    let length = bytes.u24()?;
    let mut hello = bytes.message(length);
    // Version, random, session id, cipher suites, compression methods.
    hello.take(2 + 32)?;
    let session = hello.u8()?;
    hello.take(usize::from(session))?;
    hello.counted()?;
    let methods = hello.u8()?;
    hello.take(usize::from(methods))?;
    let length = hello.u16()?;
    let mut extensions = hello.message(length);
    loop {
        let kind = extensions.u16()?;
        let extension = extensions.counted()?;
        if kind == SERVER_NAME {
            return server_name(extension);
        }
    }
}

fn server_name(extension: &[u8]) -> Decoded {
    let mut extension = Bytes::whole(extension);
    extension.u16()?;
    if extension.u8()? != HOST {
        return Err(Miss::No);
    }
    Found::user(&extension.counted()?.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{is_steady, like, no, user};
    use super::*;

    fn counted(bytes: &[u8]) -> Vec<u8> {
        [&u16::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat()
    }

    fn hello(extensions: &[u8]) -> Vec<u8> {
        let mut body = b"\x03\x03".to_vec();
        body.extend([7; 32]);
        body.push(32);
        body.extend([8; 32]);
        body.extend(counted(b"\x13\x01\x13\x02"));
        body.extend(b"\x01\0");
        body.extend(counted(extensions));
        let length = u32::try_from(body.len()).unwrap().to_be_bytes();
        [&[CLIENT_HELLO], &length[1..], &body].concat()
    }

    fn extension(kind: u16, body: &[u8]) -> Vec<u8> {
        [&kind.to_be_bytes()[..], &counted(body)].concat()
    }

    fn named(name: &[u8]) -> Vec<u8> {
        let entry = [&[HOST][..], &counted(name)].concat();
        hello(&[extension(43, b"\x02\x03\x04"), extension(0, &counted(&entry))].concat())
    }

    /// In records of at most this much.
    fn records(handshake: &[u8], most: usize) -> Vec<u8> {
        let record = |part: &[u8]| [&b"\x16\x03\x01"[..], &counted(part)].concat();
        handshake.chunks(most).flat_map(record).collect()
    }

    #[test]
    fn the_server_name_is_found() {
        let named = named(b"Db.Example.com");
        user(decode(&records(&named, MAX_RECORD)), "db.example.com");
        user(decode(&records(&named, 20)), "db.example.com");
        let after = [b"\0\0\0\x08\x04\xd2\x16\x2f".to_vec(), records(&named, MAX_RECORD)].concat();
        user(decode(&after), "db.example.com");
    }

    #[test]
    fn what_asks_for_no_server_name_has_none() {
        no(decode(&records(&hello(&extension(43, b"\x02\x03\x04")), MAX_RECORD)));
        no(decode(&records(&hello(b""), MAX_RECORD)));
        no(decode(b"GET / HTTP/1.1\r\n"));
        no(decode(b"\x16\x03\x01\0\x01\x02"));
        no(decode(b"\x16\x03\x01\xff\xff"));
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in like(&records(&named(b"db.example.com"), 50))) {
            is_steady(decode, &bytes);
        }
    }
}
