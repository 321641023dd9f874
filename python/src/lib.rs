//! The native module of the Python package `sealite`: it converts types and errors, and lets other threads run while
//! the core works. It has no logic of its own.

#![forbid(unsafe_code)]
// Python's methods take themselves, whether or not they look.
#![allow(clippy::unused_self)]

use pyo3::prelude::*;

mod adoption;
mod approval;
mod audit;
mod binding;
mod command;
mod config;
mod copy;
mod dbapi;
mod definition;
mod erasure;
mod error;
mod field;
mod given;
mod health;
mod insert;
mod json;
mod keys;
mod once;
mod password;
mod protect;
mod quota;
mod rotation;
mod row;
mod scan;
mod setting;
mod settings;
mod source;
mod table;
mod tenant;
mod time;
mod token;
mod tokens;
mod trace;
mod trail;
mod trail_event;
mod transaction;
mod unlock;
mod value;
mod vault;
mod verify;

/// Before a fork, without the interpreter: what other threads do with a vault can come to its end.
#[pyfunction]
fn prepare_fork(py: Python<'_>) {
    py.detach(sealite::prepare_fork);
}

#[pymodule(gil_used = false)]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_function(wrap_pyfunction!(unlock::generate_key, module)?)?;
    module.add_function(wrap_pyfunction!(json::canonical_json, module)?)?;
    module.add_function(wrap_pyfunction!(prepare_fork, module)?)?;
    module.add_function(wrap_pyfunction!(command::run_command, module)?)?;
    module.add_function(wrap_pyfunction!(command::exit_code, module)?)?;
    module.add_class::<vault::Vault>()?;
    module.add_class::<tenant::Tenant>()?;
    module.add_class::<unlock::Unlock>()?;
    module.add_class::<unlock::RecoveryCode>()?;
    module.add_class::<unlock::Slot>()?;
    module.add_class::<keys::Keys>()?;
    module.add_class::<keys::KeyInfo>()?;
    module.add_class::<keys::MasterRotation>()?;
    module.add_class::<rotation::Rotation>()?;
    module.add_class::<rotation::RotationPlan>()?;
    module.add_class::<rotation::RotationStatus>()?;
    module.add_class::<definition::Definition>()?;
    module.add_class::<table::Table>()?;
    module.add_class::<row::Row>()?;
    module.add_class::<row::SqlRows>()?;
    module.add_class::<scan::Scan>()?;
    module.add_class::<transaction::Transaction>()?;
    module.add_class::<transaction::Savepoint>()?;
    module.add_class::<transaction::Snapshot>()?;
    module.add_class::<transaction::TenantTables>()?;
    module.add_class::<field::Field>()?;
    module.add_class::<binding::FieldBinding>()?;
    module.add_class::<protect::ProtectionPlan>()?;
    module.add_class::<erasure::ErasureReceipt>()?;
    module.add_class::<erasure::TenantInfo>()?;
    module.add_class::<adoption::AdoptionPreview>()?;
    module.add_class::<adoption::TablePreview>()?;
    module.add_class::<adoption::AdoptionReport>()?;
    module.add_class::<adoption::AdoptedTable>()?;
    module.add_class::<verify::Verification>()?;
    module.add_class::<verify::Fault>()?;
    module.add_class::<copy::BackupReport>()?;
    module.add_class::<copy::Compaction>()?;
    module.add_class::<quota::Quotas>()?;
    module.add_class::<quota::QuotaLimit>()?;
    module.add_class::<quota::Decision>()?;
    module.add_class::<approval::Approvals>()?;
    module.add_class::<approval::Approval>()?;
    module.add("TOKEN_PATTERN", sealite::TOKEN_PATTERN)?;
    module.add_function(wrap_pyfunction!(tokens::is_token_text, module)?)?;
    module.add_class::<tokens::Tokens>()?;
    module.add_class::<token::Token>()?;
    module.add_class::<token::IssuedToken>()?;
    module.add_class::<token::IssuedCode>()?;
    module.add_class::<token::LegacyEntry>()?;
    module.add_class::<token::LegacyImport>()?;
    module.add_class::<password::PasswordHasher>()?;
    module.add_class::<settings::Settings>()?;
    module.add_class::<setting::Setting>()?;
    module.add_class::<setting::SettingValue>()?;
    module.add_class::<setting::SettingVersion>()?;
    module.add_class::<setting::SettingProblem>()?;
    module.add_class::<setting::CheckReport>()?;
    module.add_class::<setting::ImportReport>()?;
    module.add_class::<setting::Change>()?;
    for change in ["KEEP", "CLEAR"] {
        module.add(change, setting::Change(change))?;
    }
    // For pickle, and not for anybody else: not in __all__.
    module.setattr(
        "_masked_setting_value",
        wrap_pyfunction!(setting::_masked_setting_value, module)?,
    )?;
    module.add_class::<trail::Audit>()?;
    module.add_class::<trail_event::AuditEvent>()?;
    module.add_class::<trail::AuditEvents>()?;
    module.add_class::<trail_event::AuditReport>()?;
    module.add_class::<trail_event::Fault>()?;
    module.add_class::<health::Health>()?;
    module.add_class::<health::Metrics>()?;
    module.add_class::<health::Histogram>()?;
    error::register(module)?;
    trace::register(module)?;
    dbapi::register(module)?;
    let abc = module.py().import("collections.abc")?;
    for (abstraction, class) in
        [("Mapping", module.getattr("Row")?), ("Sequence", module.getattr("SqlRows")?)]
    {
        abc.getattr(abstraction)?.call_method1("register", (class,))?;
    }
    Ok(())
}
