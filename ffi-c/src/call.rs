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
    use super::*;
    use crate::error::{sealite_error_free, sealite_error_status};
    use crate::held::Builder;
    use crate::status::sealite_status::SEALITE_INTERNAL;
    use crate::values::{Given, sealite_values, sealite_values_clear, sealite_values_free};

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
