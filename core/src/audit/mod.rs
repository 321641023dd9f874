//! The audit trail: a chain of sealed entries, each appended in the transaction of the change that it records.

mod append;
mod chain;
pub(crate) mod checkpoint;
pub(crate) mod daily;
mod entry;
mod export;
mod handle;
pub(crate) mod keys;
mod newest;
mod read;
mod retain;
mod since;
mod tail;
#[cfg(test)]
mod tests;
mod trace;
#[cfg(test)]
mod vectors;
mod verify;
mod watch;

pub(crate) use append::{append, append_for, note};
pub use checkpoint::Checkpoint;
pub use entry::{Entry, Event};
pub use export::ExportOptions;
pub(crate) use export::{json_line, timestamp};
pub use handle::Audit;
pub(crate) use since::require;
pub use trace::Trace;
pub use verify::{AuditFault, AuditReport};
pub(crate) use watch::Watch;

use crate::table::{Column, TableDefinition};
use crate::value::Type;

/// The internal table of the trail.
pub(crate) const TABLE: &str = "sealite_audit";
/// The internal table of the place where the trail goes on after retention.
const BASE_TABLE: &str = "sealite_audit_base";

/// Columns of the trail. What may be personal is sealed; the chain runs over a salted digest of it, so that it outlives
/// the erasure of a subject's data. An entry about a subject that has keys is sealed under them; `owner` is the id of the
/// one of that moment.
pub(crate) fn definition() -> TableDefinition {
    let authenticated = |name, kind| Column::new(name, kind).authenticated();
    TableDefinition::new(TABLE)
        .integer_key("seq")
        .column(authenticated("at", Type::Integer).not_null())
        .column(authenticated("event", Type::Text).not_null())
        .column(authenticated("tenant", Type::Text))
        .column(authenticated("trace_id", Type::Text))
        .column(authenticated("correlation_id", Type::Text))
        .column(authenticated("digest", Type::Blob).not_null())
        .column(authenticated("chain", Type::Blob).not_null())
        .column(authenticated("key", Type::Integer).not_null())
        .column(authenticated("owner", Type::Integer))
        .column(Column::text("actor").sealed())
        .column(Column::text("subject").sealed())
        .column(Column::json("payload").sealed())
        .column(Column::blob("salt").sealed().not_null())
        .subject_is_of_key()
}
