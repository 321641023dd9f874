//! Looking for records under retired keys, some rows at each check.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use crate::db::Conn;
use crate::db::schema::quote;
use crate::error::Result;
use crate::keys::{KeyInfo, KeyState, Purpose};
use crate::table::engine::State;
use crate::value::ValueRef;

/// Rows looked at in one check.
const ROWS: i64 = 5_000;

/// Where the search stands. It goes round: a finding holds until a whole round finds nothing.
#[derive(Default)]
pub(super) struct Search {
    table: String,
    row: i64,
    found: bool,
    found_before: bool,
}

impl Search {
    /// Authenticates the keys and goes on with the search; true where a record was found this round or the one before.
    pub(super) fn step(&mut self, conn: &Conn, state: &State) -> Result<bool> {
        let opens_only =
            |key: &KeyInfo| key.purpose == Purpose::Data && key.state == KeyState::Retired;
        let retired = state.ring.list_where(conn, opens_only)?;
        let retired: BTreeSet<[u8; 4]> = retired.iter().map(|key| key.id.to_be_bytes()).collect();
        if retired.is_empty() {
            *self = Search::default();
            return Ok(false);
        }
        let mut tables = vec![
            ("sealite_catalog".to_owned(), "id".to_owned()),
            ("sealite_sequences".to_owned(), "id".to_owned()),
        ];
        let declared = state.tables.values();
        tables.extend(declared.map(|s| (s.sql.physical.clone(), quote(s.stored.row_id()))));
        tables.sort_unstable();
        let mut left = ROWS;
        for (table, row_id) in tables.into_iter().filter(|(table, _)| *table >= self.table) {
            let from = if table == self.table { self.row } else { i64::MIN };
            // The id of the key stands in bytes 4 to 7 of a record.
            let sql = format!(
                "SELECT {row_id}, substr(sealed, 4, 4) FROM {table} WHERE {row_id} >= ? ORDER BY {row_id} LIMIT ?"
            );
            let (mut count, mut last) = (0, from);
            conn.prepare(&sql)?.each(
                &[ValueRef::Integer(from), ValueRef::Integer(left)],
                |row| {
                    (count, last) = (count + 1, row.integer(0)?);
                    let key = row.get(1)?.as_bytes().and_then(|id| <[u8; 4]>::try_from(id).ok());
                    self.found |= key.is_some_and(|key| retired.contains(&key));
                    Ok(ControlFlow::Continue(()))
                },
            )?;
            if count >= left {
                (self.table, self.row) = (table, last.saturating_add(1));
                return Ok(self.found || self.found_before);
            }
            left -= count;
        }
        let found = self.found;
        *self = Search { found_before: found, ..Search::default() };
        Ok(found)
    }
}
