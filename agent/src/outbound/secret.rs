//! What must not be seen, and what must not be guessed.

use std::fmt;
use std::hint::black_box;

use rustix::io::Errno;
use rustix::rand::{GetRandomFlags, getrandom};
use zeroize::Zeroizing;

/// A password, kept for as long as its session and then overwritten. It has no text form: no log and no answer
/// can have it.
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text's memory, so that there is no second copy.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text, for the wire only.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Whether both are the same, in a time that does not tell where they differ.
    pub fn is_same(&self, other: &Self) -> bool {
        is_same(self.0.as_bytes(), other.0.as_bytes())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

fn is_same(one: &[u8], other: &[u8]) -> bool {
    let differences = one.iter().zip(other).fold(0, |all, (one, other)| all | (one ^ other));
    one.len() == other.len() && black_box(differences) == 0
}

/// The name of a session, which is the right to use it: 122 random bits in the form of a UUID.
#[derive(Clone)]
pub struct Key([u8; 16]);

/// Where a UUID has its hyphens.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

impl Key {
    /// One that nobody can guess.
    ///
    /// # Errors
    /// Where the kernel has no random bytes to give.
    pub fn random() -> Result<Self, Errno> {
        let mut bytes = [0; 16];
        // A call for so few bytes is answered whole, or not at all.
        if getrandom(&mut bytes, GetRandomFlags::empty())? != bytes.len() {
            return Err(Errno::IO);
        }
        // The version and the variant of a random UUID.
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Ok(Self(bytes))
    }

    /// Reads what [`Key::text`] wrote; `None` is nobody's.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.as_bytes();
        if text.len() != 36 || HYPHENS.iter().any(|at| text[*at] != b'-') {
            return None;
        }
        let mut digits = text.iter().filter(|byte| **byte != b'-').map(|byte| (*byte as char).to_digit(16));
        let mut bytes = [0; 16];
        for byte in &mut bytes {
            let (high, low) = (digits.next()??, digits.next()??);
            *byte = u8::try_from(high << 4 | low).ok()?;
        }
        digits.next().is_none().then_some(Self(bytes))
    }

    /// The text of the UUID.
    pub fn text(&self) -> String {
        let mut text = String::with_capacity(36);
        for byte in self.0 {
            if HYPHENS.contains(&text.len()) {
                text.push('-');
            }
            text.push_str(&format!("{byte:02x}"));
        }
        text
    }

    /// Whether both are the same, in a time that does not tell where they differ.
    pub fn is_same(&self, other: &Self) -> bool {
        is_same(&self.0, &other.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_differ_and_are_read_back() {
        let keys: Vec<_> = (0..200).map(|_| Key::random().unwrap()).collect();
        for (place, key) in keys.iter().enumerate() {
            let text = key.text();
            assert_eq!((text.len(), text.as_bytes()[14]), (36, b'4'), "{text}");
            assert!(Key::parse(&text).unwrap().is_same(key));
            assert!(Key::parse(&text.to_uppercase()).unwrap().is_same(key));
            assert!(keys.iter().skip(place + 1).all(|other| !other.is_same(key)));
        }
    }

    #[test]
    fn what_is_no_key_is_nobodys() {
        for text in ["", "1", "00000000-0000-0000-0000-00000000000", "00000000-0000-0000-0000-00000000000g"] {
            assert!(Key::parse(text).is_none(), "{text}");
        }
        assert!(Key::parse("000000000000-0000-0000-0000-00000000").is_none());
        assert!(Key::parse("-0000000-0000-0000-0000-000000000000").is_none());
    }

    #[test]
    fn secrets_are_compared_whole_and_have_no_text_form() {
        let secret = |text: &str| Secret::new(text.to_owned());
        assert!(secret("s3cret").is_same(&secret("s3cret")));
        for other in ["", "s3cre", "s3cret!", "S3cret"] {
            assert!(!secret("s3cret").is_same(&secret(other)), "{other}");
        }
        let (secret, key) = (secret("s3cret"), Key::random().unwrap());
        let shown = format!("{secret:?} {key:?}");
        assert!(!shown.contains("s3cret") && !shown.contains(&key.text()), "{shown}");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,40}", hex in "[0-9a-f-]{36}") {
            let _ = Key::parse(&text);
            if let Some(key) = Key::parse(&hex) {
                prop_assert_eq!(key.text(), hex);
            }
        }
    }
}
