//! `PRAGMA integrity_check`: SQLite checks the file, and here every record of the sealed tables is opened.

use super::face::Entered;
use super::statement::select;
use super::table::shows;
use super::within::Within;
use super::{SqlRows, tokens};
use crate::error::{Error, Result};
use crate::table::{Target, batch};
use crate::value::{Id, Value, ValueRef};

/// Runs the check of the whole file, or of the one table that the statement names.
pub(super) fn check(
    within: Within<'_>,
    entered: &Entered<'_>,
    sql: &str,
    parameters: &[ValueRef<'_>],
) -> Result<SqlRows> {
    let mut found = select(within, entered, sql, parameters)?;
    let tokens = tokens::tokens(sql);
    let mut behind = tokens.iter().skip_while(|token| !token.is("integrity_check")).skip(1);
    let named = behind.find_map(tokens::Token::name);
    let step = entered.face.step()?;
    let _turn = entered.face.authority.engine();
    let mut shown: Vec<&str> = step
        .state
        .tables
        .values()
        .filter(|schema| shows(schema))
        .map(|schema| schema.name())
        .collect();
    shown.retain(|name| named.as_ref().is_none_or(|named| named.eq_ignore_ascii_case(name)));
    shown.sort_unstable();
    for name in shown {
        let target = Target { name, tenant: None };
        let (mut from, mut refused) = (Some(i64::MIN), 0_u64);
        while let Some(next) = from {
            let mut take = |_: Id, _: Error| refused += 1;
            let (_, last) = batch(step.conn, &step.state, target, next, &mut Some(&mut take))?;
            from = last.and_then(|last| last.checked_add(1));
        }
        if refused > 0 {
            found.rows.retain(|row| row.first() != Some(&Value::Text("ok".to_owned())));
            let text = format!("table {name}: rows that are not what was written: {refused}");
            found.rows.push(vec![Value::Text(text)]);
        }
    }
    Ok(found)
}
