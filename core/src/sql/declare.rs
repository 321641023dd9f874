//! `SELECT sealite_define_table('users', 'email text sealed unique email', …)`: a statement by its form, which declares a
//! table inside the transaction that it is part of. What a transaction takes back, it takes back too.
//!
//! Each argument behind the name is a column as [`Column::parse`] reads it. One that ends with `primary key` names the
//! key instead (`slug text primary key`); without one it is `id`, an integer. One argument may begin with `with`:
//! `with padding 64`, `with padding none`, `with padding padme`.

use super::face::{Face, Within};
use super::tables::sync;
use crate::audit::note;
use crate::db::schema::quote;
use crate::db::tokens::{Kind, Token, tokens};
use crate::error::{Result, fail};
use crate::format::padding::Padding;
use crate::table::session::Session;
use crate::table::{Column, TableDefinition, define};
use crate::value::Type;

/// The function's name, and that of the column which says whether the table was made.
pub(super) const DEFINE: &str = "sealite_define_table";

/// The table that a statement declares; none where it is another statement.
///
/// # Errors
/// `refused` where the function stands in another statement; `invalid_input` for words that are not understood.
pub(super) fn declared(sql: &str) -> Result<Option<TableDefinition>> {
    let bytes = sql.as_bytes();
    // Most texts have nothing of it: looked for before the words are.
    if !bytes.windows(DEFINE.len()).any(|part| part.eq_ignore_ascii_case(DEFINE.as_bytes())) {
        return Ok(None);
    }
    let mut found = tokens(sql);
    while found.last().is_some_and(|token| token.is_sign(";")) {
        found.pop();
    }
    let called = |(at, token): (usize, &Token<'_>)| {
        let name = token.name().filter(|_| token.kind != Kind::Text).unwrap_or_default();
        name.eq_ignore_ascii_case(DEFINE) && found.get(at + 1).is_some_and(|next| next.is_sign("("))
    };
    if !found.iter().enumerate().any(called) {
        return Ok(None);
    }
    match texts(&found).as_deref() {
        Some([table, words @ ..]) => parse(table, words).map(Some),
        _ => fail!(
            Refused,
            "the whole statement is SELECT {DEFINE}('table', 'column words', ...), with texts only"
        ),
    }
}

fn texts(tokens: &[Token<'_>]) -> Option<Vec<String>> {
    let [select, name, open, inner @ .., close] = tokens else { return None };
    if !(select.is("SELECT") && name.is(DEFINE) && open.is_sign("(") && close.is_sign(")")) {
        return None;
    }
    let mut found = Vec::new();
    for (at, token) in inner.iter().enumerate() {
        match token.kind {
            _ if at % 2 == 1 => token.is_sign(",").then_some(())?,
            Kind::Text => found.push(token.name()?),
            _ => return None,
        }
    }
    (inner.len() % 2 == 1).then_some(found)
}

fn parse(table: &str, arguments: &[String]) -> Result<TableDefinition> {
    let mut definition = TableDefinition::new(table);
    for argument in arguments {
        let words: Vec<&str> = argument.split_whitespace().collect();
        let is = |word: Option<&&str>, wanted: &str| {
            word.is_some_and(|word| word.eq_ignore_ascii_case(wanted))
        };
        if is(words.first(), "with") {
            definition = definition.padding(padding(&words)?);
        } else if let [before @ .., primary, key] = words.as_slice()
            && is(Some(primary), "primary")
            && is(Some(key), "key")
        {
            let key = Column::parse(&before.join(" "))?;
            definition = match key.kind() {
                Type::Integer => definition.integer_key(key.name()),
                Type::Text => definition.text_key(key.name()),
                other => {
                    fail!(Definition, "a key is an integer or text, not {}", other.name())
                }
            };
        } else {
            definition = definition.column(Column::parse(argument)?);
        }
    }
    Ok(definition)
}

fn padding(words: &[&str]) -> Result<Padding> {
    if let [_, word, policy] = words
        && word.eq_ignore_ascii_case("padding")
    {
        let known = match policy.to_ascii_lowercase().as_str() {
            "none" => Some(Padding::None),
            "padme" => Some(Padding::Padme),
            block => block.parse().ok().map(Padding::Block),
        };
        if let Some(known) = known {
            return Ok(known);
        }
    }
    fail!(InvalidInput, "with is followed by padding and none, padme or a number of bytes")
}

/// Declares the table, whole or not at all. True where it was made.
pub(super) fn declare(
    within: Within<'_>,
    face: &Face,
    definition: &TableDefinition,
) -> Result<bool> {
    match within {
        Within::Session(session) => session.savepoint(|| define(session, definition)),
        Within::Snapshot(..) => fail!(ReadOnly, "a table is declared in a write transaction only"),
        Within::Host(conn, host) => host.changes(conn, || {
            let Some(session) = host.session() else {
                fail!(Internal, "a change without a session")
            };
            let made = define(session, definition)?;
            // A table that takes part in the transaction learns how it ends, and tells the session.
            sync(face, conn, &session.state())?;
            let _turn = face.authority.engine();
            conn.batch(&format!("DELETE FROM main.{} WHERE 0", quote(definition.name())))?;
            Ok(made)
        }),
    }
}

fn define(session: &Session, definition: &TableDefinition) -> Result<bool> {
    let made = define::define(session, definition)?;
    if made {
        note(session, "table.defined", &serde_json::json!({"table": definition.name()}))?;
    }
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declaration_is_a_whole_statement() {
        let sql = " select /* x */ Sealite_Define_Table('us ers', 'slug text primary key', 'with padding 64', 'a sealed') ; ";
        let found = declared(sql).expect("well formed").expect("a declaration");
        assert_eq!(found.name(), "us ers");
        assert_eq!((found.key_name(), found.has_text_key()), ("slug", true));
        assert_eq!(found.declared_padding(), Padding::Block(64));
        assert_eq!(found.columns(), [Column::text("a").sealed()]);
        for other in
            ["SELECT 'sealite_define_table('", "SELECT 1", "SELECT sealite_define_table", ""]
        {
            assert_eq!(declared(other).expect(other), None);
        }
        for wrong in [
            "SELECT sealite_define_table()",
            "SELECT sealite_define_table('a', 'b') FROM c",
            "SELECT sealite_define_table('a', ?)",
            "SELECT sealite_define_table('a', 'b' || 'c')",
            "SELECT sealite_define_table('a', 'with milk')",
            "SELECT sealite_define_table('a', 'b real primary key')",
            "SELECT sealite_define_table('a', 'b frobnicated')",
            "INSERT INTO a SELECT sealite_define_table('a')",
            "SELECT \"sealite_define_table\"('a', 'b')",
        ] {
            assert!(declared(wrong).is_err(), "{wrong}");
        }
    }
}
