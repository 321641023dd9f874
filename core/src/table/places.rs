//! Rows given by column name: which value belongs to which column.

use super::schema::Schema;
use super::write::Writer;
use crate::error::{Result, fail};
use crate::value::{Id, IdRef, ValueRef};

/// Where the values of a call belong.
pub(super) struct Places {
    /// For each column of the table, which of the given values it takes.
    columns: Vec<Option<usize>>,
    key: Option<usize>,
    given: usize,
}

impl Places {
    pub(super) fn of(schema: &Schema, names: &[&str]) -> Result<Self> {
        let mut places =
            Places { columns: vec![None; schema.active.len()], key: None, given: names.len() };
        for (at, name) in names.iter().enumerate() {
            let place = if schema.is_key(name) {
                Some(&mut places.key)
            } else {
                let position = schema.position(name)?;
                places.columns.get_mut(position)
            };
            match place {
                Some(slot @ None) => *slot = Some(at),
                _ => fail!(InvalidInput, "column {name} is given twice"),
            }
        }
        Ok(places)
    }
}

/// Inserts a row; its id.
pub(super) fn insert_row(
    writer: &Writer<'_>,
    places: &Places,
    given: &[ValueRef<'_>],
) -> Result<Id> {
    if given.len() != places.given {
        fail!(InvalidInput, "a row of {} values for {} columns", given.len(), places.given);
    }
    let schema = writer.schema();
    let id = match places.key.and_then(|at| given.get(at)) {
        None | Some(ValueRef::Null) => None,
        Some(ValueRef::Integer(id)) => Some(IdRef::Integer(*id)),
        Some(ValueRef::Text(id)) => Some(IdRef::Text(id)),
        Some(other) => fail!(TypeMismatch, "a primary key is never {}", other.type_name()),
    };
    let columns = schema.columns().zip(&places.columns);
    let values: Vec<ValueRef<'_>> = columns
        .map(|(column, place)| match place.and_then(|at| given.get(at)) {
            Some(value) => *value,
            None => column.column.default.as_ref().map_or(ValueRef::Null, |value| value.as_ref()),
        })
        .collect();
    writer.insert(id, &values)
}
