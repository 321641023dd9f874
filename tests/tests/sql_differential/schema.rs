//! Tables: declared to the engine, and to SQLite as STRICT tables.

use std::fmt::Write;

use rusqlite::Connection;
use sealite::{Column, Index, Normaliser, TableDefinition, Value};

use super::dice::Dice;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Integer,
    Real,
    Text,
    Blob,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Indexed {
    No,
    Lookup,
    Unique,
}

#[derive(Clone, Debug)]
pub(crate) struct Col {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// 0 is plain, 1 authenticated, 2 sealed.
    protection: usize,
    pub(crate) indexed: Indexed,
    pub(crate) not_null: bool,
    default: Option<(Value, &'static str)>,
    /// Compared without regard to case and spaces.
    pub(crate) folded: bool,
}

/// A table, by its declaration.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    pub(crate) text_key: bool,
    pub(crate) columns: Vec<Col>,
}

/// The plain table that stands beside the sealed ones.
pub(crate) const ORDERS: &str =
    "CREATE TABLE orders (id INTEGER PRIMARY KEY, who INTEGER, total REAL, note TEXT)";

impl Shape {
    pub(crate) fn roll(dice: &mut Dice, name: &'static str, text_key: bool) -> Self {
        const NAMES: [&str; 7] = ["a", "b", "c", "d", "e", "f", "g h"];
        let columns = NAMES.iter().take(3 + dice.below(5)).map(|name| column(dice, name)).collect();
        Shape { name, text_key, columns }
    }

    pub(crate) fn definition(&self) -> TableDefinition {
        let mut definition = TableDefinition::new(self.name);
        if self.text_key {
            definition = definition.text_key("id");
        }
        for column in &self.columns {
            let mut declared = match column.kind {
                Kind::Integer => Column::integer(column.name),
                Kind::Real => Column::real(column.name),
                Kind::Text => Column::text(column.name),
                Kind::Blob => Column::blob(column.name),
            };
            declared = match column.protection {
                0 => declared,
                1 => declared.authenticated(),
                _ => declared.sealed(),
            };
            if column.not_null {
                declared = declared.not_null();
            }
            if let Some((value, _)) = &column.default {
                declared = declared.default(value.clone());
            }
            let index = match column.indexed {
                Indexed::No => None,
                Indexed::Lookup => Some(Index::lookup(10_000)),
                Indexed::Unique => Some(Index::unique()),
            };
            if let Some(mut index) = index {
                if column.folded {
                    index = index.normaliser(Normaliser::Text);
                }
                declared = declared.index(index);
            }
            definition = definition.column(declared);
        }
        definition
    }

    /// Declares the table to plain SQLite.
    pub(crate) fn declare(&self, plain: &Connection) {
        let key = if self.text_key {
            "TEXT PRIMARY KEY NOT NULL"
        } else {
            "INTEGER PRIMARY KEY AUTOINCREMENT"
        };
        let mut sql = format!("CREATE TABLE {} (id {key}", self.name);
        for column in &self.columns {
            let kind = format!("{:?}", column.kind).to_uppercase();
            write!(sql, ", \"{}\" {kind}", column.name).unwrap();
            for (is, words) in [
                (column.not_null, " NOT NULL"),
                (column.folded, " COLLATE folded"),
                (column.indexed == Indexed::Unique, " UNIQUE"),
            ] {
                if is {
                    sql.push_str(words);
                }
            }
            if let Some((_, literal)) = &column.default {
                write!(sql, " DEFAULT {literal}").unwrap();
            }
        }
        sql.push_str(") STRICT");
        for column in self.columns.iter().filter(|column| column.indexed == Indexed::Lookup) {
            let name = column.name;
            write!(sql, "; CREATE INDEX \"{0} {name}\" ON {0} (\"{name}\")", self.name).unwrap();
        }
        plain.execute_batch(&sql).unwrap();
    }
}

/// A plain SQLite with a comparison that is the engine's `sealite_text` for the texts that occur here.
pub(crate) fn plain() -> Connection {
    let plain = Connection::open_in_memory().unwrap();
    let fold = |text: &str| text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
    plain.create_collation("folded", move |a: &str, b: &str| fold(a).cmp(&fold(b))).unwrap();
    plain
}

fn column(dice: &mut Dice, name: &'static str) -> Col {
    let kind = [Kind::Text, Kind::Text, Kind::Integer, Kind::Integer, Kind::Real, Kind::Blob]
        [dice.below(6)];
    let protection = dice.below(3);
    let can_index = protection < 2 || kind != Kind::Real;
    let indexed = match dice.below(6) {
        0 if can_index => Indexed::Unique,
        1 | 2 if can_index => Indexed::Lookup,
        _ => Indexed::No,
    };
    let folded = kind == Kind::Text && protection == 2 && indexed != Indexed::No && dice.one_in(2);
    let default = dice.one_in(3).then(|| match kind {
        Kind::Integer => (Value::Integer(7), "7"),
        Kind::Real => (Value::Real(0.5), "0.5"),
        Kind::Text => (Value::Text("deflt".to_owned()), "'deflt'"),
        Kind::Blob => (Value::Blob(vec![7]), "x'07'"),
    });
    Col { name, kind, protection, indexed, not_null: dice.one_in(4), default, folded }
}
