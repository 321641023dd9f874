//! Rows by the value of a column.

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::blind::BlindValue;
use super::definition::Protection;
use super::engine::State;
use super::read::{Target, get_into};
use super::row::RowSet;
use super::schema::{Outside, Plan, Schema, SlotSource};
use super::standing::{normaliser, standing};
use crate::db::Conn;
use crate::db::schema::quote;
use crate::error::{Result, err, fail};
use crate::index::normalise::Normaliser;
use crate::value::{IdRef, ValueRef};

/// The rows whose column has that value.
pub(crate) fn find(
    conn: &Conn,
    state: &State,
    target: Target<'_>,
    column: &str,
    value: ValueRef<'_>,
) -> Result<RowSet> {
    let schema = target.schema(state)?;
    let mut set = RowSet::new(Arc::clone(schema));
    let mut opener = target.opener(conn, state, schema);
    if schema.is_key(column) {
        let id = match value {
            ValueRef::Integer(id) => IdRef::Integer(id),
            ValueRef::Text(id) => IdRef::Text(id),
            other => fail!(TypeMismatch, "a primary key is never {}", other.type_name()),
        };
        get_into(conn, schema, &mut opener, target.tenant, id, &mut set)?;
        return Ok(set);
    }
    let position = schema.position(column)?;
    let stored = schema.column(position)?;
    let value = stored.column.kind.admit(value, column)?;
    let at = schema.active.get(position).copied();
    let (slot, blinds, truncated) = if let Some(blind) = &stored.blind {
        if blind.building {
            fail!(NotIndexed, "the index on column {column} is still being built");
        }
        let blinds = standing(conn, state, schema, target.tenant, stored, value)?;
        // Without an index key nothing was ever indexed.
        if blinds.is_empty() {
            return Ok(set);
        }
        let slot = slot_of(schema, at.map(SlotSource::Blind))?;
        (slot, blinds, blind.bits.is_some().then(|| normaliser(stored)))
    } else {
        let plain = |plan: &Plan| matches!(plan.outside.get(position), Some(Outside::Slot(_)));
        if stored.column.protection == Protection::Sealed {
            fail!(NotIndexed, "column {column} is sealed and has no index: it can't be searched");
        }
        if !schema.plans.iter().all(plain) || !stored.physical {
            fail!(NotIndexed, "column {column} is being added or its protection changed");
        }
        (slot_of(schema, at.map(SlotSource::Column))?, Vec::new(), None)
    };
    let (first, more) = match blinds.split_first() {
        Some((first, more)) => (first.as_ref(), more),
        None => (value, blinds.as_slice()),
    };
    let parameters = [Some(first), target.tenant.map(ValueRef::Text)].into_iter().flatten();
    let parameters: Vec<ValueRef<'_>> =
        parameters.chain(more.iter().map(BlindValue::as_ref)).collect();
    let across;
    let sql = match schema.slots.get(slot) {
        Some(slot) if more.is_empty() => slot.find.as_str(),
        Some(slot) => {
            across = find_across(schema, &slot.name, more.len());
            across.as_str()
        }
        None => "",
    };
    conn.prepare(sql)?.each(&parameters, |row| {
        let mark = set.mark();
        opener.open(row, None, &mut set)?;
        // A truncated index value stands for several values: what counts is the one that was opened.
        if let Some(normaliser) = truncated
            && !same(set.get(set.len() - 1, position + 1), value, normaliser)
        {
            set.take_back(mark);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(set)
}

/// The SELECT of the rows that hold one of several values: one statement, since a row may be moved from one to the other at
/// any time.
fn find_across(schema: &Schema, slot: &str, more: usize) -> String {
    let per_tenant = schema.stored.per_tenant;
    let first = if per_tenant { 3 } else { 2 };
    let mut marks = String::new();
    for number in first..first + more {
        let _ = write!(marks, ", ?{number}");
    }
    let mine = if per_tenant { " AND tenant = ?2" } else { "" };
    let row_id = quote(schema.stored.row_id());
    let slot = quote(slot);
    format!("{} WHERE {slot} IN (?1{marks}){mine} ORDER BY {row_id}", schema.sql.select)
}

/// True where both values have the same normal form.
fn same(found: ValueRef<'_>, wanted: ValueRef<'_>, normaliser: Normaliser) -> bool {
    match (found, wanted) {
        (ValueRef::Text(found), ValueRef::Text(wanted)) => {
            let mut first = zeroize::Zeroizing::new(String::new());
            let mut second = zeroize::Zeroizing::new(String::new());
            normaliser.normalise(found, &mut first) == normaliser.normalise(wanted, &mut second)
        }
        _ => found == wanted,
    }
}

fn slot_of(schema: &Schema, source: Option<SlotSource>) -> Result<usize> {
    let slot = schema.slots.iter().position(|slot| Some(slot.source) == source);
    slot.ok_or_else(|| err!(Internal, "a column without its place in table {}", schema.name()))
}
