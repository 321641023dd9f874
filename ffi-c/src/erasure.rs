//! Subjects and tenants: listing, exporting, erasing.

use std::ffi::c_char;

use sealite::{ErasureReceipt, WipedBuffer};

use crate::bytes::{Bytes, sealite_bytes};
use crate::call::call;
use crate::error::sealite_error;
use crate::file::NewFile;
use crate::rows::{Made, count, integer_or_null, sealite_rows, text_or_null};
use crate::status::sealite_status;
use crate::value::sealite_string;
use crate::vault::sealite_vault;

fn receipts(receipts: &[ErasureReceipt]) -> Made {
    let mut made = Made::new(&[
        "tenant",
        "subject",
        "at",
        "rows",
        "internal",
        "keys",
        "audit_seq",
        "erasure",
        "text",
    ]);
    for receipt in receipts {
        made.push([
            text_or_null(receipt.tenant()),
            text_or_null(receipt.subject()),
            receipt.at().into(),
            count(receipt.rows()),
            count(receipt.internal()),
            count(receipt.keys()),
            receipt.audit_seq().into(),
            receipt.erasure().name().into(),
            receipt.text().into(),
        ]);
    }
    made
}

/// Erases a subject, of a tenant or, where `tenant` is NULL, of the vault itself: deletes its rows of every table that names
/// it (sealite_definition_set_subject()), its tokens and the approvals about it, and destroys its keys, in one transaction.
/// From then on nothing of it opens any more, in any process, and what is written for it fails as SEALITE_DESTROYED_KEY.
/// Then the file is rewritten and its log emptied. Of a subject that has been erased the call gives the receipt again.
///
/// Rows, exactly one: `tenant`, `subject`, `at` (milliseconds since 1970), `rows` deleted from the application's tables,
/// `internal` rows deleted from the engine's own, `keys` destroyed, `audit_seq`, `erasure` ("complete", or "pending" where a
/// reader holds the log back: sealite_vault_finish_erasure()), `text` (the receipt, to be kept outside).
///
/// SEALITE_NOT_FOUND where the vault has nothing of the subject; SEALITE_AUTHENTICATION_FAILED where one of its rows is not
/// what was written; SEALITE_CONFLICT where a foreign key refers to one. Nothing is erased then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_erase_subject(
    vault: *mut sealite_vault,
    tenant: *const c_char,
    tenant_length: usize,
    subject: *const c_char,
    subject_length: usize,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(vault), optional_text(tenant, tenant_length), text(subject, subject_length), out(rows);
        { rows.give(receipts(&[vault.erase_subject(tenant, subject)?]).into())?; }
    )
}

/// Erases several subjects, each in a transaction of its own, and rewrites the file once behind all of them: the way for many,
/// since that costs as much as the whole file. Rows: as of sealite_vault_erase_subject(), in the order of `subjects`.
///
/// As sealite_vault_erase_subject() for the first that fails: those before it are erased, those behind it are not, and the
/// same call without it gives the receipts of all.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_erase_subjects(
    vault: *mut sealite_vault,
    tenant: *const c_char,
    tenant_length: usize,
    subjects: *const sealite_string,
    subject_count: usize,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(vault), optional_text(tenant, tenant_length), texts(subjects, subject_count), out(rows);
        { rows.give(receipts(&vault.erase_subjects(tenant, &subjects)?).into())?; }
    )
}

/// Erases a tenant: its rows, its subjects, settings, tokens, quotas and approvals, and every key of it; its audit entries
/// stay. Rows go in batches while others read and write; a call that was interrupted is continued by the next, and by
/// sealite_vault_finish_erasure(). Otherwise as sealite_vault_erase_subject().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_erase_tenant(
    vault: *mut sealite_vault,
    name: *const c_char,
    name_length: usize,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(vault), text(name, name_length), out(rows); {
        rows.give(receipts(&[vault.erase_tenant(name)?]).into())?;
    })
}

/// Checks that the vault has written this receipt of an erasure, and reads it. Rows: as of sealite_vault_erase_subject();
/// `erasure` is of now.
///
/// SEALITE_INVALID_INPUT for a text that is none; SEALITE_AUTHENTICATION_FAILED for another vault's, or an altered one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_verify_receipt(
    vault: *mut sealite_vault,
    text: *const c_char,
    text_length: usize,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(vault), text(text, text_length), out(rows); {
        rows.give(receipts(&[vault.verify_receipt(text)?]).into())?;
    })
}

/// Lists the tenants that have, or had, keys, in the order of their names. Rows: `name`, `created_at` and `erased_at`
/// (seconds since 1970; NULL for one that is there), `subjects` that have keys.
///
/// SEALITE_AUTHENTICATION_FAILED where the table of keys is not what was written: no tenant can be hidden.
/// SEALITE_LOCKED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_tenants(
    vault: *mut sealite_vault,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(vault), out(rows); {
        let mut made = Made::new(&["name", "created_at", "erased_at", "subjects"]);
        for tenant in vault.tenants()? {
            made.push([
                tenant.name.as_str().into(),
                tenant.created_at.into(),
                integer_or_null(tenant.erased_at),
                count(tenant.subjects),
            ]);
        }
        rows.give(made.into())?;
    })
}

/// Writes everything that a subject has, of a tenant or, where `tenant` is NULL, of the vault itself, as JSON text in UTF-8:
/// `tables`, `tokens`, `approvals`, `audit`. No key, hash or token is in it; everything else is in clear. Free it with
/// sealite_bytes_free(). Audited.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_export_subject(
    vault: *mut sealite_vault,
    tenant: *const c_char,
    tenant_length: usize,
    subject: *const c_char,
    subject_length: usize,
    json: *mut *mut sealite_bytes,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(vault), optional_text(tenant, tenant_length), text(subject, subject_length), out(json);
        {
            let mut written = WipedBuffer::default();
            vault.export_subject(tenant, subject, &mut written)?;
            json.give(Bytes::copy_of(written.as_bytes()))?;
        }
    )
}

/// As sealite_vault_export_subject() of `vault`, `tenant` and `subject`, to the new file `path` with mode 0600, in bounded
/// memory. `rows` has exactly one, free it with sealite_rows_free(): `rows` of the application's tables, `tokens`,
/// `approvals`, `entries` of the audit trail; it may be NULL.
///
/// SEALITE_REFUSED where a file has the name already; SEALITE_NOT_FOUND without the folder; SEALITE_READ_ONLY,
/// SEALITE_FULL, SEALITE_IO; SEALITE_DESTROYED_KEY where the subject has been erased. There is no file then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_export_subject_to(
    vault: *mut sealite_vault,
    tenant: *const c_char,
    tenant_length: usize,
    subject: *const c_char,
    subject_length: usize,
    path: *const c_char,
    path_length: usize,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(vault), optional_text(tenant, tenant_length), text(subject, subject_length),
        text(path, path_length), optional_out(rows);
        {
            let mut file = NewFile::create(path)?;
            let found = file.write_by(|file| vault.export_subject(tenant, subject, file))?;
            let mut made = Made::new(&["rows", "tokens", "approvals", "entries"]);
            let counts = [found.rows, found.tokens, found.approvals, found.entries];
            made.push(counts.map(count));
            rows.give_with(made.into(), || file.keep())?;
        }
    )
}
