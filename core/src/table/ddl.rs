//! The DDL of a sealed table's physical side.

use std::fmt::Write;

use super::schema::{Stored, StoredColumn};
use crate::db::Conn;
use crate::db::schema::quote;
use crate::error::Result;
use crate::value::Value;

/// The DDL of a new table: the physical table, with constraints of its own, and its indexes.
pub(crate) fn create_sql(stored: &Stored, constraints: &[String]) -> String {
    let table = quote(&stored.physical());
    let mut parts = vec![format!("{} INTEGER PRIMARY KEY", quote(stored.row_id()))];
    if stored.text_key {
        parts.push(format!("{} TEXT NOT NULL COLLATE BINARY", quote(&stored.key)));
    }
    if stored.per_tenant {
        parts.push("tenant TEXT NOT NULL COLLATE BINARY".to_owned());
    }
    for column in stored.columns.iter().filter(|column| column.physical) {
        parts.push(quote(&column.column.name));
    }
    for blind in stored.columns.iter().filter_map(|column| column.blind.as_ref()) {
        parts.push(quote(&blind.physical));
    }
    parts.push("sealed BLOB NOT NULL".to_owned());
    parts.extend(constraints.iter().cloned());
    let mut sql = format!("CREATE TABLE {table} ({});\n", parts.join(", "));
    if stored.text_key {
        let tenant = if stored.per_tenant { "tenant, " } else { "" };
        let name = quote(&format!("sealite_{}_key", stored.id));
        let _ = writeln!(
            sql,
            "CREATE UNIQUE INDEX {name} ON {table} ({tenant}{});",
            quote(&stored.key)
        );
    }
    if stored.per_tenant {
        let name = quote(&format!("sealite_{}_tenant", stored.id));
        let _ = writeln!(sql, "CREATE INDEX {name} ON {table} (tenant);");
    }
    for column in &stored.columns {
        sql += &index_sql(stored, column).unwrap_or_default();
    }
    sql
}

/// The name of an SQL index, after the surrogate id of its column or blind index: renaming changes nothing.
pub(crate) fn index_name(table: u32, id: u32) -> String {
    quote(&format!("sealite_{table}_index_{id}"))
}

/// The name that the index of a column has: the engine's, or one that the application gave.
pub(crate) fn index_name_there(
    conn: &Conn,
    stored: &Stored,
    column: &StoredColumn,
    unique: bool,
) -> Result<String> {
    let id = column.blind.as_ref().map_or(column.id, |blind| blind.id);
    if column.blind.is_some() || stored.per_tenant {
        return Ok(index_name(stored.id, id));
    }
    let sql = "SELECT l.name FROM pragma_index_list(?1) l
               WHERE l.origin = 'c' AND l.\"unique\" = ?3 AND NOT l.partial
               AND (SELECT group_concat(x.name || x.\"desc\" || x.coll) FROM pragma_index_xinfo(l.name) x WHERE x.key)
                   = ?2 || '0BINARY'
               ORDER BY l.name GLOB 'sealite_*' DESC";
    let (table, name) = (stored.physical(), &column.column.name);
    let parameters = [table.as_str().into(), name.as_str().into(), i64::from(unique).into()];
    let found = conn.first(sql, &parameters, |row| Ok(quote(row.text(0)?)))?;
    Ok(found.unwrap_or_else(|| index_name(stored.id, id)))
}

/// The DDL of a column's index, where it has one. A blind index needs no tenant: its key is the tenant's.
pub(crate) fn index_sql(stored: &Stored, column: &StoredColumn) -> Option<String> {
    let index = column.column.index.as_ref()?;
    let unique = if index.unique { "UNIQUE " } else { "" };
    let (id, over) = match &column.blind {
        Some(blind) => (blind.id, quote(&blind.physical)),
        None if stored.per_tenant => (column.id, format!("tenant, {}", quote(&column.column.name))),
        None => (column.id, quote(&column.column.name)),
    };
    let name = index_name(stored.id, id);
    let table = quote(&stored.physical());
    Some(format!("CREATE {unique}INDEX {name} ON {table} ({over});\n"))
}

/// A literal for `DEFAULT` in an `ALTER TABLE` of a plain column.
pub(crate) fn sql_literal(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "NULL".to_owned(),
        Some(Value::Integer(v)) => v.to_string(),
        // SQLite has no word for infinity.
        Some(Value::Real(v)) if v.is_infinite() => {
            (if *v < 0.0 { "-9e999" } else { "9e999" }).to_owned()
        }
        Some(Value::Real(v)) => format!("{v:e}"),
        Some(Value::Boolean(v)) => i64::from(*v).to_string(),
        // SQL text ends at a NUL.
        Some(Value::Text(v)) if v.contains('\0') => {
            format!("(CAST(x'{}' AS TEXT))", base16ct::lower::encode_string(v.as_bytes()))
        }
        Some(Value::Text(v) | Value::Json(v)) => format!("'{}'", v.replace('\'', "''")),
        Some(Value::Blob(v)) => format!("x'{}'", base16ct::lower::encode_string(v)),
    }
}
