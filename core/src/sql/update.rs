//! `xUpdate`: rows that SQL inserts, changes and deletes go through the table's one writer.
//!
//! Types are those of a STRICT table: SQLite's affinity first, and what does not fit then is refused. Ids are those of an
//! AUTOINCREMENT key. Constraints fail with SQLite's own codes and words, in the names that the program declared.

use std::ffi::c_int;

use rusqlite::ffi;

use super::table::Table;
use super::upsert::{self, Clause};
use super::values::{Arg, Args};
use crate::db::schema::quote;
use crate::error::{Error, ErrorKind, Result, err, fail};
use crate::table::session::Session;
use crate::table::{Taken, Writer, delete};
use crate::value::{Id, IdRef, Type, ValueRef};

/// What happens where a constraint fails.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// SQLite sees to it: the statement, or the transaction, is taken back, or ends as it is.
    Fail,
    /// The row is left out.
    Ignore,
    /// The rows in the way go.
    Replace,
}

impl Mode {
    pub(super) fn from_code(code: c_int) -> Self {
        match code {
            ffi::SQLITE_IGNORE => Mode::Ignore,
            ffi::SQLITE_REPLACE => Mode::Replace,
            _ => Mode::Fail,
        }
    }
}

/// Where the columns begin in the arguments, after the old row id and the new one.
const FIRST_COLUMN: usize = 2;

/// Carries out one change of a row; the row id of an inserted one.
pub(super) fn write(table: &Table, args: &Args<'_>, mode: Mode) -> Result<Option<i64>> {
    let _turn = table.face().authority.engine();
    let step = table.step()?;
    let Some(session) = step.session else {
        fail!(ReadOnly, "a sealed table is written in a write transaction only");
    };
    table.face().write(|| {
        let old = args.get(0)?;
        if args.len() == 1 {
            let row = row_id(old)?;
            let id = key_of(table, session, row)?;
            returns(table, session, row)?;
            delete(session, table.target(), id.as_ref())?;
            return Ok(None);
        }
        if old.is_null() {
            insert(table, session, args, mode).map(Some)
        } else {
            update(table, session, args, mode)
        }
    })
}

fn insert(table: &Table, session: &Session, args: &Args<'_>, mode: Mode) -> Result<i64> {
    let schema = table.schema();
    // SQLite does not say which columns an INSERT names: without the text nobody knows where a default belongs.
    let Some(given) = table.given() else {
        fail!(
            Refused,
            "an INSERT into table {} whose text is not known, or has RETURNING where SQLite alone would answer it",
            schema.name()
        );
    };
    let named = |position: usize| {
        given.named.as_ref().is_none_or(|named| named.get(position).copied().unwrap_or(true))
    };
    // As SQLite does: the key's own type first, what may not be NULL, the key, the other types, what is unique.
    let id = match new_key(table, args) {
        Err(error) if error.sqlite_code() == Some(ffi::SQLITE_CONSTRAINT_DATATYPE) => Err(error),
        id => Ok(id?),
    };
    let mut values = Vec::with_capacity(table.columns().len());
    for (position, column) in schema.columns().enumerate() {
        let column = &column.column;
        let default = || column.default.as_ref().map_or(ValueRef::Null, |value| value.as_ref());
        let mut value = if named(position) {
            args.get(FIRST_COLUMN + table.index_of(position))?.read(column.kind)?
        } else {
            default()
        };
        if value.is_null() && column.not_null && mode == Mode::Replace {
            value = default();
        }
        if value.is_null() && column.not_null {
            let error = not_null(table, &column.name);
            if table.face().forgives(mode) {
                use_up(table, session, id.ok().flatten())?;
            }
            return Err(error);
        }
        values.push(value);
    }
    let (writer, id) = (table.writer(session)?, id?);
    if let Err(error) = fit(table, values.iter_mut().enumerate()) {
        return Err(match key_taken(table, &writer, id, mode)? {
            Some(taken) => {
                if table.face().forgives(mode) {
                    use_up(table, session, id)?;
                }
                taken
            }
            None => error,
        });
    }
    if let Some(last) = upsert::meet(table, session, &writer, id, &values)? {
        return Ok(last);
    }
    if mode == Mode::Replace {
        for way in writer.in_the_way(id, &values, None)? {
            delete(session, table.target(), way.as_ref())?;
        }
    }
    match writer.insert(id, &values) {
        Ok(id) => {
            let row = match id {
                Id::Integer(row) => row,
                Id::Text(_) => session.conn().last_insert_rowid()?,
            };
            returns(table, session, row)?;
            Ok(row)
        }
        Err(error) => {
            let error = constraint(table, &writer, error);
            if table.face().forgives(mode) {
                use_up(table, session, id)?;
            }
            Err(error)
        }
    }
}

fn update(table: &Table, session: &Session, args: &Args<'_>, mode: Mode) -> Result<Option<i64>> {
    let schema = table.schema();
    let row = row_id(args.get(0)?)?;
    let id = key_of(table, session, row)?;
    let new_id = changed_key(table, args, row, &id)?;
    let mut changes = Vec::new();
    for (position, column) in schema.columns().enumerate() {
        let arg = args.get(FIRST_COLUMN + table.index_of(position))?;
        if arg.is_unchanged() {
            continue;
        }
        let mut value = arg.read(column.column.kind)?;
        if value.is_null() && column.column.not_null && mode == Mode::Replace {
            let default = column.column.default.as_ref();
            value = default.map_or(ValueRef::Null, |value| value.as_ref());
        }
        if value.is_null() && column.column.not_null {
            return Err(not_null(table, &column.column.name));
        }
        changes.push((position, value));
    }
    let fits = fit(table, changes.iter_mut().map(|(position, value)| (*position, value)));
    let writer = table.writer(session)?;
    if let Err(error) = fits {
        return Err(key_taken(table, &writer, new_id, mode)?.unwrap_or(error));
    }
    let Some(current) = writer.current(id.as_ref())? else { return Ok(None) };
    if mode == Mode::Replace {
        let mut values: Vec<ValueRef<'_>> =
            (0..table.columns().len()).map(|position| current.get(position)).collect();
        for (position, value) in &changes {
            if let Some(slot) = values.get_mut(*position) {
                *slot = *value;
            }
        }
        for way in writer.in_the_way(new_id, &values, None)?.into_iter().filter(|way| *way != id) {
            delete(session, table.target(), way.as_ref())?;
        }
    }
    writer
        .rewrite(id.as_ref(), &current, &changes, new_id)
        .map_err(|error| constraint(table, &writer, error))?;
    let row = match new_id {
        Some(IdRef::Integer(new)) => new,
        _ => row,
    };
    returns(table, session, row)?;
    Ok(None)
}

/// A row that is left out uses up its id, as with AUTOINCREMENT; a failed statement uses up none.
pub(super) fn use_up(table: &Table, session: &Session, id: Option<IdRef<'_>>) -> Result<()> {
    let (state, stored) = (session.state(), &table.schema().stored);
    match id {
        None => session.next_id(&state, &stored.name).map(drop),
        Some(IdRef::Integer(id)) => {
            session.sequences().note(session.conn(), &state.ring, stored.id, id)
        }
        Some(IdRef::Text(_)) => Ok(()),
    }
}

/// What RETURNING says of the row.
fn returns(table: &Table, session: &Session, row: i64) -> Result<()> {
    match table.face().run() {
        Some(run) => run.returns(table.face(), session.conn(), row),
        None => Ok(()),
    }
}

fn row_id(arg: Arg<'_>) -> Result<i64> {
    let id = arg.read(Type::Integer)?.as_i64();
    id.ok_or_else(|| err!(TypeMismatch, "a row id is an integer"))
}

/// The key that an UPDATE gives, where it is another.
fn changed_key<'a>(
    table: &Table,
    args: &'a Args<'_>,
    row: i64,
    id: &Id,
) -> Result<Option<IdRef<'a>>> {
    let (new_row, key) = (args.get(1)?, args.get(FIRST_COLUMN + table.key_index())?);
    let moves = new_row.read(Type::Integer)?.as_i64() != Some(row);
    if key.is_unchanged() && !moves {
        return Ok(None);
    }
    let new = if table.schema().stored.text_key {
        if moves {
            fail!(Refused, "the row id of table {} is the engine's own", table.schema().name());
        }
        text_key(table, key)?
    } else {
        let given = if moves { new_row } else { key };
        match given.read(Type::Integer)? {
            ValueRef::Integer(new) => IdRef::Integer(new),
            _ => return Err(mismatch()),
        }
    };
    Ok(Some(new).filter(|new| *new != id.as_ref()))
}

/// The key of the row with that row id; what it says is verified with the row.
fn key_of(table: &Table, session: &Session, row: i64) -> Result<Id> {
    let schema = table.schema();
    if !schema.stored.text_key {
        return Ok(Id::Integer(row));
    }
    let (key, row_id) = (quote(&schema.stored.key), quote(schema.stored.row_id()));
    let sql = format!("SELECT {key} FROM main.{} WHERE {row_id} = ?", schema.sql.physical);
    let key = session
        .conn()
        .first(&sql, &[ValueRef::Integer(row)], |row| Ok(Id::Text(row.text(0)?.to_owned())))?;
    key.ok_or_else(|| err!(NotFound, "the row has gone while it was written"))
}

/// The key that an INSERT gives; none where the engine chooses it.
fn new_key<'a>(table: &Table, args: &'a Args<'_>) -> Result<Option<IdRef<'a>>> {
    let stored = &table.schema().stored;
    let (row, key) = (args.get(1)?, args.get(FIRST_COLUMN + table.key_index())?);
    if stored.text_key {
        if !row.is_null() {
            fail!(Refused, "the row id of table {} is the engine's own", stored.name);
        }
        return text_key(table, key).map(Some);
    }
    let key = if key.is_null() { row } else { key };
    match key.read(Type::Integer)? {
        ValueRef::Null => Ok(None),
        ValueRef::Integer(id) => Ok(Some(IdRef::Integer(id))),
        _ => Err(mismatch()),
    }
}

fn text_key<'a>(table: &Table, key: Arg<'a>) -> Result<IdRef<'a>> {
    let name = &table.schema().stored.key;
    match key.read(Type::Text)? {
        ValueRef::Text(id) => Ok(IdRef::Text(id)),
        ValueRef::Null => Err(not_null(table, name)),
        other => Err(datatype(table, name, Type::Text, other)),
    }
}

fn mismatch() -> Error {
    err!(TypeMismatch, "datatype mismatch").with_sqlite_code(ffi::SQLITE_MISMATCH)
}

/// Brings values, under their columns' affinities, to the columns' types.
fn fit<'a, 'v>(
    table: &Table,
    values: impl Iterator<Item = (usize, &'a mut ValueRef<'v>)>,
) -> Result<()>
where
    'v: 'a,
{
    for (position, value) in values {
        let column = &table.schema().column(position)?.column;
        *value = match (column.kind, *value) {
            (_, ValueRef::Null)
            | (Type::Integer, ValueRef::Integer(_))
            | (Type::Text | Type::Json, ValueRef::Text(_) | ValueRef::Json(_))
            | (Type::Blob, ValueRef::Blob(_))
            | (Type::Boolean, ValueRef::Integer(0 | 1) | ValueRef::Boolean(_)) => *value,
            // SQLite keeps no sign of zero.
            (Type::Real, ValueRef::Real(v)) => ValueRef::Real(v + 0.0),
            #[allow(clippy::cast_precision_loss)] // as REAL affinity does
            (Type::Real, ValueRef::Integer(v)) => ValueRef::Real(v as f64),
            _ => return Err(datatype(table, &column.name, column.kind, *value)),
        };
    }
    Ok(())
}

/// The error of a key that a row has already, where one has it and where SQLite looks at keys before types.
fn key_taken(
    table: &Table,
    writer: &Writer<'_>,
    id: Option<IdRef<'_>>,
    mode: Mode,
) -> Result<Option<Error>> {
    let first =
        table.given().is_none_or(|given| given.upsert.first().is_none_or(Clause::leaves_keys_out));
    if !first || mode == Mode::Replace || table.schema().stored.text_key {
        return Ok(None);
    }
    let found = writer.in_the_way(id, &[], Some(Taken::Key))?;
    Ok(found.first().map(|_| taken(table, Taken::Key)))
}

fn datatype(table: &Table, column: &str, kind: Type, value: ValueRef<'_>) -> Error {
    let given = match value {
        ValueRef::Integer(_) => "INT",
        ValueRef::Real(_) => "REAL",
        ValueRef::Blob(_) => "BLOB",
        _ => "TEXT",
    };
    let (kind, table) = (kind.name().to_uppercase(), table.schema().name());
    err!(TypeMismatch, "cannot store {given} value in {kind} column {table}.{column}")
        .with_sqlite_code(ffi::SQLITE_CONSTRAINT_DATATYPE)
}

fn not_null(table: &Table, column: &str) -> Error {
    table.face().is_no_clash();
    err!(Conflict, "NOT NULL constraint failed: {}.{column}", table.schema().name())
        .with_sqlite_code(ffi::SQLITE_CONSTRAINT_NOTNULL)
}

/// A uniqueness that a write found taken, in SQLite's words; any other error as it is.
fn constraint(table: &Table, writer: &Writer<'_>, error: Error) -> Error {
    let (Some(what), ErrorKind::Conflict) = (writer.taken(), error.kind()) else {
        table.face().is_no_clash();
        return error;
    };
    // What ON CONFLICT is for has been met before.
    if table.given().is_some_and(|given| !given.upsert.iter().any(Clause::leaves_all_out)) {
        table.face().is_no_clash();
    }
    taken(table, what)
}

pub(super) fn taken(table: &Table, taken: Taken) -> Error {
    let stored = &table.schema().stored;
    let (column, code) = match taken {
        Taken::Key => (&stored.key, ffi::SQLITE_CONSTRAINT_PRIMARYKEY),
        Taken::Column(at) => {
            let column = stored.columns.get(at).map_or(&stored.key, |column| &column.column.name);
            (column, ffi::SQLITE_CONSTRAINT_UNIQUE)
        }
    };
    err!(Conflict, "UNIQUE constraint failed: {}.{column}", stored.name).with_sqlite_code(code)
}
