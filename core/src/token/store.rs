//! Tokens as one transaction, or one read, sees them.

use std::sync::Arc;

use super::cache::Known;
use super::check::Rejection;
use super::definition::{self, SUBJECT_EPOCH, column, join};
use super::issued::{Token, id_bytes};
use super::memory::Memory;
use super::presented::{Presented, owner};
use crate::audit::{Entry, append};
use crate::db::Conn;
use crate::error::{ErrorKind, Result, err};
use crate::keys::ring::{IndexPlace, Key, Owner, Purpose};
use crate::secret::WipedText;
use crate::table::engine::{Engine, State};
use crate::table::session::Session;
use crate::table::{Row, Source, Table, Writer, define, get_one, put_row};
use crate::value::{IdRef, ValueRef};

/// Tokens of a tenant, or of the vault itself, as a connection sees them.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) engine: &'a Engine,
    pub(super) conn: &'a Conn,
    pub(super) state: &'a State,
    pub(super) tenant: Option<&'a str>,
    /// True in a write transaction.
    pub(super) writing: bool,
}

/// A token as it stands.
pub(super) struct Found {
    pub(super) token: Token,
    /// Its subject's epoch.
    pub(super) epoch: Option<i64>,
    /// The time that counts for what expires.
    pub(super) now: i64,
    /// The high-water mark that it was compared with.
    pub(super) mark: i64,
    /// The key of its hash.
    pub(super) key: Arc<Key>,
}

impl View<'_> {
    /// The token of that id, verified, with everything that decides about it: one SELECT.
    pub(super) fn find(&self, id: &[u8; 12]) -> Result<Option<Found>> {
        let Self { engine, conn, state, tenant, writing } = *self;
        let memory: &Memory = engine.attached()?;
        let read = || {
            let mut text = [0; 24];
            let text = id_str(id, &mut text)?;
            let mark = |record: Option<&[u8]>| Ok(memory.mark(conn, &state.ring, record));
            let joined = join(tenant).get(conn, state, IdRef::Text(text), mark)?;
            let Some(joined) = joined else { return Ok(None) };
            let (token, mark) = (Token::new(joined.row), joined.mark);
            let epoch = joined.other.as_ref().map(epoch_of).transpose()?;
            let key = token.integer(column::KEY).and_then(|id| u32::try_from(id).ok());
            let key = key.ok_or_else(|| err!(Corrupt, "a token's row opens and does not read"))?;
            let tenant = tenant.map(Arc::from);
            Ok(Some(Known { token, tenant, epoch, mark, key }))
        };
        // A connection that writes, too, does not count what it has written itself.
        let known = if writing || engine.pool.is_memory() {
            read()?
        } else {
            let is_there = || join(tenant).is_there(conn, state, id_str(id, &mut [0; 24])?);
            memory.cache.get(conn, id, tenant, is_there, read)?
        };
        let Some(Known { token, epoch, mark, key, .. }) = known else { return Ok(None) };
        let now = engine.clock.trusted(mark, engine.clock_ms());
        Ok(Some(Found { token, epoch, now, mark, key: state.ring.token_key_of(conn, key)? }))
    }

    /// The token that was presented, where the secret is right.
    pub(super) fn find_presented(
        &self,
        presented: &Presented<'_>,
    ) -> Result<std::result::Result<Found, Rejection>> {
        let Some(id) = presented.id(self.conn, &self.state.ring, self.tenant)? else {
            return Ok(Err(Rejection::Unknown));
        };
        let Some(found) = self.find(&id)? else { return Ok(Err(Rejection::Unknown)) };
        let Found { token, key, .. } = &found;
        let (scheme, hash) = (token.integer(column::SCHEME), token.at(column::HASH));
        let (scheme, hash) = (scheme.unwrap_or(0), hash.as_bytes().unwrap_or(&[]));
        let pepper = key.pepper(self.tenant)?;
        if presented.fits(pepper, &id, scheme, hash) {
            return Ok(Ok(found));
        }
        Ok(Err(Rejection::WrongSecret))
    }

    /// The token of that id alone.
    pub(super) fn get(&self, id: &str) -> Result<Option<Token>> {
        if id_bytes(id).is_none() {
            return Ok(None);
        }
        let target = definition::tokens(self.tenant);
        let found = get_one(self.conn, self.state, target, IdRef::Text(id))?;
        Ok(found.and_then(|(set, _)| set.into_rows().pop()).map(Token::new))
    }

    /// What stands for a subject; `None` where nothing was ever issued to any.
    pub(super) fn owner(&self, subject: &str) -> Result<Option<String>> {
        owner(self.conn, &self.state.ring, self.tenant, subject)
    }

    /// The epoch of a subject.
    pub(super) fn epoch(&self, owner: &str) -> Result<Option<i64>> {
        let target = definition::subjects(self.tenant);
        let found = get_one(self.conn, self.state, target, IdRef::Text(owner))?;
        let row = found.and_then(|(set, _)| set.into_rows().pop());
        row.as_ref().map(epoch_of).transpose()
    }

    /// The time that counts, where no token tells.
    pub(super) fn now(&self) -> Result<i64> {
        let mark = crate::table::sequence::mark_if_there(
            self.conn,
            &self.state.ring,
            crate::keys::table_id::CLOCK,
        );
        let mark = match mark {
            Err(error) if error.kind() == ErrorKind::AuthenticationFailed => None,
            other => other?,
        };
        Ok(self.engine.clock.trusted(mark.unwrap_or(0), self.engine.clock_ms()))
    }
}

/// A public id as text, without a new one.
fn id_str<'t>(id: &[u8; 12], text: &'t mut [u8; 24]) -> Result<&'t str> {
    base16ct::lower::encode_str(id, text).map_err(|_| err!(Internal, "an id of another length"))
}

fn epoch_of(row: &Row) -> Result<i64> {
    let epoch = row.at(SUBJECT_EPOCH).and_then(ValueRef::as_i64);
    epoch.ok_or_else(|| err!(Corrupt, "a subject's row opens and does not read"))
}

/// Tokens in a write transaction.
#[derive(Clone, Copy)]
pub(super) struct Store<'s> {
    pub(super) session: &'s Session,
    pub(super) tenant: Option<&'s str>,
}

impl Store<'_> {
    /// Does what needs the state as it is now.
    pub(super) fn view<T>(&self, work: impl FnOnce(View<'_>) -> Result<T>) -> Result<T> {
        let state = self.session.state();
        let (engine, conn) = (self.session.engine(), self.session.conn());
        work(View { engine, conn, state: &state, tenant: self.tenant, writing: true })
    }

    /// True where a token was ever issued here.
    pub(super) fn is_there(&self) -> bool {
        self.session.state().table(definition::tokens(self.tenant).name).is_ok()
    }

    /// Makes what the first token needs: the tables, the token key, the look-up key.
    pub(super) fn prepare(&self) -> Result<()> {
        let state = self.session.state();
        if !self.is_there() {
            define::define_internal(self.session, &definition::subject_table(self.tenant))?;
            define::define_internal(self.session, &definition::token_table(self.tenant))?;
        }
        drop(state);
        let (conn, state) = (self.session.conn(), self.session.state());
        if state.ring.token_key(conn, self.tenant)?.is_none() {
            self.session.create_key(Owner::of(Purpose::Token, self.tenant))?;
        }
        let state = self.session.state();
        if state.ring.index(conn, self.tenant, &IndexPlace::Token)?.is_none() {
            self.session.create_key(Owner::of(Purpose::Lookup, self.tenant))?;
        }
        Ok(())
    }

    /// The MAC of a subject and its epoch, which begins here where it is new. After [`Store::prepare`].
    pub(super) fn subject(&self, subject: &str) -> Result<(String, i64)> {
        self.session.check_subject(self.tenant, subject)?;
        let owner = self.owner(subject)?;
        match self.view(|view| view.epoch(&owner))? {
            Some(epoch) => Ok((owner, epoch)),
            None => self.advance(&owner).map(|epoch| (owner, epoch)),
        }
    }

    pub(super) fn owner(&self, subject: &str) -> Result<String> {
        let owner = self.view(|view| view.owner(subject))?;
        owner.ok_or_else(|| err!(Internal, "a look-up key just made is not there"))
    }

    /// Gives a subject an epoch that was never given out before.
    pub(super) fn advance(&self, owner: &str) -> Result<i64> {
        let target = definition::subjects(self.tenant);
        let epoch = self.session.next_id(&self.session.state(), target.name)?;
        put_row(self.session, target, IdRef::Text(owner), &[ValueRef::Integer(epoch)])?;
        Ok(epoch)
    }

    /// Writes a new token; it as it then reads.
    pub(super) fn insert(&self, id: &str, values: &[ValueRef<'_>; column::COUNT]) -> Result<Token> {
        let target = definition::tokens(self.tenant);
        Writer::new(self.session, target)?.insert(Some(IdRef::Text(id)), values)?;
        self.again(id)
    }

    /// Changes columns of a token that was read in this transaction; it as it then reads.
    pub(super) fn change(&self, id: &str, changes: &[(usize, ValueRef<'_>)]) -> Result<Token> {
        let target = definition::tokens(self.tenant);
        if !Writer::new(self.session, target)?.update(IdRef::Text(id), changes, false)? {
            return Err(err!(Internal, "a token that was read is not there"));
        }
        self.again(id)
    }

    fn again(&self, id: &str) -> Result<Token> {
        let token = self.view(|view| view.get(id))?;
        token.ok_or_else(|| err!(Internal, "a token that was written is not there"))
    }

    /// The tokens whose authenticated column has that value.
    pub(super) fn having(&self, name: &str, value: &str) -> Result<Vec<Token>> {
        if !self.is_there() {
            return Ok(Vec::new());
        }
        let target = definition::tokens(self.tenant);
        let table =
            Table::new(Source::Session(self.session), target.name, self.tenant.map(Arc::from));
        Ok(table.find(name, value)?.into_iter().map(Token::new).collect())
    }

    /// Writes an entry about a token into the trail, in this transaction.
    pub(super) fn note(
        &self,
        event: &str,
        token: &Token,
        more: impl IntoIterator<Item = (&'static str, serde_json::Value)>,
    ) -> Result<()> {
        let mut payload = serde_json::json!({"token": token.id(), "kind": token.kind().name()});
        if let Some(map) = payload.as_object_mut() {
            map.extend(token.label().map(|label| ("label".to_owned(), label.into())));
            map.extend(more.into_iter().map(|(name, value)| (name.to_owned(), value)));
        }
        self.note_about(event, token.subject(), payload)
    }

    /// Writes an entry about a subject's tokens.
    pub(super) fn note_about(
        &self,
        event: &str,
        subject: Option<&str>,
        payload: serde_json::Value,
    ) -> Result<()> {
        let mut entry = Entry::new(event).json(payload);
        entry.subject = subject.map(WipedText::new);
        entry.tenant = self.tenant.map(str::to_owned);
        append(self.session, &entry).map(|_| ())
    }
}
