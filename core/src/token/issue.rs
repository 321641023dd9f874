//! Issuing.

use zeroize::Zeroizing;

use super::definition::column;
use super::handle::Tokens;
use super::issued::{IssuedToken, Token, id_text};
use super::kind::TokenKind;
use super::request::{TokenRequest, millis};
use super::revoke::revoke_of_subject;
use super::store::Store;
use super::text::format;
use crate::crypto::random;
use crate::error::{Result, err, fail};
use crate::keys::Hashed;
use crate::keys::seal::no_randomness;
use crate::metrics::Counter;
use crate::value::ValueRef;

impl Tokens<'_> {
    /// Issues a token; its text is given out this once. Audited as `token.issued`.
    ///
    /// # Errors
    /// `invalid_input` and `limit` for a request out of bounds, and for a short code, which [`Tokens::issue_code`]
    /// makes; `not_found` for a family that no valid token is of.
    pub fn issue(&self, request: &TokenRequest) -> Result<IssuedToken> {
        if request.kind == TokenKind::ShortCode {
            fail!(InvalidInput, "a short code is made by issue_code");
        }
        request.check()?;
        let limits = request.limit_text()?;
        let fresh = Fresh::new()?;
        let token = self.write(|store| {
            store.prepare()?;
            let now = store.view(|view| view.now())?;
            let at = |time| now.saturating_add(millis(time));
            let replaced = match &request.subject {
                Some(subject) if request.replace_older => {
                    revoke_of_subject(store, subject, Some(request.kind), None, now)?
                }
                _ => 0,
            };
            if let Some(family) = &request.family {
                check_family(store, family)?;
            }
            let own = fresh.id_text();
            let family = match request.kind {
                TokenKind::Refresh => request.family.as_deref().or(Some(&own)),
                _ => request.family.as_deref(),
            };
            let expires_at = request.expires_in.map(at);
            let new = NewToken {
                kind: request.kind,
                subject: request.subject.as_deref(),
                family,
                scopes: &request.scope_text(),
                not_before: request.not_before_in.map(at),
                expires_at,
                uses_left: request.uses,
                prefix: request.text_prefix(),
                created_at: now,
                touch_ms: request.touch_ms(),
                idle_ms: request.idle.map(millis),
                label: request.label.as_deref(),
                limits: limits.as_deref(),
                data: request.data.as_deref(),
                renew_until: request.renew_for.map(at),
                ..NewToken::default()
            };
            let hashed = Hashed::Secret(new.prefix, &fresh.secret);
            let token = new.write(store, &fresh.id, Secret::Hashed(hashed))?;
            store.note("token.issued", &token, [("replaced", replaced.into())])?;
            Ok(token)
        })?;
        self.count(Counter::TokensIssued);
        let text = format(request.text_prefix(), &fresh.id, &fresh.secret);
        Ok(IssuedToken { token, text })
    }
}

/// A family is joined while a token of it holds.
fn check_family(store: Store<'_>, family: &str) -> Result<()> {
    let members = store.having("family", family)?;
    if members.iter().any(|token| token.revoked_at().is_none()) {
        return Ok(());
    }
    fail!(NotFound, "no token that is not revoked is of this family")
}

/// A new public id and secret.
pub(super) struct Fresh {
    pub(super) id: [u8; 12],
    pub(super) secret: Zeroizing<[u8; 32]>,
}

impl Fresh {
    pub(super) fn new() -> Result<Self> {
        let mut fresh = Fresh { id: [0; 12], secret: Zeroizing::default() };
        random::fill(&mut fresh.id).map_err(|_| no_randomness())?;
        random::fill(&mut *fresh.secret).map_err(|_| no_randomness())?;
        Ok(fresh)
    }

    pub(super) fn id_text(&self) -> String {
        id_text(&self.id)
    }
}

/// What a new token's hash is made of.
#[derive(Clone, Copy)]
pub(super) enum Secret<'a> {
    Hashed(Hashed<'a>),
    /// A short code, with what its stretching took, which stands before its hash.
    Code(&'a [u8; 32], &'a [u8]),
}

/// The columns of a new token, beside its hash.
pub(super) struct NewToken<'a> {
    pub(super) kind: TokenKind,
    pub(super) subject: Option<&'a str>,
    pub(super) family: Option<&'a str>,
    pub(super) scopes: &'a str,
    pub(super) enabled: bool,
    pub(super) not_before: Option<i64>,
    pub(super) expires_at: Option<i64>,
    pub(super) uses_left: Option<u32>,
    pub(super) attempts_left: Option<u32>,
    pub(super) prefix: &'a str,
    pub(super) created_at: i64,
    pub(super) touch_ms: i64,
    pub(super) idle_ms: Option<i64>,
    pub(super) label: Option<&'a str>,
    pub(super) limits: Option<&'a str>,
    pub(super) data: Option<&'a str>,
    pub(super) renew_until: Option<i64>,
}

impl Default for NewToken<'_> {
    fn default() -> Self {
        NewToken {
            kind: TokenKind::Session,
            subject: None,
            family: None,
            scopes: "",
            enabled: true,
            not_before: None,
            expires_at: None,
            uses_left: None,
            attempts_left: None,
            prefix: "",
            created_at: 0,
            touch_ms: 0,
            idle_ms: None,
            label: None,
            limits: None,
            data: None,
            renew_until: None,
        }
    }
}

impl NewToken<'_> {
    /// Writes the row, under the epoch at which its subject stands. After [`Store::prepare`].
    pub(super) fn write(
        &self,
        store: Store<'_>,
        id: &[u8; 12],
        secret: Secret<'_>,
    ) -> Result<Token> {
        let subject = self.subject.map(|subject| store.subject(subject)).transpose()?;
        let key = store.view(|view| view.state.ring.token_key(view.conn, view.tenant))?;
        let key = key.ok_or_else(|| err!(Internal, "a token key just made is not there"))?;
        let pepper = key.pepper(store.tenant)?;
        let (scheme, hash) = match secret {
            Secret::Hashed(of) => (of.scheme(), pepper.hash(id, of).to_vec()),
            Secret::Code(stretched, cost) => {
                let of = Hashed::Stretched(stretched);
                (of.scheme(), [cost, &pepper.hash(id, of)].concat())
            }
        };
        let integer = |value: Option<i64>| value.map_or(ValueRef::Null, ValueRef::Integer);
        let count = |value: Option<u32>| integer(value.map(i64::from));
        let mut values = [ValueRef::Null; column::COUNT];
        values[column::KIND] = ValueRef::Text(self.kind.name());
        values[column::OWNER] = ValueRef::from(subject.as_ref().map(|(owner, _)| owner.as_str()));
        values[column::EPOCH] = integer(subject.as_ref().map(|(_, epoch)| *epoch));
        values[column::FAMILY] = ValueRef::from(self.family);
        values[column::SCOPES] = ValueRef::Text(self.scopes);
        values[column::ENABLED] = ValueRef::Boolean(self.enabled);
        values[column::NOT_BEFORE] = integer(self.not_before);
        values[column::EXPIRES_AT] = integer(self.expires_at);
        values[column::USES_LEFT] = count(self.uses_left);
        values[column::ENDED_AT] = integer(self.expires_at);
        values[column::HASH] = ValueRef::Blob(&hash);
        values[column::SCHEME] = ValueRef::from(u32::from(scheme));
        values[column::KEY] = ValueRef::from(pepper.id);
        values[column::PREFIX] = ValueRef::Text(self.prefix);
        values[column::CREATED_AT] = ValueRef::Integer(self.created_at);
        values[column::TOUCH_MS] = ValueRef::Integer(self.touch_ms);
        values[column::IDLE_MS] = integer(self.idle_ms);
        values[column::SUBJECT] = ValueRef::from(self.subject);
        values[column::LABEL] = ValueRef::from(self.label);
        values[column::LIMITS] = ValueRef::from(self.limits);
        values[column::DATA] = self.data.map_or(ValueRef::Null, ValueRef::Json);
        values[column::ATTEMPTS_LEFT] = count(self.attempts_left);
        values[column::RENEW_UNTIL] = integer(self.renew_until);
        store.insert(&id_text(id), &values)
    }
}
