//! CSRF tokens, as an application asks for them.

use super::check::Rejection;
use super::csrf;
use super::handle::Tokens;
use super::text::parse;
use crate::error::Result;

impl Tokens<'_> {
    /// A CSRF token for the forms of a session, from the session's own text: 86 characters, another one with each call,
    /// good for as long as the session. Nothing is stored, and no database asked: verify the session first.
    ///
    /// # Errors
    /// `token_rejected` where the text is not that of a token.
    pub fn csrf(&self, session: &str) -> Result<String> {
        match parse(session) {
            Some(session) => csrf::issue(&session),
            None => Err(self.reject(Rejection::Malformed)),
        }
    }

    /// Whether a form's field or header holds a CSRF token of the session. In constant time.
    pub fn check_csrf(&self, session: &str, presented: &str) -> bool {
        parse(session).is_some_and(|session| csrf::matches(&session, presented))
    }
}
