//! The rows that both sides store.

use sealite::{Column, Id, IdRef, Index, Normaliser, TableDefinition, Value, ValueRef};

use crate::people::people_from;

/// A table, its columns and its rows, in memory.
pub struct Dataset {
    /// The name of the table.
    pub table: String,
    /// The name of the primary key.
    pub key: String,
    /// True where the primary key is text.
    pub text_key: bool,
    /// True where rows are inserted under their ids; otherwise the store gives out 1, 2, 3 and so on.
    pub give_ids: bool,
    /// The columns beside the key, with their protections and indexes.
    pub columns: Vec<Column>,
    /// The ids of the rows.
    pub ids: Vec<Id>,
    /// The values of the rows, in the order of the columns.
    pub rows: Vec<Vec<Value>>,
}

impl Dataset {
    /// The benchmarks' rows: `count` people of seed 1; e-mail (unique), name and address sealed, role
    /// authenticated, plan plain.
    pub fn people(count: usize) -> Self {
        Self::people_from(1, count)
    }

    /// The same, from the id `first` on: a part of a table that does not fit into memory.
    pub fn people_from(first: i64, count: usize) -> Self {
        let email = Index::unique().normaliser(Normaliser::Email);
        let rows = people_from(first, count, 1).map(|person| {
            vec![
                Value::Text(person.email),
                Value::Text(person.name),
                Value::Text(person.address),
                Value::from(person.role),
                Value::from(person.plan),
            ]
        });
        Dataset {
            table: "users".into(),
            key: "id".into(),
            text_key: false,
            give_ids: false,
            columns: vec![
                Column::text("email").sealed().not_null().index(email),
                Column::text("name").sealed(),
                Column::text("address").sealed(),
                Column::text("role").authenticated(),
                Column::text("plan"),
            ],
            ids: (first..).take(count).map(Id::Integer).collect(),
            rows: rows.collect(),
        }
    }

    /// The same table with the first rows only.
    #[must_use]
    pub fn first(&self, count: usize) -> Dataset {
        Dataset {
            table: self.table.clone(),
            key: self.key.clone(),
            columns: self.columns.clone(),
            ids: self.ids.iter().take(count).cloned().collect(),
            rows: self.rows.iter().take(count).cloned().collect(),
            ..*self
        }
    }

    /// The declaration of the sealed table.
    pub fn definition(&self) -> TableDefinition {
        let table = TableDefinition::new(&self.table);
        let table =
            if self.text_key { table.text_key(&self.key) } else { table.integer_key(&self.key) };
        self.columns.iter().cloned().fold(table, TableDefinition::column)
    }

    /// The names of the columns that an insert gives.
    pub fn insert_names(&self) -> Vec<&str> {
        let key = self.give_ids.then_some(self.key.as_str());
        key.into_iter().chain(self.columns.iter().map(Column::name)).collect()
    }

    /// The values that an insert gives, a row; what both sides take, prepared outside any timing.
    pub fn insert_rows(&self) -> Vec<Vec<ValueRef<'_>>> {
        self.ids
            .iter()
            .zip(&self.rows)
            .map(|(id, row)| {
                let key = self.give_ids.then(|| id_value(id.as_ref()));
                key.into_iter().chain(row.iter().map(Value::as_ref)).collect()
            })
            .collect()
    }

    /// The values of a column, in the order of the rows.
    pub fn column_values(&self, name: &str) -> Option<impl Iterator<Item = ValueRef<'_>>> {
        let at = self.columns.iter().position(|column| column.name() == name)?;
        Some(self.rows.iter().filter_map(move |row| row.get(at)).map(Value::as_ref))
    }
}

/// An id as a value.
pub fn id_value(id: IdRef<'_>) -> ValueRef<'_> {
    match id {
        IdRef::Integer(id) => ValueRef::Integer(id),
        IdRef::Text(id) => ValueRef::Text(id),
        _ => ValueRef::Null,
    }
}

/// What a consumer makes of a value, the same on both sides: its length or its bits, summed up.
pub fn weigh(value: ValueRef<'_>) -> u64 {
    match value {
        ValueRef::Integer(v) => v.cast_unsigned(),
        ValueRef::Real(v) => v.to_bits(),
        ValueRef::Text(v) | ValueRef::Json(v) => v.len() as u64,
        ValueRef::Blob(v) => v.len() as u64,
        ValueRef::Boolean(v) => u64::from(v),
        _ => 1,
    }
}

/// Adds up the weights of values.
pub fn weigh_all<'v>(values: impl IntoIterator<Item = ValueRef<'v>>) -> u64 {
    values.into_iter().fold(0, |sum, value| sum.wrapping_add(weigh(value)))
}
