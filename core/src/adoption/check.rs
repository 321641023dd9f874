//! What becomes of a table of the application's whose values are sealed one by one, and what stands against it.

use std::ops::ControlFlow;

use super::changes::switch;
use super::import::Importer;
use super::plan::{ColumnPlan, TablePlan};
use crate::db::Conn;
use crate::db::schema::quote;
use crate::db::tokens::tokens;
use crate::error::{Result, err, fail};
use crate::index::normalise::Normaliser;
use crate::table::definition::Index;
use crate::table::protect::kinds::by_name;
use crate::table::protect::plain::{Plain, PlainColumn, PlainIndex, read};
use crate::table::protect::written::names;
use crate::value::Type;

/// A table, and what is done to it.
pub(super) struct FieldTable {
    pub(super) name: String,
    /// What names the row id.
    pub(super) row_id: &'static str,
    /// The primary key, to which values may be bound.
    pub(super) key: Option<String>,
    pub(super) columns: Vec<FieldColumn>,
    /// Columns to add, and indexes to drop and to make.
    pub(super) adds: Vec<String>,
    pub(super) drops: Vec<String>,
    pub(super) indexes: Vec<String>,
    pub(super) kept: Vec<String>,
    pub(super) changed: Vec<String>,
    pub(super) refused: Vec<String>,
}

/// A column whose values are sealed.
pub(super) struct FieldColumn {
    pub(super) name: String,
    /// The column that takes the sealed value.
    pub(super) target: String,
    pub(super) label: String,
    pub(super) kind: Type,
    /// The blind index and the column that takes it.
    pub(super) blind: Option<(Index, String)>,
    pub(super) importer: Option<Importer>,
    /// The SQL of its switch.
    pub(super) when: Option<String>,
    pub(super) tenant: Option<String>,
    pub(super) bind_row: bool,
    /// True for what SQLAlchemy writes as a moment, and seals in another form.
    pub(super) is_moment: bool,
}

/// Looks at the table.
pub(super) fn look(conn: &Conn, planned: &TablePlan) -> Result<FieldTable> {
    let plain = read(conn, &planned.name)?;
    let plain = plain.ok_or_else(|| err!(NotFound, "there is no table {}", planned.name))?;
    let sql = "SELECT type, wr, strict FROM pragma_table_list WHERE schema = 'main' AND name = ?";
    let about = conn.first(sql, &[plain.name.as_str().into()], |row| {
        Ok((row.text(0)? == "table", row.integer(1)? != 0, row.integer(2)? != 0))
    })?;
    let (ordinary, rowless, strict) = about.unwrap_or((false, false, false));
    if !ordinary || rowless {
        fail!(Refused, "table {} is virtual, or without row ids", plain.name);
    }
    let taken = |name: &&&str| plain.columns.iter().any(|c| c.name.eq_ignore_ascii_case(name));
    let row_id = ["rowid", "_rowid_", "oid"].iter().find(|name| !taken(name)).copied();
    let keys: Vec<_> = plain.columns.iter().filter(|column| column.key > 0).collect();
    let mut table = FieldTable {
        name: plain.name.clone(),
        row_id: row_id.ok_or_else(|| err!(Refused, "table {} hides its row ids", plain.name))?,
        key: match keys.as_slice() {
            [key] => Some(key.name.clone()),
            _ => None,
        },
        columns: Vec::new(),
        adds: Vec::new(),
        drops: Vec::new(),
        indexes: Vec::new(),
        kept: Vec::new(),
        changed: Vec::new(),
        refused: Vec::new(),
    };
    for column in &planned.columns {
        table.column(conn, &plain, column, strict)?;
    }
    table.dependents(conn)?;
    Ok(table)
}

impl FieldTable {
    fn against(&mut self, what: String) {
        self.refused.push(what);
    }

    fn column(
        &mut self,
        conn: &Conn,
        plain: &Plain,
        planned: &ColumnPlan,
        strict: bool,
    ) -> Result<()> {
        let (table, name) = (&plain.name, &planned.column.name);
        let mut columns = plain.columns.iter();
        let Some(column) = columns.find(|column| column.name.eq_ignore_ascii_case(name)) else {
            fail!(NotFound, "table {table} has no column {name}");
        };
        if let Some(needed) = &planned.tenant
            && !plain.columns.iter().any(|column| column.name.eq_ignore_ascii_case(needed))
        {
            fail!(NotFound, "table {table} has no column {needed}");
        }
        let when = planned.when.as_ref().map(|when| switch(conn, table, when)).transpose()?;
        let target = planned.target().name;
        let kind = kind(plain, conn, column, planned)?;
        if let Some(index) = &planned.column.index {
            let whole = planned.column.clone();
            let checked = crate::table::Column { kind, ..whole };
            if let Err(error) = checked.check() {
                self.against(error.message().to_owned());
            }
            self.blind(plain, &target, index);
        }
        if planned.bind_row && self.key.is_none() {
            self.against(format!("{name} is bound to its row by a primary key of one column"));
        }
        if planned.into.is_none() {
            self.in_its_place(plain, column, planned, strict);
        } else {
            self.beside(plain, column, &target);
        }
        let declared = column.declared.to_ascii_uppercase();
        let moment = declared.contains("DATETIME") || declared.contains("TIMESTAMP");
        self.columns.push(FieldColumn {
            name: column.name.clone(),
            label: planned.label.clone().unwrap_or_else(|| format!("{table}.{target}")),
            kind,
            blind: planned.column.index.clone().map(|index| (index, format!("{target}_bidx"))),
            target,
            importer: planned.importer.clone(),
            when,
            tenant: planned.tenant.clone(),
            bind_row: planned.bind_row,
            is_moment: moment && kind == Type::Text && !planned.typed,
        });
        Ok(())
    }

    /// The column of a blind index, and SQLite's own index over that.
    fn blind(&mut self, plain: &Plain, target: &str, index: &Index) {
        let companion = format!("{target}_bidx");
        let kind = if index.unique { "BLOB" } else { "BIGINT" };
        let table = quote(&plain.name);
        if !plain.columns.iter().any(|column| column.name.eq_ignore_ascii_case(&companion)) {
            let column = quote(&companion);
            self.adds.push(format!("ALTER TABLE main.{table} ADD COLUMN {column} {kind}"));
            self.changed.push(format!("column {companion} is new: the blind index of {target}"));
        }
        let name = format!("ix_{}_{companion}", plain.name);
        if !plain.indexes.iter().any(|there| there.name.eq_ignore_ascii_case(&name)) {
            let unique = if index.unique { "UNIQUE " } else { "" };
            let (name, column) = (quote(&name), quote(&companion));
            self.indexes.push(format!("CREATE {unique}INDEX main.{name} ON {table} ({column})"));
        }
    }

    /// Sealed values take the place of those in clear.
    fn in_its_place(
        &mut self,
        plain: &Plain,
        column: &PlainColumn,
        planned: &ColumnPlan,
        strict: bool,
    ) {
        let name = &column.name;
        let is_it = |other: &str| other.eq_ignore_ascii_case(name);
        if strict && !matches!(column.declared.to_ascii_uppercase().as_str(), "BLOB" | "ANY") {
            self.against(format!("{name} takes no blob: the table is STRICT"));
        }
        if column.key > 0 {
            self.against(format!("{name} is of the primary key"));
        }
        let refers =
            plain.written.references.iter().any(|key| key.columns.iter().any(|c| is_it(c)));
        if refers || plain.children.iter().any(|child| child.to.as_deref().is_some_and(is_it)) {
            self.against(format!("{name} is of a foreign key"));
        }
        for check in plain.written.checks.iter().filter(|check| names(check, is_it)) {
            self.against(format!("{check} is over {name}"));
        }
        if plain.columns.iter().any(|column| column.generated) {
            self.against("the table has generated columns".to_owned());
        }
        let default = column.default.as_deref();
        if default.is_some_and(|text| !text.eq_ignore_ascii_case("null")) {
            self.against(format!("{name} has a default, which would not be sealed"));
        }
        for index in &plain.indexes {
            let over = index.columns.iter().flatten().any(|column| is_it(column))
                || index.sql.as_deref().is_some_and(|sql| names(sql, is_it));
            if over && !index.of_key {
                self.index(name, index, planned);
            }
        }
        self.changed.push(format!("{name} holds sealed values"));
    }

    fn index(&mut self, name: &str, index: &PlainIndex, planned: &ColumnPlan) {
        let blind = planned.column.index.as_ref();
        let folds = |blind: &Index| blind.normaliser != Normaliser::Exact;
        let what = &index.name;
        if !index.simple || index.columns.len() != 1 {
            self.against(format!("index {what} is over {name} and more: drop it first"));
        } else if !blind.is_some_and(|blind| blind.unique || !index.unique) {
            let words = if index.unique { "unique" } else { "lookup N" };
            self.against(format!("index {what} finds no sealed value of {name}: say `{words}`"));
        } else if !index.binary && !blind.is_some_and(folds) {
            self.against(format!(
                "index {what} compares in its own way: say `unique email` or `text`"
            ));
        } else if index.sql.is_some() {
            self.drops.push(format!("DROP INDEX main.{}", quote(what)));
            self.changed.push(format!("index {what} becomes that of {name}_bidx"));
        } else {
            self.kept
                .push(format!("UNIQUE of {name}, over sealed values: the blind index enforces it"));
        }
    }

    /// Sealed values go to a column of their own.
    fn beside(&mut self, plain: &Plain, column: &PlainColumn, target: &str) {
        if column.not_null {
            self.against(format!(
                "{} is NOT NULL, and would be NULL where it is sealed",
                column.name
            ));
        }
        match plain.columns.iter().find(|column| column.name.eq_ignore_ascii_case(target)) {
            Some(there) if by_name(&there.declared).is_none_or(|kind| kind == Type::Blob) => {}
            Some(_) => self.against(format!("column {target} is not for blobs")),
            None => {
                let (table, column) = (quote(&plain.name), quote(target));
                self.adds.push(format!("ALTER TABLE main.{table} ADD COLUMN {column} BLOB"));
            }
        }
        self.changed.push(format!("{target} takes the values of {} that are sealed", column.name));
    }

    /// Triggers and views that use the table: refused where they may touch a column.
    fn dependents(&mut self, conn: &Conn) -> Result<()> {
        let mut found = Vec::new();
        let sql = "SELECT type, name, tbl_name, coalesce(sql, '') FROM main.sqlite_master
                   WHERE type IN ('trigger', 'view')";
        conn.prepare(sql)?.each(&[], |row| {
            let on = row.text(2)?.eq_ignore_ascii_case(&self.name);
            let text = row.text(3)?.to_owned();
            if on || names(&text, |name| name.eq_ignore_ascii_case(&self.name)) {
                found.push((format!("{} {}", row.text(0)?, row.text(1)?), text));
            }
            Ok(ControlFlow::Continue(()))
        })?;
        for (what, text) in found {
            let is_one = |name: &str| {
                self.columns.iter().any(|column| column.name.eq_ignore_ascii_case(name))
            };
            if names(&text, is_one) {
                self.against(format!("{what} uses a column that is sealed: drop it first"));
            } else if tokens(&text).iter().any(|token| token.is_sign("*")) {
                self.against(format!(
                    "{what} takes every column (`*`): name them, or drop it first"
                ));
            } else {
                self.kept.push(what);
            }
        }
        Ok(())
    }
}

/// The type that values are sealed as; an error where some are not of it.
fn kind(plain: &Plain, conn: &Conn, column: &PlainColumn, planned: &ColumnPlan) -> Result<Type> {
    if planned.typed || planned.importer.is_some() {
        return Ok(planned.column.kind);
    }
    Ok(match by_name(&column.declared) {
        // As sealite.sqlalchemy keeps it.
        Some(Type::Json) => Type::Text,
        Some(kind) => kind,
        None => {
            let seen = plain.look(conn, column)?;
            if seen.texts == 0 && seen.integers > 0 { Type::Integer } else { Type::Text }
        }
    })
}
