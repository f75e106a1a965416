//! What is read of a certificate's DER by hand: the common name of its subject, and when it expires. Its authority
//! has vouched for the bytes, and not for what they are like.

use jiff::civil::DateTime;

/// The object identifier of a common name: 2.5.4.3.
const COMMON_NAME: [u8; 3] = [0x55, 0x04, 0x03];
/// The version of a certificate, the one part of it that may be missing: `[0]`.
const VERSION: u8 = 0xa0;
const INTEGER: u8 = 0x02;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT_IDENTIFIER: u8 = 0x06;
const UTF8_STRING: u8 = 0x0c;
const PRINTABLE_STRING: u8 = 0x13;
const IA5_STRING: u8 = 0x16;
/// `YYMMDDHHMMSSZ`, from 1950 to 2049.
const UTC_TIME: u8 = 0x17;
/// `YYYYMMDDHHMMSSZ`
const GENERALIZED_TIME: u8 = 0x18;

/// The one common name of a subject, which is a sequence of sets of attributes; none where there are several.
pub fn common_name(mut subject: &[u8]) -> Option<&str> {
    let mut found = None;
    while !subject.is_empty() {
        let (mut set, rest) = element(subject, SET)?;
        subject = rest;
        while !set.is_empty() {
            let (attribute, rest) = element(set, SEQUENCE)?;
            set = rest;
            let (kind, value) = element(attribute, OBJECT_IDENTIFIER)?;
            if kind != COMMON_NAME {
                continue;
            }
            if found.is_some() {
                return None;
            }
            let texts = [UTF8_STRING, PRINTABLE_STRING, IA5_STRING];
            let (text, _) = texts.iter().find_map(|tag| element(value, *tag))?;
            found = Some(std::str::from_utf8(text).ok()?);
        }
    }
    found
}

/// When a certificate expires, in seconds since 1970; none where its bytes do not say it in the one way that there is.
pub fn expires_s(certificate: &[u8]) -> Option<i64> {
    let (certificate, _) = element(certificate, SEQUENCE)?;
    let (own, _) = element(certificate, SEQUENCE)?;
    let own = element(own, VERSION).map_or(own, |(_, rest)| rest);
    let (_serial, rest) = element(own, INTEGER)?;
    let (_algorithm, rest) = element(rest, SEQUENCE)?;
    let (_issuer, rest) = element(rest, SEQUENCE)?;
    let (validity, _) = element(rest, SEQUENCE)?;
    let (_, until) = time(validity)?;
    time(until).map(|(at, _)| at)
}

/// The time at the beginning of these bytes, in seconds since 1970, and what follows it.
fn time(bytes: &[u8]) -> Option<(i64, &[u8])> {
    if let Some((text, rest)) = element(bytes, UTC_TIME) {
        let (year, behind) = text.split_at_checked(2)?;
        let year = number(year)?;
        let century = if year < 50 { 2000 } else { 1900 };
        return Some((second(century + year, behind)?, rest));
    }
    let (text, rest) = element(bytes, GENERALIZED_TIME)?;
    let (year, behind) = text.split_at_checked(4)?;
    Some((second(number(year)?, behind)?, rest))
}

/// `MMDDHHMMSSZ` of a year.
fn second(year: i16, text: &[u8]) -> Option<i64> {
    let digits = text.strip_suffix(b"Z").filter(|digits| digits.len() == 10)?;
    let mut parts = digits.chunks(2).map(|part| number(part).and_then(|part| i8::try_from(part).ok()));
    let mut next = || parts.next().flatten();
    let at = DateTime::new(year, next()?, next()?, next()?, next()?, next()?, 0).ok()?;
    Some(at.duration_since(DateTime::constant(1970, 1, 1, 0, 0, 0, 0)).as_secs())
}

fn number(digits: &[u8]) -> Option<i16> {
    let is_number = digits.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(digits).ok().filter(|_| is_number)?.parse().ok()
}

/// The content of the first DER element, if it has this tag, and what follows it.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<2>()?;
    if head[0] != tag {
        return None;
    }
    let (length, rest) = match head[1] {
        short @ 0..=0x7f => (usize::from(short), rest),
        0x81 => rest.split_first().map(|(length, rest)| (usize::from(*length), rest))?,
        0x82 => {
            let (length, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*length)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = content.len();
        let mut bytes = vec![tag];
        match u8::try_from(length) {
            Ok(short @ 0..=0x7f) => bytes.push(short),
            Ok(one) => bytes.extend([0x81, one]),
            Err(_) => {
                bytes.push(0x82);
                bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
            }
        }
        bytes.extend(content);
        bytes
    }

    fn attribute(kind: u8, tag: u8, text: &[u8]) -> Vec<u8> {
        let kind = tagged(OBJECT_IDENTIFIER, &[0x55, 0x04, kind]);
        tagged(SET, &tagged(SEQUENCE, &[kind, tagged(tag, text)].concat()))
    }

    #[test]
    fn the_common_name_is_found_among_the_other_parts_of_a_subject() {
        let organisation = attribute(10, UTF8_STRING, b"Example");
        for tag in [UTF8_STRING, PRINTABLE_STRING, IA5_STRING] {
            for name in ["ops", "d\u{e9}ploiement", &"x".repeat(200), &"y".repeat(300)] {
                let own = attribute(3, tag, name.as_bytes());
                assert_eq!(common_name(&[own.clone(), organisation.clone()].concat()), Some(name));
                assert_eq!(common_name(&[organisation.clone(), own].concat()), Some(name));
            }
        }
        assert_eq!(common_name(&organisation), None);
        assert_eq!(common_name(b""), None);
    }

    #[test]
    fn a_subject_that_is_cut_or_says_two_things_has_no_name() {
        let whole = [attribute(10, UTF8_STRING, b"Example"), attribute(3, UTF8_STRING, b"ops")].concat();
        for cut in 0..whole.len() {
            assert_eq!(common_name(&whole[..cut]), None, "{cut}");
        }
        let two = [attribute(3, UTF8_STRING, b"ops"), attribute(3, UTF8_STRING, b"admin")].concat();
        assert_eq!(common_name(&two), None);
        assert_eq!(common_name(&attribute(3, 0x1e, b"\0o\0p\0s")), None, "of a kind that nobody reads");
        assert_eq!(common_name(&attribute(3, UTF8_STRING, b"\xff")), None);
    }

    /// A certificate as far as it is read, valid until this time.
    fn certificate(version: bool, until: (u8, &[u8])) -> Vec<u8> {
        let version = if version { tagged(VERSION, &tagged(INTEGER, &[2])) } else { Vec::new() };
        let validity = [tagged(UTC_TIME, b"260101000000Z"), tagged(until.0, until.1)].concat();
        let name = attribute(3, UTF8_STRING, &[b'x'; 300]);
        let own = [
            version,
            tagged(INTEGER, &[1; 20]),
            tagged(SEQUENCE, b""),
            tagged(SEQUENCE, &name),
            tagged(SEQUENCE, &validity),
            tagged(SEQUENCE, &name),
        ];
        tagged(SEQUENCE, &[tagged(SEQUENCE, &own.concat()), tagged(SEQUENCE, b"")].concat())
    }

    #[test]
    fn a_certificate_says_when_it_expires_in_either_form() {
        for (tag, text, at) in [
            (UTC_TIME, "700101000000Z", 0),
            (UTC_TIME, "491231235959Z", 2_524_607_999),
            (UTC_TIME, "500101000000Z", -631_152_000),
            (GENERALIZED_TIME, "20500101000000Z", 2_524_608_000),
            (GENERALIZED_TIME, "20240229120000Z", 1_709_208_000),
            // What RFC 5280 has for "never".
            (GENERALIZED_TIME, "99991231235959Z", 253_402_300_799),
        ] {
            for version in [true, false] {
                let whole = certificate(version, (tag, text.as_bytes()));
                assert_eq!(expires_s(&whole), Some(at), "{text}");
                for cut in 0..whole.len() {
                    assert_eq!(expires_s(&whole[..cut]), None, "{cut}");
                }
            }
        }
    }

    #[test]
    fn a_time_that_is_none_or_in_another_form_is_not_guessed() {
        for text in
            ["20250229000000Z", "20251301000000Z", "2025010124000Z", "20250101000000", "+0250101000000Z"]
        {
            assert_eq!(expires_s(&certificate(true, (GENERALIZED_TIME, text.as_bytes()))), None, "{text}");
        }
        for text in ["", "Z", "250101000000", "2501010000Z", "250101000000+0100", "20250101000000Z"] {
            assert_eq!(expires_s(&certificate(true, (UTC_TIME, text.as_bytes()))), None, "{text}");
        }
        assert_eq!(expires_s(&certificate(true, (UTF8_STRING, b"250101000000Z"))), None);
    }
}
