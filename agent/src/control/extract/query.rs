//! Query parameters by name.

use std::fmt::Display;
use std::str::FromStr;

use axum::extract::Query;
use axum::http::Uri;
use connctl_api::error::ApiError;

/// The parameters of a request that nobody has taken yet.
pub(in crate::control) struct Pairs {
    pairs: Vec<(String, String)>,
    taken: Vec<&'static str>,
}

impl Pairs {
    /// Those of this request.
    pub(in crate::control) fn of(uri: &Uri) -> Result<Self, ApiError> {
        let Query(pairs) = Query::try_from_uri(uri)
            .map_err(|error| ApiError::invalid("query", format!("the query cannot be read: {error}")))?;
        Ok(Self { pairs, taken: Vec::new() })
    }

    /// The value of a parameter, where it was given.
    pub(in crate::control) fn text(&mut self, name: &'static str) -> Result<Option<String>, ApiError> {
        self.taken.push(name);
        let mut value = None;
        while let Some(at) = self.pairs.iter().position(|(given, _)| given == name) {
            let (_, given) = self.pairs.swap_remove(at);
            if value.replace(given).is_some() {
                return Err(ApiError::invalid(
                    name,
                    format!("the query parameter {name} is given more than once"),
                ));
            }
        }
        Ok(value)
    }

    /// The same, read as what it stands for; `kind` says what that is.
    pub(in crate::control) fn parsed<T: FromStr>(
        &mut self,
        name: &'static str,
        kind: &str,
    ) -> Result<Option<T>, ApiError> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let wrong =
            |_| ApiError::invalid(name, format!("the query parameter {name} is {text:?} and must be {kind}"));
        text.parse().map(Some).map_err(wrong)
    }

    /// The same, as one of the words of a table.
    pub(in crate::control) fn word<T: FromStr + Display + Copy>(
        &mut self,
        name: &'static str,
        all: &[T],
    ) -> Result<Option<T>, ApiError> {
        let words: Vec<_> = all.iter().map(ToString::to_string).collect();
        self.parsed(name, &format!("one of {}", words.join(", ")))
    }

    /// Nothing may be left: a misspelt parameter is an error that names it.
    pub(in crate::control) fn end(self) -> Result<(), ApiError> {
        match self.pairs.first() {
            None => Ok(()),
            Some((name, _)) => {
                let error = ApiError::invalid(name, format!("there is no query parameter {name:?}"));
                Err(error.hint(format!("there are {}", self.taken.join(", "))))
            }
        }
    }
}
