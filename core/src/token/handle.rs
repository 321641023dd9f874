//! The handle of tokens, and how every call reaches the store.

use std::sync::Arc;

use super::check::{Purpose, Rejection, refusal};
use super::issued::Token;
use super::memory::Memory;
use super::presented::Presented;
use super::store::{Found, Store, View};
use crate::error::{Error, ErrorKind, Result, err, fail};
use crate::metrics::Counter;
use crate::table::engine::Engine;
use crate::table::session::Session;

/// Tokens of a vault, a tenant, or a transaction of either. Cheap: make one for each call.
///
/// A tenant's handle reaches only the tenant's tokens, the vault's own only those without a tenant. What is done on a
/// vault or tenant is a transaction of its own; what is done in a transaction is provisional until that commits. From
/// any thread, except in a transaction.
///
/// Whatever is presented, the answer to what does not hold is one error, [`ErrorKind::TokenRejected`]: a web layer's
/// 401. Why, only the metrics and the audit trail tell.
///
/// ```
/// use sealite::{ExposeSecret, TokenKind, TokenRequest, Vault};
///
/// # fn main() -> sealite::Result<()> {
/// let vault = Vault::in_memory()?;
/// let issued = vault.tokens().issue(&TokenRequest::new(TokenKind::Session).subject("user-7"))?;
/// let text = issued.text.expose_secret(); // for the cookie; it can't be had again
///
/// let session = vault.tokens().verify(text, TokenKind::Session)?;
/// assert_eq!(session.subject(), Some("user-7"));
///
/// vault.tokens().revoke_subject("user-7")?;
/// assert!(vault.tokens().verify(text, TokenKind::Session).is_err());
/// # Ok(())
/// # }
/// ```
pub struct Tokens<'a> {
    pub(super) through: Through<'a>,
    tenant: Option<Arc<str>>,
}

/// What a handle reads and writes through.
#[derive(Clone, Copy)]
pub(super) enum Through<'a> {
    /// Each call in a transaction of its own.
    Engine(&'a Arc<Engine>),
    /// A caller's transaction.
    Session(&'a Session),
}

impl<'a> Tokens<'a> {
    pub(crate) fn new(engine: &'a Arc<Engine>, tenant: Option<Arc<str>>) -> Self {
        Tokens { through: Through::Engine(engine), tenant }
    }

    pub(crate) fn within(session: &'a Session, tenant: Option<Arc<str>>) -> Self {
        Tokens { through: Through::Session(session), tenant }
    }

    pub(super) fn engine(&self) -> &'a Arc<Engine> {
        match self.through {
            Through::Engine(engine) => engine,
            Through::Session(session) => session.engine(),
        }
    }

    pub(super) fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    /// Reads; nothing where no token was ever issued.
    pub(super) fn read<T>(
        &self,
        mut work: impl FnMut(View<'_>) -> Result<T>,
        nothing: impl FnOnce() -> T,
    ) -> Result<T> {
        let (engine, tenant) = (self.engine(), self.tenant());
        let read = match self.through {
            Through::Engine(_) => {
                // A verification looks at its token only: what else has changed it learns of here.
                engine.looked_state()?;
                let writing = false;
                engine.read(|conn, state| work(View { engine, conn, state, tenant, writing }))
            }
            Through::Session(session) => {
                session.check_open()?;
                Store { session, tenant }.view(work)
            }
        };
        match read {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(nothing()),
            other => other,
        }
    }

    /// Writes, whole or not at all.
    pub(super) fn write<T>(&self, work: impl FnOnce(Store<'_>) -> Result<T>) -> Result<T> {
        let tenant = self.tenant();
        match self.through {
            Through::Engine(engine) => {
                Session::run(engine, |session| work(Store { session, tenant }))
            }
            Through::Session(session) => {
                session.check_open()?;
                session.savepoint(|| work(Store { session, tenant }))
            }
        }
    }

    /// Refuses what has to stand where the caller's work is rolled back.
    pub(super) fn check_alone(&self, what: &str) -> Result<()> {
        let within = matches!(self.through, Through::Session(_));
        if within || self.engine().pool.writes_here() {
            fail!(
                Refused,
                "{what} is a transaction of its own, so that it stands where the work is rolled back: end this \
                 thread's transaction first"
            );
        }
        Ok(())
    }

    /// The token that was presented, where the secret is right; with its one public error where it is not.
    pub(super) fn look_up(&self, presented: Option<&Presented<'_>>) -> Result<Found> {
        let Some(presented) = presented else { return Err(self.reject(Rejection::Malformed)) };
        let found = self.read(|view| view.find_presented(presented), || Err(Rejection::Unknown));
        match settled(found)? {
            Ok(found) => Ok(found),
            Err(rejection) => Err(self.reject(rejection)),
        }
    }

    /// Counts a refusal; its public error.
    pub(super) fn reject(&self, rejection: Rejection) -> Error {
        if let Ok(memory) = self.engine().attached::<Memory>() {
            memory.count(rejection);
        }
        err!(TokenRejected, "the token is not valid")
    }

    pub(super) fn count(&self, counter: Counter) {
        self.engine().counters.add(counter, 1);
    }

    /// As [`Tokens::reject`], of a token whose secret was right: what is worth it is written down.
    pub(super) fn reject_found(&self, rejection: Rejection, found: &Found) -> Error {
        self.note_rejection(rejection, found);
        self.reject(rejection)
    }

    /// Why a token is refused, if it is.
    pub(super) fn refusal(found: &Found, purpose: Purpose, accepts: bool) -> Option<Rejection> {
        let refused = refusal(&found.token, found.epoch, found.now, purpose);
        refused.or((!accepts).then_some(Rejection::WrongKind))
    }
}

/// A row that is not what was written, or whose key has gone, is a refusal like any other.
pub(super) fn settled<T>(
    found: Result<std::result::Result<T, Rejection>>,
) -> Result<std::result::Result<T, Rejection>> {
    use ErrorKind::{AuthenticationFailed, DestroyedKey, UnknownKey};
    match found {
        Err(error) if matches!(error.kind(), AuthenticationFailed | UnknownKey | DestroyedKey) => {
            Ok(Err(Rejection::Tampered))
        }
        other => other,
    }
}

/// A call that names a token by its id, and finds none.
pub(super) fn no_such_token() -> Error {
    err!(NotFound, "there is no token of this id")
}

pub(super) fn require(token: Option<Token>) -> Result<Token> {
    token.ok_or_else(no_such_token)
}

impl std::fmt::Debug for Tokens<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens")
    }
}
