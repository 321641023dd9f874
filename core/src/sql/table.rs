//! A sealed table as SQLite sees it: its columns, how each is kept, and the plans by which its rows are found.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::fmt::Write;
use std::rc::Rc;
use std::sync::{Arc, Weak};

use super::face::{Face, FaceRef, Given, Step};
use super::plan::Plan;
use crate::db::collation;
use crate::db::schema::quote;
use crate::error::{Result, err};
use crate::table::definition::{Protection, is_internal};
use crate::table::engine::State;
use crate::table::schema::{Outside, Schema, SlotSource, StoredColumn};
use crate::table::session::Session;
use crate::table::{Sealer, Spot, Target, Writer};
use crate::value::Type;

/// A table of a connection.
pub(super) struct Table {
    face: FaceRef,
    schema: Arc<Schema>,
    /// The name in lower case.
    lower: String,
    columns: Vec<ColumnPlace>,
    /// How many of them SQLite counts before the key.
    key_at: usize,
    /// Every plan that a statement was compiled to, by its number.
    plans: RefCell<Vec<Rc<Plan>>>,
    sealer: RefCell<Option<Arc<Sealer>>>,
    /// The last state that the table was found to be of. Weak: a table keeps no keys.
    seen: RefCell<Weak<State>>,
    /// Room for the places of a row's values, from the last cursor.
    spare: RefCell<Vec<Spot>>,
}

/// Where a column's values are.
pub(super) struct ColumnPlace {
    pub(super) kind: Type,
    pub(super) protection: Protection,
    /// The slot of the physical table that holds the value of every row, where one does.
    pub(super) slot: Option<usize>,
    /// The slot of the blind index, where it is complete.
    pub(super) blind: Option<usize>,
    /// True where SQLite has an index of its own on the column.
    pub(super) indexed: bool,
    pub(super) unique: bool,
    pub(super) collation: &'static str,
}

/// Whether SQL shows the table: the engine's own are not there, and those of tenants belong to one tenant each.
pub(super) fn shows(schema: &Schema) -> bool {
    !is_internal(schema.name()) && !schema.stored.per_tenant
}

impl Table {
    pub(super) fn connect(face: &Face, name: &str) -> Result<Self> {
        let step = face.step()?;
        let schema = step.state.table(name)?;
        if !shows(schema) {
            return Err(err!(NotFound, "there is no sealed table {name}"));
        }
        let place = |(position, column)| place(schema, position, column);
        Ok(Table {
            face: FaceRef::new(face),
            schema: Arc::clone(schema),
            lower: schema.name().to_lowercase(),
            columns: schema.columns().enumerate().map(place).collect(),
            key_at: schema.key_at(),
            plans: RefCell::default(),
            sealer: RefCell::default(),
            seen: RefCell::default(),
            spare: RefCell::default(),
        })
    }

    pub(super) fn face(&self) -> &Face {
        self.face.get()
    }

    pub(super) fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// What the running statement's text says of its INSERT into this table.
    pub(super) fn given(&self) -> Option<Arc<Given>> {
        self.face().given(&self.lower)
    }

    pub(super) fn target(&self) -> Target<'_> {
        Target { name: self.schema.name(), tenant: None }
    }

    /// The column that SQLite counts so; none for the key.
    pub(super) fn column(&self, index: usize) -> Option<(usize, &ColumnPlace)> {
        let position = match index.cmp(&self.key_at) {
            Ordering::Less => index,
            Ordering::Equal => return None,
            Ordering::Greater => index.checked_sub(1)?,
        };
        Some((position, self.columns.get(position)?))
    }

    /// How SQLite counts the key.
    pub(super) fn key_index(&self) -> usize {
        self.key_at
    }

    /// How SQLite counts a column.
    pub(super) fn index_of(&self, position: usize) -> usize {
        position + usize::from(position >= self.key_at)
    }

    pub(super) fn columns(&self) -> &[ColumnPlace] {
        &self.columns
    }

    /// The declaration that SQLite gets. Defaults are the engine's: SQLite keeps none for virtual tables.
    pub(super) fn declaration(&self) -> String {
        let stored = &self.schema.stored;
        let key = if stored.text_key { "TEXT NOT NULL PRIMARY KEY" } else { "INTEGER PRIMARY KEY" };
        let mut parts = Vec::with_capacity(self.columns.len() + 1);
        for (column, place) in self.schema.columns().zip(&self.columns) {
            let mut sql = format!("{} {}", quote(&column.column.name), declared(place.kind));
            if column.column.not_null {
                sql.push_str(" NOT NULL");
            }
            if place.collation != BINARY {
                let _ = write!(sql, " COLLATE {}", place.collation);
            }
            parts.push(sql);
        }
        parts.insert(self.key_at.min(parts.len()), format!("{} {key}", quote(&stored.key)));
        format!("CREATE TABLE x ({})", parts.join(", "))
    }

    /// The number of a plan, which is kept for as long as the table.
    pub(super) fn keep(&self, plan: Plan) -> usize {
        let mut plans = self.plans.borrow_mut();
        if let Some(number) = plans.iter().position(|kept| kept.is_like(&plan)) {
            return number;
        }
        plans.push(Rc::new(plan));
        plans.len() - 1
    }

    pub(super) fn plan(&self, number: usize) -> Result<Rc<Plan>> {
        let plan = self.plans.borrow().get(number).cloned();
        plan.ok_or_else(|| err!(Internal, "SQLite asks for a plan that was not made"))
    }

    /// The step that runs, in which the table is as it was when it was connected.
    pub(super) fn step(&self) -> Result<Step<'_>> {
        let step = self.face().step()?;
        let mut seen = self.seen.borrow_mut();
        if std::ptr::eq(Weak::as_ptr(&seen), Arc::as_ptr(&step.state)) {
            drop(seen);
            return Ok(step);
        }
        let now = step.state.table(self.schema.name())?;
        if Arc::ptr_eq(now, &self.schema) || now.stored == self.schema.stored {
            *seen = Arc::downgrade(&step.state);
            drop(seen);
            return Ok(step);
        }
        Err(err!(Busy, "table {} has been altered: run the statement again", self.schema.name()))
    }

    /// Room for the places of a row's values.
    pub(super) fn spots(&self) -> Vec<Spot> {
        self.spare.take()
    }

    /// Takes the room back.
    pub(super) fn give_back(&self, spots: Vec<Spot>) {
        *self.spare.borrow_mut() = spots;
    }

    /// SQLite lets go of the table. A connection of somebody else's is closed only where no statement is left on it.
    #[cfg(feature = "loadable")]
    pub(super) fn disconnect(self) {
        let face = FaceRef::new(self.face());
        drop(self);
        if face.get().is_guest()
            && let Ok(conn) = face.get().conn()
        {
            let _ = conn.forget_statements();
        }
    }

    /// The transaction is about to write its first row of this table.
    pub(super) fn begin(&self) -> Result<()> {
        match self.face().host() {
            Some(host) => {
                self.face().saved.join();
                host.begin(self.face().conn()?)
            }
            None => Ok(()),
        }
    }

    /// The transaction is about to commit.
    pub(super) fn sync(&self) -> Result<()> {
        match self.face().host() {
            Some(host) => {
                let face = self.face();
                face.counts.apart(face.handle, || host.sync(face.conn()?))
            }
            None => Ok(()),
        }
    }

    /// The transaction is over: a table keeps no keys beyond it.
    pub(super) fn end(&self) {
        self.sealer.take();
        self.face().saved.end();
    }

    /// A writer in the step's transaction.
    pub(super) fn writer<'t>(&'t self, session: &'t Session) -> Result<Writer<'t>> {
        let mut kept = self.sealer.borrow_mut();
        if let Some(sealer) = kept.as_ref().filter(|sealer| sealer.is_current(session)) {
            return Ok(Writer::over(session, sealer));
        }
        let writer = Writer::new(session, self.target())?;
        *kept = Some(Arc::clone(writer.sealer()));
        Ok(writer)
    }
}

/// The name of SQLite's own comparison.
pub(super) const BINARY: &str = "BINARY";

fn place(schema: &Schema, position: usize, column: &StoredColumn) -> ColumnPlace {
    let direct = |plan: &crate::table::schema::Plan| {
        matches!(plan.outside.get(position), Some(Outside::Slot(_)))
    };
    let at = schema.active.get(position).copied();
    let slot_of = |source: Option<SlotSource>| {
        schema.slots.iter().position(|slot| Some(slot.source) == source)
    };
    let slot = if column.physical && schema.plans.iter().all(direct) {
        slot_of(at.map(SlotSource::Column))
    } else {
        None
    };
    let complete = column.blind.as_ref().is_some_and(|blind| !blind.building);
    let index = column.column.index.as_ref();
    let normaliser = index.map(|index| index.normaliser);
    ColumnPlace {
        kind: column.column.kind,
        protection: column.column.protection,
        slot,
        blind: if complete { slot_of(at.map(SlotSource::Blind)) } else { None },
        indexed: slot.is_some() && index.is_some() && column.blind.is_none(),
        unique: index.is_some_and(|index| index.unique),
        collation: normaliser.and_then(collation).unwrap_or(BINARY),
    }
}

/// The declared type, which gives the affinity that comparisons have.
pub(super) fn declared(kind: Type) -> &'static str {
    match kind {
        Type::Integer => "INTEGER",
        Type::Real => "REAL",
        Type::Text => "TEXT",
        Type::Blob => "BLOB",
        Type::Boolean => "BOOLEAN",
        // A type of this name alone would have numeric affinity.
        Type::Json => "JSON TEXT",
    }
}
