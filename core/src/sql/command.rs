//! `SELECT sealite_protect(…)`, `SELECT sealite_unprotect(…)` and `VACUUM`: statements by their form, carried out by the
//! engine. They take transactions of their own, so they stand alone.

use std::sync::Arc;

use super::SqlRows;
use crate::audit::note;
use crate::db::SealedSql;
use crate::db::tokens::{Kind, Token, begins_with, tokens};
use crate::error::{Error, Result, err, fail};
use crate::table::engine::Engine;
use crate::table::session::Session;
use crate::table::{backfill, protect};
use crate::value::{Value, ValueRef};

const PROTECT: &str = "sealite_protect";
const UNPROTECT: &str = "sealite_unprotect";
/// `SQLITE_ERROR`.
const SQLITE_ERROR: i32 = 1;

/// A statement of that form.
#[derive(Debug, PartialEq)]
pub(crate) enum Command {
    /// A plain table becomes a sealed one, or the other way round.
    Convert { protects: bool, arguments: Vec<Argument> },
    /// `VACUUM`: SQLite's own would copy the file by way of the memory, and leave the log.
    Compact,
}

#[derive(Debug, PartialEq)]
pub(crate) enum Argument {
    Text(String),
    Parameter,
}

/// The command that a text is; none where it has nothing of one.
///
/// # Errors
/// `refused` where one of the functions stands in another statement, and for `VACUUM INTO`.
pub(crate) fn command(sql: &str) -> Result<Option<Command>> {
    if begins_with(sql, &["vacuum"]) {
        return vacuum(&tokens(sql));
    }
    // Most texts have nothing of it: looked for before the words are.
    let bytes = sql.as_bytes();
    let named = |name: &str| {
        bytes.windows(name.len()).any(|part| part.eq_ignore_ascii_case(name.as_bytes()))
    };
    if !named(PROTECT) && !named(UNPROTECT) {
        return Ok(None);
    }
    let mut found = tokens(sql);
    while found.last().is_some_and(|token| token.is_sign(";")) {
        found.pop();
    }
    let called = |(at, token): (usize, &Token<'_>)| {
        let name = token.name().filter(|_| token.kind != Kind::Text).unwrap_or_default();
        let is_one = name.eq_ignore_ascii_case(PROTECT) || name.eq_ignore_ascii_case(UNPROTECT);
        is_one && found.get(at + 1).is_some_and(|next| next.is_sign("("))
    };
    if !found.iter().enumerate().any(called) {
        return Ok(None);
    }
    match parse(&found) {
        Some(command) => Ok(Some(command)),
        None => fail!(
            Refused,
            "the whole statement is SELECT {PROTECT}('table', 'column words', ...) or SELECT {UNPROTECT}('table'), with \
             texts or ? only"
        ),
    }
}

fn vacuum(found: &[Token<'_>]) -> Result<Option<Command>> {
    let words: Vec<_> = found.iter().filter(|token| !token.is_sign(";")).collect();
    match words.as_slice() {
        [_] => Ok(Some(Command::Compact)),
        [_, schema] if schema.name().is_some_and(|name| name.eq_ignore_ascii_case("main")) => {
            Ok(Some(Command::Compact))
        }
        [_, words @ ..] if words.iter().any(|word| word.is("INTO")) => fail!(
            Refused,
            "VACUUM INTO would copy the vault unchecked: backup does it, and VACUUM alone rewrites the file"
        ),
        _ => Ok(None),
    }
}

fn parse(tokens: &[Token<'_>]) -> Option<Command> {
    let [select, name, open, inner @ .., close] = tokens else { return None };
    let protects = name.is(PROTECT);
    let form = select.is("SELECT") && open.is_sign("(") && close.is_sign(")");
    if !form || !protects && !name.is(UNPROTECT) {
        return None;
    }
    let mut arguments = Vec::new();
    for (at, token) in inner.iter().enumerate() {
        match token.kind {
            _ if at % 2 == 1 => token.is_sign(",").then_some(())?,
            Kind::Text => arguments.push(Argument::Text(token.name()?)),
            Kind::Parameter if token.text == "?" => arguments.push(Argument::Parameter),
            _ => return None,
        }
    }
    let count = arguments.len();
    let whole = inner.len() % 2 == 1 && if protects { count > 1 } else { count == 1 };
    whole.then_some(Command::Convert { protects, arguments })
}

impl Command {
    /// The name of its one column, where it returns a row.
    pub(crate) fn column(&self) -> Option<&'static str> {
        match self {
            Command::Convert { protects, .. } => Some(if *protects { PROTECT } else { UNPROTECT }),
            Command::Compact => None,
        }
    }

    /// The number of parameters.
    pub(crate) fn parameters(&self) -> usize {
        match self {
            Command::Convert { arguments, .. } => {
                arguments.iter().filter(|argument| **argument == Argument::Parameter).count()
            }
            Command::Compact => 0,
        }
    }

    /// The error for a command inside of a transaction.
    pub(crate) fn not_alone(&self) -> Error {
        match self {
            Command::Convert { .. } => err!(
                Refused,
                "{PROTECT} and {UNPROTECT} take transactions of their own: run them outside of one"
            ),
            Command::Compact => {
                err!(Sql, "cannot VACUUM from within a transaction").with_sqlite_code(SQLITE_ERROR)
            }
        }
    }

    /// Carries it out. A conversion gives one row, `complete` or `pending` ([`crate::Erasure`]).
    pub(crate) fn run(&self, engine: &Arc<Engine>, parameters: &[ValueRef<'_>]) -> Result<SqlRows> {
        let wanted = self.parameters();
        if parameters.len() != wanted {
            fail!(Sql, "{} parameters for a statement that takes {wanted}", parameters.len());
        }
        match self {
            Command::Convert { protects, arguments } => {
                convert(engine, *protects, arguments, parameters)
            }
            Command::Compact if compact(engine)? => {
                Ok(SqlRows { columns: Vec::new(), rows: Vec::new() })
            }
            Command::Compact => fail!(
                Busy,
                "others use the file, so that it was not rewritten or its log not emptied: repeat VACUUM, or let \
                 finish_erasure do it later"
            ),
        }
    }
}

fn convert(
    engine: &Arc<Engine>,
    protects: bool,
    arguments: &[Argument],
    parameters: &[ValueRef<'_>],
) -> Result<SqlRows> {
    let name = if protects { PROTECT } else { UNPROTECT };
    if engine.pool.config().sealed_sql != SealedSql::Full {
        fail!(NotAllowed, "{name} is not for SQL that does not reach all of a sealed table");
    }
    let mut parameters = parameters.iter();
    let mut texts = Vec::new();
    for argument in arguments {
        let text = match argument {
            Argument::Text(text) => Some(text.as_str()),
            Argument::Parameter => parameters.next().and_then(|value| value.as_str()),
        };
        texts.push(text.ok_or_else(|| err!(TypeMismatch, "its arguments are texts"))?);
    }
    let Some((table, words)) = texts.split_first() else { return Ok(row("", "")) };
    if protects {
        protect_table(engine, table, words)?;
    } else {
        unprotect_table(engine, table)?;
    }
    // The table is converted: what fails here stays pending.
    let complete = backfill::finish_erasure(engine).unwrap_or(false);
    Ok(row(name, if complete { "complete" } else { "pending" }))
}

fn row(name: &str, value: &str) -> SqlRows {
    SqlRows { columns: vec![name.to_owned()], rows: vec![vec![Value::Text(value.to_owned())]] }
}

/// Converts a plain table, and records it.
pub(crate) fn protect_table(engine: &Arc<Engine>, table: &str, words: &[&str]) -> Result<()> {
    let job = protect::Job::new(table, words)?;
    protect::protect(engine, &job, &|session, table| {
        note(session, "table.protected", serde_json::json!({"table": table, "columns": words}))
    })
}

/// Makes a sealed table plain, and records it.
pub(crate) fn unprotect_table(engine: &Arc<Engine>, table: &str) -> Result<()> {
    protect::unprotect(engine, table, &|session, table| {
        note(session, "table.unprotected", serde_json::json!({"table": table}))
    })
}

/// Writes the file anew, empties its log, and records it. False where that remains to be done.
pub(crate) fn compact(engine: &Arc<Engine>) -> Result<bool> {
    let bytes = engine.pool.bytes_on_disk();
    Session::run(engine, |session| {
        session.mark_erasure()?;
        note(session, "vault.compacted", serde_json::json!({"bytes": bytes}))
    })?;
    backfill::finish_erasure(engine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_a_whole_statement() {
        let text = |text: &str| Argument::Text(text.to_owned());
        let sql = " select /* x */ Sealite_Protect ( 'users' , 'it''s' , ? ) ; ";
        let found = command(sql).expect("well formed").expect("a command");
        let arguments = vec![text("users"), text("it's"), Argument::Parameter];
        assert_eq!(found, Command::Convert { protects: true, arguments });
        let found = command("SELECT sealite_unprotect('users')").expect("well formed");
        let arguments = vec![text("users")];
        assert_eq!(found, Some(Command::Convert { protects: false, arguments }));
        for sql in ["VACUUM", "; vacuum /* x */ ;", "Vacuum 'main'"] {
            assert_eq!(command(sql).expect(sql), Some(Command::Compact));
        }
        for other in
            ["SELECT 'sealite_protect('", "SELECT 1", "SELECT sealite_protect", "VACUUM temp", ""]
        {
            assert_eq!(command(other).expect(other), None);
        }
        for wrong in [
            "VACUUM INTO 'copy.db'",
            "VACUUM main INTO ?",
            "SELECT sealite_protect('users')",
            "SELECT sealite_protect()",
            "SELECT sealite_protect('a', 'b') FROM c",
            "SELECT sealite_protect('a', 'b'), 1",
            "SELECT sealite_protect('a', b)",
            "SELECT sealite_protect('a', 'b' || 'c')",
            "SELECT sealite_protect('a' 'b')",
            "SELECT sealite_protect('a', :b)",
            "SELECT sealite_unprotect('a', 'b')",
            "INSERT INTO a SELECT sealite_unprotect('a')",
            "SELECT \"sealite_protect\"('a', 'b')",
            "WITH a AS (SELECT sealite_protect('a', 'b')) SELECT 1",
        ] {
            assert!(command(wrong).is_err(), "{wrong}");
        }
    }
}
