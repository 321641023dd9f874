//! The handle of one tenant.

use std::ffi::c_char;

use crate::bytes::{Bytes, sealite_bytes};
use crate::call::{call, free};
use crate::error::sealite_error;
use crate::handles::Kind;
use crate::held::{Held, Root, Source};
use crate::snapshot::sealite_snapshot;
use crate::status::sealite_status;
use crate::status::{Failure, Result};
use crate::table::{Named, sealite_table};
use crate::transaction::{Open, sealite_transaction};

/// One tenant of a vault. It can't reach what belongs to another, or to the vault itself. It may be used from any thread.
pub struct sealite_tenant {
    _opaque: [u8; 0],
}

impl Kind for sealite_tenant {
    /// Always of the tenant kind.
    type Object = Root;
}

/// The tenant of a handle.
pub(crate) fn of(root: &Root) -> Result<&sealite::Tenant> {
    match root {
        Root::Tenant(tenant, _) => Ok(tenant),
        Root::Vault(_) => Err(Failure::internal()),
    }
}

/// Makes a handle to the tenant's rows of a table. See sealite_vault_table().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_tenant_table(
    tenant: *mut sealite_tenant,
    name: *const c_char,
    name_length: usize,
    table: *mut *mut sealite_table,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(tenant), text(name, name_length), out(table); {
        of(&tenant)?.table(name)?;
        table.give(Named::new(Source::Root((*tenant).clone()), name))?;
    })
}

/// Begins a transaction that reaches the tenant's rows only. See sealite_vault_begin().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_tenant_begin(
    tenant: *mut sealite_tenant,
    transaction: *mut *mut sealite_transaction,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(tenant), out(transaction); {
        transaction.give(Open::new(of(&tenant)?.begin()?))?;
    })
}

/// Takes a view of the tenant's rows at this moment. See sealite_vault_snapshot().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_tenant_snapshot(
    tenant: *mut sealite_tenant,
    snapshot: *mut *mut sealite_snapshot,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(tenant), out(snapshot); {
        snapshot.give(Held::new("snapshot", tenant.snapshot()?))?;
    })
}

/// Writes the name of `tenant` to `name`. Free it with sealite_bytes_free().
///
/// SEALITE_CLOSED for a handle that was freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_tenant_name(
    tenant: *mut sealite_tenant,
    name: *mut *mut sealite_bytes,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(tenant), out(name); {
        name.give(Bytes::copy_of(of(&tenant)?.name().as_bytes()))?;
    })
}

/// Frees the handle. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_tenant_free(tenant: *mut sealite_tenant) {
    free(tenant);
}
