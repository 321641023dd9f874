//! Existing data moves in: a database of an application is converted by a plan, verified, and cleaned of what was sealed.
//!
//! `plan` and `file` say what is wanted, `import` opens what others have encrypted. `tables` makes sealed tables, in place or in
//! a vault of another file; `values` seals single values in the application's own file, where `check` finds nothing against it
//! and `write` does it, `row` by `row`. `source` is that file, `estimate` measures on a sample what it will take.

mod changes;
mod check;

mod estimate;
mod file;
pub(crate) mod import;
mod plan;
mod row;
mod source;
mod tables;
mod values;
mod write;

use std::cell::RefCell;
use std::time::{Duration, Instant};

pub use self::plan::AdoptionPlan;
use crate::erasure::Erasure;
use crate::error::{Result, err, fail};
use crate::table::protect::Phase;
use crate::vault::Vault;

/// What an adoption would do.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct AdoptionPreview {
    /// The tables, in the order in which they are converted.
    pub tables: Vec<TablePreview>,
}

/// What an adoption would do to a table.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct TablePreview {
    /// Its name.
    pub table: String,
    /// True where an earlier call has converted it.
    pub done: bool,
    /// The number of rows.
    pub rows: u64,
    /// Bytes of the values in its rows, as they are.
    pub bytes: u64,
    /// Bytes that the table takes afterwards, with its indexes: estimated from a sample of rows.
    pub bytes_after: u64,
    /// How long it takes, with the comparison of every row: estimated from a sample of rows on this machine, without the
    /// final rewriting of the file.
    pub time: Duration,
    /// Indexes, foreign keys, triggers and constraints that go on as they are.
    pub kept: Vec<String>,
    /// What becomes another thing: types, indexes that become blind ones.
    pub changed: Vec<String>,
    /// What stands against it. Where a table has one, nothing is converted.
    pub refused: Vec<String>,
}

impl AdoptionPreview {
    /// True where nothing stands against it.
    pub fn is_possible(&self) -> bool {
        self.tables.iter().all(|table| table.refused.is_empty())
    }
}

/// How far an adoption is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct AdoptionProgress<'a> {
    /// The table; empty while the file is rewritten.
    pub table: &'a str,
    /// What is being done.
    pub phase: AdoptionPhase,
    /// Rows so far.
    pub done: u64,
    /// All rows.
    pub total: u64,
}

/// What an adoption is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum AdoptionPhase {
    /// Rows are sealed, in batches, beside the table, which others go on using.
    Sealing,
    /// Every row is opened and compared with what it was.
    Verifying,
    /// The file is written anew, so that nothing is left of what was in clear.
    Erasing,
}

impl AdoptionPhase {
    /// The name: `sealing`, `verifying` or `erasing`.
    pub fn name(self) -> &'static str {
        match self {
            AdoptionPhase::Sealing => "sealing",
            AdoptionPhase::Verifying => "verifying",
            AdoptionPhase::Erasing => "erasing",
        }
    }
}

/// What an adoption has done.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct AdoptionReport {
    /// The tables, in the order in which they were converted.
    pub tables: Vec<AdoptedTable>,
    /// Whether everything that was in clear has been overwritten; [`Erasure::Pending`] where a reader held the log back: the
    /// same call finishes it. Where the application's tables stay as they are, nothing was to be overwritten.
    pub erasure: Erasure,
    /// How long it took.
    pub time: Duration,
}

/// A table that was adopted.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct AdoptedTable {
    /// Its name.
    pub table: String,
    /// Its rows, each of which was compared.
    pub rows: u64,
    /// True where an earlier call had converted it.
    pub was_done: bool,
    /// True where it was dropped from the application's database.
    pub removed: bool,
}

impl Vault {
    /// Says what [`Vault::adopt`] would do. Reads the tables, and writes nothing.
    ///
    /// # Errors
    /// `not_found` for tables and columns that are not there; what stands against a conversion is in the preview.
    pub fn preview_adoption(&self, plan: &AdoptionPlan) -> Result<AdoptionPreview> {
        plan.check()?;
        let tables =
            if plan.values { values::preview(self, plan)? } else { tables::preview(self, plan)? };
        Ok(AdoptionPreview { tables })
    }

    /// Adopts an existing database: converts what the plan names, opens and compares every row with what it was, and only then
    /// removes what was in clear; then the file is written anew (`VACUUM`) and its log emptied. After a crash at any moment
    /// the data are as they were or converted, and the same call goes on. Memory is bounded, whatever the number of rows.
    ///
    /// - Without [`AdoptionPlan::source`], tables of the vault's own file become sealed ones ([`Vault::protect_table`]). A vault
    ///   is added to an application's database by [`crate::Config::existing_database`].
    /// - With it, they are copied into this vault; the application's database stays as it is, or loses them
    ///   ([`AdoptionPlan::remove_source`]).
    /// - After [`AdoptionPlan::values`], columns of the application's database get single sealed values, and columns with their
    ///   blind indexes (`email_bidx`). The application does not write meanwhile, or waits for the last transaction.
    ///
    /// No other SQLite library of this process may have the files open. `progress` is called often; where it says no, the call
    /// ends as `interrupted`, and can be taken up again.
    ///
    /// ```
    /// use sealite::{AdoptionPlan, Vault};
    ///
    /// let vault = Vault::in_memory()?;
    /// vault.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT UNIQUE, plan TEXT)", &[])?;
    /// vault.execute("INSERT INTO users (email, plan) VALUES ('Ada@example.org', 'pro')", &[])?;
    /// let plan = AdoptionPlan::new().column("users.email: sealed, unique email")?;
    /// assert!(vault.preview_adoption(&plan)?.is_possible());
    /// let report = vault.adopt(&plan, |_| true)?;
    /// assert_eq!((report.tables[0].table.as_str(), report.tables[0].rows), ("users", 1));
    /// # Ok::<(), sealite::Error>(())
    /// ```
    ///
    /// # Errors
    /// `refused` with a list where something stands against it; `authentication_failed` for a value that was encrypted by another
    /// key; `conflict` where a value stands twice in a column that is to be unique; `type_mismatch`; `another_library`. Tables
    /// that were not finished are as they were then.
    pub fn adopt(
        &self,
        plan: &AdoptionPlan,
        progress: impl FnMut(AdoptionProgress<'_>) -> bool,
    ) -> Result<AdoptionReport> {
        let began = Instant::now();
        let progress = RefCell::new(progress);
        let watch: &Watch<'_> = &|seen| match progress.try_borrow_mut().map(|mut see| see(seen)) {
            Ok(false) => Err(err!(Interrupted, "the adoption was stopped: the same call goes on")),
            _ => Ok(()),
        };
        let preview = self.preview_adoption(plan)?;
        if !preview.is_possible() {
            let mut all = Vec::new();
            for table in &preview.tables {
                all.extend(table.refused.iter().map(|why| format!("{}: {why}", table.table)));
            }
            fail!(Refused, "nothing was converted: {}", all.join("; "));
        }
        let adopt = if plan.values { values::adopt } else { tables::adopt };
        let (tables, erasure) = adopt(self, plan, &preview, watch)?;
        Ok(AdoptionReport { tables, erasure, time: began.elapsed() })
    }
}

/// Hears how far it is.
type Watch<'w> = dyn Fn(AdoptionProgress<'_>) -> Result<()> + 'w;

impl From<Phase> for AdoptionPhase {
    fn from(phase: Phase) -> Self {
        match phase {
            Phase::Copying => AdoptionPhase::Sealing,
            Phase::Comparing => AdoptionPhase::Verifying,
        }
    }
}
