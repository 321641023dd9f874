//! The public handle of a table: the same calls on the vault, in a transaction and in a snapshot.

use std::borrow::Cow;
use std::sync::Arc;

use super::definition::check_own;
use super::engine::{Engine, State};
use super::find::find;
use super::places::{Places, insert_row};
use super::read::{self, Cursor, Scan, ScanSource, Target};
use super::read_session::ReadSession;
use super::row::{Row, RowSet};
use super::rows;
use super::schema::Schema;
use super::session::Session;
use super::write::Writer;
use super::{Column, TableDefinition};
use crate::db::Conn;
use crate::error::{Result, fail};
use crate::metrics::{Counter, Counters};
use crate::value::{Id, IdRef, ValueRef};

/// What a handle reads and writes through.
#[derive(Clone, Copy)]
pub(crate) enum Source<'a> {
    /// Each call in a transaction of its own.
    Engine(&'a Arc<Engine>),
    /// A write transaction.
    Session(&'a Session),
    /// A read transaction.
    Snapshot(&'a ReadSession),
}

/// A sealed table, reached through a [`crate::Vault`], [`crate::Tenant`], [`crate::Transaction`] or [`crate::Snapshot`].
///
/// On a vault or tenant each call is a transaction of its own, and the handle may be used from any thread. In a
/// transaction or snapshot it belongs to that.
pub struct Table<'a> {
    source: Source<'a>,
    name: Cow<'a, str>,
    tenant: Option<Arc<str>>,
    /// True for a table of the application's: what is done through it is counted.
    counted: bool,
}

/// Column names and values, as the [`crate::values!`] macro makes them.
type Pairs<'v> = [(&'v str, ValueRef<'v>)];

impl<'a> Table<'a> {
    pub(crate) fn new(
        source: Source<'a>,
        name: impl Into<Cow<'a, str>>,
        tenant: Option<Arc<str>>,
    ) -> Self {
        Table { source, name: name.into(), tenant, counted: false }
    }

    /// For the application: what is done through it is counted, and a table of the engine's own is not there.
    pub(crate) fn counted(mut self) -> Self {
        self.counted = true;
        if check_own(&self.name).is_err() {
            self.name = Cow::Borrowed("");
        }
        self
    }

    /// Checks that the table is there and in reach.
    pub(crate) fn checked(mut self) -> Result<Self> {
        check_own(&self.name)?;
        self.counted = true;
        if let Source::Engine(engine) = self.source
            && self.target().schema(&*engine.state()?).is_ok()
        {
            return Ok(self);
        }
        self.read(|_, state, target| target.schema(state).map(|_| ()))?;
        Ok(self)
    }

    /// Inserts a row; its id. Columns that are not given hold their default or NULL. A column named like the primary
    /// key gives the id; without one an integer id is given out that the table has never had.
    ///
    /// # Errors
    /// `conflict` where a unique value or the id is taken, `type_mismatch` where a value does not fit exactly,
    /// `not_found` for an unknown column.
    pub fn insert(&self, values: &Pairs<'_>) -> Result<Id> {
        self.count_request(Counter::Insert, 1);
        self.write(|session, target| {
            let writer = Writer::new(session, target)?;
            let names: Vec<&str> = values.iter().map(|(name, _)| *name).collect();
            let places = Places::of(writer.schema(), &names)?;
            let given: Vec<ValueRef<'_>> = values.iter().map(|(_, value)| *value).collect();
            insert_row(&writer, &places, &given)
        })
    }

    /// Inserts rows, all or none; their ids. `columns` names the values of every row, in their order.
    pub fn insert_many<'v, R>(
        &self,
        columns: &[&str],
        rows: impl IntoIterator<Item = R>,
    ) -> Result<Vec<Id>>
    where
        R: AsRef<[ValueRef<'v>]>,
    {
        self.write(|session, target| {
            let all = || {
                let writer = Writer::new(session, target)?;
                let places = Places::of(writer.schema(), columns)?;
                let insert = |row: R| {
                    self.count_request(Counter::Insert, 1);
                    insert_row(&writer, &places, row.as_ref())
                };
                rows.into_iter().map(insert).collect()
            };
            // A transaction of the caller's must not keep half of the rows.
            match self.source {
                Source::Session(_) => session.savepoint(all),
                _ => all(),
            }
        })
    }

    /// The row of that id, verified; `None` where there is none.
    ///
    /// # Errors
    /// `authentication_failed` where the row is not what was written.
    pub fn get<'i>(&self, id: impl Into<IdRef<'i>>) -> Result<Option<Row>> {
        let id = id.into();
        let began = self.counters().and_then(|counters| counters.begin_read(Counter::Get));
        let found = self.read(|conn, state, target| read::get_one(conn, state, target, id));
        self.end_read(began);
        Ok(found?.map(|(set, _)| Row::new(Arc::new(set), 0)))
    }

    /// The rows of those ids, in their order; `None` for each that is not there. Cheaper than one call for each.
    pub fn get_many(&self, ids: &[IdRef<'_>]) -> Result<Vec<Option<Row>>> {
        self.count_request(Counter::Get, ids.len() as u64);
        match self.source {
            Source::Engine(engine) => {
                // One snapshot for all: taking SQLite's locks for each row is what costs.
                let session = ReadSession::begin(engine)?;
                let found = read::get_many(&session.conn, &session.state, self.target(), ids);
                engine.counters.checked(found)
            }
            _ => self.read(|conn, state, target| read::get_many(conn, state, target, ids)),
        }
    }

    /// The rows whose column has that value. A sealed column is found by its blind index, compared in the index's
    /// normal form; any other exactly, by an index where it has one.
    ///
    /// # Errors
    /// `not_indexed` for a sealed column without an index, and while an alteration of the column moves its rows.
    pub fn find<'v>(&self, column: &str, value: impl Into<ValueRef<'v>>) -> Result<Vec<Row>> {
        Ok(self.find_set(column, value.into())?.into_rows())
    }

    pub(crate) fn find_set(&self, column: &str, value: ValueRef<'_>) -> Result<RowSet> {
        let target = self.target();
        let began = self.counters().and_then(|counters| counters.begin_read(Counter::Find));
        let found = match self.source {
            // While an index or a protection changes, an older schema looks where only some of the rows still are.
            Source::Engine(engine) => {
                engine.read_current(
                    |conn, state| find(conn, state, target, column, value),
                    |state, found: &RowSet| {
                        let unique = |schema: &Arc<Schema>| schema.is_unique(column);
                        // NULL may stand in many rows of a unique column.
                        found.len() > 0
                            && !value.is_null()
                            && target.schema(state).is_ok_and(unique)
                    },
                )
            }
            _ => self.read(|conn, state, target| find(conn, state, target, column, value)),
        };
        self.end_read(began);
        found
    }

    /// The first row whose column has that value; for a unique one, the only row.
    pub fn find_one<'v>(
        &self,
        column: &str,
        value: impl Into<ValueRef<'v>>,
    ) -> Result<Option<Row>> {
        Ok(self.find(column, value)?.into_iter().next())
    }

    /// Changes the given columns and leaves the others; false where there is no such row. All or nothing.
    pub fn update<'i>(&self, id: impl Into<IdRef<'i>>, values: &Pairs<'_>) -> Result<bool> {
        self.count_request(Counter::Update, 1);
        let id = id.into();
        self.write(|session, target| {
            let writer = Writer::new(session, target)?;
            let mut changes = Vec::with_capacity(values.len());
            for (name, value) in values {
                if writer.schema().is_key(name) {
                    fail!(InvalidInput, "a primary key does not change: insert the row anew");
                }
                let position = writer.schema().position(name)?;
                if changes.iter().any(|(at, _)| *at == position) {
                    fail!(InvalidInput, "column {name} is given twice");
                }
                changes.push((position, *value));
            }
            writer.update(id, &changes, false)
        })
    }

    /// Deletes a row; false where there is none. The row is verified first.
    pub fn delete<'i>(&self, id: impl Into<IdRef<'i>>) -> Result<bool> {
        self.count_request(Counter::Delete, 1);
        let id = id.into();
        self.write(|session, target| rows::delete(session, target, id))
    }

    /// Deletes a row without opening it: for one that fails to authenticate. False where there is none.
    pub fn discard<'i>(&self, id: impl Into<IdRef<'i>>) -> Result<bool> {
        self.count_request(Counter::Delete, 1);
        let id = id.into();
        self.write(|session, target| rows::discard(session, target, id))
    }

    /// Every row, in the order of insertion (of the ids, where the application chose integer ids). Memory is bounded.
    pub fn scan(&self) -> Result<Scan<'a>> {
        let scan = self.begin_scan();
        match self.counters() {
            Some(counters) => Ok(counters.checked(scan)?.counted(counters)),
            None => scan,
        }
    }

    fn begin_scan(&self) -> Result<Scan<'a>> {
        let target = self.target();
        match self.source {
            Source::Engine(engine) if engine.pool.is_memory() => {
                let state = engine.state()?;
                Scan::new(ScanSource::Engine(engine), target, &state)
            }
            Source::Engine(engine) => {
                engine.state()?;
                let conn = engine.pool.reader()?;
                conn.execute("BEGIN", &[])?;
                let state = engine.refresh(&conn)?;
                Scan::new(ScanSource::Own(conn, Arc::clone(&state)), target, &state)
            }
            Source::Session(session) => {
                session.check_open()?;
                let state = session.state();
                Scan::new(ScanSource::Lent(session.conn(), Arc::clone(&state)), target, &state)
            }
            Source::Snapshot(snapshot) => {
                let state = Arc::clone(&snapshot.state);
                Scan::new(ScanSource::Lent(&snapshot.conn, Arc::clone(&state)), target, &state)
            }
        }
    }

    /// The next rows, in the order of [`Table::scan`]: at most 256; `None` at the end. For callers that can't hold a
    /// [`Scan`]'s borrow between two batches. An error ends it.
    pub fn next_rows(&self, cursor: &mut Cursor) -> Result<Option<Vec<Row>>> {
        let Some(from) = cursor.from.take() else { return Ok(None) };
        let (set, last) =
            self.read(|conn, state, target| read::batch(conn, state, target, from, &mut None))?;
        self.count_request(Counter::ScanRows, set.len() as u64);
        cursor.from = last.and_then(|last| last.checked_add(1));
        Ok(last.map(|_| set.into_rows()))
    }

    /// The number of rows. Opens none of them.
    pub fn count(&self) -> Result<u64> {
        self.read(read::count)
    }

    /// The table as it is declared now.
    pub fn definition(&self) -> Result<TableDefinition> {
        self.read(|_, state, target| Ok(target.schema(state)?.definition()))
    }

    /// The columns as they are declared now.
    pub fn columns(&self) -> Result<Vec<Column>> {
        Ok(self.definition()?.columns)
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The counters, where what is done here is counted.
    fn counters(&self) -> Option<&'a Arc<Counters>> {
        if !self.counted {
            return None;
        }
        Some(match self.source {
            Source::Engine(engine) => &engine.counters,
            Source::Session(session) => session.counters(),
            Source::Snapshot(snapshot) => &snapshot.counters,
        })
    }

    fn count_request(&self, counter: Counter, by: u64) {
        if let Some(counters) = self.counters() {
            counters.add(counter, by);
        }
    }

    fn end_read(&self, began: Option<std::time::Instant>) {
        if let Some(counters) = self.counters() {
            counters.end_read(began);
        }
    }

    /// Counts the failures of what was not counted on the way.
    fn noted<T>(&self, result: Result<T>) -> Result<T> {
        match self.counters() {
            Some(counters) => counters.checked(result),
            None => result,
        }
    }

    fn target(&self) -> Target<'_> {
        Target { name: &self.name, tenant: self.tenant.as_deref() }
    }

    fn read<T>(&self, mut work: impl FnMut(&Conn, &State, Target<'_>) -> Result<T>) -> Result<T> {
        let target = self.target();
        match self.source {
            Source::Engine(engine) => engine.read(|conn, state| work(conn, state, target)),
            Source::Session(session) => {
                session.check_open()?;
                self.noted(work(session.conn(), &session.state(), target))
            }
            Source::Snapshot(snapshot) => self.noted(work(&snapshot.conn, &snapshot.state, target)),
        }
    }

    fn write<T>(&self, work: impl FnOnce(&Session, Target<'_>) -> Result<T>) -> Result<T> {
        let target = self.target();
        match self.source {
            Source::Engine(engine) => Session::run(engine, |session| work(session, target)),
            Source::Session(session) => {
                session.check_open()?;
                self.noted(work(session, target))
            }
            Source::Snapshot(_) => fail!(ReadOnly, "a snapshot only reads"),
        }
    }
}
