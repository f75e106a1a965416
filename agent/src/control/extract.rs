//! What a request carries, checked: a body within its limits of size and time, JSON whose errors name the
//! field and the value, query parameters of which none is unknown or given twice.

mod body;
mod json;
mod query;

pub(super) use body::{JsonBody, LARGE_BODY_BYTES, LargeJsonBody, SMALL_BODY_BYTES, read};
pub(super) use query::Pairs;
