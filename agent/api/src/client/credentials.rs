//! What a client shows of itself.

use std::fmt;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};

use super::tls::Files;

/// What a client shows of itself to an agent.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    /// A token.
    pub token: Option<Token>,
    /// Files for TLS; read over https:// only.
    pub tls: Files,
}

/// A token that can be sent. No log and no error has its text.
#[derive(Clone)]
pub struct Token(HeaderValue);

impl Token {
    /// Takes what a file or the environment has; blanks and line ends around it do not count.
    ///
    /// # Errors
    /// It is empty, or has characters that no token has. The text is not repeated.
    pub fn new(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("is empty".to_owned());
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("is no token: one word of printable ASCII".to_owned());
        }
        let mut value =
            HeaderValue::from_str(&format!("Bearer {text}")).map_err(|error| error.to_string())?;
        value.set_sensitive(true);
        Ok(Self(value))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

impl Credentials {
    /// The headers that every request has.
    pub(super) fn headers(&self) -> HeaderMap {
        self.token.iter().map(|token| (AUTHORIZATION, token.0.clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_one_word_and_is_never_shown() {
        let token = Token::new(" ct_abc\n").unwrap();
        assert_eq!(token.0, "Bearer ct_abc");
        assert!(
            !format!("{token:?} {:?}", Credentials { token: Some(token.clone()), ..Credentials::default() })
                .contains("abc")
        );
        assert!(
            !format!("{:?}", Credentials { token: Some(token), ..Credentials::default() }.headers())
                .contains("abc")
        );
        for wrong in ["", " \n", "two words", "line\nbreak", "caf\u{e9}", "nul\0"] {
            let error = Token::new(wrong).unwrap_err();
            assert!(wrong.trim().is_empty() || !error.contains(wrong), "{error}");
        }
    }
}
