//! The ratios that the project has given itself bounds for: a run of all parts writes every one of them.

use serde_json::{Map, Value};

use crate::Outcome;

/// Rows, values, state, tokens, SQL, the C interface, opening and rotation, from Rust.
pub(super) const RUST: &[&str] = &[
    "insert_sealed_vs_plain",
    "get_sealed_vs_plain",
    "find_sealed_vs_plain",
    "scan_sealed_vs_plain",
    "size_sealed_vs_plain",
    "seal64_vs_gcm64",
    "open64_vs_gcm64",
    "audit_append_vs_insert",
    "quota_charge_vs_update",
    "token_verify_vs_select",
    "token_bogus_vs_good",
    "sql_insert_vs_plain",
    "sql_get_vs_plain",
    "sql_find_vs_plain",
    "sql_scan_vs_plain",
    "sql_scan_plain_columns_vs_plain",
    "sql_update_vs_plain",
    "sql_count_vs_plain",
    "c_get_vs_rust",
    "c_verify_vs_rust",
    "reseal_vs_update",
    "open_vs_plain_open",
];

/// From Python, with the peers of `benches/peers/requirements.txt`.
pub(super) const PYTHON: &[&str] = &[
    "py_insert_many_vs_executemany",
    "py_get_vs_sqlite3",
    "py_find_vs_sqlite3",
    "py_scan_vs_sqlite3",
    "py_setting_use_vs_gcm_open",
    "py_session_verify_vs_pyjwt",
    "py_session_verify_vs_itsdangerous",
    "dbapi_insert_vs_sqlite3",
    "dbapi_get_vs_sqlite3",
    "dbapi_scan_vs_sqlite3",
    "py_field_vs_sqlalchemy_utils",
    "py_field_vs_fernet",
    "py_field_vs_floorvault",
    "py_field_vs_asherah",
    "py_field_vs_aesgcm",
    "orm_insert_fields_vs_plain",
    "orm_select_fields_vs_plain",
    "orm_insert_dialect_vs_plain",
    "orm_select_dialect_vs_plain",
];

/// Refuses results that lack a promised ratio.
pub(super) fn check(ratios: &Map<String, Value>, promised: &[&str]) -> Outcome<()> {
    let lacking: Vec<&str> =
        promised.iter().copied().filter(|name| !ratios.contains_key(*name)).collect();
    if lacking.is_empty() {
        return Ok(());
    }
    Err(format!("promised and not measured: {}", lacking.join(", ")).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_without_a_promised_ratio_are_refused() {
        let mut ratios = Map::new();
        ratios.extend(RUST.iter().map(|name| ((*name).to_owned(), Value::Null)));
        assert!(check(&ratios, RUST).is_ok());
        ratios.remove("reseal_vs_update");
        assert!(
            check(&ratios, RUST)
                .is_err_and(|error| error.to_string().ends_with(": reseal_vs_update"))
        );
        assert!(check(&ratios, PYTHON).is_err());
    }

    #[test]
    fn readme_shows_every_promised_ratio() {
        let readme = include_str!("../../../README.md");
        for name in RUST.iter().chain(PYTHON) {
            assert!(readme.contains(&format!("| `{name}` |")), "{name} is not in README");
        }
    }
}
