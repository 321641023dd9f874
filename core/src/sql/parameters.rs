//! The parameters of a statement, numbered as SQLite numbers them, so that parts of the statement can run by themselves.

use std::ops::Range;

use super::tokens::{Kind, Token};

/// SQLite's own limit.
const MAX_NUMBER: usize = 32_766;

/// What stands in place of a part of a statement.
pub(super) type Edit = (Range<usize>, String);

#[derive(Debug, PartialEq, Default)]
pub(super) struct Parameters {
    /// The name of each, with its `:`, `@` or `$`, where it has one.
    pub(super) names: Vec<Option<String>>,
    /// Where each stands, and its number.
    places: Vec<(Range<usize>, usize)>,
}

impl Parameters {
    pub(super) fn of(tokens: &[Token<'_>]) -> Self {
        let mut found = Parameters::default();
        for token in tokens.iter().filter(|token| token.kind == Kind::Parameter) {
            let number = match token.text.strip_prefix('?') {
                Some("") => found.names.len() + 1,
                Some(digits) => match digits.parse() {
                    Ok(number @ 1..=MAX_NUMBER) => number,
                    // SQLite refuses it.
                    _ => continue,
                },
                None => {
                    let known =
                        found.names.iter().position(|name| name.as_deref() == Some(token.text));
                    known.unwrap_or(found.names.len()) + 1
                }
            };
            if found.names.len() < number {
                found.names.resize(number, None);
            }
            if let Some(name) = found.names.get_mut(number - 1)
                && token.text != "?"
            {
                name.get_or_insert_with(|| token.text.to_owned());
            }
            found.places.push((token.at..token.end(), number));
        }
        found
    }

    /// How many values a statement takes.
    pub(super) fn count(&self) -> usize {
        self.names.len()
    }

    /// How many of them the part of the statement up to there takes.
    pub(super) fn count_before(&self, end: usize) -> usize {
        let before = self.places.iter().filter(|(place, _)| place.end <= end);
        before.map(|(_, number)| *number).max().unwrap_or(0)
    }

    /// A part of the statement, with each parameter by its number, and with other edits.
    pub(super) fn numbered(&self, sql: &str, part: Range<usize>, edits: &[Edit]) -> String {
        let numbers =
            self.places.iter().map(|(place, number)| (place.clone(), format!("?{number}")));
        let mut edits: Vec<Edit> = numbers.chain(edits.iter().cloned()).collect();
        edits.retain(|(place, _)| place.start >= part.start && place.end <= part.end);
        edits.sort_by_key(|(place, _)| place.start);
        let mut text = String::with_capacity(part.len());
        let mut at = part.start;
        for (place, instead) in edits {
            text.push_str(sql.get(at..place.start).unwrap_or_default());
            text.push_str(&instead);
            at = place.end;
        }
        text.push_str(sql.get(at..part.end).unwrap_or_default());
        text
    }
}

#[cfg(test)]
mod tests {
    use super::super::tokens::tokens;
    use super::*;

    #[test]
    fn parameters_have_the_numbers_that_sqlite_gives_them() {
        let sql = "SELECT ?, :a, ?5, ?, '?', :a, @b, ?2 -- ?";
        let found = Parameters::of(&tokens(sql));
        let numbers: Vec<usize> = found.places.iter().map(|(_, number)| *number).collect();
        assert_eq!(numbers, [1, 2, 5, 6, 2, 7, 2]);
        assert_eq!(
            found.numbered(sql, 0..sql.len(), &[]),
            "SELECT ?1, ?2, ?5, ?6, '?', ?2, ?7, ?2 -- ?"
        );
        assert_eq!(found.numbered(sql, 8..14, &[(8..9, "x".into())]), "x ?2, ");
        assert_eq!((found.count(), found.count_before(18)), (7, 5));
        let names: Vec<Option<&str>> = found.names.iter().map(Option::as_deref).collect();
        assert_eq!(names, [None, Some(":a"), None, None, Some("?5"), None, Some("@b")]);
        let stmt = rusqlite::Connection::open_in_memory().unwrap();
        let stmt = stmt.prepare(sql).unwrap();
        let by_sqlite: Vec<Option<&str>> = (1..=7).map(|at| stmt.parameter_name(at)).collect();
        assert_eq!(names, by_sqlite);
    }
}
