//! Query parameters and path segments as the originals take them: unknown ones are ignored, and the first of
//! several counts.

use axum::extract::Query;
use axum::http::Uri;

/// The query parameters of a request.
pub(super) struct Params(Vec<(String, String)>);

impl Params {
    /// Those of this request; none where they cannot be read.
    pub(super) fn of(uri: &Uri) -> Self {
        Self(Query::try_from_uri(uri).map(|Query(pairs)| pairs).unwrap_or_default())
    }

    /// The first with this name.
    pub(super) fn first(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// The first with this name as a number; `None` where it is absent, and where it is not a number.
    pub(super) fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.first(name)?.parse().ok()
    }
}

/// A path segment with its `%XX` decoded; what is not a code stays as it is.
pub(super) fn decode(segment: &str) -> String {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = (first == b'%').then(|| after.get(..2)).flatten();
        let decoded = code.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match decoded {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_decoded_and_other_percent_signs_stay() {
        assert_eq!(decode("%3A%3a1"), "::1");
        assert_eq!(decode("a%zz%4"), "a%zz%4");
        assert_eq!(decode("%"), "%");
        assert_eq!(decode("%E4%BD%A0"), "你");
    }

    #[test]
    fn the_first_parameter_counts() {
        let params = Params::of(&Uri::from_static("/x?type=reset&type=close&after=3&limit=x"));
        assert_eq!(params.first("type"), Some("reset"));
        assert_eq!(params.number::<u32>("after"), Some(3));
        assert_eq!(params.number::<u32>("limit"), None);
        assert_eq!(params.first("nothing"), None);
    }
}
