//! Plain tables that become sealed ones, and back.

use super::Vault;
use crate::erasure::Erasure;
use crate::error::Result;
use crate::sql;
use crate::table::{ProtectionPlan, protect};

impl Vault {
    /// Converts a plain table of the file into a sealed one of the same name, with its rows, under their ids. `columns` are
    /// specifications as [`crate::Column::parse`] has them: `email sealed unique email`, `role authenticated`; columns that
    /// none names stay plain. `with subject user_id` or `with subject row` among them says whose a row is:
    /// [`crate::TableDefinition::subject`]. Types, NOT NULL, defaults and UNIQUE come from the table where a specification does not say
    /// otherwise; indexes and CHECKs on plain columns and foreign keys of plain columns go on.
    ///
    /// Rows are copied in batches while others read and write the plain table. The last transaction opens and compares every
    /// row and replaces the table; then what is left of the plain one is overwritten (`VACUUM`). The file grows by the
    /// sealed copy meanwhile. After a crash at any moment the table is as it was, or sealed, and the same call goes on.
    ///
    /// ```
    /// # let vault = sealite::Vault::in_memory()?;
    /// vault.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT UNIQUE, plan TEXT)", &[])?;
    /// vault.execute("INSERT INTO users (email, plan) VALUES ('Ada@example.org', 'pro')", &[])?;
    /// let plan = vault.plan_protection("users", &["email sealed unique email"])?;
    /// assert!(plan.obstacles.is_empty());
    /// let _ = vault.protect_table("users", &["email sealed unique email"])?;
    /// let found = vault.query("SELECT id, plan FROM users WHERE email = 'ada@example.org'", &[])?;
    /// assert_eq!(found.rows.len(), 1);
    /// # Ok::<(), sealite::Error>(())
    /// ```
    ///
    /// # Errors
    /// `refused` where something of the table can't be kept, such as triggers and views that use it, with a list;
    /// `not_found`; `conflict` where a value stands twice in a column that is to be unique, or the table is sealed already in
    /// another way; `type_mismatch`. The table is as it was then.
    pub fn protect_table(&self, table: &str, columns: &[&str]) -> Result<Erasure> {
        sql::protect_table(&self.engine, table, columns)?;
        self.finish_erasure()
    }

    /// Says what [`Vault::protect_table`] would do: what is kept, what changes, what stands against it. Reads the whole
    /// table, and writes nothing.
    pub fn plan_protection(&self, table: &str, columns: &[&str]) -> Result<ProtectionPlan> {
        protect::planned(&self.engine, table, columns)
    }

    /// Makes a sealed table plain again, in one transaction: every row is opened, written in clear and read back. Blind
    /// indexes become plain ones, which compare byte for byte; the key is AUTOINCREMENT. Where
    /// [`Vault::protect_table`] was interrupted, drops what it has left.
    ///
    /// # Errors
    /// `refused` for a table of tenants, and where views use its physical side; any error of a row that does not open. The
    /// table is as it was then.
    pub fn unprotect_table(&self, table: &str) -> Result<()> {
        sql::unprotect_table(&self.engine, table)
    }
}
