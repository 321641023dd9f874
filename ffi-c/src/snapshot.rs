//! Views of a vault at one moment.

use std::ffi::c_char;
use std::sync::Arc;

use sealite::Snapshot;

use crate::call::{call, free, quietly};
use crate::error::sealite_error;
use crate::handles::{self, Kind};
use crate::held::{Held, Source};
use crate::status::sealite_status;
use crate::table::{Named, sealite_table};

/// A view of the vault at one moment. It reads only, holds a connection until it is freed, and holds back the
/// write-ahead log while it lives: keep it short. Calls on it take turns; a forked child gets SEALITE_FORKED.
pub struct sealite_snapshot {
    _opaque: [u8; 0],
}

impl Kind for sealite_snapshot {
    type Object = Arc<Held<Snapshot>>;
}

/// Makes a handle to a table as it was when the snapshot was taken. It ends with the snapshot and is still to be freed.
///
/// SEALITE_CLOSED where the snapshot has ended. A table that is not there is told by the first call on it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_snapshot_table(
    snapshot: *mut sealite_snapshot,
    name: *const c_char,
    name_length: usize,
    table: *mut *mut sealite_table,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(snapshot), text(name, name_length), out(table); {
        let source = Source::Snapshot(Arc::clone(&snapshot), None);
        table.give(Named::checked(source, name)?)?;
    })
}

/// Makes a handle to a tenant's rows of a table. A tenant's own snapshot reaches no other.
///
/// SEALITE_CLOSED where the snapshot has ended. A table that is not there is told by the first call on it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_snapshot_tenant_table(
    snapshot: *mut sealite_snapshot,
    tenant: *const c_char,
    tenant_length: usize,
    name: *const c_char,
    name_length: usize,
    table: *mut *mut sealite_table,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(snapshot), text(tenant, tenant_length), text(name, name_length), out(table);
        {
            let source = Source::Snapshot(Arc::clone(&snapshot), Some(tenant.to_owned()));
            table.give(Named::checked(source, name)?)?;
        }
    )
}

/// Ends and frees the snapshot. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_snapshot_free(snapshot: *mut sealite_snapshot) {
    // The tables made from it may live on: it must not live on with them.
    let held = quietly(None, || Ok(Some(handles::get(snapshot, "snapshot")?)));
    free(snapshot);
    if let Some(held) = held {
        quietly((), || held.take_to_undo().map(drop));
    }
}
