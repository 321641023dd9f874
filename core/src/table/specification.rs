//! Columns as text: the one grammar of the faces that have no builder.
//!
//! ```text
//! NAME [TYPE] [plain | authenticated | sealed] [not null] [default LITERAL]
//!      [unique [NORMALISER] | lookup COUNT [NORMALISER]] [accept leakage 'REASON']
//! ```

use super::definition::{Column, Index, Protection};
use crate::error::{Result, fail};
use crate::index::normalise::Normaliser;
use crate::value::{Type, Value};

impl Column {
    /// A column from its specification: `email text sealed not null unique email`, `age integer sealed`,
    /// `surname text sealed lookup 50000 text`, `plan text default 'free'`.
    ///
    /// A name with white space stands in double quotes, a text or JSON literal in single quotes (doubled inside); other
    /// literals are integers, decimals, `true`, `false` and `x'…'`. The type is text where none is named.
    pub fn parse(specification: &str) -> Result<Self> {
        Self::parse_typed(specification).map(|(column, _)| column)
    }

    /// As [`Column::parse`]; true where the specification names a type.
    pub(crate) fn parse_typed(specification: &str) -> Result<(Self, bool)> {
        let words = tokens(specification)?;
        let mut words = words.iter().peekable();
        let Some(Token::Word(name) | Token::Name(name)) = words.next() else {
            fail!(InvalidInput, "a column's specification begins with its name");
        };
        if name.is_empty() {
            fail!(InvalidInput, "a column has a name");
        }
        let mut column = Column::text(name.as_str());
        let mut typed = false;
        if let Some(Token::Word(word)) = words.peek()
            && let Some(kind) = Type::from_name(word)
        {
            (column.kind, typed) = (kind, true);
            words.next();
        }
        let mut reason = None;
        while let Some(token) = words.next() {
            let Token::Word(word) = token else {
                fail!(
                    InvalidInput,
                    "column {name}: a literal or quoted name where a word is expected"
                );
            };
            match word.to_ascii_lowercase().as_str() {
                "plain" => column.protection = Protection::Plain,
                "authenticated" => column.protection = Protection::Authenticated,
                "sealed" => column.protection = Protection::Sealed,
                "null" => column.not_null = false,
                "not" if next_is(&mut words, "null") => column.not_null = true,
                "default" => match words.next() {
                    Some(token) => column.default = Some(literal(token, column.kind, name)?),
                    None => fail!(InvalidInput, "column {name}: default is followed by a literal"),
                },
                "unique" => {
                    let normaliser = next_normaliser(&mut words);
                    column.index = Some(Index::unique().normaliser(normaliser));
                }
                "lookup" => {
                    let Some(Token::Word(count)) = words.next() else {
                        fail!(
                            InvalidInput,
                            "column {name}: lookup is followed by the expected number of values"
                        );
                    };
                    let Ok(count) = count.replace('_', "").parse::<u64>() else {
                        fail!(
                            InvalidInput,
                            "column {name}: lookup is followed by the expected number of values"
                        );
                    };
                    let normaliser = next_normaliser(&mut words);
                    column.index = Some(Index::lookup(count).normaliser(normaliser));
                }
                "accept" if next_is(&mut words, "leakage") => match words.next() {
                    Some(Token::Literal(text)) => reason = Some(text.clone()),
                    _ => fail!(
                        InvalidInput,
                        "column {name}: accept leakage is followed by 'a reason'"
                    ),
                },
                other => fail!(InvalidInput, "column {name}: the word {other} is not understood"),
            }
        }
        if let Some(reason) = reason {
            match column.index.take() {
                Some(index) => column.index = Some(index.accept_leakage(reason)),
                None => fail!(InvalidInput, "column {name}: accept leakage belongs to an index"),
            }
        }
        Ok((column, typed))
    }

    /// The specification that [`Column::parse`] reads back.
    pub fn specification(&self) -> String {
        use std::fmt::Write;
        let plain_name = self.name.chars().all(|c| c.is_alphanumeric() || c == '_');
        let mut out =
            if plain_name { self.name.clone() } else { crate::db::schema::quote(&self.name) };
        let _ = write!(out, " {} {}", self.kind.name(), self.protection.name());
        if self.not_null {
            out.push_str(" not null");
        }
        if let Some(default) = &self.default {
            let _ = write!(out, " default {}", written(default));
        }
        if let Some(index) = &self.index {
            let _ = write!(out, " {}", index_words(index));
        }
        out
    }
}

/// The words for an index, as [`Column::parse`] reads them.
pub(crate) fn index_words(index: &Index) -> String {
    let mut out = match index.expected_distinct {
        Some(count) if !index.unique => format!("lookup {count}"),
        _ => "unique".to_owned(),
    };
    if index.normaliser != Normaliser::Exact {
        out = format!("{out} {}", index.normaliser.name());
    }
    if let Some(reason) = &index.override_reason {
        out = format!("{out} accept leakage {}", quoted(reason));
    }
    out
}

enum Token {
    Word(String),
    Name(String),
    Literal(String),
    Bytes(String),
}

type Words<'a> = std::iter::Peekable<std::slice::Iter<'a, Token>>;

fn next_is(words: &mut Words<'_>, wanted: &str) -> bool {
    let is =
        |token: &&Token| matches!(token, Token::Word(word) if word.eq_ignore_ascii_case(wanted));
    words.next_if(|token| is(token)).is_some()
}

fn next_normaliser(words: &mut Words<'_>) -> Normaliser {
    let named = match words.peek() {
        Some(Token::Word(word)) => Normaliser::from_name(&word.to_ascii_lowercase()),
        _ => None,
    };
    if named.is_some() {
        words.next();
    }
    named.unwrap_or(Normaliser::Exact)
}

fn tokens(text: &str) -> Result<Vec<Token>> {
    let mut found = Vec::new();
    let mut characters = text.chars().peekable();
    while let Some(first) = characters.peek().copied() {
        if first.is_whitespace() {
            characters.next();
        } else if first == '\'' || first == '"' {
            characters.next();
            let quoted = until(&mut characters, first)?;
            found.push(if first == '"' { Token::Name(quoted) } else { Token::Literal(quoted) });
        } else {
            let mut word = String::new();
            while let Some(next) =
                characters.next_if(|c| !c.is_whitespace() && *c != '\'' && *c != '"')
            {
                word.push(next);
            }
            if word.eq_ignore_ascii_case("x") && characters.next_if_eq(&'\'').is_some() {
                found.push(Token::Bytes(until(&mut characters, '\'')?));
            } else {
                found.push(Token::Word(word));
            }
        }
    }
    Ok(found)
}

fn until(characters: &mut std::iter::Peekable<std::str::Chars<'_>>, end: char) -> Result<String> {
    let mut inside = String::new();
    loop {
        match characters.next() {
            Some(c) if c == end && characters.next_if_eq(&end).is_none() => return Ok(inside),
            Some(c) => inside.push(c),
            None => fail!(InvalidInput, "a quotation mark without its partner"),
        }
    }
}

fn literal(token: &Token, kind: Type, name: &str) -> Result<Value> {
    let value = match token {
        Token::Literal(text) if kind == Type::Json => Some(Value::Json(text.clone())),
        Token::Literal(text) => Some(Value::Text(text.clone())),
        Token::Bytes(hex) => base16ct::mixed::decode_vec(hex).ok().map(Value::Blob),
        Token::Word(word) => match word.to_ascii_lowercase().as_str() {
            "null" => Some(Value::Null),
            "true" => Some(Value::Boolean(true)),
            "false" => Some(Value::Boolean(false)),
            number if kind == Type::Real => number.parse().ok().map(Value::Real),
            number => number.parse().ok().map(Value::Integer),
        },
        Token::Name(_) => None,
    };
    match value {
        Some(value) => Ok(value),
        None => fail!(InvalidInput, "column {name}: not a literal of its type"),
    }
}

/// A value as a literal.
pub(crate) fn written(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Integer(v) => v.to_string(),
        Value::Real(v) => format!("{v:?}"),
        Value::Text(v) | Value::Json(v) => quoted(v),
        Value::Blob(v) => format!("x'{}'", base16ct::lower::encode_string(v)),
        Value::Boolean(v) => v.to_string(),
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specifications_read_back_as_they_are_written() {
        let columns = [
            Column::text("email")
                .sealed()
                .not_null()
                .index(Index::unique().normaliser(Normaliser::Email)),
            Column::text("surname")
                .sealed()
                .index(Index::lookup(50_000).normaliser(Normaliser::Text)),
            Column::boolean("vip").sealed().index(Index::lookup(2).accept_leakage("it's public")),
            Column::text("full name").default("it's"),
            Column::integer("age").authenticated().default(-3i64),
            Column::real("score").default(1e300),
            Column::blob("photo").sealed().default(vec![0u8, 255]),
            Column::json("extra").default(Value::Json("{\"a\": 1}".into())),
        ];
        for column in columns {
            let text = column.specification();
            assert_eq!(Column::parse(&text).expect("well formed"), column, "{text}");
        }
        assert_eq!(Column::parse("email sealed unique email").expect("short").kind(), Type::Text);
    }

    #[test]
    fn what_is_not_a_specification_is_refused() {
        for bad in [
            "",
            "'a'",
            "a frobnicated",
            "a not",
            "a default",
            "a lookup",
            "a lookup many",
            "a text text",
            "a default 'x",
            "a accept leakage",
            "a accept leakage 'x'",
            "a integer default 1.5",
            "\"a",
        ] {
            assert!(Column::parse(bad).is_err(), "{bad}");
        }
    }
}
