//! Whole rows: writing those of the engine's own tables, and deleting.

use super::read::{Target, get_one, key_parameters};
use super::session::Session;
use super::write::Writer;
use crate::error::Result;
use crate::value::{IdRef, ValueRef};

/// Inserts a row of one of the engine's own tables, every column given in the order of declaration.
pub(crate) fn write_row(
    session: &Session,
    target: Target<'_>,
    id: IdRef<'_>,
    values: &[ValueRef<'_>],
) -> Result<()> {
    Writer::new(session, target)?.insert(Some(id), values).map(|_| ())
}

/// Inserts a row of one of the engine's own tables, or changes every column of it.
pub(crate) fn put_row(
    session: &Session,
    target: Target<'_>,
    id: IdRef<'_>,
    values: &[ValueRef<'_>],
) -> Result<()> {
    let writer = Writer::new(session, target)?;
    let changes: Vec<(usize, ValueRef<'_>)> = values.iter().copied().enumerate().collect();
    if !writer.update(id, &changes, true)? {
        writer.insert(Some(id), values)?;
    }
    Ok(())
}

/// Deletes a row; false where there is none. The row is verified first, so that an edited tenant or id deletes nothing.
pub(crate) fn delete(session: &Session, target: Target<'_>, id: IdRef<'_>) -> Result<bool> {
    session.check_open()?;
    let state = session.state();
    if get_one(session.conn(), &state, target, id)?.is_none() {
        return Ok(false);
    }
    discard(session, target, id)
}

/// Deletes a row without opening it: the way out for one that does not open any more.
pub(crate) fn discard(session: &Session, target: Target<'_>, id: IdRef<'_>) -> Result<bool> {
    session.check_open()?;
    let state = session.state();
    let schema = target.schema(&state)?;
    let (parameters, count) = key_parameters(schema, id, target.tenant)?;
    let deleted =
        session.conn().execute(&schema.sql.delete, parameters.get(..count).unwrap_or(&[]))?;
    Ok(deleted == 1)
}
