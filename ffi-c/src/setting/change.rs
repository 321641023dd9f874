//! Changes of settings that are written together.

use std::ffi::c_char;

use sealite::Change;

use crate::call::{call, free};
use crate::error::sealite_error;
use crate::handles::Kind;
use crate::held::Builder;
use crate::status::Result;
use crate::status::sealite_status;
use crate::value::sealite_value;

/// What sealite_settings_write() writes, all or nothing. Not for two threads at once (SEALITE_BUSY). Wiped by
/// sealite_changes_free().
pub struct sealite_changes {
    _opaque: [u8; 0],
}

/// The object.
pub(crate) type Changes = Builder<Vec<Named>>;

impl Kind for sealite_changes {
    type Object = Changes;
}

/// One setting and what becomes of it.
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) change: Change,
}

fn add(changes: &Changes, name: &str, change: Change) -> Result<()> {
    let named = Named { name: name.to_owned(), change };
    changes.with(|held| {
        held.push(named);
        Ok(())
    })
}

/// Makes an empty set of changes. Free it with sealite_changes_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_changes_create(
    changes: *mut *mut sealite_changes,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; out(changes); { changes.give(Builder::new(Vec::new()))?; })
}

/// Sets a value, whatever it looks like: also one that equals the mask.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_changes_set(
    changes: *mut sealite_changes,
    name: *const c_char,
    name_length: usize,
    value: *const sealite_value,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(changes), text(name, name_length), value(value); {
        add(&changes, name, Change::Set(value.to_owned()))?;
    })
}

/// Takes the value away: what holds then is the platform's, the environment's or the default.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_changes_clear(
    changes: *mut sealite_changes,
    name: *const c_char,
    name_length: usize,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(changes), text(name, name_length); {
        add(&changes, name, Change::Clear)?;
    })
}

/// Does what a form has sent back: the text that the setting showed (`shown` of sealite_settings_read()) keeps, an empty
/// one keeps (`blank_keeps` 1) or clears (0), any other is set, read in the setting's type. A text that is the mask of
/// some other value is refused.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_changes_form(
    changes: *mut sealite_changes,
    name: *const c_char,
    name_length: usize,
    shown: *const c_char,
    shown_length: usize,
    blank_keeps: i32,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(changes), text(name, name_length), text(shown, shown_length), flag(blank_keeps);
        { add(&changes, name, Change::from_form(shown, blank_keeps))?; }
    )
}

/// Wipes and frees the changes. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_changes_free(changes: *mut sealite_changes) {
    free(changes);
}
