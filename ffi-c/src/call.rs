//! The guard around every exported function.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::{self, sealite_error};
use crate::fork;
use crate::handles::{self, Kind};
use crate::status::sealite_status::{self, SEALITE_OK};
use crate::status::{Failure, Result};

/// One call: what its arguments are borrowed for, and which handle it is made on.
pub(crate) struct Scope {
    /// The first handle among the arguments.
    subject: Cell<usize>,
}

impl Scope {
    pub(crate) fn new() -> Self {
        Scope { subject: Cell::new(0) }
    }

    pub(crate) fn note(&self, handle: usize) {
        if self.subject.get() == 0 {
            self.subject.set(handle);
        }
    }
}

/// What `call!` reads arguments with.
pub(crate) mod kinds {
    pub(crate) use crate::input::*;
    pub(crate) use crate::output::*;
}

/// Reads the arguments of an exported function and runs its body: `call!(error; kind(argument, ...), ...; { body })`.
/// The kinds are the functions of `input` and `output`. Every argument is read before any is found fault with, so that
/// out-parameters have been cleared in any case.
macro_rules! call {
    ($error:ident; $($kind:ident($name:ident $(, $more:expr)*)),* $(,)?; $body:block) => {{
        let scope = $crate::call::Scope::new();
        $crate::call::run(&scope, $error, || {
            $(
                // SAFETY: (1), (2), (3).
                #[allow(unused_unsafe)]
                let $name = unsafe { $crate::call::kinds::$kind(&scope, stringify!($name), $name $(, $more)*) };
            )*
            $(let $name = $name?;)*
            $body
            Ok(())
        })
    }};
}
pub(crate) use call;

/// Runs the work of a call.
pub(crate) fn run(
    scope: &Scope,
    error: *mut *mut sealite_error,
    work: impl FnOnce() -> Result<()>,
) -> sealite_status {
    fork::install();
    let failure = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => {
            error::clear(error);
            return SEALITE_OK;
        }
        Ok(Err(failure)) => failure,
        Err(panic) => {
            discard(panic);
            handles::poison(scope.subject.get());
            Failure::internal()
        }
    };
    let status = failure.status;
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| error::give(error, &failure))) {
        discard(panic);
    }
    status
}

/// Runs what returns a value and has no way to report an error.
pub(crate) fn quietly<T>(otherwise: T, work: impl FnOnce() -> Result<T>) -> T {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(value)) => value,
        Ok(Err(_)) => otherwise,
        Err(panic) => {
            discard(panic);
            otherwise
        }
    }
}

/// Frees a handle.
pub(crate) fn free<K: Kind>(handle: *mut K) {
    quietly((), || {
        handles::remove(handle);
        Ok(())
    });
}

/// A panic's payload may panic again when it is dropped.
#[allow(clippy::mem_forget)]
fn discard(panic: Box<dyn std::any::Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        std::mem::forget(again);
    }
}

#[cfg(test)]
mod tests {
    use sealite::Vault;

    use super::*;
    use crate::error::{sealite_error_free, sealite_error_status};
    use crate::held::Builder;
    use crate::status::sealite_status::SEALITE_INTERNAL;
    use crate::table::{sealite_table, sealite_table_count, sealite_table_free};
    use crate::transaction::*;
    use crate::values::{Given, sealite_values, sealite_values_clear, sealite_values_free};
    use crate::vault::{sealite_vault, sealite_vault_begin, sealite_vault_free};

    #[test]
    fn panic_becomes_a_status_and_poisons_the_handle_that_it_was_on() {
        let victim = handles::insert::<sealite_values>(Builder::new(Given::default())).unwrap();
        let other = handles::insert::<sealite_values>(Builder::new(Given::default())).unwrap();
        let mut error = std::ptr::null_mut();
        let place = &raw mut error;
        let panics = |values: *mut sealite_values| {
            call!(place; handle(values); {
                assert!(std::sync::Arc::strong_count(&values) == 0, "a fault of the engine");
            })
        };
        assert_eq!(panics(victim), SEALITE_INTERNAL);
        // SAFETY: (1), (3).
        unsafe {
            assert_eq!(sealite_error_status(error), SEALITE_INTERNAL);
            sealite_error_free(error);
            assert_eq!(sealite_values_clear(victim, std::ptr::null_mut()), SEALITE_INTERNAL);
            assert_eq!(sealite_values_clear(other, std::ptr::null_mut()), SEALITE_OK);
            sealite_values_free(victim);
            sealite_values_free(other);
        }
        assert!(handles::get(victim, "values").is_err());
    }

    #[test]
    fn panic_through_a_table_of_a_transaction_keeps_that_from_being_committed() {
        let none = std::ptr::null_mut();
        let mut transaction = std::ptr::null_mut();
        let mut table = std::ptr::null_mut();
        let vault = Vault::in_memory().unwrap();
        let people = sealite::TableDefinition::new("people").column(sealite::Column::text("name"));
        vault.define_table(&people).unwrap();
        let handle = handles::insert::<sealite_vault>(vault.clone()).unwrap();
        // SAFETY: (1), (3).
        unsafe {
            assert_eq!(sealite_vault_begin(handle, &raw mut transaction, none), SEALITE_OK);
            let (name, place) = (c"people".as_ptr(), &raw mut table);
            assert_eq!(sealite_transaction_table(transaction, name, 6, place, none), SEALITE_OK);
        }
        let panics = |table: *mut sealite_table| {
            call!(none; handle(table); {
                table.source.table(&table.name, |table| {
                    table.insert(sealite::values! {"name" => "half done"})?;
                    panic!("a fault of the engine")
                })?;
            })
        };
        assert_eq!(panics(table), SEALITE_INTERNAL);
        // SAFETY: (1), (3).
        unsafe {
            let mut count = 0;
            assert_eq!(sealite_table_count(table, &raw mut count, none), SEALITE_INTERNAL);
            assert_eq!(sealite_transaction_begin_savepoint(transaction, none), SEALITE_INTERNAL);
            assert_eq!(sealite_transaction_commit(transaction, none), SEALITE_INTERNAL);
            assert_eq!(sealite_transaction_roll_back(transaction, none), SEALITE_OK);
            assert_eq!(sealite_transaction_commit(transaction, none), SEALITE_INTERNAL);
            sealite_table_free(table);
            sealite_transaction_free(transaction);
            sealite_vault_free(handle);
        }
        assert_eq!(vault.table("people").unwrap().count().unwrap(), 0);
    }

    #[test]
    fn what_cannot_be_given_with_the_rest_is_not_given_at_all() {
        let mut values = std::ptr::null_mut::<sealite_values>();
        let scope = Scope::new();
        // SAFETY: (1).
        let place = unsafe { crate::output::out(&scope, "values", &raw mut values) }.unwrap();
        let mut made = std::ptr::null_mut();
        let failed = place.give_with(Builder::new(Given::default()), || {
            made = handles::insert::<sealite_values>(Builder::new(Given::default()))?;
            Err(Failure::internal())
        });
        assert!(failed.is_err() && values.is_null());
        handles::remove(made);
        place.give_with(Builder::new(Given::default()), || Ok(())).unwrap();
        assert!(handles::get(values, "values").is_ok());
        handles::remove(values);
    }

    #[test]
    fn panic_whose_payload_panics_stays_inside() {
        struct Again;
        impl Drop for Again {
            fn drop(&mut self) {
                panic!("once more");
            }
        }
        let status = run(&Scope::new(), std::ptr::null_mut(), || std::panic::panic_any(Again));
        assert_eq!(status, SEALITE_INTERNAL);
        assert_eq!(quietly(7, || std::panic::panic_any(Again)), 7);
    }
}
