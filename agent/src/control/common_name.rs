//! The common name in the subject of a certificate, read from its DER. Its authority has vouched for the bytes, and
//! not for what they are like.

/// The object identifier of a common name: 2.5.4.3.
const COMMON_NAME: [u8; 3] = [0x55, 0x04, 0x03];
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT_IDENTIFIER: u8 = 0x06;
const UTF8_STRING: u8 = 0x0c;
const PRINTABLE_STRING: u8 = 0x13;
const IA5_STRING: u8 = 0x16;

/// The one common name of a subject, which is a sequence of sets of attributes; none where there are several.
pub(super) fn common_name(mut subject: &[u8]) -> Option<&str> {
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
}
