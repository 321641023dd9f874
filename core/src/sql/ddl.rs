//! DDL that names a sealed table, read from its text: ALTER TABLE, DROP, CREATE INDEX and TRIGGER, and
//! REFERENCES of a plain table.

use std::fmt::Write;
use std::sync::Arc;

use super::analysis::Name;
use super::statement::{Known, sealed};
use crate::db::schema::quote;
use crate::db::tokens::{Kind, Token, tokens};
use crate::error::{Result, fail};
use crate::table::definition::is_internal;
use crate::table::engine::State;
use crate::table::protect::kinds::by_name;
use crate::table::protect::written::{Reference, reference};
use crate::table::protect::{on_table, triggers};
use crate::table::schema::{Schema, StoredColumn};
use crate::table::{Alteration, Column, Protection};
use crate::value::Type;

/// A change of the schema that the engine carries out.
#[derive(Debug)]
pub(super) enum Change {
    Alter {
        table: String,
        alteration: Alteration,
    },
    Drop {
        table: String,
    },
    Index(NewIndex),
    /// Of a sealed table, or of any other.
    DropIndex {
        name: String,
    },
    /// `sql` is the text for the physical table.
    Trigger {
        table: String,
        name: String,
        sql: String,
    },
    /// Of a sealed table, or of any other.
    DropTrigger {
        name: String,
    },
}

impl Change {
    /// True where what stood in the file is gone afterwards.
    pub(super) fn erases(&self) -> bool {
        matches!(self, Change::Alter { .. } | Change::Drop { .. })
    }

    /// The sealed table, where the text says.
    pub(super) fn table(&self) -> Option<&str> {
        match self {
            Change::Alter { table, .. }
            | Change::Drop { table }
            | Change::Trigger { table, .. } => Some(table),
            Change::Index(index) => Some(&index.table),
            Change::DropIndex { .. } | Change::DropTrigger { .. } => None,
        }
    }

    /// True for what only the file tells to be a sealed table's, and may be SQLite's alone.
    pub(super) fn may_be_plain(&self) -> bool {
        matches!(self, Change::DropIndex { .. } | Change::DropTrigger { .. })
    }
}

/// A CREATE INDEX on a sealed table.
#[derive(Debug)]
pub(super) struct NewIndex {
    pub(super) table: String,
    pub(super) name: String,
    pub(super) unique: bool,
    /// True for IF NOT EXISTS.
    pub(super) if_missing: bool,
    /// The column, where it is over one and no more.
    pub(super) column: Option<String>,
    /// The text for the physical table.
    pub(super) sql: String,
}

/// The words of an ALTER, DROP or CREATE, from left to right.
struct Words<'t, 's> {
    sql: &'s str,
    rest: &'t [Token<'s>],
}

impl<'t, 's> Words<'t, 's> {
    fn first(&self) -> Option<&'t Token<'s>> {
        self.rest.first()
    }

    /// Goes on behind these words, if they come next.
    fn take(&mut self, words: &[&str]) -> bool {
        let there = words.iter().enumerate();
        let there = there.fold(true, |all, (at, word)| {
            all && self.rest.get(at).is_some_and(|token| token.is(word))
        });
        if there {
            self.rest = self.rest.get(words.len()..).unwrap_or_default();
        }
        there
    }

    fn name(&mut self) -> Option<String> {
        let name = self.rest.first()?.name()?;
        self.rest = self.rest.get(1..)?;
        Some(name)
    }

    /// A name that may have a schema's before it.
    fn qualified(&mut self) -> Option<Name> {
        let first = self.name()?;
        if self.first().is_some_and(|token| token.is_sign(".")) {
            self.rest = self.rest.get(1..)?;
            return Some(Name { schema: Some(first), table: self.name()? });
        }
        Some(Name { schema: None, table: first })
    }
}

/// What a statement is that changes the schema around a sealed table; none where it is SQLite's.
pub(super) fn know(sql: &str, state: &State) -> Result<Option<Known>> {
    let mut found = tokens(sql);
    while found.last().is_some_and(|token| token.is_sign(";")) {
        found.pop();
    }
    let mut words = Words { sql, rest: &found };
    let change = if words.take(&["ALTER", "TABLE"]) {
        let Some(name) = words.qualified() else { return Ok(None) };
        match sealed(state, &name) {
            Some(schema) => Some(alter(schema, &mut words)?),
            None => return references(sql, &found, state),
        }
    } else if words.take(&["DROP", "TABLE"]) {
        words.take(&["IF", "EXISTS"]);
        let name = words.qualified();
        let schema = name.as_ref().and_then(|name| sealed(state, name));
        schema.map(|schema| Change::Drop { table: schema.name().to_owned() })
    } else if words.take(&["DROP", "INDEX"]) {
        words.take(&["IF", "EXISTS"]);
        words.qualified().map(|name| Change::DropIndex { name: name.table })
    } else if words.take(&["DROP", "TRIGGER"]) {
        words.take(&["IF", "EXISTS"]);
        words.qualified().map(|name| Change::DropTrigger { name: name.table })
    } else if words.take(&["CREATE", "TRIGGER"]) {
        trigger(sql, &found, state)?
    } else if words.take(&["CREATE", "TEMP", "TRIGGER"])
        || words.take(&["CREATE", "TEMPORARY", "TRIGGER"])
    {
        uses_none(&found, state)?;
        None
    } else if words.take(&["CREATE", "TABLE"]) {
        return references(sql, &found, state);
    } else if words.take(&["CREATE", "INDEX"]) {
        index(&mut words, state, false)?
    } else if words.take(&["CREATE", "UNIQUE", "INDEX"]) {
        index(&mut words, state, true)?
    } else {
        None
    };
    Ok(change.map(|change| Known::Schema(Arc::new(change))))
}

fn alter(schema: &Schema, words: &mut Words<'_, '_>) -> Result<Change> {
    let table = schema.name().to_owned();
    let unknown = || fail!(Sql, "ALTER TABLE {} is not of a form that SQLite has", schema.name());
    let alteration = if words.take(&["RENAME", "TO"]) {
        let Some(to) = words.name() else { return unknown() };
        Alteration::RenameTable(to)
    } else if words.take(&["RENAME"]) {
        words.take(&["COLUMN"]);
        let Some(from) = words.name() else { return unknown() };
        let (true, Some(to)) = (words.take(&["TO"]), words.name()) else { return unknown() };
        not_key(schema, &from)?;
        Alteration::RenameColumn(from, to)
    } else if words.take(&["DROP"]) {
        words.take(&["COLUMN"]);
        let Some(name) = words.name() else { return unknown() };
        not_key(schema, &name)?;
        Alteration::DropColumn(name)
    } else if words.take(&["ADD"]) {
        words.take(&["COLUMN"]);
        let column = column(schema, words)?;
        words.rest = &[];
        Alteration::AddColumn(column)
    } else {
        return unknown();
    };
    if words.rest.is_empty() { Ok(Change::Alter { table, alteration }) } else { unknown() }
}

fn not_key(schema: &Schema, column: &str) -> Result<()> {
    if schema.is_key(column) {
        fail!(Refused, "{column} is the key of table {}, which stays as it is", schema.name());
    }
    Ok(())
}

/// Words behind a column's type.
const BEHIND_TYPE: &[&str] = &[
    "PLAIN",
    "AUTHENTICATED",
    "SEALED",
    "NOT",
    "NULL",
    "DEFAULT",
    "UNIQUE",
    "LOOKUP",
    "ACCEPT",
    "COLLATE",
    "CHECK",
    "REFERENCES",
    "PRIMARY",
    "GENERATED",
    "AS",
    "CONSTRAINT",
];

/// Constraints that a column of a sealed table is not added with.
const NOT_HERE: &[&str] =
    &["COLLATE", "CHECK", "REFERENCES", "PRIMARY", "GENERATED", "AS", "CONSTRAINT"];

/// The column of an ADD COLUMN: a name, a type as SQL has it, and then the words of [`Column::parse`]. It is sealed
/// unless they say otherwise.
fn column(schema: &Schema, words: &mut Words<'_, '_>) -> Result<Column> {
    let table = schema.name();
    let Some(name) = words.name() else { fail!(Sql, "ADD COLUMN names no column") };
    let behind =
        |token: &Token<'_>| token.depth == 0 && BEHIND_TYPE.iter().any(|word| token.is(word));
    let at = words.rest.iter().position(behind).unwrap_or(words.rest.len());
    let (declared, rest) = words.rest.split_at_checked(at).unwrap_or_default();
    let declared: Vec<&str> = declared.iter().map(|token| token.text).collect();
    let kind = by_name(&declared.join(" ")).unwrap_or(Type::Text);
    let mut specification = format!("{} {} sealed", quote(&name), kind.name());
    let mut end = None;
    for token in rest {
        if let Some(word) = NOT_HERE.iter().find(|word| token.depth == 0 && token.is(word)) {
            fail!(
                Refused,
                "column {name}: {word} is not for a column that is added to the sealed table {table}"
            );
        }
        if token.kind == Kind::Quoted || token.kind == Kind::Parameter {
            fail!(Sql, "column {name}: a name or parameter where none can be");
        }
        // A default may stand in parentheses.
        if !(token.is_sign("(") || token.is_sign(")")) {
            if end != Some(token.at) {
                specification.push(' ');
            }
            specification.push_str(token.text);
        }
        end = Some(token.end());
    }
    Column::parse(&specification)
}

fn index(words: &mut Words<'_, '_>, state: &State, unique: bool) -> Result<Option<Change>> {
    let if_missing = words.take(&["IF", "NOT", "EXISTS"]);
    let Some(name) = words.qualified() else { return Ok(None) };
    let true = words.take(&["ON"]) else { return Ok(None) };
    let Some(table) = words.name() else { return Ok(None) };
    let place = Name { schema: name.schema.clone(), table: table.clone() };
    let Some(schema) = sealed(state, &place) else {
        if sealed(state, &Name { schema: None, table: table.clone() }).is_some() {
            fail!(Sql, "an index of table {table} is in the schema main");
        }
        return Ok(None);
    };
    let name = name.table;
    if is_internal(&name) {
        fail!(NotAllowed, "the name {name} is the engine's");
    }
    for token in words.rest.iter().filter(|token| matches!(token.kind, Kind::Word | Kind::Quoted)) {
        let Some(word) = token.name() else { continue };
        let column = schema.position(&word).and_then(|position| schema.column(position));
        if column.as_ref().is_ok_and(|column| column.column.protection == Protection::Sealed) {
            fail!(
                Refused,
                "column {word} of table {table} is sealed, and SQLite could index only what stands in the file: a \
                 blind index finds its values (`unique` or `lookup N` in its specification, added by alter_table)"
            );
        }
        let hidden = schema.slots.iter().any(|slot| slot.name.eq_ignore_ascii_case(&word))
            || ["sealed", "sealite_rowid"].iter().any(|name| word.eq_ignore_ascii_case(name));
        if column.is_err() && hidden {
            fail!(NotFound, "table {table} has no column {word}");
        }
    }
    let column = match words.rest {
        [open, column, close] if open.is_sign("(") && close.is_sign(")") => column.name(),
        _ => None,
    };
    let column = column.filter(|column| schema.position(column).is_ok());
    let sql = on_table(words.sql, &schema.stored.physical());
    let table = schema.name().to_owned();
    Ok(Some(Change::Index(NewIndex { table, name, unique, if_missing, column, sql })))
}

fn trigger(sql: &str, tokens: &[Token<'_>], state: &State) -> Result<Option<Change>> {
    let Some(trigger) = triggers::read(sql) else { return Ok(None) };
    let place = Name { schema: None, table: trigger.table.clone() };
    let Some(schema) = sealed(state, &place) else {
        return uses_none(tokens, state).map(|()| None);
    };
    let (table, sql) = (schema.name().to_owned(), trigger.on_physical(schema)?);
    Ok(Some(Change::Trigger { table, name: trigger.name, sql }))
}

/// Refuses a trigger on another table that uses a sealed one: every statement that sets it off would fail.
fn uses_none(tokens: &[Token<'_>], state: &State) -> Result<()> {
    let is_sealed =
        |table: &str| sealed(state, &Name { schema: None, table: table.to_owned() }).is_some();
    match triggers::uses(tokens, is_sealed) {
        None => Ok(()),
        Some(table) => fail!(
            Refused,
            "a trigger can't use the sealed table {table}: the program does it instead"
        ),
    }
}

/// The sealed table that a foreign key refers to, where it is one.
pub(super) fn referred<'s>(state: &'s State, found: &Reference) -> Result<Option<&'s Arc<Schema>>> {
    let name = Name { schema: None, table: found.parent.clone() };
    let Some(schema) = sealed(state, &name) else { return Ok(None) };
    let refers = |column: &String| {
        let plain = schema.position(column).and_then(|position| schema.column(position));
        let is_plain = |c: &StoredColumn| c.column.protection == Protection::Plain;
        schema.is_key(column) || plain.is_ok_and(|c| is_plain(c) && schema.is_unique(column))
    };
    if let Some(column) = found.to.iter().find(|column| !refers(column)) {
        fail!(
            Refused,
            "{column} of the sealed table {} is neither its key nor plain and unique: refer to its key, {}",
            schema.name(),
            schema.stored.key
        );
    }
    Ok(Some(schema))
}

/// A statement on a plain table whose REFERENCES name sealed tables: what refers to them, refers to their physical side.
fn references(sql: &str, tokens: &[Token<'_>], state: &State) -> Result<Option<Known>> {
    let mut out = String::new();
    let mut done = 0;
    for (at, _) in tokens.iter().enumerate().filter(|(_, token)| token.is("REFERENCES")) {
        let rest = tokens.get(at + 1..).unwrap_or_default();
        let (Some(parent), Some((found, _))) = (rest.first(), reference(sql, rest)) else {
            continue;
        };
        let Some(schema) = referred(state, &found)? else { continue };
        out.push_str(sql.get(done..parent.at).unwrap_or_default());
        out.push_str(&quote(&schema.stored.physical()));
        if found.to.is_empty() && schema.stored.text_key {
            let _ = write!(out, " ({})", quote(&schema.stored.key));
        }
        done = parent.end();
    }
    if done == 0 {
        return Ok(None);
    }
    out.push_str(sql.get(done..).unwrap_or_default());
    Ok(Some(Known::Instead(out)))
}
