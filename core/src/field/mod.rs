//! Single sealed values, and their blind indexes, for a database that the engine does not own.

mod index;

use std::sync::Arc;

use crate::db::Conn;
use crate::error::{Error, Result, err, fail};
use crate::format::context::{Context, Place};
use crate::format::padding::Padding;
use crate::format::payload::{Columns, put_column};
use crate::format::record::Record;
use crate::keys::ring::{Key, Owner, Purpose};
use crate::keys::seal::{Shape, open, seal};
use crate::metrics::Counter;
use crate::table::buffers::Buffers;
use crate::table::definition::MAX_NAME;
use crate::table::engine::{Engine, State};
use crate::table::session::Session;
use crate::value::{IdRef, Value, ValueRef};

/// The column id of the value in its record.
const VALUE: u32 = 1;

/// A kind of value, such as `users.email`, that is sealed one by one and kept elsewhere.
///
/// What is sealed under one name, tenant and record id opens only under the same. Giving the record id (the primary
/// key of the row that will hold the value) lets nobody move a value to another row. May be used from any thread.
///
/// A field has no transaction: that another process has rotated a key it learns within 100 ms, and until then seals and
/// indexes under the one before. That still opens and is still found; [`crate::Keys::destroy_retired`] waits for longer.
#[derive(Clone)]
pub struct Field {
    engine: Arc<Engine>,
    name: Arc<str>,
    tenant: Option<Arc<str>>,
    padding: Padding,
}

impl Field {
    pub(crate) fn new(engine: &Arc<Engine>, name: &str, tenant: Option<Arc<str>>) -> Result<Self> {
        if name.is_empty() || name.len() > MAX_NAME || name.contains(char::is_control) {
            fail!(
                InvalidInput,
                "a field's name has 1 to {MAX_NAME} bytes and no control characters"
            );
        }
        let (engine, name) = (Arc::clone(engine), Arc::from(name));
        Ok(Field { engine, name, tenant, padding: Padding::default() })
    }

    /// Sets the padding of what is sealed from now on. Default: multiples of 32 bytes.
    #[must_use]
    pub fn padding(mut self, padding: Padding) -> Self {
        self.padding = padding;
        self
    }

    /// Seals a value: a record of at least 79 bytes (`docs/format.md`). NULL is sealed too, and hidden.
    ///
    /// # Errors
    /// `refused` where this is a tenant's first use while the thread has a transaction open. The tenant's keys are made then, in
    /// a transaction of their own, since what is sealed is kept elsewhere and would be lost with a key that is rolled back:
    /// seal or index any value once before the transaction.
    pub fn seal<'v>(
        &self,
        value: impl Into<ValueRef<'v>>,
        record: Option<IdRef<'_>>,
    ) -> Result<Vec<u8>> {
        let state = self.engine.looked_state()?;
        let key = self.sealing_key(&state)?;
        self.seal_with(&state, &key, &mut Buffers::take().context, value.into(), record)
    }

    /// As [`Field::seal`], from keys that are in memory; `None` where the file would have to be read or written. It takes
    /// a microsecond and waits for nothing: for callers that hold a lock of their own, such as Python's.
    pub fn seal_from_memory<'v>(
        &self,
        value: impl Into<ValueRef<'v>>,
        record: Option<IdRef<'_>>,
    ) -> Option<Result<Vec<u8>>> {
        if self.engine.look_is_due() {
            return None;
        }
        let state = self.engine.state_in_memory()?;
        let key = state.ring.cached_sealing(self.tenant.as_deref(), None)?;
        Some(self.seal_with(&state, &key, &mut Buffers::take().context, value.into(), record))
    }

    /// Seals many values; in their order.
    pub fn seal_many(&self, values: &[(ValueRef<'_>, Option<IdRef<'_>>)]) -> Result<Vec<Vec<u8>>> {
        let state = self.engine.looked_state()?;
        let key = self.sealing_key(&state)?;
        let mut buffers = Buffers::take();
        let one = |(value, record): &(ValueRef<'_>, Option<IdRef<'_>>)| {
            self.seal_with(&state, &key, &mut buffers.context, *value, *record)
        };
        values.iter().map(one).collect()
    }

    /// Seals a value anew where it is under a key that a rotation has retired; `None` where it is not. To go through the
    /// values of another database after [`crate::Rotation::data`], before the old key is destroyed.
    ///
    /// # Errors
    /// As of [`Field::open`].
    pub fn reseal(&self, sealed: &[u8], record: Option<IdRef<'_>>) -> Result<Option<Vec<u8>>> {
        let parsed = Record::parse(sealed).map_err(|_| self.refused())?;
        let state = self.engine.looked_state()?;
        let key = self.sealing_key(&state)?;
        if key.id() == parsed.key_id {
            return Ok(None);
        }
        let old = self.opening_key(&state, parsed.key_id)?;
        let mut buffers = Buffers::take();
        let again = self.open_with(&state, &old, &parsed, record, |value| {
            self.seal_with(&state, &key, &mut buffers.context, value, record)
        })?;
        again.map(Some)
    }

    /// Opens a sealed value.
    ///
    /// # Errors
    /// `authentication_failed` where it was sealed for another field, tenant or record, or altered.
    pub fn open(&self, sealed: &[u8], record: Option<IdRef<'_>>) -> Result<Value> {
        let parsed = Record::parse(sealed).map_err(|_| self.refused())?;
        let state = self.engine.state()?;
        let key = self.opening_key(&state, parsed.key_id)?;
        // The method itself is not general enough in its lifetime.
        #[allow(clippy::redundant_closure_for_method_calls)]
        self.open_with(&state, &key, &parsed, record, |value| value.to_owned())
    }

    /// As [`Field::open`], from keys that are in memory; `None` where the file would have to be read. `with` is given the
    /// value, in memory that is wiped afterwards.
    pub fn open_from_memory<R>(
        &self,
        sealed: &[u8],
        record: Option<IdRef<'_>>,
        with: impl FnOnce(ValueRef<'_>) -> R,
    ) -> Option<Result<R>> {
        let state = self.engine.state_in_memory()?;
        let Ok(parsed) = Record::parse(sealed) else { return Some(Err(self.refused())) };
        let key = state.ring.cached_opening(parsed.key_id, self.tenant.as_deref(), None)?;
        Some(key.and_then(|key| self.open_with(&state, &key, &parsed, record, with)))
    }

    /// Opens many sealed values; in their order. The first that does not open fails the call.
    pub fn open_many(&self, sealed: &[(&[u8], Option<IdRef<'_>>)]) -> Result<Vec<Value>> {
        sealed.iter().map(|(sealed, record)| self.open(sealed, *record)).collect()
    }

    fn open_with<R>(
        &self,
        state: &State,
        key: &Key,
        record: &Record<'_>,
        record_id: Option<IdRef<'_>>,
        with: impl FnOnce(ValueRef<'_>) -> R,
    ) -> Result<R> {
        let place = self.place(state, record_id);
        let mut buffers = Buffers::take();
        let Buffers { context, payload, .. } = &mut buffers;
        payload.clear();
        open(payload, context, key.record_key()?, record, &place, |_| ())
            .map_err(|_| self.refused())?;
        let damaged = || err!(Corrupt, "a record that opens has a payload that doesn't read");
        match Columns::new(payload).next().map_err(|_| damaged())? {
            Some((VALUE, value)) => Ok(with(value)),
            None => Ok(with(ValueRef::Null)),
            Some(_) => Err(damaged()),
        }
    }

    fn seal_with(
        &self,
        state: &State,
        key: &Key,
        context: &mut Context,
        value: ValueRef<'_>,
        record: Option<IdRef<'_>>,
    ) -> Result<Vec<u8>> {
        if matches!(value, ValueRef::Real(v) if v.is_nan()) {
            fail!(TypeMismatch, "field {}: NaN can't be sealed", self.name);
        }
        let mut out = Vec::new();
        let place = self.place(state, record);
        let key = key.record_key()?;
        let shape = Shape { layout: 0, padding: self.padding };
        seal(
            &mut out,
            context,
            key,
            shape,
            &place,
            |_| (),
            |out| {
                put_column(out, VALUE, value);
            },
        )?;
        Ok(out)
    }

    fn place<'p>(&'p self, state: &'p State, record: Option<IdRef<'p>>) -> Place<'p> {
        Place {
            vault: state.ring.vault(),
            table: 0,
            field: Some(&self.name),
            record,
            tenant: self.tenant.as_deref(),
            subject: None,
        }
    }

    fn sealing_key(&self, state: &State) -> Result<Arc<Key>> {
        let tenant = self.tenant.as_deref();
        if let Some(key) = state.ring.cached_sealing(tenant, None) {
            return Ok(key);
        }
        match self.engine.read(|conn, state| state.ring.sealing(conn, tenant, None))? {
            Some(key) => Ok(key),
            None => {
                self.make_key(Purpose::Data, |conn, state| state.ring.sealing(conn, tenant, None))
            }
        }
    }

    fn opening_key(&self, state: &State, id: u32) -> Result<Arc<Key>> {
        let tenant = self.tenant.as_deref();
        match state.ring.cached_opening(id, tenant, None) {
            Some(key) => key,
            None => self.engine.read(|conn, state| state.ring.opening(conn, id, tenant, None)),
        }
    }

    /// Makes the tenant's key in a transaction of its own, on its first use: a value that was sealed under a key of the
    /// caller's transaction would leave it, and never open again where that is rolled back.
    fn make_key<T>(
        &self,
        purpose: Purpose,
        get: impl Fn(&Conn, &State) -> Result<Option<T>>,
    ) -> Result<T> {
        if self.engine.pool.writes_here() {
            fail!(
                Refused,
                "the first value of a tenant makes its key, which the open transaction could take back: seal or index a \
                 value of any field of the tenant once before the transaction"
            );
        }
        Session::run(&self.engine, |session| {
            let known = session.state();
            if let Some(key) = get(session.conn(), &known)? {
                return Ok(key);
            }
            // A tenant's keys come together: one call before a transaction serves for all fields in it.
            let tenant = self.tenant.as_deref();
            let (mut state, _) = session.sealing_key(tenant, None)?;
            if state.ring.active(session.conn(), Owner::of(purpose, tenant))?.is_none() {
                state = session.create_key(Owner::of(purpose, tenant))?;
            }
            let made = get(session.conn(), &state)?;
            made.ok_or_else(|| err!(Internal, "a key just made is not there"))
        })
    }

    fn refused(&self) -> Error {
        self.engine.counters.add(Counter::AuthenticationFailures, 1);
        err!(AuthenticationFailed, "a value of field {} is not what was sealed", self.name)
    }
}
