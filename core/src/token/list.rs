//! Reading tokens by what is known of them, and deleting those that have ended.

use std::collections::HashMap;
use std::time::Duration;

use super::check::standing;
use super::definition::{self, TABLES, column};
use super::handle::{Tokens, no_such_token, require};
use super::issued::Token;
use super::kind::TokenKind;
use super::request::{check_text, millis};
use super::store::{Store, View};
use crate::error::{ErrorKind, Result};
use crate::table::{Target, batch, delete, due_of, find};
use crate::value::{Id, IdRef, ValueRef};

/// Tokens that one transaction of a purge deletes, at most.
const PURGED_AT_ONCE: usize = 200;

/// Which tokens [`Tokens::list`] gives. Without a condition: all.
#[derive(Clone, Debug)]
pub struct TokenFilter {
    subject: Option<String>,
    kind: Option<TokenKind>,
    family: Option<String>,
    active: bool,
    limit: usize,
}

impl Default for TokenFilter {
    fn default() -> Self {
        Self::new()
    }
}

impl TokenFilter {
    /// All, but at most 1,000.
    pub fn new() -> Self {
        TokenFilter { subject: None, kind: None, family: None, active: false, limit: 1_000 }
    }

    /// Of a subject.
    #[must_use]
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// Of a kind.
    #[must_use]
    pub fn kind(mut self, kind: TokenKind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// Of a family.
    #[must_use]
    pub fn family(mut self, family: impl Into<String>) -> Self {
        self.family = Some(family.into());
        self
    }

    /// Only those that are enabled and neither expired nor revoked, nor used up, nor replaced by a successor.
    #[must_use]
    pub fn active(mut self) -> Self {
        self.active = true;
        self
    }

    /// At most so many, the newest.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }
}

impl Tokens<'_> {
    /// What is known of the token of that id.
    ///
    /// # Errors
    /// `not_found` for an id that names no token.
    pub fn get(&self, id: &str) -> Result<Token> {
        require(self.read(|view| view.get(id), || None)?).map_err(|_| no_such_token())
    }

    /// Tokens, the newest first. By subject or family an index finds them; else every token is read.
    ///
    /// # Errors
    /// `authentication_failed` where one that was read is not what was written.
    pub fn list(&self, filter: &TokenFilter) -> Result<Vec<Token>> {
        check_text("a subject", filter.subject.as_deref())?;
        let mut found = self.read(|view| select(view, filter), Vec::new)?;
        found.sort_by(|a, b| b.created_at().cmp(&a.created_at()).then(a.id().cmp(b.id())));
        found.truncate(filter.limit);
        Ok(found)
    }

    /// Deletes the tokens that were of no use to anybody for so long: expired, revoked, or used up; how many. In short
    /// transactions; the vault's own handle does so for every tenant. Until then a token that is refused has its true
    /// reason in the trail. Audited as `token.purged`, one entry a transaction.
    ///
    /// What [`Tokens::revoke_subject`] has revoked goes when it would have expired.
    ///
    /// # Errors
    /// `refused` inside a transaction.
    pub fn purge(&self, ended_for: Duration) -> Result<u64> {
        self.check_alone("a purge")?;
        let mut purged = 0;
        let [_, of_tenants] = TABLES;
        let tables: &[&'static str] = if self.tenant().is_some() { &[of_tenants] } else { &TABLES };
        for table in tables {
            loop {
                let batch = self.write(|store| purge_batch(store, table, ended_for))?;
                purged += batch as u64;
                if batch == 0 {
                    break;
                }
            }
        }
        Ok(purged)
    }
}

fn select(view: View<'_>, filter: &TokenFilter) -> Result<Vec<Token>> {
    let target = definition::tokens(view.tenant);
    let mut found = Vec::new();
    let mut epochs = HashMap::new();
    let now = view.now()?;
    let mut take = |token: Token| -> Result<()> {
        let fits = filter.kind.is_none_or(|kind| token.kind() == kind)
            && filter.family.as_deref().is_none_or(|family| token.family() == Some(family))
            && filter.subject.as_deref().is_none_or(|subject| token.subject() == Some(subject));
        if fits && (!filter.active || is_active(view, &mut epochs, &token, now)?) {
            found.push(token);
        }
        Ok(())
    };
    let by = match (&filter.subject, &filter.family) {
        (Some(subject), _) => match view.owner(subject)? {
            Some(owner) => Some(("owner", owner)),
            None => return Ok(found),
        },
        (None, Some(family)) => Some(("family", family.clone())),
        (None, None) => None,
    };
    if let Some((column, value)) = by {
        let set = find(view.conn, view.state, target, column, ValueRef::Text(&value))?;
        set.into_rows().into_iter().try_for_each(|row| take(Token::new(row)))?;
        return Ok(found);
    }
    let mut from = Some(i64::MIN);
    while let Some(at) = from {
        let (set, last) = batch(view.conn, view.state, target, at, &mut None)?;
        set.into_rows().into_iter().try_for_each(|row| take(Token::new(row)))?;
        from = last.and_then(|last| last.checked_add(1));
    }
    Ok(found)
}

fn is_active(
    view: View<'_>,
    epochs: &mut HashMap<String, Option<i64>>,
    token: &Token,
    now: i64,
) -> Result<bool> {
    let epoch = match token.text(column::OWNER) {
        None => None,
        Some(owner) => {
            if !epochs.contains_key(owner) {
                epochs.insert(owner.to_owned(), view.epoch(owner)?);
            }
            epochs.get(owner).copied().flatten()
        }
    };
    let replaced = token.rotated_at().is_some();
    Ok(standing(token, epoch, now).is_none() && token.uses_left() != Some(0) && !replaced)
}

/// Deletes some tokens that have ended; how many. One that does not open is left for `verify` to report.
fn purge_batch(store: Store<'_>, table: &'static str, ended_for: Duration) -> Result<usize> {
    if store.session.state().table(table).is_err() {
        return Ok(0);
    }
    let now = store.view(|view| view.now())?;
    let until = now.saturating_sub(millis(ended_for));
    let (session, state) = (store.session, store.session.state());
    let own = store.tenant;
    let rows = due_of(session.conn(), &state, table, "ended_at", until, own, PURGED_AT_ONCE)?;
    let mut purged = 0;
    for (tenant, id) in rows {
        let Id::Text(id) = id else { continue };
        let target = Target { name: table, tenant: tenant.as_deref() };
        match delete(session, target, IdRef::Text(&id)) {
            Ok(gone) => purged += usize::from(gone),
            Err(error) if error.kind() == ErrorKind::AuthenticationFailed => {}
            Err(error) => return Err(error),
        }
    }
    if purged > 0 {
        let payload = serde_json::json!({"count": purged});
        store.note_about("token.purged", None, payload)?;
    }
    Ok(purged)
}
