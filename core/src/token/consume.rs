//! One use of a token that has a number of them, and the arming of break-glass.

use std::time::Duration;

use super::check::{Purpose, TokenCheck};
use super::definition::column;
use super::handle::{Tokens, require, settled};
use super::issued::Token;
use super::kind::TokenKind;
use super::pepper::rehash;
use super::presented::Presented;
use super::request::{check_text, check_time, millis};
use super::store::{Found, Store};
use crate::error::{Result, err, fail};
use crate::metrics::Counter;
use crate::value::ValueRef;

impl Tokens<'_> {
    /// Takes one use of a token that has a number of them, or the arming of a break-glass token, in the transaction that
    /// writes its entry into the audit trail (`token.consumed`, `token.break_glass_used`): whatever the number of
    /// processes, as many succeed as there are uses, and each has its entry. What does not hold is refused before any
    /// lock is taken.
    ///
    /// In a transaction of the caller's, the use is taken only where that commits.
    ///
    /// # Errors
    /// `token_rejected` for everything that does not hold; `denied` for a token that lacks a scope, which keeps its use.
    pub fn consume(&self, text: &str, check: impl Into<TokenCheck>) -> Result<Token> {
        let check = check.into();
        let presented = Presented::read(text);
        let fits = |found: &Found| {
            Self::refusal(found, Purpose::Consume, check.accepts(&found.token)).map_or(Ok(()), Err)
        };
        let found = self.look_up(presented.as_ref())?;
        if let Err(refused) = fits(&found) {
            return Err(self.reject_found(refused, &found));
        }
        check.check_scopes(&found.token)?;
        let Some(presented) = presented else { fail!(Internal, "a token that was not read") };
        let consumed = self.write(|store| {
            // What was read before the lock may have been used by somebody else meanwhile.
            match settled(store.view(|view| view.find_presented(&presented)))? {
                Err(refused) => Ok(Err(refused)),
                Ok(found) => match fits(&found) {
                    Err(refused) => Ok(Err(refused)),
                    Ok(()) => take(store, &found, &presented).map(Ok),
                },
            }
        })?;
        consumed
            .inspect(|_| self.count(Counter::TokensConsumed))
            .map_err(|refused| self.reject_found(refused, &found))
    }

    /// Arms a break-glass token for one use, with the reason. Audited as `token.armed`.
    ///
    /// # Errors
    /// `not_found`; `invalid_input` for another kind, without a reason, and for a time out of bounds.
    pub fn arm(&self, id: &str, reason: &str, valid_for: Duration) -> Result<Token> {
        check_text("a reason", Some(reason))?;
        check_time(valid_for)?;
        self.write(|store| {
            let token = glass(store, id)?;
            let until = store.view(|view| view.now())?.saturating_add(millis(valid_for));
            let changes = [
                (column::ARMED_UNTIL, ValueRef::Integer(until)),
                (column::ARMED_REASON, ValueRef::Text(reason)),
            ];
            let token = store.change(token.id(), &changes)?;
            let more = [("reason", reason.into()), ("armed_until", until.into())];
            store.note("token.armed", &token, more)?;
            Ok(token)
        })
    }

    /// Takes an arming back; false where there was none. Audited as `token.disarmed`.
    ///
    /// # Errors
    /// As of [`Tokens::arm`].
    pub fn disarm(&self, id: &str) -> Result<bool> {
        self.write(|store| {
            let token = glass(store, id)?;
            if token.armed_until().is_none() {
                return Ok(false);
            }
            let token = store.change(token.id(), &[(column::ARMED_UNTIL, ValueRef::Null)])?;
            store.note("token.disarmed", &token, [])?;
            Ok(true)
        })
    }
}

fn glass(store: Store<'_>, id: &str) -> Result<Token> {
    let token = if store.is_there() { store.view(|view| view.get(id))? } else { None };
    let token = require(token)?;
    if token.kind() != TokenKind::BreakGlass {
        fail!(InvalidInput, "only a break-glass token is armed");
    }
    Ok(token)
}

/// Takes the use of a token that was found to hold in this transaction.
fn take(store: Store<'_>, found: &Found, presented: &Presented<'_>) -> Result<Token> {
    let token = &found.token;
    if found.is_outdated(presented) {
        rehash(store, token.id(), presented, found.now)?;
    }
    let used = (column::LAST_USED_AT, ValueRef::Integer(found.now));
    if token.kind() == TokenKind::BreakGlass {
        let changes = [used, (column::ARMED_UNTIL, ValueRef::Null)];
        let token = store.change(token.id(), &changes)?;
        let reason = token.armed_reason().unwrap_or_default();
        store.note("token.break_glass_used", &token, [("reason", reason.into())])?;
        return Ok(token);
    }
    let left = token.uses_left().and_then(|uses| uses.checked_sub(1));
    let left = left.ok_or_else(|| err!(Internal, "a use of a token that has none"))?;
    // Until it would have expired it stays known as used up.
    let ended = if left == 0 && token.expires_at().is_none() {
        ValueRef::Integer(found.now)
    } else {
        token.at(column::ENDED_AT)
    };
    let changes = [used, (column::USES_LEFT, ValueRef::from(left)), (column::ENDED_AT, ended)];
    let token = store.change(token.id(), &changes)?;
    store.note("token.consumed", &token, [("uses_left", left.into())])?;
    Ok(token)
}
