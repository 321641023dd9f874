//! What is known of a token, as a row.

use once_cell::race::OnceBox;
use sealite::{Token, TokenKind, ValueRef};
use zeroize::Zeroizing;

use crate::output::Out;
use crate::rows::{Rows, sealite_rows};
use crate::status::Result;

/// What a token is for. A token is never accepted as one of another kind. Its name in rows is that of the choice, in small
/// letters.
#[repr(i32)]
#[derive(Clone, Copy, Debug)]
pub enum sealite_token_kind {
    /// Of an administrator. Does not expire by default.
    SEALITE_TOKEN_ADMIN = 0,
    /// Of a user, kept for long. Does not expire by default.
    SEALITE_TOKEN_USER = 1,
    /// Of a program, with scopes and perhaps limits of its own. Does not expire by default.
    SEALITE_TOKEN_API_KEY = 2,
    /// For emergencies: valid only while it is armed, once for each arming.
    SEALITE_TOKEN_BREAK_GLASS = 3,
    /// Logs in from an e-mail: once, for 15 minutes by default.
    SEALITE_TOKEN_MAGIC_LINK = 4,
    /// Resets a password: once, for an hour by default.
    SEALITE_TOKEN_RESET = 5,
    /// Invites: once, for 7 days by default.
    SEALITE_TOKEN_INVITE = 6,
    /// Of a session, or an access token: for 7 days by default.
    SEALITE_TOKEN_SESSION = 7,
    /// Gets new tokens, and is rotated when it does: for 30 days by default.
    SEALITE_TOKEN_REFRESH = 8,
    /// Digits that a person types: see sealite_tokens_issue_code().
    SEALITE_TOKEN_SHORT_CODE = 9,
}

/// The kinds in the order of their numbers.
pub(super) const KINDS: &[TokenKind] = TokenKind::ALL;

/// The columns of a row.
pub(crate) const COLUMNS: [&str; 24] = [
    "id",
    "kind",
    "subject",
    "label",
    "scopes",
    "limits",
    "quota_key",
    "data",
    "prefix",
    "family",
    "enabled",
    "created_at",
    "not_before",
    "expires_at",
    "idle_ms",
    "last_used_at",
    "uses_left",
    "attempts_left",
    "armed_until",
    "armed_reason",
    "rotated_at",
    "successor",
    "revoked_at",
    "is_imported",
];

/// A token, and what has to be put together of it: when it is first asked for, and without a lock, which the child of a
/// fork could find taken for ever.
pub(crate) struct Known {
    token: Token,
    scopes: OnceBox<Zeroizing<String>>,
    quota_key: OnceBox<Zeroizing<String>>,
}

impl Known {
    fn new(token: Token) -> Self {
        Known { token, scopes: OnceBox::new(), quota_key: OnceBox::new() }
    }

    fn scopes(&self) -> &str {
        self.scopes.get_or_init(|| {
            let length = self.token.scopes().map(|scope| scope.len() + 1).sum();
            // Of its full length from the start: growing would leave a part of it behind.
            let mut scopes = Zeroizing::new(String::with_capacity(length));
            for scope in self.token.scopes() {
                if !scopes.is_empty() {
                    scopes.push(' ');
                }
                scopes.push_str(scope);
            }
            Box::new(scopes)
        })
    }

    fn quota_key(&self) -> &str {
        self.quota_key.get_or_init(|| Box::new(Zeroizing::new(self.token.quota_key())))
    }

    /// The value of a column, by its position in [`COLUMNS`].
    pub(crate) fn at(&self, position: usize) -> Option<ValueRef<'_>> {
        let token = &self.token;
        Some(match position {
            0 => ValueRef::Text(token.id()),
            1 => ValueRef::Text(token.kind().name()),
            2 => text(token.subject()),
            3 => text(token.label()),
            4 => ValueRef::Text(self.scopes()),
            5 => text(token.limits()),
            6 => ValueRef::Text(self.quota_key()),
            7 => token.data().map_or(ValueRef::Null, ValueRef::Json),
            8 => ValueRef::Text(token.prefix()),
            9 => text(token.family()),
            10 => ValueRef::Boolean(token.enabled()),
            11 => ValueRef::Integer(token.created_at()),
            12 => integer(token.not_before()),
            13 => integer(token.expires_at()),
            14 => integer(token.idle_ms()),
            15 => integer(token.last_used_at()),
            16 => integer(token.uses_left().map(i64::from)),
            17 => integer(token.attempts_left().map(i64::from)),
            18 => integer(token.armed_until()),
            19 => text(token.armed_reason()),
            20 => integer(token.rotated_at()),
            21 => text(token.successor()),
            22 => integer(token.revoked_at()),
            23 => ValueRef::Boolean(token.is_imported()),
            _ => return None,
        })
    }
}

fn text(text: Option<&str>) -> ValueRef<'_> {
    text.map_or(ValueRef::Null, ValueRef::Text)
}

fn integer(number: Option<i64>) -> ValueRef<'static> {
    number.map_or(ValueRef::Null, ValueRef::Integer)
}

/// Gives a token out, where it is wanted.
pub(super) fn give(rows: &Out<'_, *mut sealite_rows>, token: Token) -> Result<()> {
    if rows.is_wanted() { rows.give(Rows::Token(Known::new(token))) } else { Ok(()) }
}

/// Gives tokens out.
pub(super) fn give_all(rows: &Out<'_, *mut sealite_rows>, tokens: Vec<Token>) -> Result<()> {
    rows.give(Rows::Tokens(tokens.into_iter().map(Known::new).collect()))
}

#[cfg(test)]
mod tests {
    use sealite::{TokenRequest, Vault};

    use super::sealite_token_kind::*;
    use super::*;

    #[test]
    fn every_kind_of_the_engine_has_its_number_and_name() {
        let numbered = [
            SEALITE_TOKEN_ADMIN,
            SEALITE_TOKEN_USER,
            SEALITE_TOKEN_API_KEY,
            SEALITE_TOKEN_BREAK_GLASS,
            SEALITE_TOKEN_MAGIC_LINK,
            SEALITE_TOKEN_RESET,
            SEALITE_TOKEN_INVITE,
            SEALITE_TOKEN_SESSION,
            SEALITE_TOKEN_REFRESH,
            SEALITE_TOKEN_SHORT_CODE,
        ];
        assert_eq!(numbered.len(), KINDS.len());
        for (number, kind) in numbered.iter().enumerate() {
            assert_eq!(*kind as usize, number);
            let name = format!("{kind:?}");
            let name = name.trim_start_matches("SEALITE_TOKEN_").to_lowercase();
            assert_eq!(name, KINDS[number].name());
        }
    }

    #[test]
    fn every_column_of_a_token_has_a_value_and_no_other_position_has() {
        let vault = Vault::in_memory().unwrap();
        let issued = vault.tokens().issue(&TokenRequest::new(TokenKind::ApiKey)).unwrap();
        let known = Known::new(issued.token);
        assert!((0..COLUMNS.len()).all(|at| known.at(at).is_some()));
        assert!(known.at(COLUMNS.len()).is_none());
    }
}
