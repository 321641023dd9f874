//! `SELECT sealite_define_table('users', 'email text sealed unique email', …)`: a statement by its form, which declares a
//! table inside the transaction that it is part of. What a transaction takes back, it takes back too.
//!
//! Each argument behind the name is a column as [`Column::parse`] reads it. One that ends with `primary key` names the
//! key instead (`slug text primary key`); without one it is `id`, an integer. One argument may begin with `with`:
//! `with padding 64`, `with padding none`, `with padding padme`; another one `with subject user_id` or `with subject
//! row` (see [`TableDefinition::subject`]). Foreign keys are as in CREATE TABLE:
//! `foreign key (team) references teams (id) on delete cascade`, over plain columns.

use super::ddl::referred;
use super::face::Face;
use super::tables::sync;
use super::within::Within;
use crate::audit::note;
use crate::db::schema::quote;
use crate::db::tokens::{Kind, Token, tokens};
use crate::error::{Result, fail};
use crate::format::padding::Padding;
use crate::table::definition::check_table_name;
use crate::table::engine::State;
use crate::table::protect::written::{Reference, reference};
use crate::table::schema::physical_name;
use crate::table::session::Session;
use crate::table::subject::subject_words;
use crate::table::{Column, Protection, TableDefinition, define};
use crate::value::Type;

/// The function's name, and that of the column which says whether the table was made.
pub(super) const DEFINE: &str = "sealite_define_table";

/// A table, and its foreign keys.
#[derive(Debug, PartialEq)]
pub(super) struct Declaration {
    definition: TableDefinition,
    references: Vec<Reference>,
}

/// The table that a statement declares; none where it is another statement.
///
/// # Errors
/// `refused` where the function stands in another statement; `invalid_input` for words that are not understood.
pub(super) fn declared(sql: &str) -> Result<Option<Declaration>> {
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

fn parse(table: &str, arguments: &[String]) -> Result<Declaration> {
    let mut definition = TableDefinition::new(table);
    let mut references = Vec::new();
    for argument in arguments {
        let words: Vec<&str> = argument.split_whitespace().collect();
        let is = |word: Option<&&str>, wanted: &str| {
            word.is_some_and(|word| word.eq_ignore_ascii_case(wanted))
        };
        if is(words.first(), "foreign") {
            references.push(foreign_key(argument)?);
        } else if let Some(subject) = subject_words(argument)? {
            definition.subject = Some(subject);
        } else if is(words.first(), "with") {
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
            definition.key_at = definition.columns.len();
        } else {
            definition = definition.column(Column::parse(argument)?);
        }
    }
    let sealed = |name: &&String| {
        let column =
            definition.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name));
        column.is_none_or(|column| column.protection != Protection::Plain)
    };
    if let Some(column) = references.iter().flat_map(|found| &found.columns).find(sealed) {
        fail!(
            Definition,
            "a foreign key of table {table} is over {column}, which is no plain column of it"
        );
    }
    Ok(Declaration { definition, references })
}

/// `foreign key (columns) references parent (columns) …`
fn foreign_key(text: &str) -> Result<Reference> {
    let found = tokens(text);
    let read = || {
        let [_, key, open, rest @ ..] = found.as_slice() else { return None };
        let close = rest.iter().position(|token| token.is_sign(")"))?;
        let names = rest.get(..close)?.iter().filter(|token| !token.is_sign(","));
        let columns = names.map(Token::name).collect::<Option<Vec<_>>>()?;
        let [references, rest @ ..] = rest.get(close + 1..)? else { return None };
        let (found, used) = reference(text, rest)?;
        let whole = key.is("key")
            && open.is_sign("(")
            && references.is("references")
            && used == rest.len()
            && !columns.is_empty();
        whole.then_some(Reference { columns, ..found })
    };
    match read() {
        Some(reference) => Ok(reference),
        None => fail!(InvalidInput, "a foreign key is written as in CREATE TABLE"),
    }
}

/// The clause of a foreign key, for a physical table that is called so. What refers to a sealed table refers to its
/// physical side.
fn clause(state: &State, table: &str, physical: &str, found: &Reference) -> Result<String> {
    let list =
        |names: &[String]| names.iter().map(|name| quote(name)).collect::<Vec<_>>().join(", ");
    let (parent, mut to) = match referred(state, found)? {
        _ if found.parent.eq_ignore_ascii_case(table) => (physical.to_owned(), found.to.clone()),
        Some(schema) if found.to.is_empty() => {
            (schema.stored.physical(), vec![schema.stored.key.clone()])
        }
        Some(schema) => (schema.stored.physical(), found.to.clone()),
        None => (found.parent.clone(), found.to.clone()),
    };
    let to = if to.is_empty() {
        String::new()
    } else {
        format!(" ({})", list(&std::mem::take(&mut to)))
    };
    let (columns, parent) = (list(&found.columns), quote(&parent));
    Ok(format!("FOREIGN KEY ({columns}) REFERENCES {parent}{to} {}", found.tail))
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
    fail!(
        InvalidInput,
        "with is followed by padding and none, padme or a number of bytes, or by subject and a column or row"
    )
}

/// Declares the table, whole or not at all. True where it was made.
pub(super) fn declare(within: Within<'_>, face: &Face, declaration: &Declaration) -> Result<bool> {
    match within {
        Within::Session(session) => session.savepoint(|| define(session, declaration)),
        Within::Snapshot(..) => fail!(ReadOnly, "a table is declared in a write transaction only"),
        Within::Host(conn, host) => host.changes(conn, || {
            let Some(session) = host.session() else {
                fail!(Internal, "a change without a session")
            };
            let made = define(session, declaration)?;
            // A table that takes part in the transaction learns how it ends, and tells the session.
            sync(face, conn, &session.state())?;
            let _turn = face.authority.engine();
            conn.batch(&format!(
                "DELETE FROM main.{} WHERE 0",
                quote(declaration.definition.name())
            ))?;
            Ok(made)
        }),
    }
}

fn define(session: &Session, declaration: &Declaration) -> Result<bool> {
    let Declaration { definition, references } = declaration;
    let (state, table) = (session.state(), definition.name());
    check_table_name(table)?;
    if state.table(table).is_ok() {
        return define::define(session, definition);
    }
    define::check_no_plain(session.conn(), table)?;
    let physical = physical_name(table);
    let clauses = references.iter().map(|found| clause(&state, table, &physical, found));
    let clauses = clauses.collect::<Result<Vec<_>>>()?;
    define::create(session, definition, |_| clauses)?;
    note(session, "table.defined", serde_json::json!({"table": table}))?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declaration_is_a_whole_statement() {
        let sql = " select /* x */ Sealite_Define_Table('us ers', 'slug text primary key', 'with padding 64', 'a sealed') ; ";
        let found = declared(sql).expect("well formed").expect("a declaration").definition;
        assert_eq!(found.name(), "us ers");
        assert_eq!((found.key_name(), found.has_text_key()), ("slug", true));
        assert_eq!(found.declared_padding(), Padding::Block(64));
        assert_eq!(found.columns(), [Column::text("a").sealed()]);
        for (words, named) in [("user_id", "user_id"), ("row", "id"), ("ID", "ID")] {
            let sql =
                format!("SELECT sealite_define_table('a', 'b sealed', 'with subject {words}')");
            let found = declared(&sql).expect("well formed").expect("a declaration").definition;
            assert_eq!(found.declared_subject(), Some(named));
        }
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
            "SELECT sealite_define_table('a', 'with subject')",
            "SELECT sealite_define_table('a', 'b real primary key')",
            "SELECT sealite_define_table('a', 'b frobnicated')",
            "SELECT sealite_define_table('a', 'b sealed', 'foreign key (b) references c (d)')",
            "SELECT sealite_define_table('a', 'b', 'foreign key (b) references c (d) on fire')",
            "SELECT sealite_define_table('a', 'b', 'foreign key (b) references c (d), x)')",
            "INSERT INTO a SELECT sealite_define_table('a')",
            "SELECT \"sealite_define_table\"('a', 'b')",
        ] {
            assert!(declared(wrong).is_err(), "{wrong}");
        }
    }
}
