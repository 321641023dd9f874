//! A walk over rows: each is opened once, and only when something of its record is asked for.

use std::ffi::c_int;
use std::rc::Rc;
use std::sync::Arc;

use super::face::Step;
use super::index_info::Op;
use super::plan::{On, Plan, Term};
use super::table::Table;
use super::values::{Arg, Args, Output};
use crate::db::RawStmt;
use crate::error::{Error, Result, err, fail};
use crate::table::blind::BlindValue;
use crate::table::definition::Protection;
use crate::table::engine::State;
use crate::table::schema::FIRST_SLOT;
use crate::table::{Buffers, Opener, Spot, standing};
use crate::value::{Id, Type, Value, ValueRef};

/// Where a statement stands in a table.
#[derive(Default)]
pub(super) struct Cursor {
    walk: Option<Walk>,
    /// What opening keeps from row to row; the payload of the opened row. Wiped in the end.
    buffers: Option<Buffers>,
    /// Where the opened row's values are.
    spots: Vec<Spot>,
    is_open: bool,
    /// The key that was asked for: it goes into the associated data, not what the row says.
    asked: Option<Id>,
    state: Option<Arc<State>>,
}

struct Walk {
    plan: Rc<Plan>,
    stmt: Option<RawStmt>,
}

impl Drop for Walk {
    fn drop(&mut self) {
        if let Some(stmt) = self.stmt.take() {
            self.plan.give_back(stmt);
        }
    }
}

impl Cursor {
    /// Begins the walk that a plan describes.
    pub(super) fn filter(&mut self, table: &Table, number: c_int, args: &Args<'_>) -> Result<()> {
        // What is compiled here is the engine's.
        let _turn = table.face().authority.engine();
        self.walk = None;
        self.asked = None;
        let number = usize::try_from(number).unwrap_or(usize::MAX);
        let mut plan = table.plan(number)?;
        if let Some(beside) = &plan.beside
            && args.has_number()
        {
            if plan.terms.iter().any(|term| term.is_in) {
                // SQLite compares the rows with the number's text then.
                fail!(
                    Refused,
                    "numbers by IN in a text column of table {}: CAST them AS TEXT",
                    table.schema().name()
                );
            }
            plan = Rc::clone(beside);
        }
        let step = table.step()?;
        if plan.walk && !step.conn.authority().scans {
            fail!(
                NotIndexed,
                "the statement would open every record of table {}: it names no key and no indexed column",
                table.schema().name()
            );
        }
        // A key may have been kept from another ring.
        if self.state.as_ref().is_none_or(|state| !Arc::ptr_eq(state, &step.state)) {
            self.buffers = None;
            self.state = Some(Arc::clone(&step.state));
        }
        let mut stmt = if let [Term { on: On::Blind(position), op, .. }] = plan.terms.as_slice() {
            let Some(values) = blind_values(table, &step, *position, *op, args.get(0)?)? else {
                return Ok(());
            };
            if values.len() > 1 {
                plan = plan.across(values.len()).ok_or_else(|| err!(Internal, "a plan of one"))?;
            }
            let mut stmt = plan.statement(step.conn)?;
            for (at, value) in values.iter().enumerate() {
                stmt.bind(at + 1, value.as_ref())?;
            }
            self.walk = Some(Walk { plan, stmt: Some(stmt) });
            return self.next(table);
        } else {
            plan.statement(step.conn)?
        };
        for (at, term) in plan.terms.iter().enumerate() {
            let there = bind(table, &mut stmt, at, *term, args.get(at)?, &mut self.asked)?;
            if !there {
                plan.give_back(stmt);
                return Ok(());
            }
        }
        self.walk = Some(Walk { plan, stmt: Some(stmt) });
        self.next(table)
    }

    /// Goes to the next row, or to the end.
    pub(super) fn next(&mut self, table: &Table) -> Result<()> {
        self.is_open = false;
        let Some(walk) = &mut self.walk else { return Ok(()) };
        let stmt =
            walk.stmt.as_mut().ok_or_else(|| err!(Internal, "a walk without its statement"))?;
        if !stmt.step()? {
            self.walk = None;
            return Ok(());
        }
        if walk.plan.opens {
            self.open(table)?;
        }
        Ok(())
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.walk.is_none()
    }

    pub(super) fn row_id(&self) -> Result<i64> {
        self.row()?.1.row().integer(0)
    }

    /// Gives a column of the row, or its key.
    pub(super) fn column(&mut self, table: &Table, index: c_int, output: &Output) -> Result<()> {
        if output.is_unchanged() {
            return Ok(());
        }
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        if index == table.key_index() {
            // An integer key is the row id.
            let is_text = table.schema().stored.text_key;
            let (walk, stmt) = self.row()?;
            if is_text && !walk.plan.reads.key {
                return Err(unread());
            }
            output.pass(&stmt.raw_value(usize::from(is_text)));
            return Ok(());
        }
        let Some((position, place)) = table.column(index) else {
            fail!(Internal, "SQLite asks for a column that is not declared");
        };
        if let (Protection::Plain, Some(slot)) = (place.protection, place.slot) {
            let (walk, stmt) = self.row()?;
            if !walk.plan.reads.slot(slot) {
                return Err(unread());
            }
            output.pass(&stmt.raw_value(FIRST_SLOT + slot));
            return Ok(());
        }
        if !self.is_open {
            self.open(table)?;
        }
        match self.spots.get(position) {
            Some(Spot::Null) => output.set(ValueRef::Null),
            Some(Spot::Slot(slot)) => output.pass(&self.row()?.1.raw_value(FIRST_SLOT + slot)),
            Some(Spot::Default) => {
                let default = table.schema().column(position)?.column.default.as_ref();
                output.set(default.map_or(ValueRef::Null, Value::as_ref));
            }
            Some(Spot::Payload(tag, range)) => {
                let payload = self.buffers.as_ref().map(|buffers| buffers.payload.as_slice());
                let bytes = payload.and_then(|payload| payload.get(range.clone()));
                output.set_tagged(*tag, bytes.ok_or_else(unopened)?)?;
            }
            None => return Err(unopened()),
        }
        Ok(())
    }

    /// Gives the table back what it lent.
    pub(super) fn close(self, table: &Table) {
        table.give_back(self.spots);
    }

    /// The walk, and the statement that stands on a row.
    fn row(&self) -> Result<(&Walk, &RawStmt)> {
        let row = self.walk.as_ref().and_then(|walk| Some((walk, walk.stmt.as_ref()?)));
        row.ok_or_else(|| err!(Internal, "SQLite reads behind the last row"))
    }

    /// Opens the row that the walk stands on.
    fn open(&mut self, table: &Table) -> Result<()> {
        let face = table.face();
        // Looking for a key is the engine's, too.
        let _turn = face.authority.engine();
        let (schema, conn) = (table.schema(), face.conn()?);
        let state = self.state.as_ref().ok_or_else(|| err!(Internal, "a walk without a state"))?;
        let stmt = self.walk.as_ref().and_then(|walk| walk.stmt.as_ref());
        let stmt = stmt.ok_or_else(|| err!(Internal, "SQLite reads behind the last row"))?;
        if self.spots.capacity() == 0 {
            self.spots = table.spots();
        }
        let buffers = self.buffers.take().unwrap_or_else(Buffers::take);
        let mut opener = Opener::with(buffers, conn, &state.ring, schema, None);
        let asked = self.asked.as_ref().map(Id::as_ref);
        let done = opener.open_in_place(&stmt.row(), asked, &mut self.spots);
        self.buffers = Some(opener.into_buffers());
        done?;
        self.is_open = true;
        Ok(())
    }
}

fn unopened() -> Error {
    err!(Internal, "a row was not opened")
}

/// SQLite said beforehand which columns the statement uses.
fn unread() -> Error {
    err!(Internal, "SQLite asks for a column that the statement was said not to use")
}

/// Binds the value of a condition on the key or a column; false where no row can have it.
fn bind(
    table: &Table,
    stmt: &mut RawStmt,
    at: usize,
    term: Term,
    arg: Arg<'_>,
    asked: &mut Option<Id>,
) -> Result<bool> {
    let schema = table.schema();
    let kind = match term.on {
        On::Key if schema.stored.text_key => Type::Text,
        On::Key => Type::Integer,
        On::Column(position) | On::Blind(position) => schema.column(position)?.column.kind,
    };
    let value = arg.read(kind)?;
    // Nothing compares to NULL but IS.
    if value.is_null() && term.op != Op::Is {
        return Ok(false);
    }
    if term.on == On::Key && term.op.is_equality() {
        *asked = match value {
            ValueRef::Integer(id) if !schema.stored.text_key => Some(Id::Integer(id)),
            ValueRef::Text(id) if schema.stored.text_key => Some(Id::Text(id.to_owned())),
            _ => return Ok(false),
        };
    }
    stmt.bind(at + 1, value)?;
    Ok(true)
}

/// The index values that stand for a condition's value; `None` where no row can have it.
fn blind_values(
    table: &Table,
    step: &Step<'_>,
    position: usize,
    op: Op,
    arg: Arg<'_>,
) -> Result<Option<Vec<BlindValue>>> {
    let schema = table.schema();
    let stored = schema.column(position)?;
    let value = arg.read(stored.column.kind)?;
    if value.is_null() && op != Op::Is {
        return Ok(None);
    }
    // A value that the column can't hold is in no row.
    let Ok(value) = stored.column.kind.admit(value, "") else { return Ok(None) };
    let values = standing(step.conn, &step.state, schema, None, stored, value)?;
    // Without an index key nothing was ever indexed.
    Ok(Some(values).filter(|values| !values.is_empty()))
}
