//! Quotas: limits on how often something happens, shared by every process and kept over restarts.

pub(crate) mod codec;
mod erase;
mod handle;
mod limit;
#[cfg(test)]
mod tests;
mod usage;

pub(crate) use erase::erase_tenant;
pub use handle::Quotas;
pub use limit::Limit;
pub use usage::Decision;

use crate::table::{Column, Index, TableDefinition};

/// The internal table of quotas.
const TABLE: &str = "sealite_quotas";

/// The columns by position.
mod column {
    pub(super) const EXPIRES: usize = 0;
    pub(super) const USED: usize = 1;
    pub(super) const KEY: usize = 2;
}

/// One row a key, under its MAC; what was used is sealed, and so is the id of the key of the MAC, which says whose it is.
fn definition() -> TableDefinition {
    TableDefinition::new(TABLE)
        .text_key("mac")
        .column(
            Column::integer("expires").authenticated().not_null().index(Index::lookup(1_000_000)),
        )
        .column(Column::blob("used").sealed().not_null())
        .column(Column::integer("key").sealed().not_null())
}
