//! Redis: `AUTH user password` and `HELLO 3 AUTH user password`, as arrays or typed by hand.

use super::bytes::Bytes;
use super::{Decoded, Found, Miss};

/// More arguments than any command of interest has.
const MAX_ARGUMENTS: usize = 64;
/// What clients say before they say who they are. Behind any other command nobody is looked for.
const EARLY: [&[u8]; 8] =
    [b"HELLO", b"CLIENT", b"PING", b"SELECT", b"COMMAND", b"ECHO", b"INFO", b"READONLY"];

/// The user of the first command that names one. `AUTH password` names none.
pub(super) fn decode(bytes: &[u8]) -> Decoded {
    let mut bytes = Bytes::new(bytes);
    loop {
        let command = command(&mut bytes)?;
        let Some((verb, arguments)) = command.split_first() else {
            continue;
        };
        if verb.eq_ignore_ascii_case(b"AUTH") {
            return match arguments {
                [user, _] => Found::user(user),
                _ => Err(Miss::No),
            };
        }
        if verb.eq_ignore_ascii_case(b"HELLO")
            && let Some(user) = after(arguments, b"AUTH")
        {
            let found = Found::user(user)?;
            return Ok(match after(arguments, b"SETNAME") {
                Some(name) => found.tag("name", name),
                None => found,
            });
        }
        if !EARLY.iter().any(|early| verb.eq_ignore_ascii_case(early)) {
            return Err(Miss::No);
        }
    }
}

/// The argument behind a keyword of `HELLO`.
fn after<'a>(arguments: &[&'a [u8]], keyword: &[u8]) -> Option<&'a [u8]> {
    let mut rest = arguments.get(1..)?;
    loop {
        match rest {
            [word, user, _, next @ ..] if word.eq_ignore_ascii_case(b"AUTH") => {
                if keyword == b"AUTH" {
                    return Some(user);
                }
                rest = next;
            }
            [word, name, next @ ..] if word.eq_ignore_ascii_case(b"SETNAME") => {
                if keyword == b"SETNAME" {
                    return Some(name);
                }
                rest = next;
            }
            _ => return None,
        }
    }
}

fn command<'a>(bytes: &mut Bytes<'a>) -> Result<Vec<&'a [u8]>, Miss> {
    match bytes.rest().first() {
        Some(b'*') => {}
        None | Some(b'\r' | b'\n') => return bytes.line().map(|_| Vec::new()),
        Some(byte) if byte.is_ascii_alphabetic() => return typed(bytes.line()?),
        Some(_) => return Err(Miss::No),
    }
    let count = number(bytes, b'*')?;
    if count > MAX_ARGUMENTS {
        return Err(Miss::No);
    }
    let mut command = Vec::with_capacity(count);
    for _ in 0..count {
        let length = number(bytes, b'$')?;
        command.push(bytes.take(length)?);
        bytes.expect(b"\r\n")?;
    }
    Ok(command)
}

/// Quoting is not taken apart: whoever quotes is not identified.
fn typed(line: &[u8]) -> Result<Vec<&[u8]>, Miss> {
    if line.iter().any(|byte| matches!(byte, b'"' | b'\'')) {
        return Err(Miss::No);
    }
    Ok(line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).collect())
}

fn number(bytes: &mut Bytes<'_>, kind: u8) -> Result<usize, Miss> {
    bytes.expect(&[kind])?;
    let digits = std::str::from_utf8(bytes.line()?).map_err(|_| Miss::No)?;
    // Above what is ever looked at, a number is not worth waiting for.
    digits.parse().ok().filter(|number| *number <= super::MAX_BYTES).ok_or(Miss::No)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{is_steady, like, no, user};
    use super::*;

    const AUTH: &[u8] = b"*3\r\n$4\r\nAUTH\r\n$5\r\nalice\r\n$6\r\ns3cret\r\n";
    const HELLO: &[u8] =
        b"*2\r\n$4\r\nPING\r\n$1\r\nx\r\n*7\r\n$5\r\nhello\r\n$1\r\n3\r\n$7\r\nSETNAME\r\n$3\r\nweb\r\n\
        $4\r\nAUTH\r\n$3\r\nbob\r\n$6\r\ns3cret\r\n";

    #[test]
    fn each_way_to_name_a_user_is_read() {
        user(decode(AUTH), "alice");
        assert_eq!(decode(HELLO).unwrap(), Found::user(b"bob").unwrap().tag("name", b"web"));
        user(decode(b"\r\nPING\r\nAUTH alice s3cret\r\n"), "alice");
        user(decode(b"hello 3 auth alice s3cret\n"), "alice");
    }

    #[test]
    fn a_password_alone_is_a_secret_and_no_user() {
        no(decode(b"*2\r\n$4\r\nAUTH\r\n$6\r\ns3cret\r\n"));
        no(decode(b"AUTH s3cret\r\n"));
        no(decode(b"AUTH \"a b\" s3cret\r\n"));
    }

    #[test]
    fn who_works_without_a_name_is_nobody() {
        no(decode(b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"));
        no(decode(b"GET / HTTP/1.1\r\n"));
        no(decode(b"*9999\r\n"));
        no(decode(b"*1\r\n$-1\r\n"));
        no(decode(b"\x16\x03\x01"));
        assert_eq!(decode(b"*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n"), Err(Miss::More));
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in prop_oneof![like(AUTH), like(HELLO)]) {
            is_steady(decode, &bytes);
        }
    }
}
