//! Verification: one look-up, and nothing written but the last use now and then.

use super::check::{Purpose, Rejection, TokenCheck};
use super::definition::column;
use super::handle::{Through, Tokens};
use super::issued::Token;
use super::pepper::rehash;
use super::presented::Presented;
use super::rotate::revoke_reused;
use super::store::{Found, Store};
use crate::error::Result;
use crate::keys::table_id;
use crate::metrics::Counter;
use crate::table::session::Session;
use crate::value::ValueRef;

/// A refused token of one holder is written down once in so many milliseconds, and the clock raised.
const NOTED_EVERY_MS: i64 = 60_000;

impl Tokens<'_> {
    /// Verifies a token that may be used any number of times: a session, an API key, an admin's or user's token.
    ///
    /// One indexed SELECT. Nothing is written for a token that holds, except its last use, at most once in the interval
    /// that it was issued with; that is skipped where another transaction is writing.
    ///
    /// # Errors
    /// `token_rejected` for everything that does not hold, for another kind than the caller accepts, and for a token
    /// with a number of uses, which [`Tokens::consume`] takes; `denied` for one that holds and lacks a scope.
    pub fn verify(&self, text: &str, check: impl Into<TokenCheck>) -> Result<Token> {
        let check = check.into();
        let presented = Presented::read(text);
        let found = self.look_up(presented.as_ref())?;
        if let Some(refused) = Self::refusal(&found, Purpose::Verify, check.accepts(&found.token)) {
            self.after_grace(&found, refused)?;
            return Err(self.reject_found(refused, &found));
        }
        check.check_scopes(&found.token)?;
        self.count(Counter::TokensVerified);
        self.touch(&found, presented.as_ref());
        Ok(found.token)
    }

    /// Whether [`Tokens::consume`] would take a use of the token now, without taking it: for the form that a link leads
    /// to. Says nothing about break-glass.
    ///
    /// # Errors
    /// As of [`Tokens::verify`].
    pub fn peek(&self, text: &str, check: impl Into<TokenCheck>) -> Result<Token> {
        let check = check.into();
        let found = self.look_up(Presented::read(text).as_ref())?;
        if let Some(refused) = Self::refusal(&found, Purpose::Peek, check.accepts(&found.token)) {
            return Err(self.reject_found(refused, &found));
        }
        check.check_scopes(&found.token)?;
        Ok(found.token)
    }

    /// Writes the last use down where it is due, and gives a token the hash that it would be issued with now.
    fn touch(&self, found: &Found, presented: Option<&Presented<'_>>) {
        let token = &found.token;
        let every = token.integer(column::TOUCH_MS).unwrap_or(0);
        let last = token.last_used_at().unwrap_or(i64::MIN);
        let due = found.now.saturating_sub(last) >= every;
        let outdated = presented.filter(|presented| found.is_outdated(presented));
        if due || outdated.is_some() {
            self.in_passing(|store| match outdated {
                Some(presented) => rehash(store, token.id(), presented, found.now),
                None => store
                    .change(token.id(), &[(column::LAST_USED_AT, ValueRef::Integer(found.now))])
                    .map(|_| ()),
            });
        }
    }

    /// Writes what a caller who asked only for a verification need not wait for, nor hear of where it fails: skipped
    /// where this process is writing.
    pub(super) fn in_passing(&self, work: impl FnOnce(Store<'_>) -> Result<()>) {
        let tenant = self.tenant();
        // What is lost here comes again with the next call.
        let _ = match self.through {
            Through::Session(session) => session.savepoint(|| work(Store { session, tenant })),
            Through::Engine(engine) => {
                Session::in_passing(engine, |session| work(Store { session, tenant }))
            }
        };
    }

    /// Writes down that somebody presents a token that does not hold any more; and of one that has expired, what time it
    /// is, so that a clock set back does not revive it.
    pub(super) fn note_rejection(&self, rejection: Rejection, found: &Found) {
        let token = &found.token;
        if matches!(self.through, Through::Session(_)) {
            return;
        }
        if rejection.is_of_time() && found.now.saturating_sub(found.mark) >= NOTED_EVERY_MS {
            self.in_passing(|store| {
                let (session, state) = (store.session, store.session.state());
                let mut sequences = session.sequences();
                sequences.raise(session.conn(), &state.ring, table_id::CLOCK, found.now)?;
                Ok(())
            });
        }
        let noted = token.integer(column::REFUSED_AT);
        let again = noted.is_none_or(|at| found.now.saturating_sub(at) >= NOTED_EVERY_MS);
        if rejection.is_noteworthy() && again {
            self.in_passing(|store| {
                let refused = [(column::REFUSED_AT, ValueRef::Integer(found.now))];
                let token = store.change(token.id(), &refused)?;
                store.note("token.rejected", &token, [("reason", rejection.name().into())])
            });
        }
    }

    /// Somebody presents a rotated token after its grace: who was given its successor may be another one.
    pub(super) fn after_grace(&self, found: &Found, refused: Rejection) -> Result<()> {
        let alone = matches!(self.through, Through::Engine(engine) if !engine.pool.writes_here());
        match found.token.family() {
            // Inside a transaction it would be taken back with the caller's work.
            Some(family) if refused == Rejection::Rotated && alone => {
                self.write(|store| revoke_reused(store, &found.token, family))
            }
            _ => Ok(()),
        }
    }
}
