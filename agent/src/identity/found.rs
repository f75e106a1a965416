//! What a decoder has to say.

use connctl_api::conn::MAX_LABEL_BYTES;

use super::Miss;

/// Whose connection it is, by its first message. Never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The user.
    pub uid: Box<str>,
    /// The device.
    pub device: Option<Box<str>>,
    /// What else is known.
    pub tags: Vec<(&'static str, Box<str>)>,
    /// In its protocol a server says goodbye, and [`super::Frames`] tells where.
    pub has_farewell: bool,
}

impl Found {
    /// A user by these bytes.
    pub(super) fn user(bytes: &[u8]) -> Result<Self, Miss> {
        Ok(Self { uid: label(bytes).ok_or(Miss::No)?, device: None, tags: Vec::new(), has_farewell: false })
    }

    /// A user of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::user(name.as_bytes()).ok()
    }

    /// A server says goodbye in its protocol.
    pub(super) fn with_farewell(self) -> Self {
        Self { has_farewell: true, ..self }
    }

    /// The device, where these bytes can name one.
    pub(super) fn device(mut self, bytes: &[u8]) -> Self {
        self.device = label(bytes);
        self
    }

    /// One more label, where these bytes can be one.
    pub(super) fn tag(mut self, key: &'static str, bytes: &[u8]) -> Self {
        self.tags.extend(label(bytes).map(|value| (key, value)));
        self
    }
}

/// Bytes that can be a label. Others are refused as a whole, not shortened or cleaned: two users must not
/// become one, and what a client sends must not steer the terminal of whoever lists it.
pub(super) fn label(bytes: &[u8]) -> Option<Box<str>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let is_fine = (1..=MAX_LABEL_BYTES).contains(&text.len()) && !text.contains(char::is_control);
    is_fine.then(|| text.into())
}

/// Bytes that need not be text, in hexadecimal, where that is not too long for a label.
pub(super) fn hex(bytes: &[u8]) -> Option<Box<str>> {
    if bytes.is_empty() || bytes.len() > MAX_LABEL_BYTES / 2 - 1 {
        return None;
    }
    let mut text = "0x".to_owned();
    for byte in bytes {
        for half in [byte >> 4, byte & 0xf] {
            text.extend(char::from_digit(u32::from(half), 16));
        }
    }
    Some(text.into())
}
