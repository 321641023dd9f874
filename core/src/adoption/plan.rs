//! What a program wants adopted: tables, columns, and what becomes of them.

use std::path::{Path, PathBuf};

use super::import::Importer;
use crate::error::{Result, fail};
use crate::table::Column;
use crate::table::definition::{Protection, check_own, check_table_name};

/// What becomes of an existing database: which columns of which tables are protected, and how. Made from a plan file
/// ([`AdoptionPlan::from_toml`]), column by column ([`AdoptionPlan::column`]), or both.
///
/// ```
/// use sealite::AdoptionPlan;
///
/// let plan = AdoptionPlan::new()
///     .column("users.email: sealed, unique email")?
///     .column("users.name: sealed")?;
/// let same = AdoptionPlan::from_toml("[tables.users]\nemail = 'sealed unique email'\nname = 'sealed'\n")?;
/// assert_eq!(plan.tables(), same.tables());
/// # Ok::<(), sealite::Error>(())
/// ```
#[derive(Clone, Default, Debug)]
pub struct AdoptionPlan {
    pub(super) tables: Vec<TablePlan>,
    pub(super) source: Option<PathBuf>,
    pub(super) values: bool,
    pub(super) removes: bool,
}

/// A table of the plan.
#[derive(Clone, Debug)]
pub(super) struct TablePlan {
    pub(super) name: String,
    pub(super) columns: Vec<ColumnPlan>,
}

/// A column of the plan.
#[derive(Clone, Debug)]
pub(super) struct ColumnPlan {
    /// What it becomes, and whether its type was named.
    pub(super) column: Column,
    pub(super) typed: bool,
    pub(super) importer: Option<Importer>,
    /// Which rows: all where there is none.
    pub(super) when: Option<When>,
    /// The column that takes the sealed values.
    pub(super) into: Option<String>,
    /// The field that single values are sealed under; `table.column` where none is named.
    pub(super) label: Option<String>,
    /// Whether single values are bound to their row.
    pub(super) bind_row: bool,
    /// The column that names the tenant of single values.
    pub(super) tenant: Option<String>,
}

/// The switch of a row.
#[derive(Clone, Debug)]
pub(super) struct When {
    /// A column of the table: the switch itself, or what leads to it.
    pub(super) column: String,
    /// The table whose primary key that column has, and its column with the switch.
    pub(super) of: Option<(String, String)>,
}

impl AdoptionPlan {
    /// An empty plan.
    pub fn new() -> Self {
        Self::default()
    }

    /// A plan file (TOML; `docs/adopt.md` describes it). References to keys are read at once.
    ///
    /// # Errors
    /// `invalid_input` for what is not understood, a misspelt word too; errors of a key that can't be read.
    pub fn from_toml(text: &str) -> Result<Self> {
        super::file::read(text)
    }

    /// Adds a column: `users.email: sealed, unique email`. Behind the colon stands what [`Column::parse`] takes behind a
    /// name; commas are spaces.
    ///
    /// # Errors
    /// `invalid_input` for another form, and a column that is in the plan already.
    pub fn column(self, specification: &str) -> Result<Self> {
        let parts = specification.split_once(':').and_then(|(place, words)| {
            let (table, column) = place.trim().split_once('.')?;
            Some((table.trim(), column.trim(), words))
        });
        let Some((table, column, words)) = parts else {
            fail!(InvalidInput, "a column is written as table.column: sealed, unique email");
        };
        let mut quoted = false;
        let spaced = |c: char| {
            quoted ^= c == '\'';
            if c == ',' && !quoted { ' ' } else { c }
        };
        let words: String = words.chars().map(spaced).collect();
        let planned = ColumnPlan::new(column, &words)?;
        self.with(table, planned)
    }

    /// The application's own database, where it is not the vault's file: its tables are copied into the vault, or, after
    /// [`AdoptionPlan::values`], its values are sealed in place.
    #[must_use]
    pub fn source(mut self, path: impl Into<PathBuf>) -> Self {
        self.source = Some(path.into());
        self
    }

    /// Seals single values in the application's own database, as [`crate::Field`] does, in place of making sealed tables.
    #[must_use]
    pub fn values(mut self) -> Self {
        self.values = true;
        self
    }

    /// Drops the tables from [`AdoptionPlan::source`] once the vault has them.
    #[must_use]
    pub fn remove_source(mut self) -> Self {
        self.removes = true;
        self
    }

    /// The tables and the specifications of their columns, in the order of the plan.
    pub fn tables(&self) -> Vec<(String, Vec<String>)> {
        let of = |table: &TablePlan| {
            let columns = table.columns.iter().map(|planned| planned.column.specification());
            (table.name.clone(), columns.collect())
        };
        self.tables.iter().map(of).collect()
    }

    /// True where single values are sealed.
    pub fn is_values(&self) -> bool {
        self.values
    }

    /// True where the tables are dropped from the application's own database.
    pub fn is_removing(&self) -> bool {
        self.removes
    }

    /// The application's own database, where it is another file.
    pub fn source_path(&self) -> Option<&Path> {
        self.source.as_deref()
    }

    pub(super) fn with(mut self, table: &str, planned: ColumnPlan) -> Result<Self> {
        check_own(table)?;
        check_table_name(table)?;
        let is = |there: &TablePlan| there.name.eq_ignore_ascii_case(table);
        let at = self.tables.iter().position(is).unwrap_or_else(|| {
            self.tables.push(TablePlan { name: table.to_owned(), columns: Vec::new() });
            self.tables.len() - 1
        });
        if let Some(there) = self.tables.get_mut(at) {
            let name = &planned.column.name;
            if there.columns.iter().any(|c| c.column.name.eq_ignore_ascii_case(name)) {
                fail!(InvalidInput, "column {name} of table {table} is in the plan twice");
            }
            there.columns.push(planned);
        }
        Ok(self)
    }

    /// Refuses what fits no way of adoption.
    pub(super) fn check(&self) -> Result<()> {
        if self.tables.is_empty() {
            fail!(InvalidInput, "the plan names no column");
        }
        if self.values && self.source.is_none() {
            fail!(
                InvalidInput,
                "single values are sealed in a database of the application's own: name it, and another vault"
            );
        }
        if self.removes && (self.values || self.source.is_none()) {
            fail!(InvalidInput, "only tables that are copied into a vault can be removed");
        }
        for table in &self.tables {
            for planned in &table.columns {
                planned.check(&table.name, self.values)?;
            }
        }
        Ok(())
    }
}

impl ColumnPlan {
    /// A column of that name.
    pub(super) fn new(name: &str, words: &str) -> Result<Self> {
        let quoted = format!("\"{}\" {words}", name.replace('"', "\"\""));
        let (column, typed) = Column::parse_typed(&quoted)?;
        Ok(ColumnPlan {
            column,
            typed,
            importer: None,
            when: None,
            into: None,
            label: None,
            bind_row: false,
            tenant: None,
        })
    }

    fn check(&self, table: &str, values: bool) -> Result<()> {
        let name = format!("{table}.{}", self.column.name);
        let sealed = self.column.protection == Protection::Sealed;
        if values && !sealed {
            fail!(InvalidInput, "{name}: single values are sealed, and nothing else");
        }
        if !values && (self.label.is_some() || self.bind_row || self.tenant.is_some()) {
            fail!(InvalidInput, "{name}: label, bind_row and tenant are for single values");
        }
        if self.into.is_some() && self.when.is_none() {
            fail!(InvalidInput, "{name}: into takes the values of some rows: say when");
        }
        if !values && self.when.is_some() && (self.into.is_none() || !sealed) {
            fail!(
                InvalidInput,
                "{name}: a column of a table is sealed in every row; into names the sealed column that takes the \
                 values of some"
            );
        }
        if self.into.is_some() && (self.column.not_null || self.column.default.is_some()) {
            fail!(InvalidInput, "{name}: into can't be not null or have a default");
        }
        Ok(())
    }

    /// The column that has the sealed values.
    pub(super) fn target(&self) -> Column {
        let mut column = self.column.clone();
        if let Some(into) = &self.into {
            column.name.clone_from(into);
        }
        column
    }
}

impl When {
    /// `COLUMN`, or `COLUMN -> TABLE.COLUMN`.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let of = |(column, there): (&str, &str)| {
            let (table, switch) = there.trim().split_once('.')?;
            let of = Some((table.trim().to_owned(), switch.trim().to_owned()));
            Some(When { column: column.trim().to_owned(), of })
        };
        let found = match text.split_once("->") {
            Some(parts) => of(parts),
            None => Some(When { column: text.trim().to_owned(), of: None }),
        };
        match found.filter(|when| !when.column.is_empty()) {
            Some(when) => Ok(when),
            None => fail!(InvalidInput, "when names a column, or column -> table.column"),
        }
    }
}
