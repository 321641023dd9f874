//! Erasure: what belongs to a subject or a tenant is deleted and its keys destroyed, so that copies of the file hold it no
//! longer than their own keys last; and what comes before that, a list of the tenants and an export of what a subject has.
//!
//! A transaction deletes the rows, destroys the keys, and writes the audit entry; rows of a large tenant go in batches
//! before it. What is under way, and what has been done, stands in an internal table of jobs, so that a call that was
//! interrupted goes on. Then the file is rewritten and the log emptied, or that is reported as pending.

mod erase;
mod export;
mod job;
mod receipt;
mod rows;
mod tenants;

pub(crate) use erase::{erase, resume};
pub use export::SubjectExport;
pub(crate) use export::export;
pub(crate) use receipt::verify;
pub use receipt::{Erasure, ErasureReceipt};
pub use tenants::TenantInfo;
pub(crate) use tenants::list;

use crate::error::{Result, fail};
use crate::table::definition::check_tenant;
use crate::table::subject::check_name;

/// Who is erased: a subject of a tenant or of the vault itself, or a tenant as a whole.
#[derive(Clone, Copy)]
pub(crate) struct Whom<'a> {
    pub(crate) tenant: Option<&'a str>,
    pub(crate) subject: Option<&'a str>,
}

impl Whom<'_> {
    fn check(&self) -> Result<()> {
        self.tenant.map_or(Ok(()), check_tenant)?;
        match (self.tenant, self.subject) {
            (_, Some(subject)) => check_name(subject),
            (Some(_), None) => Ok(()),
            (None, None) => fail!(InvalidInput, "the vault itself is not erased"),
        }
    }
}
