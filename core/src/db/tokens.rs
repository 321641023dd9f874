//! The words of a statement, by SQLite's rules: enough to find clauses, not to understand them.

/// A token that is neither space nor comment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Token<'s> {
    pub(crate) kind: Kind,
    pub(crate) text: &'s str,
    /// Where it begins in the statement.
    pub(crate) at: usize,
    /// How many parentheses are open around it; those of a pair count as outside.
    pub(crate) depth: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// A keyword or a bare name.
    Word,
    /// A name in double quotes, backticks or brackets.
    Quoted,
    /// A text in single quotes.
    Text,
    Number,
    Parameter,
    Sign,
}

impl Token<'_> {
    /// True for that keyword, which is never quoted.
    pub(crate) fn is(&self, keyword: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(keyword)
    }

    pub(crate) fn is_sign(&self, sign: &str) -> bool {
        self.kind == Kind::Sign && self.text == sign
    }

    pub(crate) fn end(&self) -> usize {
        self.at + self.text.len()
    }

    /// The name that it stands for, where it can be one.
    pub(crate) fn name(&self) -> Option<String> {
        let inner = || self.text.get(1..self.text.len().saturating_sub(1)).unwrap_or_default();
        match (self.kind, self.text.as_bytes().first()) {
            (Kind::Word, _) => Some(self.text.to_owned()),
            (Kind::Quoted | Kind::Text, Some(b'"')) => Some(inner().replace("\"\"", "\"")),
            (Kind::Quoted | Kind::Text, Some(b'`')) => Some(inner().replace("``", "`")),
            // SQLite takes a text for a name where only a name can stand.
            (Kind::Quoted | Kind::Text, Some(b'\'')) => Some(inner().replace("''", "'")),
            (Kind::Quoted, _) => Some(inner().to_owned()),
            _ => None,
        }
    }
}

/// The tokens of a statement. What SQLite would refuse comes out somehow: it refuses it in its turn.
pub(crate) fn tokens(sql: &str) -> Vec<Token<'_>> {
    walk(sql).collect()
}

/// Where the first statement of a text ends, with its semicolon: by the rule of `sqlite3_complete`, for which the body of a
/// trigger ends with `; END ;`.
pub(crate) fn first_statement(sql: &str) -> usize {
    let mut is_trigger = false;
    let (mut last_but_one, mut last): (Option<Token<'_>>, Option<Token<'_>>) = (None, None);
    for (count, token) in walk(sql).enumerate() {
        is_trigger |= count < 3
            && token.is("trigger")
            && last.is_some_and(|token| {
                ["create", "temp", "temporary"].iter().any(|word| token.is(word))
            });
        if token.is_sign(";") {
            let closes = last.is_some_and(|token| token.is("end"))
                && last_but_one.is_some_and(|token| token.is_sign(";"));
            if !is_trigger || closes {
                return token.end();
            }
        }
        (last_but_one, last) = (last, Some(token));
    }
    sql.len()
}

/// True where a text holds no statement: blanks, comments and semicolons.
pub(crate) fn is_blank(sql: &str) -> bool {
    walk(sql).all(|token| token.is_sign(";"))
}

/// True where the first word of the text is one of these. The rest is not read.
pub(crate) fn begins_with(sql: &str, words: &[&str]) -> bool {
    let first = walk(sql).find(|token| !token.is_sign(";"));
    first.is_some_and(|first| words.iter().any(|word| first.is(word)))
}

fn walk(sql: &str) -> impl Iterator<Item = Token<'_>> {
    let bytes = sql.as_bytes();
    let (mut at, mut depth) = (0, 0_usize);
    std::iter::from_fn(move || {
        loop {
            let first = bytes.get(at).copied()?;
            let rest = sql.get(at..).unwrap_or_default();
            let (kind, length) = match first {
                b if b.is_ascii_whitespace() => (None, 1),
                b'-' if rest.starts_with("--") => (None, rest.find('\n').unwrap_or(rest.len())),
                b'/' if rest.starts_with("/*") => {
                    let body = rest.get(2..).unwrap_or_default();
                    (None, body.find("*/").map_or(rest.len(), |end| end + 4))
                }
                b'\'' => (Some(Kind::Text), quoted(rest, b'\'')),
                b'"' | b'`' => (Some(Kind::Quoted), quoted(rest, first)),
                b'[' => (Some(Kind::Quoted), rest.find(']').map_or(rest.len(), |end| end + 1)),
                b'0'..=b'9' => (Some(Kind::Number), word(rest, |b| is_word(b) || b == b'.')),
                b'?' | b':' | b'@' | b'$' | b'#' => {
                    (Some(Kind::Parameter), 1 + word(rest.get(1..).unwrap_or_default(), is_word))
                }
                b if is_word(b) => (Some(Kind::Word), word(rest, is_word)),
                _ => (Some(Kind::Sign), 1),
            };
            let length = length.clamp(1, rest.len().max(1));
            let text = rest.get(..length).unwrap_or(rest);
            let start = at;
            at += length;
            let Some(kind) = kind else { continue };
            if kind == Kind::Sign && text == ")" {
                depth = depth.saturating_sub(1);
            }
            let token = Token { kind, text, at: start, depth };
            if kind == Kind::Sign && text == "(" {
                depth += 1;
            }
            return Some(token);
        }
    })
}

/// The length of what stands in quotes, a doubled quote being one of it.
fn quoted(rest: &str, quote: u8) -> usize {
    let bytes = rest.as_bytes();
    let mut at = 1;
    loop {
        match (bytes.get(at), bytes.get(at + 1)) {
            (Some(b), Some(next)) if *b == quote && *next == quote => at += 2,
            (Some(b), _) if *b == quote => return at + 1,
            (Some(_), _) => at += 1,
            (None, _) => return bytes.len(),
        }
    }
}

fn word(rest: &str, belongs: impl Fn(u8) -> bool) -> usize {
    rest.bytes().position(|b| !belongs(b)).unwrap_or(rest.len())
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || !byte.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_comments_and_parentheses_hide_what_is_in_them() {
        let sql = "INSERT /* RETURNING */ INTO \"a\"\"b\" ([c d], `e``f`) VALUES ('it''s', ?1, :né) -- RETURNING\n RETURNING id";
        let found = tokens(sql);
        let returning: Vec<&Token<'_>> = found.iter().filter(|t| t.is("returning")).collect();
        assert_eq!(returning.len(), 1);
        assert_eq!((returning[0].depth, sql.get(returning[0].at..)), (0, Some("RETURNING id")));
        let names: Vec<String> =
            found.iter().filter(|t| t.kind == Kind::Quoted).filter_map(Token::name).collect();
        assert_eq!(names, ["a\"b", "c d", "e`f"]);
        let parameters: Vec<&str> =
            found.iter().filter(|t| t.kind == Kind::Parameter).map(|t| t.text).collect();
        assert_eq!(parameters, ["?1", ":né"]);
        assert_eq!(found.iter().find(|t| t.kind == Kind::Text).map(|t| t.text), Some("'it''s'"));
    }

    #[test]
    fn a_text_is_cut_where_its_first_statement_ends() {
        for (sql, first) in [
            ("SELECT 1; SELECT 2", "SELECT 1;"),
            ("SELECT ';' /* ; */ -- ;\n; x", "SELECT ';' /* ; */ -- ;\n;"),
            ("SELECT 1", "SELECT 1"),
            (";SELECT 1", ";"),
            (
                "CREATE TEMP TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; SELECT CASE 1 WHEN 1 THEN 2 END; END; SELECT 3",
                "CREATE TEMP TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; SELECT CASE 1 WHEN 1 THEN 2 END; END;",
            ),
        ] {
            assert_eq!(&sql[..first_statement(sql)], first);
        }
        assert!(is_blank(" ; -- a\n /* b */"));
        assert!(!is_blank(" ; x"));
    }

    #[test]
    fn unfinished_text_ends_with_the_statement() {
        for sql in ["'abc", "\"abc", "[abc", "/* abc", "-- abc", "a 'b''", "é", "x'00", "((", "))"]
        {
            for token in tokens(sql) {
                assert!(token.end() <= sql.len(), "{sql}");
            }
        }
    }
}
