//! Rotation: a successor takes a token's place. Within the grace the old one gives the same successor again; after it,
//! whoever presents the old one ends the family.

use std::time::Duration;

use super::check::{Purpose, Rejection, TokenCheck, refusal, standing};
use super::definition::column;
use super::handle::{Tokens, settled};
use super::issue::{Fresh, NewToken, Secret};
use super::issued::{IssuedToken, Token, id_bytes};
use super::pepper::rehash;
use super::presented::Presented;
use super::request::{check_time, millis};
use super::revoke::revoke_members;
use super::store::{Found, Store};
use super::text::{Parsed, format};
use crate::error::{Result, err, fail};
use crate::keys::Hashed;
use crate::metrics::Counter;
use crate::value::ValueRef;

/// The longest grace: a day.
const MAX_GRACE: Duration = Duration::from_secs(86_400);

impl Tokens<'_> {
    /// Gives a successor for a token that may be used any number of times: of the same kind, subject, scopes and family,
    /// valid for as long from now, but not beyond [`crate::TokenRequest::renew_for`]. Audited as `token.rotated`.
    ///
    /// Until the grace is over the old token gives the same successor again, for an answer that was lost on its way, and
    /// still verifies. Presented after it, it has leaked, or its successor has: every token of the family is revoked,
    /// which is audited as `token.reuse_detected`.
    ///
    /// # Errors
    /// `token_rejected` for everything that does not hold; `denied` for a token that lacks a scope; `refused` inside a
    /// transaction; `invalid_input` for a grace of more than a day, and for a token that was made elsewhere, which gives
    /// way to a new one.
    pub fn rotate(
        &self,
        text: &str,
        check: impl Into<TokenCheck>,
        grace: Duration,
    ) -> Result<IssuedToken> {
        if !grace.is_zero() {
            check_time(grace)?;
        }
        if grace > MAX_GRACE {
            fail!(InvalidInput, "a grace has at most a day");
        }
        self.check_alone("a rotation")?;
        let check = check.into();
        let presented = Presented::read(text);
        let found = self.look_up(presented.as_ref())?;
        if let Some(refused) = Self::refusal(&found, Purpose::Rotate, check.accepts(&found.token)) {
            return Err(self.reject_found(refused, &found));
        }
        check.check_scopes(&found.token)?;
        let Some(Presented::Ours(parsed)) = &presented else {
            fail!(InvalidInput, "a token that was made elsewhere is not rotated: issue a new one");
        };
        let fresh = Fresh::new()?;
        let rotated = self.write(|store| {
            let presented = Presented::read(text).ok_or_else(|| err!(Internal, "not a token"))?;
            let found = match settled(store.view(|view| view.find_presented(&presented)))? {
                Ok(found) => found,
                Err(refused) => return Ok(Err(refused)),
            };
            let refused = refusal(&found.token, found.epoch, found.now, Purpose::Rotate);
            if let Some(refused) = refused {
                return Ok(Err(refused));
            }
            if found.token.rotated_at().is_some() {
                return again(store, &found, parsed);
            }
            let next = succeed(store, &found, (&presented, parsed), &fresh, grace)?;
            self.count(Counter::TokensIssued);
            Ok(Ok(next))
        })?;
        rotated.map_err(|refused| self.reject_found(refused, &found))
    }
}

/// The successor of a token that is rotated for the first time.
fn succeed(
    store: Store<'_>,
    found: &Found,
    (presented, parsed): (&Presented<'_>, &Parsed<'_>),
    fresh: &Fresh,
    grace: Duration,
) -> Result<IssuedToken> {
    let (old, now) = (&found.token, found.now);
    if found.key.is_retired() {
        // The successor is derived under the pepper that the old token is from now on kept under.
        rehash(store, old.id(), presented, now)?;
    }
    let key = if found.key.is_retired() { &store.active_key()? } else { &found.key };
    let secret = key.pepper(store.tenant)?.successor(&parsed.id, &fresh.id, &parsed.secret);
    let lifetime = old.expires_at().map(|until| until.saturating_sub(old.created_at()));
    let renew_until = old.integer(column::RENEW_UNTIL);
    let expires_at = match (lifetime.map(|time| now.saturating_add(time)), renew_until) {
        (Some(at), Some(until)) => Some(at.min(until)),
        (at, until) => at.or(until),
    };
    let scopes = old.text(column::SCOPES).unwrap_or_default();
    let new = NewToken {
        kind: old.kind(),
        subject: old.subject(),
        family: old.family(),
        scopes,
        expires_at,
        prefix: parsed.prefix,
        created_at: now,
        touch_ms: old.integer(column::TOUCH_MS).unwrap_or(0),
        idle_ms: old.idle_ms(),
        label: old.label(),
        limits: old.limits(),
        data: old.data(),
        renew_until,
        ..NewToken::default()
    };
    let hashed = Hashed::Secret(parsed.prefix, &secret);
    let token = new.write(store, &fresh.id, Secret::Hashed(hashed))?;
    let grace_until = now.saturating_add(millis(grace));
    let changes = [
        (column::ROTATED_AT, ValueRef::Integer(now)),
        (column::GRACE_UNTIL, ValueRef::Integer(grace_until)),
        (column::SUCCESSOR, ValueRef::Text(token.id())),
    ];
    let old = store.change(old.id(), &changes)?;
    store.note("token.rotated", &old, [("successor", token.id().into())])?;
    Ok(IssuedToken { token, text: format(parsed.prefix, &fresh.id, &secret) })
}

/// A token that was rotated before: the same successor, or the end of the family.
fn again(
    store: Store<'_>,
    found: &Found,
    parsed: &Parsed<'_>,
) -> Result<std::result::Result<IssuedToken, Rejection>> {
    let token = &found.token;
    if token.integer(column::GRACE_UNTIL).is_none_or(|until| found.now >= until) {
        if let Some(family) = token.family() {
            revoke_reused(store, token, family)?;
        }
        return Ok(Err(Rejection::Rotated));
    }
    let damaged = || err!(Corrupt, "a token's row opens and does not read");
    let id = token.successor().and_then(id_bytes).ok_or_else(damaged)?;
    let next = match settled(store.view(|view| view.find(&id).map(Ok)))? {
        Ok(Some(next)) => next,
        Ok(None) => return Ok(Err(Rejection::Unknown)),
        Err(refused) => return Ok(Err(refused)),
    };
    if let Some(refused) = standing(&next.token, next.epoch, next.now) {
        return Ok(Err(refused));
    }
    let secret = found.key.pepper(store.tenant)?.successor(&parsed.id, &id, &parsed.secret);
    Ok(Ok(IssuedToken { token: next.token, text: format(parsed.prefix, &id, &secret) }))
}

/// Ends the family of a token that was presented after its grace.
pub(super) fn revoke_reused(store: Store<'_>, token: &Token, family: &str) -> Result<()> {
    let now = store.view(|view| view.now())?;
    revoke_members(store, family, "token.reuse_detected", Some(token), now).map(|_| ())
}
