//! The audit trail of a vault or tenant.

use std::ffi::c_char;

use sealite::{Audit, AuditFault, AuditReport, Event, ExportOptions, Value};

use super::entry::sealite_entry;
use crate::bytes::{Bytes, sealite_bytes};
use crate::call::{call, free};
use crate::error::sealite_error;
use crate::file::NewFile;
use crate::handles::Kind;
use crate::output::Out;
use crate::rows::{Made, count, integer_or_null, sealite_rows, text_or_null};
use crate::status::Result;
use crate::status::sealite_status;
use crate::tenant::{self, sealite_tenant};
use crate::transaction::sealite_transaction;
use crate::vault::sealite_vault;

/// The audit trail of a vault. A tenant's handle appends entries of that tenant only, and reads only those. It may be used
/// from any thread.
pub struct sealite_audit {
    _opaque: [u8; 0],
}

impl Kind for sealite_audit {
    type Object = Audit;
}

fn events(events: &[Event]) -> Result<Made> {
    let mut made = Made::new(&[
        "seq",
        "at",
        "event",
        "actor",
        "tenant",
        "subject",
        "trace_id",
        "correlation_id",
        "payload",
        "json",
        "erased",
    ]);
    for event in events {
        made.push([
            event.seq().into(),
            event.at().into(),
            event.event().into(),
            text_or_null(event.actor()),
            text_or_null(event.tenant()),
            text_or_null(event.subject()),
            text_or_null(event.trace_id()),
            text_or_null(event.correlation_id()),
            text_or_null(event.payload()),
            event.json_line()?.into(),
            event.is_erased().into(),
        ]);
    }
    Ok(made)
}

fn options(from_ms: Option<i64>, until_ms: Option<i64>, tenant: Option<&str>) -> ExportOptions {
    let mut options = ExportOptions::default();
    options.from_ms = from_ms;
    options.until_ms = until_ms;
    options.tenant = tenant.map(str::to_owned);
    options
}

pub(crate) fn report(
    found: &AuditReport,
    sound: &Out<'_, bool>,
    rows: &Out<'_, *mut sealite_rows>,
) -> Result<()> {
    let mut made = Made::new(&["fault", "seq", "until"]);
    for fault in &found.faults {
        let (name, seq, until) = match fault {
            AuditFault::Edited(seq) => ("edited", *seq, None),
            AuditFault::Missing(from, to) => ("missing", *from, Some(*to)),
            AuditFault::Broken(seq) => ("broken", *seq, None),
            AuditFault::Truncated(seq) => ("truncated", *seq, None),
            AuditFault::Replaced(seq) => ("replaced", *seq, None),
            _ => ("unknown", 0, None),
        };
        made.push([name.into(), Value::Integer(seq), integer_or_null(until)]);
    }
    rows.give(made.into())?;
    sound.set(found.is_sound());
    Ok(())
}

/// Makes a handle to the vault's audit trail. Free it with sealite_audit_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_audit(
    vault: *mut sealite_vault,
    audit: *mut *mut sealite_audit,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(vault), out(audit); { audit.give(vault.audit())?; })
}

/// Makes a handle to the audit trail as far as it is the tenant's. Free it with sealite_audit_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_tenant_audit(
    tenant: *mut sealite_tenant,
    audit: *mut *mut sealite_audit,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(tenant), out(audit); { audit.give(tenant::of(&tenant)?.audit())?; })
}

/// Appends an entry in a transaction of its own, and writes its place in the chain; `seq` may be NULL. To record a change,
/// append in the transaction of that change: sealite_transaction_audit().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_audit_append(
    audit: *mut sealite_audit,
    entry: *const sealite_entry,
    seq: *mut i64,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(audit), handle(entry), optional_out(seq); {
        seq.set(audit.append(&entry.built()?)?);
    })
}

/// Appends an entry in this transaction: the change that it records happens only with it. `seq` may be NULL.
///
/// SEALITE_CLOSED where the transaction has ended; SEALITE_LIMIT for an entry that is too long.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_transaction_audit(
    transaction: *mut sealite_transaction,
    entry: *const sealite_entry,
    seq: *mut i64,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(transaction), handle(entry), optional_out(seq); {
        let entry = entry.built()?;
        seq.set(transaction.held.with(|open| Ok(open.audit(&entry)?))?);
    })
}

/// As sealite_audit_append(), for what may be lost: a failure of the vault is counted, not returned.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_audit_append_best_effort(
    audit: *mut sealite_audit,
    entry: *const sealite_entry,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(audit), handle(entry); { audit.append_best_effort(&entry.built()?); })
}

/// Writes how many entries of best effort this process has lost.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_audit_lost(
    audit: *mut sealite_audit,
    lost: *mut u64,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(audit), out(lost); { lost.set(audit.lost()); })
}

/// Reads the last entries, the newest last. Rows: `seq`, `at` (milliseconds since 1970), `event`, `actor`, `tenant`,
/// `subject`, `trace_id`, `correlation_id`, `payload` (canonical JSON), `json` (the entry as a line of JSON Lines, with
/// its line feed), `erased` (its subject has been erased: actor, subject and payload are gone).
///
/// SEALITE_AUTHENTICATION_FAILED where one of the `entries` is not what was written: sealite_audit_verify() says which.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_audit_tail(
    audit: *mut sealite_audit,
    entries: usize,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(audit), plain(entries), out(rows); {
        rows.give(events(&audit.tail(entries)?)?.into())?;
    })
}

/// Reads the next entries behind the place `after` in the chain, 0 for the first, and writes the place to go on from to
/// `next`, 0 at the end. A batch may be empty before the end. `from_ms` and `until_ms` (milliseconds since 1970) and
/// `tenant` limit which entries; each may be NULL. Rows: as of sealite_audit_tail().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_audit_page(
    audit: *mut sealite_audit,
    after: i64,
    from_ms: *const i64,
    until_ms: *const i64,
    tenant: *const c_char,
    tenant_length: usize,
    rows: *mut *mut sealite_rows,
    next: *mut i64,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(audit), plain(after), optional_number(from_ms), optional_number(until_ms),
        optional_text(tenant, tenant_length), out(rows), out(next);
        {
            let (found, last) = audit.page(after, &options(from_ms, until_ms, tenant))?;
            rows.give(events(&found)?.into())?;
            next.set(last.unwrap_or(0));
        }
    )
}

/// Writes entries as JSON Lines to one file a day (UTC) in the folder; a file that is there is continued behind its last
/// entry. `from_ms`, `until_ms` and `tenant` as of sealite_audit_page(). Rows: `path`, `entries` that were added.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_audit_export_daily(
    audit: *mut sealite_audit,
    folder: *const c_char,
    folder_length: usize,
    from_ms: *const i64,
    until_ms: *const i64,
    tenant: *const c_char,
    tenant_length: usize,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(audit), text(folder, folder_length),
        optional_number(from_ms), optional_number(until_ms),
        optional_text(tenant, tenant_length), out(rows);
        {
            let mut made = Made::new(&["path", "entries"]);
            let written = audit.export_daily(folder, &options(from_ms, until_ms, tenant))?;
            for (path, entries) in written {
                made.push([path.to_string_lossy().into_owned().into(), count(entries)]);
            }
            rows.give(made.into())?;
        }
    )
}

/// Writes the entries of `audit` as JSON Lines to the new file `path` with mode 0600, in the order of the chain, and how
/// many to `entries`, which may be NULL. `from_ms`, `until_ms` and `tenant` as of sealite_audit_page(). Memory is bounded.
///
/// SEALITE_REFUSED where a file has the name already; SEALITE_NOT_FOUND without the folder; SEALITE_READ_ONLY,
/// SEALITE_FULL, SEALITE_IO; SEALITE_AUTHENTICATION_FAILED where an entry is not what was written. There is no file then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_audit_export(
    audit: *mut sealite_audit,
    path: *const c_char,
    path_length: usize,
    from_ms: *const i64,
    until_ms: *const i64,
    tenant: *const c_char,
    tenant_length: usize,
    entries: *mut u64,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(audit), text(path, path_length),
        optional_number(from_ms), optional_number(until_ms),
        optional_text(tenant, tenant_length), optional_out(entries);
        {
            let mut file = NewFile::create(path)?;
            let options = options(from_ms, until_ms, tenant);
            let written = file.write_by(|file| audit.export(file, &options))?;
            file.keep()?;
            entries.set(written);
        }
    )
}

/// Walks the whole chain, and compares it with a checkpoint that was kept outside, or NULL. Writes true to `sound` where
/// nothing is wrong. Rows: `fault` ("edited", "missing", "broken", "truncated" or "replaced"), `seq`, `until` (of
/// "missing": the last one).
///
/// SEALITE_ROLLED_BACK where the checkpoint is under an audit key that the file does not have yet;
/// SEALITE_AUTHENTICATION_FAILED for another vault's; SEALITE_INVALID_INPUT for a text that is none. What does not
/// verify is no failure: it stands in `rows`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_audit_verify(
    audit: *mut sealite_audit,
    checkpoint: *const c_char,
    checkpoint_length: usize,
    sound: *mut bool,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(audit), optional_text(checkpoint, checkpoint_length), out(sound), out(rows);
        { report(&audit.verify(checkpoint)?, &sound, &rows)?; }
    )
}

/// As sealite_audit_verify(), of what came after the checkpoint only.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_audit_verify_since(
    audit: *mut sealite_audit,
    checkpoint: *const c_char,
    checkpoint_length: usize,
    sound: *mut bool,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(audit), text(checkpoint, checkpoint_length), out(sound), out(rows); {
        report(&audit.verify_since(checkpoint)?, &sound, &rows)?;
    })
}

/// Says how far the chain goes now, as a text of 150 characters to be kept outside the file; no secret. Free it with
/// sealite_bytes_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_audit_checkpoint(
    audit: *mut sealite_audit,
    checkpoint: *mut *mut sealite_bytes,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(audit), out(checkpoint); {
        checkpoint.give(Bytes::copy_of(audit.checkpoint()?.text().as_bytes()))?;
    })
}

/// Reads a `checkpoint` of the vault of `audit` that was kept outside: writes to `seq` how many entries the chain had, and
/// to `at_ms` when it was made, in milliseconds since 1970. Each may be NULL.
///
/// SEALITE_INVALID_INPUT for a text that is none; SEALITE_AUTHENTICATION_FAILED for another vault's, or an altered one;
/// SEALITE_ROLLED_BACK where it is under an audit key that the file does not have yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_audit_read_checkpoint(
    audit: *mut sealite_audit,
    checkpoint: *const c_char,
    checkpoint_length: usize,
    seq: *mut i64,
    at_ms: *mut i64,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(audit), text(checkpoint, checkpoint_length), optional_out(seq), optional_out(at_ms);
        {
            let read = audit.read_checkpoint(checkpoint)?;
            seq.set(read.seq());
            at_ms.set(read.at());
        }
    )
}

/// Drops entries up to and including `through`, at most 10,000 in one call, and writes the last one dropped; `dropped` may
/// be NULL. The trail records it, and goes on from there. Export them before.
///
/// SEALITE_AUTHENTICATION_FAILED where what is to be dropped, or an entry shortly behind it, does not verify: nothing
/// is dropped then; SEALITE_NOT_FOUND where the trail does not reach that far.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_audit_retain_after(
    audit: *mut sealite_audit,
    through: i64,
    dropped: *mut i64,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(audit), plain(through), optional_out(dropped); {
        dropped.set(audit.retain_after(through)?);
    })
}

/// Frees the handle. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_audit_free(audit: *mut sealite_audit) {
    free(audit);
}
