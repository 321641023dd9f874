//! `SELECT sealite_protect(…)` and `SELECT sealite_unprotect(…)`: statements by their form, carried out by the engine. They take
//! transactions of their own, so they stand alone.

use std::sync::Arc;

use super::SqlRows;
use crate::audit::note;
use crate::db::SealedSql;
use crate::db::tokens::{Kind, Token, tokens};
use crate::error::{Result, err, fail};
use crate::table::engine::Engine;
use crate::table::{backfill, protect};
use crate::value::{Value, ValueRef};

const PROTECT: &str = "sealite_protect";
const UNPROTECT: &str = "sealite_unprotect";

/// A statement of that form.
#[derive(Debug, PartialEq)]
pub(crate) struct Command {
    protects: bool,
    arguments: Vec<Argument>,
}

#[derive(Debug, PartialEq)]
enum Argument {
    Text(String),
    Parameter,
}

/// The command that a text is; none where it has nothing of one.
///
/// # Errors
/// `refused` where one of the functions stands in another statement.
pub(crate) fn command(sql: &str) -> Result<Option<Command>> {
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
    whole.then_some(Command { protects, arguments })
}

/// The error for a command inside of a transaction.
pub(crate) fn not_alone() -> crate::Error {
    err!(
        Refused,
        "{PROTECT} and {UNPROTECT} take transactions of their own: run them outside of one"
    )
}

impl Command {
    /// The function's name.
    pub(crate) fn name(&self) -> &'static str {
        if self.protects { PROTECT } else { UNPROTECT }
    }

    /// The number of parameters.
    pub(crate) fn parameters(&self) -> usize {
        self.arguments.iter().filter(|argument| **argument == Argument::Parameter).count()
    }

    /// Carries it out; one row, `complete` or `pending` ([`crate::Erasure`]).
    pub(crate) fn run(&self, engine: &Arc<Engine>, parameters: &[ValueRef<'_>]) -> Result<SqlRows> {
        if engine.pool.config().sealed_sql != SealedSql::Full {
            fail!(
                NotAllowed,
                "{} is not for SQL that does not reach all of a sealed table",
                self.name()
            );
        }
        let wanted = self.parameters();
        if parameters.len() != wanted {
            fail!(Sql, "{} parameters for a statement that takes {wanted}", parameters.len());
        }
        let mut parameters = parameters.iter();
        let mut texts = Vec::new();
        for argument in &self.arguments {
            let text = match argument {
                Argument::Text(text) => Some(text.as_str()),
                Argument::Parameter => parameters.next().and_then(|value| value.as_str()),
            };
            texts.push(text.ok_or_else(|| err!(TypeMismatch, "its arguments are texts"))?);
        }
        let Some((table, words)) = texts.split_first() else { return Ok(row("", "")) };
        if self.protects {
            protect_table(engine, table, words)?;
        } else {
            unprotect_table(engine, table)?;
        }
        // The table is converted: what fails here stays pending.
        let complete = backfill::finish_erasure(engine).unwrap_or(false);
        Ok(row(self.name(), if complete { "complete" } else { "pending" }))
    }
}

fn row(name: &str, value: &str) -> SqlRows {
    SqlRows { columns: vec![name.to_owned()], rows: vec![vec![Value::Text(value.to_owned())]] }
}

/// Converts a plain table, and records it.
pub(crate) fn protect_table(engine: &Arc<Engine>, table: &str, words: &[&str]) -> Result<()> {
    let job = protect::Job::new(table, words)?;
    protect::protect(engine, &job, &|session, table| {
        note(session, "table.protected", &serde_json::json!({"table": table, "columns": words}))
    })
}

/// Makes a sealed table plain, and records it.
pub(crate) fn unprotect_table(engine: &Arc<Engine>, table: &str) -> Result<()> {
    protect::unprotect(engine, table, &|session, table| {
        note(session, "table.unprotected", &serde_json::json!({"table": table}))
    })
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
        assert_eq!(found, Command { protects: true, arguments });
        let found = command("SELECT sealite_unprotect('users')").expect("well formed");
        assert_eq!(found, Some(Command { protects: false, arguments: vec![text("users")] }));
        for other in ["SELECT 'sealite_protect('", "SELECT 1", "SELECT sealite_protect", ""] {
            assert_eq!(command(other).expect(other), None);
        }
        for wrong in [
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
