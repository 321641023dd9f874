//! What the statement layer reads in a statement's text: what SQLite does not tell a virtual table, or can't do with one.

use std::ops::Range;

use super::clauses::{Action, Upsert, list, upsert};
use super::parameters::Parameters;
use crate::db::tokens::{Kind, Token, tokens};

/// A statement, as far as it matters here.
#[derive(Debug, PartialEq)]
pub(super) enum Analysis {
    /// Nothing of interest.
    Other,
    /// `SELECT count(*) FROM table`: the table, and where its name stands.
    Count {
        table: Name,
        at: Range<usize>,
    },
    /// `CREATE TABLE IF NOT EXISTS table`.
    CreateIfMissing {
        table: Name,
    },
    /// `PRAGMA integrity_check`.
    Check,
    /// `ALTER TABLE … RENAME TO to`, which SQLite's authorizer is not told the new name of.
    Rename {
        to: String,
    },
    Write(Write),
}

/// A table's name, and the schema that it is qualified with.
#[derive(Debug, PartialEq)]
pub(super) struct Name {
    pub(super) schema: Option<String>,
    pub(super) table: String,
}

/// An INSERT, REPLACE, UPDATE or DELETE.
#[derive(Debug, PartialEq)]
pub(super) struct Write {
    pub(super) verb: Verb,
    pub(super) name: Name,
    /// Where the verb stands; before it, a WITH clause.
    pub(super) verb_at: Range<usize>,
    /// True where the verb says what to do about conflicts (`OR …`).
    pub(super) says_or: bool,
    /// The table and its alias, as written.
    pub(super) target: Range<usize>,
    /// What the target is called in expressions.
    pub(super) alias: String,
    /// The columns of an INSERT; `None` where it names none, so all.
    pub(super) columns: Option<Vec<String>>,
    /// Where `ON CONFLICT …` begins, and its clauses.
    pub(super) upsert: Option<(usize, Vec<Upsert>)>,
    /// The expressions behind RETURNING, where it is there, and where the word stands.
    pub(super) returning: Option<Returning>,
    pub(super) parameters: Parameters,
    /// True for an UPDATE with FROM, unless it is `OR FAIL`.
    pub(super) joins: bool,
    /// The end of the statement, before a semicolon.
    pub(super) end: usize,
}

impl Write {
    /// True where the statement does more for each row than SQLite does by itself.
    pub(super) fn runs(&self) -> bool {
        let updates = |clause: &Upsert| matches!(clause.action, Action::Update { .. });
        self.joins
            || self.returning.is_some()
            || self.upsert.as_ref().is_some_and(|(_, clauses)| clauses.iter().any(updates))
    }
}

#[derive(Debug, PartialEq, Clone, Copy)]
pub(super) enum Verb {
    Insert,
    Update,
    Delete,
}

#[derive(Debug, PartialEq)]
pub(super) struct Returning {
    pub(super) at: usize,
    pub(super) expressions: Range<usize>,
}

/// For fuzzing: whatever is made of the text, it is made.
#[cfg(any(test, fuzzing))]
pub(crate) fn survives(sql: &str) {
    let _ = analyse(sql);
}

pub(super) fn analyse(sql: &str) -> Analysis {
    let mut tokens = tokens(sql);
    while tokens.last().is_some_and(|token| token.is_sign(";")) {
        tokens.pop();
    }
    let is = |at: usize, word: &str| tokens.get(at).is_some_and(|token| token.is(word));
    let analysed = if is(0, "SELECT") {
        count(&tokens)
    } else if is(0, "PRAGMA") {
        let check = tokens.iter().take(4).any(|token| token.is("integrity_check"));
        check.then_some(Analysis::Check)
    } else if is(0, "ALTER") {
        rename(&tokens)
    } else if is(0, "CREATE") {
        create(&tokens)
    } else {
        write(&tokens).map(Analysis::Write)
    };
    analysed.unwrap_or(Analysis::Other)
}

fn count(tokens: &[Token<'_>]) -> Option<Analysis> {
    let [_, count, open, star, close, from, rest @ ..] = tokens else { return None };
    let is_count = count.is("count")
        && open.is_sign("(")
        && star.is_sign("*")
        && close.is_sign(")")
        && from.is("FROM");
    let (table, used) = name(rest)?;
    let (first, last) = (rest.first()?, rest.get(used.checked_sub(1)?)?);
    (is_count && used == rest.len()).then(|| Analysis::Count { table, at: first.at..last.end() })
}

fn create(tokens: &[Token<'_>]) -> Option<Analysis> {
    let words = ["CREATE", "TABLE", "IF", "NOT", "EXISTS"];
    let begins = words.iter().zip(tokens).all(|(word, token)| token.is(word));
    let (table, _) = name(tokens.get(words.len()..)?)?;
    begins.then_some(Analysis::CreateIfMissing { table })
}

fn rename(tokens: &[Token<'_>]) -> Option<Analysis> {
    let [.., rename, to, name] = tokens else { return None };
    (rename.is("RENAME") && to.is("TO")).then_some(Analysis::Rename { to: name.name()? })
}

/// A name, perhaps qualified, and how many tokens it is.
fn name(tokens: &[Token<'_>]) -> Option<(Name, usize)> {
    let first = tokens.first()?.name()?;
    if tokens.get(1).is_some_and(|token| token.is_sign(".")) {
        let table = tokens.get(2)?.name()?;
        return Some((Name { schema: Some(first), table }, 3));
    }
    Some((Name { schema: None, table: first }, 1))
}

fn write(tokens: &[Token<'_>]) -> Option<Write> {
    let (at, verb) = verb(tokens)?;
    let is = |at: usize, word: &str| tokens.get(at).is_some_and(|token| token.is(word));
    let verb_token = tokens.get(at)?;
    let mut next = at + 1;
    let says_or = is(next, "OR") || verb_token.is("REPLACE");
    if is(next, "OR") {
        next += 2;
    }
    if matches!(verb, Verb::Insert | Verb::Delete) {
        next += 1;
    }
    let first = tokens.get(next)?;
    let (name, used) = name(tokens.get(next..)?)?;
    next += used;
    let mut alias = name.table.clone();
    let mut target = first.at..tokens.get(next - 1)?.end();
    let bare = |token: &Token<'_>| {
        let keyword =
            ["SET", "WHERE", "INDEXED", "NOT", "RETURNING", "VALUES", "SELECT", "DEFAULT"];
        token.kind == Kind::Quoted
            || token.kind == Kind::Word && !keyword.iter().any(|word| token.is(word))
    };
    let has_as = is(next, "AS");
    if has_as || verb != Verb::Insert && tokens.get(next).is_some_and(bare) {
        next += usize::from(has_as);
        let token = tokens.get(next)?;
        alias = token.name()?;
        target.end = token.end();
        next += 1;
    }
    let mut columns = None;
    if verb == Verb::Insert && tokens.get(next).is_some_and(|token| token.is_sign("(")) {
        let (names, used) = list(tokens.get(next..)?)?;
        columns = Some(names);
        next += used;
    } else if verb == Verb::Insert && is(next, "DEFAULT") {
        columns = Some(Vec::new());
    }
    let end = tokens.last()?.end();
    let outside = |token: &Token<'_>| token.depth == 0;
    let rest = tokens.get(next..)?;
    let returning = rest.iter().position(|token| outside(token) && token.is("RETURNING"));
    let clause_end = returning.and_then(|at| rest.get(at)).map_or(end, |token| token.at);
    let body = rest.get(..returning.unwrap_or(rest.len()))?;
    let returning = returning.and_then(|at| {
        let behind = rest.get(at + 1..)?;
        Some(Returning { at: rest.get(at)?.at, expressions: behind.first()?.at..end })
    });
    let upsert = if verb == Verb::Insert { upsert(body, clause_end) } else { None };
    let verb_at = verb_token.at..verb_token.end();
    let parameters = Parameters::of(tokens);
    let joins = verb == Verb::Update
        && !is(at + 2, "FAIL")
        && body.iter().any(|token| outside(token) && token.is("FROM"));
    Some(Write {
        verb,
        name,
        verb_at,
        says_or,
        target,
        alias,
        columns,
        upsert,
        returning,
        parameters,
        joins,
        end,
    })
}

/// The verb, behind a WITH clause if there is one.
fn verb(tokens: &[Token<'_>]) -> Option<(usize, Verb)> {
    let with = tokens.first()?.is("WITH");
    for (at, token) in tokens.iter().enumerate() {
        if token.depth > 0 {
            continue;
        }
        let next = tokens.get(at + 1)?;
        if token.is("INSERT") || token.is("REPLACE") && next.is("INTO") {
            return Some((at, Verb::Insert));
        }
        if token.is("UPDATE") {
            return Some((at, Verb::Update));
        }
        if token.is("DELETE") {
            return Some((at, Verb::Delete));
        }
        if !with || token.is("SELECT") || token.is("VALUES") {
            return None;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(sql: &str) -> Write {
        match analyse(sql) {
            Analysis::Write(write) => write,
            other => panic!("{sql}: {other:?}"),
        }
    }

    #[test]
    fn the_parts_of_a_write_are_found() {
        let sql = "WITH x AS (SELECT 1) INSERT OR IGNORE INTO main.\"Users\" AS u (a, [b c]) \
                   SELECT 'RETURNING', 2 ON CONFLICT (a) DO NOTHING RETURNING id, u.a ;";
        let found = written(sql);
        assert_eq!(found.name, Name { schema: Some("main".into()), table: "Users".into() });
        assert_eq!(sql.get(found.verb_at.clone()), Some("INSERT"));
        assert_eq!(sql.get(found.target.clone()), Some("main.\"Users\" AS u"));
        assert_eq!((found.alias.as_str(), found.says_or), ("u", true));
        assert_eq!(found.columns, Some(vec!["a".to_owned(), "b c".to_owned()]));
        let (at, clauses) = found.upsert.expect("an upsert");
        assert_eq!(sql.get(at..at + 11), Some("ON CONFLICT"));
        assert_eq!(clauses, [Upsert { columns: Some(vec!["a".into()]), action: Action::Nothing }]);
        let returning = found.returning.expect("RETURNING");
        assert_eq!(sql.get(returning.expressions), Some("id, u.a"));
    }

    #[test]
    fn forms_of_writes_are_told_apart() {
        assert_eq!(written("insert into t default values").columns, Some(Vec::new()));
        assert_eq!(written("REPLACE INTO t VALUES (1)").columns, None);
        assert!(written("REPLACE INTO t VALUES (1)").says_or);
        assert_eq!(written("UPDATE OR FAIL t AS x SET a = 1 RETURNING a").alias, "x");
        assert_eq!(written("UPDATE t SET a = 1").alias, "t");
        assert_eq!(written("DELETE FROM t WHERE a RETURNING *").verb, Verb::Delete);
        assert!(written("INSERT INTO t SELECT 1 FROM a JOIN b ON conflict = 1").upsert.is_none());
    }

    #[test]
    fn other_statements_are_left_alone() {
        for sql in [
            "SELECT replace(a, 'x', 'y') FROM t",
            "WITH x AS (SELECT 1) SELECT * FROM x",
            "EXPLAIN INSERT INTO t VALUES (1)",
            "PRAGMA user_version",
            "VALUES (1)",
            "CREATE TABLE t (a)",
            "SELECT count(*) FROM t WHERE a",
            "SELECT count(*), 1 FROM t",
            "",
            ";",
            "INSERT",
            "DELETE FROM",
        ] {
            assert_eq!(analyse(sql), Analysis::Other, "{sql}");
        }
        assert!(matches!(analyse("select COUNT(*) from main.t;"), Analysis::Count { .. }));
        assert!(matches!(
            analyse("CREATE TABLE IF NOT EXISTS [t] (a)"),
            Analysis::CreateIfMissing { .. }
        ));
    }
}
