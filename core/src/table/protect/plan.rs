//! What protecting a plain table comes to: the sealed table that it becomes, and what stands against that.

use std::collections::HashMap;

use super::kinds;
use super::plain::{Plain, PlainColumn, PlainIndex, distinct};
use super::written::{Reference, names, on_table};
use crate::db::Conn;
use crate::db::schema::quote;
use crate::db::tokens::{Kind, tokens};
use crate::error::{Error, Result, fail};
use crate::index::normalise::Normaliser;
use crate::table::definition::{Column, Index, Protection, TableDefinition};
use crate::table::subject::Whose;
use crate::value::{Type, Value};

/// The plan of a conversion.
pub(super) struct Plan {
    pub(super) definition: TableDefinition,
    /// Constraints of the physical table, which is called as the first parameter of [`Plan::constraints`].
    references: Vec<Reference>,
    constraints: Vec<String>,
    pub(super) indexes: Vec<KeptIndex>,
    /// Triggers on the physical table.
    pub(super) triggers: Vec<String>,
    /// What is kept, in words.
    pub(super) kept: Vec<String>,
    /// What becomes another thing.
    pub(super) changed: Vec<String>,
    /// What can't be kept.
    pub(super) obstacles: Vec<String>,
}

/// An index of the application that goes on under its name.
pub(super) struct KeptIndex {
    /// Its CREATE INDEX on the physical table.
    pub(super) sql: String,
    /// The column whose index it is in the catalog.
    pub(super) catalog: Option<(String, Index)>,
}

/// A column as the words say it, and whether they name its type.
pub(super) type Wanted = (Column, bool);

/// What the words say.
pub(super) struct Words {
    pub(super) columns: Vec<Wanted>,
    /// What says whose a row is.
    pub(super) subject: Option<Whose<String>>,
}

/// Makes the plan.
pub(super) fn plan(conn: &Conn, source: &Plain, words: &Words) -> Result<Plan> {
    let Some((key, text_key)) = source.key().filter(|_| source.odd.is_none()) else {
        fail!(Refused, "table {} {}", source.name, source.odd.unwrap_or("has no key"));
    };
    let mut definition = TableDefinition::new(&source.name);
    definition =
        if text_key { definition.text_key(&key.name) } else { definition.integer_key(&key.name) };
    let wanted = words.columns.as_slice();
    definition.subject.clone_from(&words.subject);
    definition.subject = definition.whose();
    check_wanted(source, key, wanted)?;
    let mut plan = Plan {
        definition,
        references: Vec::new(),
        constraints: Vec::new(),
        indexes: Vec::new(),
        triggers: Vec::new(),
        kept: Vec::new(),
        changed: Vec::new(),
        obstacles: Vec::new(),
    };
    plan.definition.key_at = source.columns.iter().position(|c| c.key > 0).unwrap_or(0);
    for column in source.columns.iter().filter(|column| column.key == 0) {
        let wanted = wanted.iter().find(|(c, _)| c.name.eq_ignore_ascii_case(&column.name));
        let column = plan.column(conn, source, column, wanted)?;
        plan.definition.columns.push(column);
    }
    if text_key && source.look(conn, key)?.texts != super::plain::rows(conn, &source.name)? {
        plan.against(format!("the key {} holds values that are not text", key.name));
    }
    for index in &source.indexes {
        plan.index(conn, source, index)?;
    }
    plan.collations(source, key);
    plan.checks(source);
    plan.references(source, key, text_key);
    for dependent in &source.dependents {
        plan.dependent(source, dependent);
    }
    for column in &plan.definition.columns {
        if let Err(error) = column.check() {
            plan.obstacles.push(error.message().to_owned());
        }
    }
    Ok(plan)
}

fn check_wanted(plain: &Plain, key: &PlainColumn, wanted: &[Wanted]) -> Result<()> {
    let table = &plain.name;
    let mut seen: Vec<String> = Vec::new();
    for (column, _) in wanted {
        let name = &column.name;
        if name.eq_ignore_ascii_case(&key.name) {
            fail!(InvalidInput, "{name} is the key of table {table}, which stays as it is");
        }
        if !plain.columns.iter().any(|plain| plain.name.eq_ignore_ascii_case(name)) {
            fail!(NotFound, "table {table} has no column {name}");
        }
        if seen.contains(&name.to_lowercase()) {
            fail!(InvalidInput, "column {name} is named twice");
        }
        seen.push(name.to_lowercase());
    }
    if wanted.iter().all(|(column, _)| column.protection == Protection::Plain) {
        fail!(InvalidInput, "name a column of table {table} that is to be sealed or authenticated");
    }
    Ok(())
}

impl Plan {
    fn against(&mut self, what: String) {
        self.obstacles.push(what);
    }

    /// The table's constraints, where it is called so.
    pub(super) fn constraints(&self, physical: &str) -> Vec<String> {
        let references = self.references.iter().map(|reference| {
            let list = |names: &[String]| {
                names.iter().map(|name| quote(name)).collect::<Vec<_>>().join(", ")
            };
            let own = reference.parent.eq_ignore_ascii_case(&self.definition.name);
            let parent = quote(if own { physical } else { &reference.parent });
            let to = match reference.to.as_slice() {
                [] => String::new(),
                to => format!(" ({})", list(to)),
            };
            let columns = list(&reference.columns);
            format!("FOREIGN KEY ({columns}) REFERENCES {parent}{to} {}", reference.tail)
        });
        references.chain(self.constraints.iter().cloned()).collect()
    }

    fn column(
        &mut self,
        conn: &Conn,
        plain: &Plain,
        column: &PlainColumn,
        wanted: Option<&Wanted>,
    ) -> Result<Column> {
        let seen = plain.look(conn, column)?;
        let name = &column.name;
        let kind = match wanted {
            Some((wanted, true)) => wanted.kind,
            _ => kinds::kind_of(&column.declared, &seen),
        };
        let mut made = Column::new(name, kind);
        let misfits = kinds::misfits(kind, &seen);
        if misfits > 0 {
            self.against(format!(
                "column {name} holds {misfits} values that are not {}: change them, or name another type",
                kind.name()
            ));
        }
        made.not_null = column.not_null;
        let mut given: Option<Option<Value>> = None;
        if let Some((wanted, _)) = wanted {
            made.protection = wanted.protection;
            made.index.clone_from(&wanted.index);
            made.not_null |= wanted.not_null;
            given = wanted.default.as_ref().map(|default| Some(default.clone()));
        }
        made.default = match (given, &column.default) {
            (Some(given), _) => given.filter(|value| !value.as_ref().is_null()),
            (None, None) => None,
            (None, Some(text)) => match kinds::default(conn, text, kind) {
                Ok(default) => default,
                Err(error) => {
                    self.against(format!(
                        "column {name}: {}: name the column with a default of its own, or with \
                         default null for none",
                        error.message()
                    ));
                    None
                }
            },
        };
        let declared = column.declared.to_ascii_lowercase();
        if declared != kind.name() {
            self.changed.push(format!("column {name} ({declared}) is of type {}", kind.name()));
        }
        Ok(made)
    }

    /// The protection of a column; the key counts as plain.
    pub(super) fn protection(&self, name: &str) -> Protection {
        let mut columns = self.definition.columns.iter();
        let found = columns.find(|column| column.name.eq_ignore_ascii_case(name));
        found.map_or(Protection::Plain, |column| column.protection)
    }

    fn is_sealed(&self, name: &str) -> bool {
        self.protection(name) == Protection::Sealed
    }

    fn index(&mut self, conn: &Conn, plain: &Plain, index: &PlainIndex) -> Result<()> {
        let PlainIndex { name, unique, .. } = index;
        let words = if *unique { "unique index" } else { "index" };
        if index.of_key {
            if !index.binary {
                self.against("its key does not compare byte for byte".to_owned());
            }
            return Ok(());
        }
        let sealed = index.columns.iter().flatten().any(|column| self.is_sealed(column))
            || index.sql.as_deref().is_some_and(|sql| names(sql, |name| self.is_sealed(name)));
        let single = match index.columns.as_slice() {
            [Some(column)] if index.simple => Some(column),
            _ => None,
        };
        match (single, sealed) {
            (Some(column), true) => self.over_sealed(column, index),
            (None, true) => {
                self.against(format!("{words} {name} uses a sealed column: drop it first"));
            }
            (single, false) => {
                let single = single.filter(|_| index.binary);
                let at = single.and_then(|column| {
                    let mut columns = self.definition.columns.iter();
                    columns.position(|c| c.name.eq_ignore_ascii_case(column) && c.index.is_none())
                });
                let Some(sql) = &index.sql else {
                    // That of a UNIQUE constraint.
                    match at.and_then(|at| self.definition.columns.get_mut(at)) {
                        Some(column) => column.index = Some(Index::unique()),
                        None => self.unique(index),
                    }
                    return Ok(());
                };
                self.kept.push(format!("{words} {name}"));
                let catalog = match single.filter(|_| at.is_some()) {
                    Some(column) if *unique => Some((column.clone(), Index::unique())),
                    Some(column) => {
                        let values = distinct(conn, &plain.name, column)?;
                        Some((column.clone(), Index::lookup(values)))
                    }
                    None => None,
                };
                let taken = |kept: &KeptIndex| {
                    kept.catalog.as_ref().is_some_and(|(column, _)| Some(column) == single)
                };
                let catalog = catalog.filter(|_| !self.indexes.iter().any(taken));
                let sql = on_table(sql, &crate::table::schema::physical_name(&plain.name));
                self.indexes.push(KeptIndex { sql, catalog });
            }
        }
        Ok(())
    }

    /// A UNIQUE constraint over several columns.
    fn unique(&mut self, index: &PlainIndex) {
        let columns: Vec<String> = index.columns.iter().flatten().map(|c| quote(c)).collect();
        if !index.binary || columns.len() != index.columns.len() {
            return self.against("a UNIQUE constraint does not compare byte for byte".to_owned());
        }
        let constraint = format!("UNIQUE ({})", columns.join(", "));
        self.kept.push(constraint.clone());
        self.constraints.push(constraint);
    }

    /// An index over one column that is sealed: a blind one takes its place.
    fn over_sealed(&mut self, name: &str, index: &PlainIndex) {
        let mut columns = self.definition.columns.iter_mut();
        let Some(column) = columns.find(|column| column.name.eq_ignore_ascii_case(name)) else {
            return;
        };
        let words = if index.unique { "is unique" } else { "has an index" };
        let problem = match &column.index {
            None if index.unique && index.binary => {
                column.index = Some(Index::unique());
                None
            }
            Some(blind) if blind.unique || !index.unique => {
                let folds = matches!(blind.normaliser, Normaliser::Email | Normaliser::Text);
                (!index.binary && !folds).then_some("in its own collation: say `email` or `text`")
            }
            Some(_) => Some("and its blind index is not: say `unique`"),
            None if index.unique => {
                Some("in its own collation: say `unique email` or `unique text`")
            }
            None => Some("that does not work on sealed values: say `lookup N`, or drop it"),
        };
        match problem {
            None => self.changed.push(format!("the index of {name} is a blind index")),
            Some(problem) => self.against(format!("column {name} {words} {problem}")),
        }
    }

    fn collations(&mut self, plain: &Plain, key: &PlainColumn) {
        let mut columns: HashMap<&String, &String> = plain.written.collations.iter().collect();
        columns.retain(|_, collation| !collation.eq_ignore_ascii_case("BINARY"));
        for (name, collation) in columns {
            let mut made = self.definition.columns.iter();
            let made = made.find(|column| column.name.to_lowercase() == *name);
            let folds = made.and_then(|column| column.index.as_ref()).is_some_and(|index| {
                matches!(index.normaliser, Normaliser::Email | Normaliser::Text)
            });
            if made.is_some_and(|column| column.protection == Protection::Sealed) && folds {
                self.changed.push(format!("column {name} compares as its blind index does"));
            } else if made.is_some() || key.name.to_lowercase() == *name {
                self.against(format!(
                    "column {name} compares by {collation}; a sealed table compares byte for byte, or as a \
                     blind index of a sealed column says (`unique text`, `lookup N text`)"
                ));
            }
        }
    }

    fn checks(&mut self, plain: &Plain) {
        if plain.written.on_conflict {
            self.against("a constraint has ON CONFLICT, which a sealed table has not".to_owned());
        }
        for check in &plain.written.checks {
            let literal = tokens(check).iter().any(|token| token.kind == Kind::Text);
            let other = |name: &str| {
                let mut columns = self.definition.columns.iter();
                let column = columns.find(|column| column.name.eq_ignore_ascii_case(name));
                column.is_some_and(|column| {
                    let text = matches!(column.kind, Type::Text | Type::Json);
                    column.protection == Protection::Sealed || literal && !text
                })
            };
            if names(check, other) {
                self.against(format!(
                    "{check} is over a sealed column, or depends on the type that a column had"
                ));
            } else {
                self.kept.push(check.clone());
                self.constraints.push(check.clone());
            }
        }
    }

    /// Foreign keys, to other tables and from them.
    fn references(&mut self, plain: &Plain, key: &PlainColumn, text_key: bool) {
        for reference in &plain.written.references {
            let columns = reference.columns.join(", ");
            let what = format!("foreign key ({columns}) to {}", reference.parent);
            let plainly = |name: &String| self.protection(name) == Protection::Plain;
            let sets = |word: &str| names(&reference.tail, |name| name.eq_ignore_ascii_case(word));
            let not_null = |name: &String| {
                let mut columns = self.definition.columns.iter();
                columns.any(|column| column.name.eq_ignore_ascii_case(name) && column.not_null)
            };
            if sets("DEFAULT") || sets("NULL") && reference.columns.iter().any(not_null) {
                // The engine keeps both, and the file does not know them.
                self.against(format!("{what} sets a default, or NULL where NULL may not be"));
            } else if reference.columns.iter().all(plainly) {
                self.kept.push(what);
                self.references.push(reference.clone());
            } else {
                self.against(format!("{what} is over a column that is not plain"));
            }
        }
        for child in &plain.children {
            let table = &child.table;
            let problem = match &child.to {
                None if text_key => Some("names no column, and the key is text".to_owned()),
                None => None,
                Some(to) if to.eq_ignore_ascii_case(&key.name) => None,
                Some(to) if self.protection(to) == Protection::Plain => None,
                Some(to) => Some(format!("refers to {to}, which is not plain")),
            };
            match problem {
                Some(problem) => {
                    self.against(format!("the foreign key of table {table} {problem}"));
                }
                None => self.kept.push(format!("foreign key of table {table}")),
            }
        }
    }

    /// An error where anything stands against it.
    pub(super) fn check(&self) -> Result<()> {
        if self.obstacles.is_empty() {
            return Ok(());
        }
        Err(refused(&self.definition.name, &self.obstacles))
    }
}

/// The error that lists what stands against a conversion.
pub(super) fn refused(table: &str, obstacles: &[String]) -> Error {
    crate::error::err!(
        Refused,
        "table {table} can't be converted as it is: {}",
        obstacles.join("; ")
    )
}
