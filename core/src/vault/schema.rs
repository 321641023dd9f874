//! Declaring, altering and dropping sealed tables.

use std::sync::Arc;

use super::Vault;
use crate::audit::note;
use crate::erasure::{self, Erasure};
use crate::error::Result;
use crate::table::definition::{check_own, is_internal};
use crate::table::engine::Engine;
use crate::table::session::Session;
use crate::table::{Alteration, TableDefinition, alter, backfill, define};
use crate::transaction::define_table;

impl Vault {
    /// Declares a table: creates it, or checks that what is stored is no weaker. True where it was created.
    ///
    /// # Errors
    /// `definition` where the stored table lacks a column, has another type, a weaker protection or no such index.
    pub fn define_table(&self, definition: &TableDefinition) -> Result<bool> {
        Session::run(&self.engine, |session| define_table(session, definition))
    }

    /// Changes a table while others use it, and moves its rows in batches. What a crash interrupts, the next call
    /// finishes first.
    pub fn alter_table(&self, table: &str, alteration: &Alteration) -> Result<Erasure> {
        check_own(table)?;
        alter::alter(&self.engine, table, alteration, &|session, change| {
            let payload = serde_json::json!({"table": table, "change": change});
            note(session, "table.altered", payload)
        })?;
        self.finish_erasure()
    }

    /// Finishes an alteration that was interrupted.
    pub fn finish_alteration(&self, table: &str) -> Result<Erasure> {
        check_own(table)?;
        backfill::complete(&self.engine, table)?;
        self.finish_erasure()
    }

    /// Drops a table with all its rows.
    pub fn drop_table(&self, table: &str) -> Result<Erasure> {
        check_own(table)?;
        Session::run(&self.engine, |session| {
            define::drop_table(session, table)?;
            note(session, "table.dropped", serde_json::json!({"table": table}))
        })?;
        self.finish_erasure()
    }

    /// Goes on with erasures that were interrupted, and overwrites what remnants of plaintext an alteration, or what of
    /// ciphertext an erasure has left, where that is still to be done: one rewrite of the file (`VACUUM`) for however many
    /// they were. Its cost is that of the whole file. Where none is to be done it empties the log only, in which values stand
    /// that an UPDATE has replaced since; what of these the file itself may hold is for [`Vault::compact`].
    ///
    /// `Pending` where a reader, or another process that writes, is in the way: nothing was lost, call it again.
    pub fn finish_erasure(&self) -> Result<Erasure> {
        finish_erasure(&self.engine)
    }

    /// The sealed tables, in the order of their names.
    pub fn tables(&self) -> Result<Vec<TableDefinition>> {
        let state = self.engine.read(|conn, _| self.engine.catch_up(conn))?;
        let own = state.tables.values().filter(|schema| !is_internal(schema.name()));
        let mut found: Vec<_> = own.map(|schema| schema.definition()).collect();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }
}

pub(super) fn finish_erasure(engine: &Arc<Engine>) -> Result<Erasure> {
    engine.state()?;
    erasure::resume(engine)?;
    Ok(if backfill::finish_erasure(engine)? { Erasure::Complete } else { Erasure::Pending })
}
