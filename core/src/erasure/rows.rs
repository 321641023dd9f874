//! Deleting the rows of a subject or a tenant. Each is verified first, as in every deletion: an edit from outside must not
//! have somebody else's rows erased.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::Whom;
use crate::db::schema::quote;
use crate::error::{ErrorKind, Result, err};
use crate::table::definition::is_internal;
use crate::table::schema::Schema;
use crate::table::session::Session;
use crate::table::subject::{Whose, value_of};
use crate::table::{Target, delete};
use crate::value::{Id, Type, Value, ValueRef};

/// How many rows went.
#[derive(Default)]
pub(super) struct Deleted {
    /// Of the application's tables.
    pub(super) rows: u64,
    /// Of the engine's own.
    pub(super) internal: u64,
}

/// Deletes at most `limit` rows of the subject or tenant from all tables. `keys` are those of the subject.
///
/// # Errors
/// `authentication_failed` where one of them is not what was written.
pub(super) fn delete_some(
    session: &Session,
    whom: Whom<'_>,
    keys: &[u32],
    limit: usize,
) -> Result<Deleted> {
    // Tables may refer to each other: what counts is what is left at the end.
    session.conn().batch("PRAGMA defer_foreign_keys = ON")?;
    let state = session.state();
    let mut schemas: Vec<&Arc<Schema>> = state.tables.values().collect();
    schemas.sort_by_key(|schema| schema.name());
    let (mut deleted, mut left) = (Deleted::default(), limit);
    for schema in schemas.into_iter().filter(|s| s.stored.per_tenant == whom.tenant.is_some()) {
        let Some((condition, parameters)) = condition(schema, whom, keys) else { continue };
        let ids = ids(session, schema, &condition, &parameters, left)?;
        left -= ids.len();
        for id in &ids {
            let target = Target { name: schema.name(), tenant: whom.tenant };
            let gone = delete(session, target, id.as_ref()).map_err(|error| match error.kind() {
                ErrorKind::AuthenticationFailed => err!(
                    AuthenticationFailed,
                    "{}: it is part of what is to be erased; discard it first if nothing brings it back",
                    error.message()
                ),
                _ => error,
            })?;
            let count =
                if is_internal(schema.name()) { &mut deleted.internal } else { &mut deleted.rows };
            *count += u64::from(gone);
        }
        if left == 0 {
            break;
        }
    }
    Ok(deleted)
}

/// What the rows are found by; none where the table has none of them.
fn condition(schema: &Schema, whom: Whom<'_>, keys: &[u32]) -> Option<(String, Vec<Value>)> {
    let stored = &schema.stored;
    let mut parameters: Vec<Value> = whom.tenant.map(Value::from).into_iter().collect();
    let Some(subject) = whom.subject else {
        return stored.per_tenant.then(|| ("tenant = ?1".to_owned(), parameters));
    };
    let (column, kind) = match stored.subject? {
        Whose::Row => {
            (stored.key.as_str(), if stored.text_key { Type::Text } else { Type::Integer })
        }
        Whose::Column(id) => {
            let column = &stored.columns.iter().find(|column| column.id == id)?.column;
            (column.name.as_str(), column.kind)
        }
        Whose::Key => return None,
    };
    let mine = if stored.per_tenant { "tenant = ?1 AND " } else { "" };
    // The id of the key stands in bytes 4 to 7 of a record: a row whose column has been edited is found, too.
    let keys: Vec<String> = keys.iter().map(|id| format!("x'{id:08x}'")).collect();
    let by_key = format!("substr(sealed, 4, 4) IN ({})", keys.join(", "));
    let by_name = value_of(subject, kind).map(|value| {
        parameters.push(value.to_owned());
        format!(" OR {} = ?{}", quote(column), parameters.len())
    });
    Some((format!("{mine}({by_key}{})", by_name.unwrap_or_default()), parameters))
}

fn ids(
    session: &Session,
    schema: &Schema,
    condition: &str,
    parameters: &[Value],
    limit: usize,
) -> Result<Vec<Id>> {
    let sql = format!(
        "SELECT {} FROM {} WHERE {condition} LIMIT {limit}",
        quote(&schema.stored.key),
        schema.sql.physical
    );
    let parameters: Vec<ValueRef<'_>> = parameters.iter().map(Value::as_ref).collect();
    let mut found = Vec::new();
    session.conn().prepare(&sql)?.each(&parameters, |row| {
        found.push(match row.get(0)? {
            ValueRef::Text(id) => Id::Text(id.to_owned()),
            _ => Id::Integer(row.integer(0)?),
        });
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(found)
}
