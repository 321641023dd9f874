//! The ON CONFLICT clauses in an INSERT's text.

use std::ops::Range;

use super::tokens::Token;

/// One `ON CONFLICT` clause.
#[derive(Debug, PartialEq)]
pub(super) struct Upsert {
    /// The columns that it names; `None` for any conflict.
    pub(super) columns: Option<Vec<String>>,
    pub(super) action: Action,
}

#[derive(Debug, PartialEq)]
pub(super) enum Action {
    Nothing,
    /// `DO UPDATE SET set WHERE condition`, and where columns of `excluded` are named.
    Update {
        set: Range<usize>,
        condition: Option<Range<usize>>,
        excluded: Vec<(Range<usize>, String)>,
    },
    /// What no index of a sealed table can mean.
    Unknown,
}

/// Names in parentheses, and how many tokens they are.
pub(super) fn list(tokens: &[Token<'_>]) -> Option<(Vec<String>, usize)> {
    let mut names = Vec::new();
    for (at, pair) in tokens.get(1..)?.chunks(2).enumerate() {
        let [name, sign] = pair else { return None };
        names.push(name.name()?);
        if sign.is_sign(")") {
            return Some((names, 2 * at + 3));
        }
        if !sign.is_sign(",") {
            return None;
        }
    }
    None
}

/// Where the first ON CONFLICT stands, and the clauses.
pub(super) fn upsert(body: &[Token<'_>], end: usize) -> Option<(usize, Vec<Upsert>)> {
    let begins = |at: usize| match body.get(at..at + 3) {
        Some([on, conflict, next]) => {
            on.depth == 0
                && on.is("ON")
                && conflict.is("CONFLICT")
                && (next.is("DO") || next.is_sign("("))
        }
        _ => false,
    };
    let starts: Vec<usize> = (0..body.len()).filter(|at| begins(*at)).collect();
    let first = body.get(*starts.first()?)?.at;
    let clauses = starts.iter().enumerate().map(|(number, start)| {
        let behind = starts.get(number + 1).copied().unwrap_or(body.len());
        let end = body.get(behind).map_or(end, |token| token.at);
        clause(body.get(start + 2..behind).unwrap_or_default(), end)
    });
    Some((first, clauses.collect()))
}

fn clause(tokens: &[Token<'_>], end: usize) -> Upsert {
    let mut rest = tokens;
    let mut columns = None;
    if rest.first().is_some_and(|token| token.is_sign("(")) {
        // An expression, a collation or a condition: of no index that a sealed table has.
        let Some((names, used)) = list(rest) else {
            return Upsert { columns: Some(Vec::new()), action: Action::Unknown };
        };
        columns = Some(names);
        rest = rest.get(used..).unwrap_or_default();
    }
    let action = match rest {
        [do_, nothing] if do_.is("DO") && nothing.is("NOTHING") => Action::Nothing,
        [do_, update, set, rest @ ..] if do_.is("DO") && update.is("UPDATE") && set.is("SET") => {
            let condition = rest.iter().find(|token| token.depth == 0 && token.is("WHERE"));
            let excluded = rest.windows(3).filter_map(|three| match three {
                [name, dot, column] if dot.is_sign(".") => {
                    let is_it = name.name()?.eq_ignore_ascii_case("excluded");
                    is_it.then(|| Some((column.at..column.end(), column.name()?)))?
                }
                _ => None,
            });
            Action::Update {
                set: set.end()..condition.map_or(end, |token| token.at),
                condition: condition.map(|token| token.end()..end),
                excluded: excluded.collect(),
            }
        }
        _ => Action::Unknown,
    };
    Upsert { columns, action }
}

#[cfg(test)]
mod tests {
    use super::super::analysis::{Analysis, Write, analyse};
    use super::*;

    fn written(sql: &str) -> Write {
        match analyse(sql) {
            Analysis::Write(write) => write,
            other => panic!("{sql}: {other:?}"),
        }
    }

    #[test]
    fn the_clauses_of_an_upsert_are_found() {
        let sql = "INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET a = excluded.b, \
                   c = (SELECT 1 WHERE EXCLUDED.\"x y\") WHERE t.a > 1 ON CONFLICT DO NOTHING RETURNING 1";
        let (_, clauses) = written(sql).upsert.expect("an upsert");
        assert_eq!(clauses.len(), 2);
        let Action::Update { set, condition, excluded } = &clauses[0].action else { panic!() };
        assert_eq!(
            sql.get(set.clone()).map(str::trim),
            Some("a = excluded.b, c = (SELECT 1 WHERE EXCLUDED.\"x y\")")
        );
        let condition = condition.clone().and_then(|range| sql.get(range));
        assert_eq!(condition.map(str::trim), Some("t.a > 1"));
        let names: Vec<&str> = excluded.iter().map(|(_, name)| name.as_str()).collect();
        assert_eq!(names, ["b", "x y"]);
        assert_eq!((&clauses[1].columns, &clauses[1].action), (&None, &Action::Nothing));
        for sql in [
            "INSERT INTO t VALUES (1) ON CONFLICT (a COLLATE x) DO NOTHING",
            "INSERT INTO t VALUES (1) ON CONFLICT (a) WHERE b DO NOTHING",
        ] {
            let (_, clauses) = written(sql).upsert.expect("an upsert");
            assert_eq!(clauses[0].action, Action::Unknown);
        }
    }
}
