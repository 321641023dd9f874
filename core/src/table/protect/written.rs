//! What only the text of a CREATE TABLE says: collations, CHECKs, and foreign keys with all that belongs to them.

use std::collections::HashMap;

use crate::db::schema::quote;
use crate::db::tokens::{Kind, Token, tokens};

/// The parts of a CREATE TABLE that SQLite has no table-valued pragma for.
#[derive(Default, Debug, PartialEq)]
pub(crate) struct Written {
    /// The collation of a column, by its name in lower case.
    pub(crate) collations: HashMap<String, String>,
    /// CHECK constraints, as written.
    pub(crate) checks: Vec<String>,
    pub(crate) references: Vec<Reference>,
    /// True where a constraint says what to do about conflicts.
    pub(crate) on_conflict: bool,
}

/// A foreign key.
#[derive(Clone, Default, Debug, PartialEq)]
pub(crate) struct Reference {
    pub(crate) columns: Vec<String>,
    pub(crate) parent: String,
    /// The columns of the parent; none where it is its primary key.
    pub(crate) to: Vec<String>,
    /// What follows: actions, and when it is checked.
    pub(crate) tail: String,
}

/// Words that begin a constraint of the whole table; SQLite keeps them from being names.
const CONSTRAINTS: &[&str] = &["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"];

/// Reads a CREATE TABLE as SQLite keeps it.
pub(crate) fn written(sql: &str) -> Written {
    let tokens = tokens(sql);
    let mut written = Written::default();
    let Some(open) = tokens.iter().position(|token| token.is_sign("(") && token.depth == 0) else {
        return written;
    };
    let inside = tokens.get(open + 1..).unwrap_or_default();
    let end = inside.iter().position(|token| token.depth == 0).unwrap_or(inside.len());
    let inside = inside.get(..end).unwrap_or_default();
    for piece in inside.split(|token| token.depth == 1 && token.is_sign(",")) {
        read_piece(sql, piece, &mut written);
    }
    written
}

fn read_piece(sql: &str, piece: &[Token<'_>], written: &mut Written) {
    let Some(first) = piece.first() else { return };
    let of_table = CONSTRAINTS.iter().any(|word| first.is(word));
    let column = first.name().filter(|_| !of_table);
    let mut at = usize::from(!of_table);
    while let Some(token) = piece.get(at) {
        let rest = piece.get(at + 1..).unwrap_or_default();
        if token.depth != 1 {
            at += 1;
        } else if token.is("CHECK") {
            let end = rest.iter().skip(1).position(|token| token.depth == 1);
            let last = end.and_then(|end| rest.get(end + 1));
            let text = last.and_then(|last| sql.get(token.at..last.end()));
            written.checks.extend(text.map(str::to_owned));
            at += 1;
        } else if token.is("COLLATE") {
            if let (Some(column), Some(name)) = (&column, rest.first().and_then(Token::name)) {
                written.collations.insert(column.to_lowercase(), name);
            }
            at += 2;
        } else if token.is("ON") && rest.first().is_some_and(|next| next.is("CONFLICT")) {
            written.on_conflict = true;
            at += 2;
        } else if token.is("REFERENCES") {
            let Some((mut reference, used)) = reference(sql, rest) else { return };
            reference.columns = match &column {
                Some(column) => vec![column.clone()],
                None => foreign_columns(piece.get(..at).unwrap_or_default()),
            };
            written.references.push(reference);
            at += 1 + used;
        } else {
            at += 1;
        }
    }
}

/// The columns of `FOREIGN KEY (a, b)`.
fn foreign_columns(tokens: &[Token<'_>]) -> Vec<String> {
    let inside = tokens.iter().filter(|token| token.depth == 2 && !token.is_sign(","));
    inside.filter_map(Token::name).collect()
}

/// What follows REFERENCES, and how many tokens it is.
pub(crate) fn reference(sql: &str, tokens: &[Token<'_>]) -> Option<(Reference, usize)> {
    let is = |at: usize, word: &str| tokens.get(at).is_some_and(|token| token.is(word));
    let parent = tokens.first()?.name()?;
    let mut at = 1;
    let mut to = Vec::new();
    if tokens.get(1).is_some_and(|token| token.is_sign("(")) {
        at = 2;
        while let Some(token) = tokens.get(at).filter(|token| !token.is_sign(")")) {
            if !token.is_sign(",") {
                to.push(token.name()?);
            }
            at += 1;
        }
        at += 1;
    }
    let behind = at;
    loop {
        if is(at, "ON") && (is(at + 1, "DELETE") || is(at + 1, "UPDATE")) {
            let two = is(at + 2, "SET") || is(at + 2, "NO");
            at += if two { 4 } else { 3 };
        } else if is(at, "MATCH")
            || is(at, "INITIALLY")
            || is(at, "NOT") && is(at + 1, "DEFERRABLE")
        {
            at += 2;
        } else if is(at, "DEFERRABLE") {
            at += 1;
        } else {
            break;
        }
    }
    let at = at.min(tokens.len());
    let tail = match (tokens.get(behind), at.checked_sub(1).and_then(|last| tokens.get(last))) {
        (Some(first), Some(last)) if at > behind => sql.get(first.at..last.end())?.to_owned(),
        _ => String::new(),
    };
    Some((Reference { columns: Vec::new(), parent, to, tail }, at))
}

/// True where a text names one of these, as a word or in quotation marks. It may find more than there is: a keyword or the
/// alias of that name.
pub(crate) fn names(sql: &str, is_one: impl Fn(&str) -> bool) -> bool {
    let named = |token: &Token<'_>| {
        matches!(token.kind, Kind::Word | Kind::Quoted) && token.name().is_some_and(|n| is_one(&n))
    };
    tokens(sql).iter().any(named)
}

/// A CREATE INDEX on another table.
pub(crate) fn on_table(sql: &str, table: &str) -> String {
    let found = tokens(sql);
    let mut words = found.iter();
    let _ = words.find(|token| token.depth == 0 && token.is("ON"));
    match words.next() {
        Some(name) => {
            let (before, after) = (sql.get(..name.at), sql.get(name.end()..));
            format!("{}{}{}", before.unwrap_or_default(), quote(table), after.unwrap_or_default())
        }
        None => sql.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constraints_are_read_from_the_text() {
        let sql = r#"CREATE TABLE "u" (id INTEGER PRIMARY KEY, -- CHECK (1)
            mail TEXT COLLATE NOCASE NOT NULL UNIQUE ON CONFLICT IGNORE DEFAULT ('a, COLLATE b'),
            org INT REFERENCES orgs ON DELETE NO ACTION NOT NULL CHECK (org > (1) and 'x)' <> ''),
            boss INTEGER REFERENCES "u" ("id") ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT k FOREIGN KEY (a, [b c]) REFERENCES p(x, y) MATCH FULL ON UPDATE SET NULL,
            CHECK (length(mail) > 2))"#;
        let found = written(sql);
        assert_eq!(found.collations, HashMap::from([("mail".into(), "NOCASE".into())]));
        assert_eq!(found.checks, ["CHECK (org > (1) and 'x)' <> '')", "CHECK (length(mail) > 2)"]);
        assert!(found.on_conflict);
        let [org, boss, both] = &found.references[..] else { panic!("{found:?}") };
        assert_eq!((org.parent.as_str(), org.tail.as_str()), ("orgs", "ON DELETE NO ACTION"));
        assert_eq!(boss.tail, "ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED");
        assert_eq!((&boss.columns, &boss.to), (&vec!["boss".into()], &vec!["id".into()]));
        assert_eq!(both.columns, ["a", "b c"]);
        assert_eq!(both.to.len(), 2);
    }
}
