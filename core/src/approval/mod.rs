//! Approvals: requests bound to a payload, decided once by somebody who may, executed once.

mod erase;
mod handle;
pub(crate) mod payload;
mod request;
mod store;
mod wait;

pub(crate) use erase::{erase_subject, of_subject};
pub use handle::Approvals;
pub use request::{Approval, ApprovalRequest, ApprovalState, Verdict};

use crate::table::{Column, Index, TableDefinition};

/// The internal table of the vault's own approvals.
const TABLE: &str = "sealite_approvals";
/// The internal table of those of tenants.
const TENANT_TABLE: &str = "sealite_tenant_approvals";
/// Different subjects or sessions that are expected; what the blind indexes are planned from.
const EXPECTED_DISTINCT: u64 = 10_000;

/// `due` is when time does something to a row: when it expires, and once its state is final, when it is removed.
fn definition(tenants: bool) -> TableDefinition {
    let lookup = || Index::lookup(EXPECTED_DISTINCT);
    let definition = TableDefinition::new(if tenants { TENANT_TABLE } else { TABLE })
        .text_key("id")
        .column(Column::text("state").authenticated().not_null().index(lookup()))
        .column(Column::integer("due").authenticated().not_null().index(lookup()))
        .column(Column::integer("created_at").authenticated().not_null())
        .column(Column::integer("expires_at").authenticated().not_null())
        .column(Column::integer("keep_ms").authenticated().not_null())
        .column(Column::integer("decided_at").authenticated())
        .column(Column::integer("executed_at").authenticated())
        .column(Column::text("action").sealed().not_null())
        .column(Column::blob("payload_hash").sealed().not_null())
        .column(Column::text("requester").sealed().not_null())
        .column(Column::text("subject").sealed().index(lookup()))
        .column(Column::text("session").sealed().index(lookup()))
        .column(Column::boolean("exclude_requester").sealed().not_null())
        .column(Column::json("allowed_roles").sealed().not_null())
        .column(Column::text("approver").sealed())
        .column(Column::text("role").sealed())
        .column(Column::text("reason").sealed());
    if tenants { definition.per_tenant() } else { definition }
}
