//! Write transactions.

use std::ffi::c_char;
use std::sync::{Arc, Mutex, PoisonError};

use sealite::{Savepoint, Transaction};

use crate::call::{call, free, quietly};
use crate::definition::sealite_definition;
use crate::error::sealite_error;
use crate::handles::{self, Kind};
use crate::held::{Held, Source};
use crate::status::sealite_status::{self, SEALITE_CLOSED};
use crate::status::{Failure, Result};
use crate::table::{Named, sealite_table};

/// A write transaction: what is done in it is committed together or not at all. Calls on it take turns; a forked child
/// gets SEALITE_FORKED.
pub struct sealite_transaction {
    _opaque: [u8; 0],
}

/// The object.
pub(crate) struct Open {
    pub(crate) held: Arc<Held<Transaction>>,
    /// The innermost last. Touched only while the transaction is held.
    savepoints: Mutex<Vec<Savepoint>>,
}

impl Kind for sealite_transaction {
    type Object = Open;
}

impl Open {
    pub(crate) fn new(transaction: Transaction) -> Self {
        Open { held: Held::new("transaction", transaction), savepoints: Mutex::default() }
    }

    fn savepoints<R>(&self, work: impl FnOnce(&mut Vec<Savepoint>) -> R) -> R {
        work(&mut self.savepoints.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn end_savepoint(&self, keep: bool) -> Result<()> {
        self.held.with(|transaction| {
            let none = || Failure::new(SEALITE_CLOSED, "the transaction has no savepoint open");
            self.savepoints(|set| {
                transaction.end_savepoint(set.last().ok_or_else(none)?, keep)?;
                // One that the engine could not end is still there.
                set.pop();
                Ok(())
            })
        })
    }
}

/// Makes a handle to a table, within the transaction. It ends with the transaction and is still to be freed.
///
/// SEALITE_CLOSED where the transaction has ended. A table that is not there is told by the first call on it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_transaction_table(
    transaction: *mut sealite_transaction,
    name: *const c_char,
    name_length: usize,
    table: *mut *mut sealite_table,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(transaction), text(name, name_length), out(table); {
        let source = Source::Transaction(Arc::clone(&transaction.held), None);
        table.give(Named::checked(source, name)?)?;
    })
}

/// Makes a handle to a tenant's rows of a table, within the transaction. A tenant's own transaction reaches no other.
///
/// SEALITE_CLOSED where the transaction has ended. A table that is not there is told by the first call on it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_transaction_tenant_table(
    transaction: *mut sealite_transaction,
    tenant: *const c_char,
    tenant_length: usize,
    name: *const c_char,
    name_length: usize,
    table: *mut *mut sealite_table,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(transaction), text(tenant, tenant_length), text(name, name_length), out(table);
        {
            let held = Arc::clone(&transaction.held);
            let source = Source::Transaction(held, Some(tenant.to_owned()));
            table.give(Named::checked(source, name)?)?;
        }
    )
}

/// As sealite_vault_define_table(), within the transaction.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_transaction_define_table(
    transaction: *mut sealite_transaction,
    definition: *const sealite_definition,
    created: *mut bool,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(transaction), handle(definition), optional_out(created); {
        let definition = definition.built()?;
        created.set(transaction.held.with(|open| Ok(open.define_table(&definition)?))?);
    })
}

/// Sets a savepoint: a place to go back to, inside those that are set already.
///
/// SEALITE_CLOSED where the transaction has ended.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_transaction_begin_savepoint(
    transaction: *mut sealite_transaction,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(transaction); {
        transaction.held.with(|open| {
            let savepoint = open.begin_savepoint()?;
            transaction.savepoints(|set| set.push(savepoint));
            Ok(())
        })?;
    })
}

/// Ends the innermost savepoint: with `keep` 1 keeps what was done since, with 0 takes it back. What is not ended ends
/// with the transaction.
///
/// SEALITE_CLOSED where none is set. SEALITE_BUSY where it is to be kept and a statement that writes stands on a row: it is
/// still set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_transaction_end_savepoint(
    transaction: *mut sealite_transaction,
    keep: i32,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(transaction), flag(keep); { transaction.end_savepoint(keep)?; })
}

/// Commits. After a failure nothing was committed; after SEALITE_IO, whether it was shows when the vault is opened again.
/// The transaction has ended in any case, and is still to be freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_transaction_commit(
    transaction: *mut sealite_transaction,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(transaction); { transaction.held.take()?.commit()?; })
}

/// Takes everything back. The transaction has ended, and is still to be freed.
///
/// SEALITE_CLOSED where it has ended; not where SQLite has taken it back by itself, as after a full disk.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_transaction_roll_back(
    transaction: *mut sealite_transaction,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(transaction); { transaction.held.take_to_undo()?.roll_back()?; })
}

/// Frees the transaction; one that has not ended is rolled back. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_transaction_free(transaction: *mut sealite_transaction) {
    // The tables made from it may live on: it must not live on with them.
    let held = quietly(None, || Ok(Some(handles::get(transaction, "transaction")?)));
    free(transaction);
    if let Some(open) = held {
        quietly((), || open.held.take_to_undo().map(drop));
    }
}
