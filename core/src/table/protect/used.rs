//! What of the application's stands on a column of a physical table.

use super::plain;
use super::written::names;
use crate::db::Conn;
use crate::error::{Result, fail};
use crate::table::ddl::index_name_there;
use crate::table::definition::is_internal;
use crate::table::schema::{Stored, StoredColumn};

/// An error where an index, a CHECK or a foreign key of the application's needs the column, but for the index that the
/// catalog has of it.
pub(crate) fn check_unused(conn: &Conn, stored: &Stored, column: &StoredColumn) -> Result<()> {
    if !column.physical {
        return Ok(());
    }
    let (name, physical) = (&column.column.name, stored.physical());
    let table = &stored.name;
    let is_it = |other: &str| other.eq_ignore_ascii_case(name);
    let Some(plain) = plain::read(conn, &physical)? else { return Ok(()) };
    let own = own_index(conn, stored, column)?;
    for index in plain.indexes.iter().filter(|index| !is_internal(&index.name)) {
        let over = index.columns.iter().flatten().any(|column| is_it(column))
            || index.sql.as_deref().is_some_and(|sql| names(sql, is_it));
        if over && own.as_deref() != Some(&index.name) {
            fail!(
                Refused,
                "index {} of table {table} needs column {name}: drop it first",
                index.name
            );
        }
    }
    if plain.written.checks.iter().any(|check| names(check, is_it)) {
        fail!(Refused, "a CHECK of table {table} needs column {name}");
    }
    let from = plain.written.references.iter().any(|key| key.columns.iter().any(|c| is_it(c)));
    if from || plain.children.iter().any(|child| child.to.as_deref().is_some_and(is_it)) {
        fail!(Refused, "a foreign key needs column {name} of table {table}");
    }
    match plain.dependents.first() {
        Some(dependent) => fail!(Refused, "{} uses table {table}: drop it first", dependent.what),
        None => Ok(()),
    }
}

/// The name of the SQL index that the catalog has of a column.
fn own_index(conn: &Conn, stored: &Stored, column: &StoredColumn) -> Result<Option<String>> {
    let Some(index) = column.column.index.as_ref().filter(|_| column.blind.is_none()) else {
        return Ok(None);
    };
    let quoted = index_name_there(conn, stored, column, index.unique)?;
    Ok(crate::db::tokens::tokens(&quoted).first().and_then(crate::db::tokens::Token::name))
}

/// The column whose index in the catalog has that name.
pub(crate) fn index_of(conn: &Conn, stored: &Stored, name: &str) -> Result<Option<String>> {
    for column in stored.columns.iter().filter(|column| !column.dropping) {
        if own_index(conn, stored, column)?.as_deref() == Some(name) {
            return Ok(Some(column.column.name.clone()));
        }
    }
    Ok(None)
}
