//! A row of a listing, as far as a table needs it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Visitor};

/// A row as a table needs it: nothing is copied out of the line that does not have to be, and addresses stay
/// text. An unknown state of a newer agent is text as well.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct ConnView<'a> {
    pub conn_id: u64,
    pub node_id: u64,
    #[serde(borrow)]
    pub uid: Option<Text<'a>>,
    pub device: Option<Text<'a>>,
    #[serde(default)]
    pub tags: BTreeMap<Text<'a>, Text<'a>>,
    pub listener: Option<Text<'a>>,
    pub mode: Text<'a>,
    pub state: Text<'a>,
    pub client: Option<Text<'a>>,
    pub local: Option<Text<'a>>,
    pub upstream: Option<Text<'a>>,
    pub opened_at: Text<'a>,
    pub age_ms: u64,
    pub idle_ms: u64,
    pub to_upstream_bytes: u64,
    pub to_client_bytes: u64,
    pub health: Option<Text<'a>>,
}

/// Text that stays where it was read from, unless it has escapes. serde borrows a bare `Cow`, but not one
/// inside of an `Option`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Text<'a>(pub Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> std::result::Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> std::result::Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}
