//! `sealite subject` and `sealite tenant`.

use sealite::{Erasure, ErasureReceipt, TenantInfo};
use serde_json::{Value, json};

use crate::arguments::{Subject, SubjectErase, SubjectExport, Tenant, TenantErase};
use crate::failure::Result;
use crate::report::Report;
use crate::secret_file::SecretFile;
use crate::streams::Console;
use crate::text::{aligned, counted, date, printable};
use crate::unlock;

const PENDING: &str =
    "a reader holds the log back: what was erased is overwritten when this command is run again";

/// Runs a command on a subject.
pub(super) fn subject(command: &Subject, console: &mut Console<'_>) -> Result<Report> {
    match command {
        Subject::Export(arguments) => export(arguments, console),
        Subject::Erase(SubjectErase { file, subjects, tenant, open, .. }) => {
            let vault = unlock::open(file, open, console)?;
            let subjects: Vec<&str> = subjects.iter().map(String::as_str).collect();
            let receipts = vault.erase_subjects(tenant.as_deref(), &subjects)?;
            let text = receipts.iter().map(erased_text).collect::<String>();
            let objects: Value = receipts.iter().map(erased_object).collect();
            let report = Report::new(text, json!({"receipts": objects}));
            Ok(unless_complete(report, &receipts))
        }
    }
}

/// Runs a command on tenants.
pub(super) fn tenant(command: &Tenant, console: &mut Console<'_>) -> Result<Report> {
    match command {
        Tenant::List { file, open } => {
            let found = unlock::open(file, open, console)?.tenants()?;
            let objects: Value = found.iter().map(object).collect();
            Ok(Report::new(listed(&found), json!({"tenants": objects})))
        }
        Tenant::Erase(TenantErase { file, name, open, .. }) => {
            let receipt = unlock::open(file, open, console)?.erase_tenant(name)?;
            let report = Report::new(erased_text(&receipt), erased_object(&receipt));
            Ok(unless_complete(report, &[receipt]))
        }
    }
}

fn export(arguments: &SubjectExport, console: &mut Console<'_>) -> Result<Report> {
    let SubjectExport { of, out } = arguments;
    let vault = unlock::open(&of.file, &of.open, console)?;
    let mut file = SecretFile::create(out)?;
    let written = vault.export_subject(of.tenant.as_deref(), &of.subject, file.file())?;
    file.sync()?;
    let path = file.path().display().to_string();
    file.keep();
    let text = format!(
        "{}, {}, {} and {} of the audit trail are in {}.\n",
        counted(written.rows, "row"),
        counted(written.tokens, "token"),
        counted(written.approvals, "approval"),
        counted(written.entries, "line"),
        printable(&path)
    );
    let object = json!({
        "file": path,
        "rows": written.rows,
        "tokens": written.tokens,
        "approvals": written.approvals,
        "entries": written.entries,
    });
    Ok(Report::new(text, object))
}

fn erased_text(receipt: &ErasureReceipt) -> String {
    format!(
        "Erased: {}, {} of the engine's own, {}. Keep the receipt:\n{}\n",
        counted(receipt.rows(), "row"),
        counted(receipt.internal(), "row"),
        counted(receipt.keys(), "key"),
        receipt.text()
    )
}

fn erased_object(receipt: &ErasureReceipt) -> Value {
    json!({
        "tenant": receipt.tenant(),
        "subject": receipt.subject(),
        "at_ms": receipt.at(),
        "rows": receipt.rows(),
        "internal": receipt.internal(),
        "keys": receipt.keys(),
        "audit_seq": receipt.audit_seq(),
        "erasure": receipt.erasure().name(),
        "receipt": receipt.text(),
    })
}

fn unless_complete(report: Report, receipts: &[ErasureReceipt]) -> Report {
    let pending = receipts.iter().any(|receipt| receipt.erasure() == Erasure::Pending);
    if pending { report.warn(PENDING) } else { report }
}

fn object(tenant: &TenantInfo) -> Value {
    json!({
        "name": tenant.name,
        "created_at": tenant.created_at,
        "erased_at": tenant.erased_at,
        "subjects": tenant.subjects,
    })
}

fn listed(found: &[TenantInfo]) -> String {
    if found.is_empty() {
        return "no tenants\n".to_owned();
    }
    let cells: Vec<[String; 4]> = found
        .iter()
        .map(|tenant| {
            [
                printable(&tenant.name),
                tenant.subjects.to_string(),
                date(tenant.created_at),
                tenant.erased_at.map(date).unwrap_or_default(),
            ]
        })
        .collect();
    aligned(["tenant", "subjects", "since", "erased"], &cells)
}
