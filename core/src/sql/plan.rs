//! How the rows of a statement are found: by key, by an index, or by a walk.

use std::cell::RefCell;
use std::fmt::Write;
use std::rc::Rc;

use super::index_info::{Constraint, IndexInfo, Op};
use super::table::{BINARY, Table};
use crate::db::schema::quote;
use crate::db::{Conn, RawStmt};
use crate::error::Result;
use crate::table::definition::Protection;
use crate::value::Type;

/// A way to find rows, compiled into statements.
pub(super) struct Plan {
    sql: String,
    pub(super) terms: Vec<Term>,
    /// True where what led to a row is authenticated: the row is opened before it counts.
    pub(super) opens: bool,
    /// True where the statement reads the record.
    pub(super) records: bool,
    /// True where every record of the table is opened.
    pub(super) walk: bool,
    pub(super) reads: Rc<Reads>,
    /// For a number where a text leads: what it is equal to as a number, an index of texts does not say.
    pub(super) beside: Option<Rc<Plan>>,
    /// What stands before and behind the condition on a blind index, where that leads.
    around: Option<(String, String)>,
    /// The same for several values, as they stand while an index key is rotated, and for how many.
    across: RefCell<Option<(usize, Rc<Plan>)>>,
    /// Statements that no cursor uses now.
    idle: RefCell<Vec<RawStmt>>,
}

/// What the statement of a plan gives; the rest is NULL in it.
pub(super) struct Reads {
    slots: Vec<bool>,
    pub(super) key: bool,
}

impl Reads {
    /// True where it gives the value of that slot.
    pub(super) fn slot(&self, slot: usize) -> bool {
        self.slots.get(slot).copied().unwrap_or(false)
    }
}

/// A condition that SQLite hands on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Term {
    pub(super) on: On,
    pub(super) op: Op,
    pub(super) is_in: bool,
}

/// What a condition is on; a column by its position.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum On {
    Key,
    Column(usize),
    Blind(usize),
}

impl Plan {
    pub(super) fn is_like(&self, other: &Plan) -> bool {
        self.sql == other.sql
            && self.terms == other.terms
            && self.opens == other.opens
            && self.records == other.records
            && self.walk == other.walk
    }

    /// The plan for rows that hold one of `count` values of the blind index that leads: they are parameters from 1 on.
    pub(super) fn across(&self, count: usize) -> Option<Rc<Plan>> {
        let (before, behind) = self.around.as_ref()?;
        let mut across = self.across.borrow_mut();
        if let Some((_, plan)) = across.as_ref().filter(|(of, _)| *of == count) {
            return Some(Rc::clone(plan));
        }
        let marks: Vec<String> = (1..=count).map(|number| format!("?{number}")).collect();
        let sql = format!("{before} IN ({}){behind}", marks.join(", "));
        let plan = Rc::new(Plan {
            sql,
            terms: self.terms.clone(),
            opens: self.opens,
            records: self.records,
            walk: self.walk,
            reads: Rc::clone(&self.reads),
            beside: None,
            around: None,
            across: RefCell::default(),
            idle: RefCell::default(),
        });
        *across = Some((count, Rc::clone(&plan)));
        Some(plan)
    }

    /// A statement that runs the plan.
    pub(super) fn statement(&self, conn: &Conn) -> Result<RawStmt> {
        match self.idle.borrow_mut().pop() {
            Some(stmt) => Ok(stmt),
            None => RawStmt::prepare(conn, &self.sql),
        }
    }

    /// Takes a statement back.
    pub(super) fn give_back(&self, mut stmt: RawStmt) {
        stmt.reset();
        stmt.clear();
        if let Ok(mut idle) = self.idle.try_borrow_mut()
            && idle.len() < MAX_IDLE
        {
            idle.push(stmt);
        }
    }
}

/// Statements that a plan keeps compiled.
const MAX_IDLE: usize = 4;

/// Rows that a table is taken to have: SQLite's own guess where it knows nothing.
const ROWS: i64 = 1_048_576;

/// Candidates from the best down, with their cost and rows.
struct Choice {
    taken: Vec<Constraint>,
    terms: Vec<Term>,
    unique: bool,
    cost: f64,
    rows: i64,
    label: String,
}

/// Answers `xBestIndex`.
pub(super) fn choose(table: &Table, info: &mut IndexInfo<'_>) {
    let mut choice = best(table, info);
    let texts = choice.terms.iter().any(|term| is_text(table, term.on));
    // The numbers of a text may be many.
    choice.unique &= !texts;
    let leads_secretly = choice.terms.iter().any(|term| match term.on {
        On::Key => false,
        On::Column(at) => is_protected(table, at),
        On::Blind(_) => true,
    });
    let order = order(table, info);
    let ordered = order.as_ref().filter(|_| !choice.unique);
    let sorts_secretly =
        ordered.is_some_and(|order| order.position.is_some_and(|at| is_protected(table, at)));
    let opens = leads_secretly || sorts_secretly;
    let used = |position: usize| info.uses(table.index_of(position));
    let records = opens
        || table
            .columns()
            .iter()
            .enumerate()
            .any(|(at, place)| used(at) && (is_protected(table, at) || place.slot.is_none()));
    // What is authenticated is read with the record; of the rest what the statement uses.
    let holder = |slot: usize| {
        let mut all = table.columns().iter().enumerate();
        all.find(|(_, place)| place.slot == Some(slot) && place.protection == Protection::Plain)
    };
    let slots = (0..table.schema().slots.len())
        .map(|slot| holder(slot).map_or(records, |(position, _)| used(position)))
        .collect();
    // An integer key is the row id.
    let stands_alone = table.schema().stored.text_key && info.uses(table.key_index());
    let reads = Rc::new(Reads { slots, key: records || stands_alone });
    let walk = choice.terms.is_empty() && records;
    for (argument, (constraint, term)) in choice.taken.iter().zip(&choice.terms).enumerate() {
        let exact = constraint.op == Op::Eq && is_exact(table, info, *constraint, term.on);
        info.take(*constraint, argument, exact);
    }
    if order.is_some() || choice.unique && !info.order().is_empty() {
        info.set_ordered();
    }
    if choice.unique {
        info.set_unique();
    }
    let mut label = choice.label;
    if let Some(order) = ordered {
        let descending = if order.descends { " desc" } else { "" };
        let _ = write!(label, ", order by {}{descending}", order.name);
    }
    if !records {
        label.push_str(", no record opened");
    }
    let plan = |terms: Vec<Term>, opens, walk, beside| {
        let Text { sql, around } = sql(table, &terms, ordered, records, &reads);
        let (across, idle) = (RefCell::default(), RefCell::default());
        let reads = Rc::clone(&reads);
        Plan { sql, terms, opens, records, walk, reads, beside, around, across, idle }
    };
    let beside = texts.then(|| Rc::new(plan(Vec::new(), sorts_secretly, records, None)));
    let plan = plan(choice.terms, opens, walk, beside);
    let cost = if records { choice.cost * 3.0 } else { choice.cost };
    info.answer(table.keep(plan), &label, cost, choice.rows);
}

/// True where the plan finds the rows that SQLite would find equal, and no other: by the key, or by the 128 bits of a
/// unique blind index, compared as the column is.
fn is_exact(table: &Table, info: &IndexInfo<'_>, constraint: Constraint, on: On) -> bool {
    match on {
        _ if is_text(table, on) => false,
        On::Key => true,
        On::Column(_) => false,
        On::Blind(position) => table.columns().get(position).is_some_and(|place| {
            place.unique && info.collation(constraint).eq_ignore_ascii_case(place.collation)
        }),
    }
}

fn is_text(table: &Table, on: On) -> bool {
    match on {
        On::Key => table.schema().stored.text_key,
        On::Column(position) | On::Blind(position) => table
            .columns()
            .get(position)
            .is_some_and(|place| matches!(place.kind, Type::Text | Type::Json)),
    }
}

/// True where the column's value is not to be shown before the row is verified.
fn is_protected(table: &Table, position: usize) -> bool {
    table.columns().get(position).is_none_or(|place| place.protection != Protection::Plain)
}

fn best(table: &Table, info: &IndexInfo<'_>) -> Choice {
    let stored = &table.schema().stored;
    let mut found: Option<Choice> = None;
    let mut offer = |choice: Choice| {
        if found.as_ref().is_none_or(|found| choice.cost < found.cost) {
            found = Some(choice);
        }
    };
    let constraints = info.constraints();
    for constraint in &constraints {
        let Some((on, unique, name)) = led(table, info, *constraint) else { continue };
        let name = if on == On::Key { stored.key.clone() } else { name };
        if constraint.op.is_equality() {
            // NULL may stand in many rows of a unique column.
            let unique = unique && constraint.op == Op::Eq;
            let (cost, rows) = if unique { (4.0, 1) } else { (40.0, 16) };
            let how = if matches!(on, On::Blind(_)) { "blind index" } else { "index" };
            let label =
                if on == On::Key { format!("key {name} =") } else { format!("{how} {name} =") };
            let cost = if on == On::Key { 2.0 } else { cost };
            let terms = vec![Term { on, op: constraint.op, is_in: info.is_in(*constraint) }];
            offer(Choice { taken: vec![*constraint], terms, unique, cost, rows, label });
        } else if !matches!(on, On::Blind(_)) {
            let lower = constraint.op.is_lower();
            let other = constraints.iter().find(|other| {
                other.at > constraint.at
                    && !other.op.is_equality()
                    && other.op.is_lower() != lower
                    && led(table, info, **other).is_some_and(|(there, ..)| there == on)
            });
            let taken: Vec<Constraint> = [*constraint].into_iter().chain(other.copied()).collect();
            let terms: Vec<Term> =
                taken.iter().map(|c| Term { on, op: c.op, is_in: false }).collect();
            let rows = if terms.len() > 1 { ROWS / 64 } else { ROWS / 4 };
            let ops: Vec<&str> = terms.iter().map(|term| term.op.sql()).collect();
            let lead = if on == On::Key { "key" } else { "index" };
            let label = format!("{lead} {name} {}", ops.join(" and "));
            #[allow(clippy::cast_precision_loss)] // a guess
            let cost = rows as f64 * 2.0;
            offer(Choice { taken, terms, unique: false, cost, rows, label });
        }
    }
    found.unwrap_or_else(|| Choice {
        taken: Vec::new(),
        terms: Vec::new(),
        unique: false,
        #[allow(clippy::cast_precision_loss)] // a guess
        cost: ROWS as f64 * 3.0,
        rows: ROWS,
        label: "scan".to_owned(),
    })
}

/// What a condition leads by, where it does: the key or an index, whether one row at most is there, the column's name.
fn led(table: &Table, info: &IndexInfo<'_>, constraint: Constraint) -> Option<(On, bool, String)> {
    let schema = table.schema();
    let binary = || info.collation(constraint).eq_ignore_ascii_case(BINARY);
    match constraint.column {
        None if schema.stored.text_key => None,
        None => Some((On::Key, true, String::new())),
        Some(index) if index == table.key_index() => {
            let leads = !schema.stored.text_key || constraint.op == Op::Eq && binary();
            leads.then(|| (On::Key, true, String::new()))
        }
        Some(index) => {
            let (position, place) = table.column(index)?;
            let name = schema.column(position).ok()?.column.name.clone();
            if place.blind.is_some() {
                // What is equal byte for byte has the same index value under every normaliser.
                let fits =
                    binary() || info.collation(constraint).eq_ignore_ascii_case(place.collation);
                return (constraint.op.is_equality() && fits).then_some((
                    On::Blind(position),
                    place.unique,
                    name,
                ));
            }
            (place.indexed && binary()).then_some((On::Column(position), place.unique, name))
        }
    }
}

/// An order that the rows can be had in.
struct Order {
    /// The column; none for the key.
    position: Option<usize>,
    descends: bool,
    name: String,
    physical: String,
}

fn order(table: &Table, info: &IndexInfo<'_>) -> Option<Order> {
    let stored = &table.schema().stored;
    let wanted = info.order();
    let [(column, descends)] = *wanted.as_slice() else { return None };
    match column {
        None => Some(Order {
            position: None,
            descends,
            name: "rowid".to_owned(),
            physical: quote(stored.row_id()),
        }),
        Some(index) if index == table.key_index() => Some(Order {
            position: None,
            descends,
            name: stored.key.clone(),
            physical: quote(&stored.key),
        }),
        Some(index) => {
            let (position, place) = table.column(index)?;
            let slot = table.schema().slots.get(place.slot.filter(|_| place.indexed)?)?;
            let name = slot.name.clone();
            Some(Order { position: Some(position), descends, physical: quote(&name), name })
        }
    }
}

/// The text of a plan.
struct Text {
    sql: String,
    around: Option<(String, String)>,
}

/// The SELECT of a plan: row id, key, record, slots, as all the engine's are; what is not read is NULL.
fn sql(table: &Table, terms: &[Term], order: Option<&Order>, records: bool, reads: &Reads) -> Text {
    let schema = table.schema();
    let stored = &schema.stored;
    let read = |name: &str, is_read| if is_read { quote(name) } else { "NULL".to_owned() };
    let slots =
        schema.slots.iter().zip(&reads.slots).map(|(slot, is_read)| read(&slot.name, *is_read));
    let first = [quote(stored.row_id()), read(&stored.key, reads.key), read("sealed", records)];
    let columns: Vec<String> = first.into_iter().chain(slots).collect();
    let mut sql = format!("SELECT {} FROM main.{}", columns.join(", "), schema.sql.physical);
    let mut before = None;
    for (at, term) in terms.iter().enumerate() {
        let place = |position: usize| table.columns().get(position);
        let slot = match term.on {
            On::Key => None,
            On::Column(position) => place(position).and_then(|place| place.slot),
            On::Blind(position) => place(position).and_then(|place| place.blind),
        };
        let name =
            slot.and_then(|slot| schema.slots.get(slot)).map_or(&stored.key, |slot| &slot.name);
        sql.push_str(if at == 0 { " WHERE " } else { " AND " });
        sql.push_str(&quote(name));
        if matches!(term.on, On::Blind(_)) {
            before = Some(sql.clone());
        }
        let _ = write!(sql, " {} ?{}", term.op.sql(), at + 1);
    }
    let behind = sql.len();
    if let Some(order) = order {
        let _ = write!(sql, " ORDER BY {}", order.physical);
        if order.descends {
            sql.push_str(" DESC");
        }
    }
    // A condition of equality leads alone.
    let around = before.map(|before| (before, sql.get(behind..).unwrap_or_default().to_owned()));
    Text { sql, around }
}
