//! Erasing and exporting what was issued to a subject.

use super::definition::{self, column};
use super::issued::Token;
use super::store::View;
use crate::db::Conn;
use crate::error::Result;
use crate::table::engine::{Engine, State};
use crate::table::session::Session;
use crate::table::{Row, delete, find};
use crate::value::{IdRef, ValueRef};

/// Deletes every token of a subject, and the row of its epoch; how many rows. A token of it that somebody puts back is
/// refused from then on, because it names a subject that is not there.
pub(crate) fn erase_subject(session: &Session, tenant: Option<&str>, subject: &str) -> Result<u64> {
    let state = session.state();
    let (tokens, subjects) = (definition::tokens(tenant), definition::subjects(tenant));
    if state.table(tokens.name).is_err() {
        return Ok(0);
    }
    let view = view(session, &state, tenant);
    let Some(owner) = view.owner(subject)? else { return Ok(0) };
    let mut gone = 0;
    let found = find(session.conn(), &state, tokens, "owner", ValueRef::Text(&owner))?;
    for row in found.into_rows() {
        gone += u64::from(delete(session, tokens, row.id())?);
    }
    gone += u64::from(delete(session, subjects, IdRef::Text(&owner))?);
    Ok(gone)
}

/// The tokens of a subject in that transaction's view, in no order.
pub(crate) fn of_subject(
    engine: &Engine,
    conn: &Conn,
    state: &State,
    tenant: Option<&str>,
    subject: &str,
) -> Result<Vec<Token>> {
    let tokens = definition::tokens(tenant);
    if state.table(tokens.name).is_err() {
        return Ok(Vec::new());
    }
    let view = View { engine, conn, state, tenant, writing: true };
    let Some(owner) = view.owner(subject)? else { return Ok(Vec::new()) };
    let found = find(conn, state, tokens, "owner", ValueRef::Text(&owner))?;
    let token = |row: Row| Token::new(row);
    let tokens = found.into_rows().into_iter().map(token);
    Ok(tokens.filter(|token| token.text(column::SUBJECT) == Some(subject)).collect())
}

fn view<'a>(session: &'a Session, state: &'a State, tenant: Option<&'a str>) -> View<'a> {
    View { engine: session.engine(), conn: session.conn(), state, tenant, writing: true }
}
