//! What protecting a plain table comes to: the sealed table that it becomes, and what stands against that.

use std::collections::HashMap;

use super::job::Job;
use super::kinds;
use super::plain::{Plain, PlainColumn, PlainIndex, distinct};
use super::written::{Reference, names, on_table};
use crate::db::Conn;
use crate::db::schema::quote;
use crate::db::tokens::{Kind, tokens};
use crate::error::{Error, Result, fail};
use crate::index::normalise::Normaliser;
use crate::table::definition::{Column, Index, Protection, TableDefinition};
use crate::value::{Type, Value};

/// The plan of a conversion.
pub(super) struct Plan {
    pub(super) definition: TableDefinition,
    /// Constraints of the physical table, which is called as the first parameter of [`Plan::constraints`].
    pub(super) references: Vec<Reference>,
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

/// Makes the plan. `conn` is of the plain table's file.
pub(super) fn plan(conn: &Conn, source: &Plain, job: &Job<'_>) -> Result<Plan> {
    let wanted = &job.wanted;
    let Some((key, text_key)) = source.key().filter(|_| source.odd.is_none()) else {
        fail!(Refused, "table {} {}", source.name, source.odd.unwrap_or("has no key"));
    };
    let mut definition = TableDefinition::new(&source.name);
    definition =
        if text_key { definition.text_key(&key.name) } else { definition.integer_key(&key.name) };
    definition.subject.clone_from(&job.subject);
    definition.subject = definition.whose();
    check_wanted(source, key, job)?;
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
        let column = plan.column(conn, source, column, (wanted, job))?;
        plan.definition.columns.push(column);
    }
    for split in job.changes.splits() {
        plan.changed
            .push(format!("column {} is new: {} of some rows", split.into.name, split.from));
        plan.definition.columns.push(split.into.clone());
    }
    if text_key && source.look(conn, key)?.texts != super::plain::rows(conn, &source.name)? {
        plan.against(format!("the key {} holds values that are not text", key.name));
    }
    for index in &source.indexes {
        plan.index(conn, source, index)?;
    }
    plan.collations(source, key);
    plan.checks(source);
    plan.references(source);
    // Where the table stays, what uses it goes on using it.
    if job.elsewhere.is_none_or(|elsewhere| elsewhere.drops) {
        plan.children(source, key, (text_key, job));
        for dependent in &source.dependents {
            plan.dependent(source, dependent);
        }
    }
    for column in &plan.definition.columns {
        if let Err(error) = column.check() {
            plan.obstacles.push(error.message().to_owned());
        }
    }
    Ok(plan)
}

fn check_wanted(plain: &Plain, key: &PlainColumn, job: &Job<'_>) -> Result<()> {
    let (table, wanted) = (&plain.name, &job.wanted);
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
    for split in job.changes.splits() {
        let is = |name: &str| plain.columns.iter().any(|c| c.name.eq_ignore_ascii_case(name));
        if !is(&split.from) {
            fail!(NotFound, "table {table} has no column {}", split.from);
        }
        if is(&split.into.name) {
            fail!(InvalidInput, "table {table} has a column {} already", split.into.name);
        }
    }
    let protects = wanted.iter().any(|(column, _)| column.protection != Protection::Plain);
    if !protects && job.changes.splits().is_empty() {
        fail!(InvalidInput, "name a column of table {table} that is to be sealed or authenticated");
    }
    Ok(())
}

impl Plan {
    pub(super) fn against(&mut self, what: String) {
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
        (wanted, job): (Option<&Wanted>, &Job<'_>),
    ) -> Result<Column> {
        let seen = plain.look(conn, column)?;
        let name = &column.name;
        // Of what is converted, what there is says nothing.
        let converts = job.changes.converts(name);
        let kind = match wanted {
            Some((wanted, typed)) if *typed || converts => wanted.kind,
            _ => kinds::kind_of(&column.declared, &seen),
        };
        let mut made = Column::new(name, kind);
        let misfits = if converts { 0 } else { kinds::misfits(kind, &seen) };
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
