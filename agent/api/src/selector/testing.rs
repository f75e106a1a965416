//! A record for tests: fields by name, everything else missing.

use std::collections::HashMap;

use super::{Field, Subject, Value};

#[derive(Debug, Default, Clone)]
pub(super) struct Record {
    pub(super) values: HashMap<Field, Value<'static>>,
    pub(super) tags: HashMap<String, String>,
}

impl Record {
    pub(super) fn with(mut self, field: Field, value: Value<'static>) -> Self {
        assert!(field.kind().admits(&value), "{field} does not hold {value:?}");
        self.values.insert(field, value);
        self
    }

    pub(super) fn with_tag(mut self, key: &str, value: &str) -> Self {
        self.tags.insert(key.to_owned(), value.to_owned());
        self
    }
}

impl Subject for Record {
    fn value(&self, field: Field) -> Value<'_> {
        self.values.get(&field).copied().unwrap_or(Value::Missing)
    }

    fn tag(&self, key: &str) -> Option<&str> {
        self.tags.get(key).map(String::as_str)
    }
}
