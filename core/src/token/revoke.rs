//! Revoking, disabling and enabling.

use super::definition::column;
use super::handle::{Tokens, require};
use super::issued::{Token, id_bytes};
use super::kind::TokenKind;
use super::request::check_text;
use super::store::Store;
use crate::error::{Result, fail};
use crate::value::ValueRef;

impl Tokens<'_> {
    /// Revokes a token for good; false where it was revoked already. Seen by every process with its next verification.
    /// Audited as `token.revoked`.
    ///
    /// # Errors
    /// `not_found` for an id that names no token.
    pub fn revoke(&self, id: &str) -> Result<bool> {
        self.write(|store| {
            let token = known(store, id)?;
            let now = store.view(|view| view.now())?;
            let Some(token) = revoke_one(store, &token, now)? else { return Ok(false) };
            store.note("token.revoked", &token, [])?;
            Ok(true)
        })
    }

    /// Revokes every token of a family; how many. Audited as `token.family_revoked`.
    pub fn revoke_family(&self, family: &str) -> Result<u64> {
        if id_bytes(family).is_none() {
            fail!(InvalidInput, "a family is named by the id of a token");
        }
        self.write(|store| {
            let now = store.view(|view| view.now())?;
            revoke_members(store, family, "token.family_revoked", None, now)
        })
    }

    /// Revokes what a subject has of one kind, but for the token of the id `keep`; how many. For the sessions of
    /// somebody who has changed the password, or the reset links that are still out. Audited as `token.kind_revoked`.
    pub fn revoke_kind(&self, subject: &str, kind: TokenKind, keep: Option<&str>) -> Result<u64> {
        check_text("a subject", Some(subject))?;
        self.write(|store| {
            let now = store.view(|view| view.now())?;
            let revoked = revoke_of_subject(store, subject, Some(kind), keep, now)?;
            if revoked > 0 {
                let payload = serde_json::json!({"kind": kind.name(), "count": revoked});
                store.note_about("token.kind_revoked", Some(subject), payload)?;
            }
            Ok(revoked)
        })
    }

    /// Revokes everything that was ever issued to a subject, of every kind, whatever the number: sessions, refresh
    /// tokens, API keys, links that are still out. Seen by every process with its next verification; what is issued
    /// later revives nothing. Audited as `token.subject_revoked`.
    ///
    /// The subject's epoch advances, a number that is never given out twice; a token carries the one at its issue.
    pub fn revoke_subject(&self, subject: &str) -> Result<()> {
        check_text("a subject", Some(subject))?;
        self.write(|store| {
            store.prepare()?;
            let owner = store.owner(subject)?;
            let epoch = store.advance(&owner)?;
            let payload = serde_json::json!({"epoch": epoch});
            store.note_about("token.subject_revoked", Some(subject), payload)
        })
    }

    /// Makes a token unusable until it is enabled again; false where it was already. Audited as `token.disabled`.
    ///
    /// # Errors
    /// `not_found` for an id that names no token.
    pub fn disable(&self, id: &str) -> Result<bool> {
        self.set_enabled(id, false, "token.disabled")
    }

    /// Takes [`Tokens::disable`] back. Audited as `token.enabled`.
    ///
    /// # Errors
    /// `not_found` for an id that names no token.
    pub fn enable(&self, id: &str) -> Result<bool> {
        self.set_enabled(id, true, "token.enabled")
    }

    fn set_enabled(&self, id: &str, enabled: bool, event: &str) -> Result<bool> {
        self.write(|store| {
            let token = known(store, id)?;
            if token.enabled() == enabled {
                return Ok(false);
            }
            let changes = [(column::ENABLED, ValueRef::Boolean(enabled))];
            let token = store.change(token.id(), &changes)?;
            store.note(event, &token, [])?;
            Ok(true)
        })
    }
}

fn known(store: Store<'_>, id: &str) -> Result<Token> {
    let token = if store.is_there() { store.view(|view| view.get(id))? } else { None };
    require(token)
}

pub(super) fn revoke_one(store: Store<'_>, token: &Token, now: i64) -> Result<Option<Token>> {
    if token.revoked_at().is_some() {
        return Ok(None);
    }
    let now = ValueRef::Integer(now);
    store.change(token.id(), &[(column::REVOKED_AT, now), (column::ENDED_AT, now)]).map(Some)
}

/// Revokes a family, with one entry in the trail that names the token it was about; how many.
pub(super) fn revoke_members(
    store: Store<'_>,
    family: &str,
    event: &str,
    about: Option<&Token>,
    now: i64,
) -> Result<u64> {
    let members = store.having("family", family)?;
    let mut revoked = 0;
    for token in &members {
        revoked += u64::from(revoke_one(store, token, now)?.is_some());
    }
    if revoked > 0 {
        let payload = serde_json::json!({
            "family": family, "count": revoked, "token": about.map(Token::id),
        });
        let subject = members.iter().find_map(Token::subject);
        store.note_about(event, subject, payload)?;
    }
    Ok(revoked)
}

/// Revokes the tokens of a subject, of one kind or of all, but one; how many.
pub(super) fn revoke_of_subject(
    store: Store<'_>,
    subject: &str,
    kind: Option<TokenKind>,
    keep: Option<&str>,
    now: i64,
) -> Result<u64> {
    let Some(owner) = store.view(|view| view.owner(subject))? else { return Ok(0) };
    let mut revoked = 0;
    for token in store.having("owner", &owner)? {
        if kind.is_none_or(|kind| token.kind() == kind) && keep != Some(token.id()) {
            revoked += u64::from(revoke_one(store, &token, now)?.is_some());
        }
    }
    Ok(revoked)
}
