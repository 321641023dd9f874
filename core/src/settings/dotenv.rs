//! `.env` files: lines of `NAME=value`, quoted as python-dotenv, Docker Compose and Node's dotenv read them, as far as
//! they agree.
//!
//! Written: bare where nothing needs quoting; in single quotes where that is literal for all of them; else in double
//! quotes with `\\ \" \$ \n \r`. Where they differ: only Compose knows `\$`, so a `$` goes into single quotes with `\'`
//! where it can; Node's dotenv knows no escape but `\n` and `\r`; python-dotenv expands `${NAME}` in any quotes, unless
//! told `interpolate=False`. Read here, nothing is expanded.

use std::fmt::Write;
use std::iter::Peekable;
use std::str::Chars;

use zeroize::Zeroizing;

use super::definition::is_variable;
use crate::error::{Result, fail};
use crate::secret::make_room_for_text;

/// A line that sets a variable.
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) value: Zeroizing<String>,
    /// `NAME=` with nothing behind it, not even quotes.
    pub(crate) bare_empty: bool,
}

/// Appends a line. A NUL can't be in a variable: false, and nothing is appended.
pub(crate) fn write_line(out: &mut String, name: &str, value: &str) -> bool {
    if value.contains('\0') {
        return false;
    }
    // The longest form: each character after a backslash, in quotes.
    make_room_for_text(out, name.len() + 2 * value.len() + "=\"\"\n".len());
    let _ = write!(out, "{name}=");
    if !value.is_empty() && value.chars().all(is_bare) {
        out.push_str(value);
    } else if is_literal(value) {
        out.push('\'');
        for c in value.chars() {
            out.push_str(if c == '\'' { "\\" } else { "" });
            out.push(c);
        }
        out.push('\'');
    } else {
        out.push('"');
        for c in value.chars() {
            match c {
                '\\' => out.push_str("\\\\"),
                '"' => out.push_str("\\\""),
                '$' => out.push_str("\\$"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                c => out.push(c),
            }
        }
        out.push('"');
    }
    out.push('\n');
    true
}

fn is_bare(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_-./:@%+,=".contains(c)
}

/// True where single quotes serve: without what some reader changes in them.
fn is_literal(value: &str) -> bool {
    let quote = value.contains('\'');
    !value.contains(|c: char| c.is_control() && c != '\t')
        && !value.contains("\\\\")
        && !value.contains("\\'")
        && !value.ends_with('\\')
        && (!quote || value.contains('$'))
}

/// Reads a file. Errors name the line and never show it.
pub(crate) fn read(text: &str) -> Result<Vec<Line>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = Vec::new();
    let mut characters = Reader { characters: text.chars().peekable(), line: 1 };
    while characters.skip_to_name() {
        let number = characters.line;
        let mut name = characters.word();
        characters.skip_blanks();
        if name == "export" && characters.peek() != Some('=') {
            name = characters.word();
            characters.skip_blanks();
        }
        if characters.next() != Some('=') || !is_variable(&name) {
            fail!(InvalidInput, "line {number} is not of the form NAME=value");
        }
        characters.skip_blanks();
        let (value, bare) = match characters.peek() {
            Some(quote @ ('\'' | '"')) => {
                characters.next();
                let Some(value) = characters.quoted(quote) else {
                    fail!(InvalidInput, "line {number}: a quotation mark without its partner");
                };
                characters.skip_blanks();
                if !matches!(characters.peek(), None | Some('\r' | '\n' | '#')) {
                    fail!(InvalidInput, "line {number}: text behind the closing quotation mark");
                }
                characters.skip_line();
                (value, false)
            }
            _ => (characters.bare(), true),
        };
        let bare_empty = bare && value.is_empty();
        lines.push(Line { name, value, bare_empty });
    }
    Ok(lines)
}

struct Reader<'a> {
    characters: Peekable<Chars<'a>>,
    line: usize,
}

impl Reader<'_> {
    fn peek(&mut self) -> Option<char> {
        self.characters.peek().copied()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.characters.next();
        self.line += usize::from(next == Some('\n'));
        next
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t')) {
            self.next();
        }
    }

    fn skip_line(&mut self) {
        while self.next().is_some_and(|c| c != '\n') {}
    }

    /// Moves past blank lines and comments; false at the end.
    fn skip_to_name(&mut self) -> bool {
        loop {
            match self.peek() {
                None => return false,
                Some('#') => self.skip_line(),
                Some(c) if c.is_whitespace() => {
                    self.next();
                }
                Some(_) => return true,
            }
        }
    }

    fn word(&mut self) -> String {
        let mut word = String::new();
        while let Some(c) = self.characters.next_if(|c| !c.is_whitespace() && *c != '=') {
            word.push(c);
        }
        word
    }

    /// To the end of the line, or to a `#` behind white space.
    fn bare(&mut self) -> Zeroizing<String> {
        let mut value = Zeroizing::new(String::new());
        let mut blank = true;
        while let Some(c) = self.next() {
            if c == '\n' {
                break;
            }
            if c == '#' && blank {
                self.skip_line();
                break;
            }
            blank = c.is_whitespace();
            push(&mut value, c);
        }
        let length = value.trim_end().len();
        value.truncate(length);
        value
    }

    fn quoted(&mut self, quote: char) -> Option<Zeroizing<String>> {
        let mut value = Zeroizing::new(String::new());
        loop {
            match self.next()? {
                c if c == quote => return Some(value),
                '\\' => {
                    let escaped = self.next()?;
                    match (quote, escaped) {
                        ('\'', '\'' | '\\') | ('"', '"' | '\\' | '$') => push(&mut value, escaped),
                        ('"', 'n') => push(&mut value, '\n'),
                        ('"', 'r') => push(&mut value, '\r'),
                        ('"', 't') => push(&mut value, '\t'),
                        _ => {
                            push(&mut value, '\\');
                            push(&mut value, escaped);
                        }
                    }
                }
                c => push(&mut value, c),
            }
        }
    }
}

/// Appends to what may be secret.
fn push(value: &mut String, c: char) {
    make_room_for_text(value, c.len_utf8());
    value.push(c);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let hard = [
            "",
            "plain-1.2/3:4@5",
            "two words",
            " leading and trailing ",
            "# no comment",
            "a#b",
            "it's",
            "say \"hi\"",
            "both ' and \"",
            "$HOME ${HOME} $$",
            "it's $HOME",
            "C:\\new\\table",
            "trailing\\",
            "double\\\\backslash",
            "\\'",
            "line\nbreak\r\nand\ttab",
            "gAAAAABh=ciphertext==",
            "********",
            "export A=b",
            "é ü 漢字 🔑",
            "'quoted'",
            "\"quoted\"",
            "\\n",
            "`backticks`",
        ];
        let mut text = String::new();
        for (at, value) in hard.iter().enumerate() {
            assert!(write_line(&mut text, &format!("V_{at}"), value));
        }
        let lines = read(&text).expect("reads");
        let values: Vec<&str> = lines.iter().map(|line| line.value.as_str()).collect();
        assert_eq!(values, hard);
        assert!(!write_line(&mut text, "V", "a\0b"));
    }

    #[test]
    fn what_other_programs_write_is_read() {
        let text = "\u{feff}# a comment\r\n\r\nA=1 # one\r\nexport B = 'two' # 2\nC=\nD=\"x\ny\"\nE=a#b c  \nF=''\n\
                    G='it\\'s'\nexport=9";
        let lines = read(text).expect("reads");
        let found: Vec<(&str, &str, bool)> = lines
            .iter()
            .map(|line| (line.name.as_str(), line.value.as_str(), line.bare_empty))
            .collect();
        let expected = [
            ("A", "1", false),
            ("B", "two", false),
            ("C", "", true),
            ("D", "x\ny", false),
            ("E", "a#b c", false),
            ("F", "", false),
            ("G", "it's", false),
            ("export", "9", false),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn errors_name_the_line_and_not_what_it_says() {
        for text in ["A=1\nhunter2", "A=1\nB='hunter2", "A=1\n1B=hunter2", "A=1\nB='x'hunter2"] {
            let error = read(text).err().expect("refused");
            assert!(error.message().contains("line 2"), "{error}");
            assert!(!error.message().contains("hunter2"));
        }
    }
}
