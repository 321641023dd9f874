//! The names of tables, columns, keys and tenants.

use crate::error::{Result, err, fail};

/// The longest name of a table, column or field, in bytes.
pub(crate) const MAX_NAME: usize = 128;

pub(crate) fn check_table_name(name: &str) -> Result<()> {
    check_name(name, "table")?;
    let lower = name.to_lowercase();
    if lower.starts_with("sealite_") || lower.starts_with("sqlite_") || lower.ends_with("_sealed") {
        fail!(InvalidInput, "the table name {name} is reserved");
    }
    Ok(())
}

/// Names of columns and keys, and what holds for tables too.
pub(super) fn check_name(name: &str, what: &str) -> Result<()> {
    if name.is_empty() || name.len() > MAX_NAME || name.contains(char::is_control) {
        fail!(InvalidInput, "a {what} name has 1 to {MAX_NAME} bytes and no control characters");
    }
    let lower = name.to_lowercase();
    let blind = lower
        .rsplit_once("_bidx")
        .is_some_and(|(_, tail)| tail.is_empty() || tail.starts_with('_'));
    // SQLite's own names of a row id: a column of that name can't be dropped or protected later.
    let row_id = what == "column" && matches!(lower.as_str(), "rowid" | "oid" | "_rowid_");
    if lower == "sealed" || lower == "sealite_rowid" || row_id || blind {
        fail!(InvalidInput, "the {what} name {name} is reserved");
    }
    Ok(())
}

/// True for the name of a table of the engine's own, which an application never reaches.
pub(crate) fn is_internal(name: &str) -> bool {
    name.get(..8).is_some_and(|head| head.eq_ignore_ascii_case("sealite_"))
}

/// Refuses the name of a table of the engine's own.
pub(crate) fn check_own(name: &str) -> Result<()> {
    if is_internal(name) {
        fail!(NotFound, "there is no sealed table {name}");
    }
    Ok(())
}

pub(crate) fn check_tenant(name: &str) -> Result<()> {
    if name.is_empty() || name.len() > 255 || name.contains('\0') {
        return Err(err!(InvalidInput, "a tenant's name has 1 to 255 bytes and no NUL"));
    }
    Ok(())
}
