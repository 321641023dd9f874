//! `PRAGMA integrity_check` of a sealed table: every record is opened.

use super::table::Table;
use crate::error::{Error, Result};
use crate::table::batch;
use crate::value::Id;

/// What is wrong with the table, in words; nothing where it is sound.
pub(super) fn check(table: &Table) -> Result<Option<String>> {
    // The engine's own check opens the records itself.
    let Ok(step) = table.step() else { return Ok(None) };
    let mut from = Some(i64::MIN);
    let mut refused = 0_u64;
    while let Some(next) = from {
        let mut take = |_: Id, _: Error| refused += 1;
        let (_, last) = batch(step.conn, &step.state, table.target(), next, &mut Some(&mut take))?;
        from = last.and_then(|last| last.checked_add(1));
    }
    let name = table.schema().name();
    Ok((refused > 0).then(|| format!("table {name}: {refused} rows are not what was written")))
}
