//! Reading a whole table a batch at a time.

use sealite::Cursor;

use crate::call::{call, free};
use crate::error::sealite_error;
use crate::handles::Kind;
use crate::held::{Builder, Held, Root, Source};
use crate::rows::{Rows, sealite_rows};
use crate::status::Result;
use crate::status::sealite_status;
use crate::table::Named;

/// A place in a table that is being read. Memory is bounded by one batch. Not for two threads at once (SEALITE_BUSY); a
/// forked child gets SEALITE_FORKED.
pub struct sealite_cursor {
    _opaque: [u8; 0],
}

/// The object.
pub(crate) struct Scan(Builder<State>);

struct State {
    /// None at the end.
    source: Option<Source>,
    table: String,
    cursor: Cursor,
}

impl Kind for sealite_cursor {
    type Object = Scan;
}

impl Scan {
    pub(crate) fn begin(table: &Named) -> Result<Self> {
        let source = match &table.source {
            // In memory there is one connection, and each batch is read at its own moment.
            Source::Root(root) if !root.is_memory() => {
                Source::Snapshot(Held::new("cursor", Root::snapshot(root)?), None)
            }
            other => other.clone(),
        };
        // A table that is not there is told now.
        source.table(&table.name, |table| Ok(table.definition().map(|_| ())?))?;
        let (table, cursor) = (table.name.clone(), Cursor::default());
        Ok(Scan(Builder::new(State { source: Some(source), table, cursor })))
    }

    /// The next rows. At the end, and at an error, the connection goes back.
    fn next(&self) -> Result<Option<Vec<sealite::Row>>> {
        self.0.with(|state| {
            let State { source, table, cursor } = state;
            let Some(reached) = source else { return Ok(None) };
            let rows = reached.table(table, |table| Ok(table.next_rows(cursor)?));
            if !matches!(rows, Ok(Some(_))) {
                *source = None;
            }
            rows
        })
    }
}

/// Reads the next rows, at most 256: `rows` is NULL at the end. A failure ends the cursor. Rows: as of
/// sealite_table_get().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_cursor_next(
    cursor: *mut sealite_cursor,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(cursor), out(rows); {
        if let Some(found) = cursor.next()? {
            rows.give(Rows::Table(found))?;
        }
    })
}

/// Frees the cursor. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_cursor_free(cursor: *mut sealite_cursor) {
    free(cursor);
}
