//! Tokens of a store from before.

use std::ffi::c_char;

use sealite::LegacyEntry;

use super::handle::sealite_tokens;
use super::known::KINDS;
use crate::call::{call, free};
use crate::error::sealite_error;
use crate::handles::Kind;
use crate::held::Builder;
use crate::status::Result;
use crate::status::sealite_status;

/// Tokens that were made elsewhere, known by the SHA-256 of their texts: what sealite_tokens_import_legacy() takes. Not for
/// two threads at once (SEALITE_BUSY).
pub struct sealite_legacy_entries {
    _opaque: [u8; 0],
}

type Entries = Builder<Vec<LegacyEntry>>;

impl Kind for sealite_legacy_entries {
    type Object = Entries;
}

fn add(entries: &Entries, more: impl IntoIterator<Item = LegacyEntry>) -> Result<()> {
    entries.with(|held| {
        held.extend(more);
        Ok(())
    })
}

/// Says of an entry whose it is, and whether it works.
fn about(
    mut entry: LegacyEntry,
    subject: Option<&str>,
    label: Option<&str>,
    enabled: bool,
) -> LegacyEntry {
    if let Some(subject) = subject {
        entry = entry.subject(subject);
    }
    if let Some(label) = label {
        entry = entry.label(label);
    }
    if enabled { entry } else { entry.disabled() }
}

/// Makes an empty list. Free it with sealite_legacy_entries_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_legacy_entries_create(
    entries: *mut *mut sealite_legacy_entries,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; out(entries); { entries.give(Builder::new(Vec::new()))?; })
}

/// Adds the entries of a file of admin tokens, from its JSON text: a list of entries with `id`, `hash`, `enabled` and
/// `breakglass`, the same under `tokens`, or an object that gives an entry, or a hash alone, for each id.
///
/// SEALITE_CORRUPT for a torn file, SEALITE_INVALID_INPUT for one of another form, SEALITE_LIMIT above 16 MiB: it is refused
/// whole, and the message shows nothing of it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_legacy_entries_add_admin_tokens(
    entries: *mut sealite_legacy_entries,
    json: *const c_char,
    json_length: usize,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(entries), text(json, json_length); {
        add(&entries, LegacyEntry::admin_tokens(json)?)?;
    })
}

/// Adds the entries of a file of users' tokens, from its JSON text: a list of entries with `id`, `name`, `hash`, `enabled`
/// and `created`, an object that gives an entry for each id, or one whose names are the tokens themselves, which are hashed
/// at once and kept nowhere. Failures: as of sealite_legacy_entries_add_admin_tokens().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_legacy_entries_add_users(
    entries: *mut sealite_legacy_entries,
    json: *const c_char,
    json_length: usize,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(entries), text(json, json_length); {
        add(&entries, LegacyEntry::users(json)?)?;
    })
}

/// Adds a token of which the SHA-256 is known: 64 hexadecimal digits, with or without `sha256:` before them. `kind` is a
/// sealite_token_kind; `subject` and `label` may be NULL; with `enabled` 0 it is refused until it is enabled.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_legacy_entries_add_hash(
    entries: *mut sealite_legacy_entries,
    kind: i32,
    hash: *const c_char,
    hash_length: usize,
    subject: *const c_char,
    subject_length: usize,
    label: *const c_char,
    label_length: usize,
    enabled: i32,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(entries), choice(kind, KINDS), text(hash, hash_length),
        optional_text(subject, subject_length), optional_text(label, label_length), flag(enabled);
        {
            let entry = LegacyEntry::from_hash(kind, hash)?;
            add(&entries, [about(entry, subject, label, enabled)])?;
        }
    )
}

/// As sealite_legacy_entries_add_hash(), of a token that is known in clear, such as one of an environment variable: it is
/// hashed at once and not kept.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_legacy_entries_add_token(
    entries: *mut sealite_legacy_entries,
    kind: i32,
    token: *const c_char,
    token_length: usize,
    subject: *const c_char,
    subject_length: usize,
    label: *const c_char,
    label_length: usize,
    enabled: i32,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(entries), choice(kind, KINDS), text(token, token_length),
        optional_text(subject, subject_length), optional_text(label, label_length), flag(enabled);
        {
            let entry = LegacyEntry::from_token(kind, token)?;
            add(&entries, [about(entry, subject, label, enabled)])?;
        }
    )
}

/// Frees the list. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_legacy_entries_free(entries: *mut sealite_legacy_entries) {
    free(entries);
}

/// Imports tokens that were made elsewhere, all or none. They keep their text, and get the keyed hash of it with their first
/// use. Importing again changes nothing: writes how many are new to `imported` and how many were here already, and stay as
/// they are, to `known`; each may be NULL.
///
/// SEALITE_INVALID_INPUT for a subject or label that no token may have.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_tokens_import_legacy(
    tokens: *mut sealite_tokens,
    entries: *const sealite_legacy_entries,
    imported: *mut u64,
    known: *mut u64,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(tokens), handle(entries), optional_out(imported), optional_out(known);
        {
            let entries = entries.built()?;
            let done = tokens.with(|tokens| tokens.import(&entries))?;
            imported.set(done.imported);
            known.set(done.known);
        }
    )
}
