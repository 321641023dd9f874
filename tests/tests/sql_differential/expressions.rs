//! Values, columns and conditions.

use sealite::Value;

use super::dice::Dice;
use super::schema::{Kind, Shape};

/// A statement in the making.
pub(crate) struct Maker<'w> {
    pub(crate) dice: &'w mut Dice,
    /// What the parameters `?1` and so on are bound to.
    pub(crate) parameters: Vec<Value>,
    pub(crate) tables: &'w [Shape],
    /// True where the order in which rows are visited matters: then no index is to lead to them.
    pub(crate) in_order: bool,
    /// True where every value is to be of its kind.
    pub(crate) tidy: bool,
}

/// A table, and what it is called here.
pub(crate) type Scope<'s> = [(&'s str, &'s Shape)];

const INTEGERS: &[&str] = &["0", "1", "2", "3", "4", "5", "7", "-1", "100", "1099511627776"];
const REALS: &[&str] = &["0.0", "0.5", "1.25", "-2.0", "-0.0", "3", "100.5"];
const TEXTS: &[&str] = &[
    "'ada'",
    "'Ada'",
    "'bob'",
    "'cyd'",
    "''",
    "'a b'",
    "' A  B '",
    "'äx'",
    "'Zoë'",
    "'x'",
    "'12'",
    "'3.5'",
    "'1e2'",
    "'it''s'",
    "'a%_'",
    "'RETURNING ?'",
    "'deflt'",
];
const BLOBS: &[&str] = &["x''", "x'00'", "x'c3a9'", "x'61'", "x'616461'", "x'07'"];

impl<'w> Maker<'w> {
    pub(crate) fn table(&mut self) -> &'w Shape {
        &self.tables[self.dice.below(self.tables.len())]
    }

    /// A value, mostly of that kind, as a literal or a parameter.
    pub(crate) fn value(&mut self, kind: Kind) -> String {
        let kind = match self.dice.below(24) {
            1..=4 if self.tidy => kind,
            0 => return "NULL".to_owned(),
            1 => Kind::Integer,
            2 => Kind::Real,
            3 => Kind::Text,
            4 => Kind::Blob,
            _ => kind,
        };
        self.value_of(kind)
    }

    /// A value of that kind.
    pub(crate) fn value_of(&mut self, kind: Kind) -> String {
        let literal = match kind {
            Kind::Integer => self.dice.pick(INTEGERS),
            Kind::Real => self.dice.pick(REALS),
            Kind::Text => self.dice.pick(TEXTS),
            Kind::Blob => self.dice.pick(BLOBS),
        };
        if self.dice.one_in(3) {
            self.parameters.push(parsed(literal));
            return format!("?{}", self.parameters.len());
        }
        literal.to_owned()
    }

    /// A number as it stands.
    pub(crate) fn number(&mut self, end: usize) -> String {
        self.dice.below(end).to_string()
    }

    /// A key.
    pub(crate) fn key(&mut self, shape: &Shape) -> String {
        match (shape.text_key, self.dice.below(12)) {
            (_, 0) => self.value(Kind::Text),
            (true, _) => format!("'k{}'", self.dice.below(30)),
            (false, 1) => format!("'{}'", self.dice.below(30)),
            (false, _) => self.number(30),
        }
    }

    /// A column of one of the tables, and its kind.
    pub(crate) fn column(&mut self, scope: &Scope<'_>) -> (String, Kind) {
        let (alias, shape) = scope[self.dice.below(scope.len())];
        let sign = if self.in_order { "+" } else { "" };
        if self.dice.one_in(8) {
            let kind = if shape.text_key { Kind::Text } else { Kind::Integer };
            return (format!("{alias}.id"), kind);
        }
        let column = &shape.columns[self.dice.below(shape.columns.len())];
        (format!("{sign}{alias}.\"{}\"", column.name), column.kind)
    }

    /// A column that no comparison folds: whichever of equal values is shown, it is the same.
    pub(crate) fn exact_column(&mut self, scope: &Scope<'_>) -> (String, Kind) {
        let (alias, shape) = scope[self.dice.below(scope.len())];
        let exact: Vec<_> = shape.columns.iter().filter(|column| !column.folded).collect();
        if exact.is_empty() {
            return (format!("{alias}.id"), Kind::Text);
        }
        let column = exact[self.dice.below(exact.len())];
        (format!("{alias}.\"{}\"", column.name), column.kind)
    }

    /// A condition on the tables' rows.
    pub(crate) fn condition(&mut self, scope: &Scope<'_>, depth: usize) -> String {
        let (column, kind) = self.column(scope);
        let (alias, shape) = scope[self.dice.below(scope.len())];
        let forms = if depth == 0 { 16 } else { 24 };
        match self.dice.below(forms) {
            0 => format!("{alias}.id = {}", self.key(shape)),
            1 => {
                let keys = [self.key(shape), self.key(shape), self.key(shape)];
                format!("{alias}.id IN ({})", keys.join(", "))
            }
            2 => format!("{alias}.id BETWEEN {} AND {}", self.key(shape), self.key(shape)),
            3 | 4 => format!("{column} = {}", self.value(kind)),
            5 => {
                let op = self.dice.pick(&["<", ">", "<=", ">=", "<>", "IS", "IS NOT", "=="]);
                format!("{column} {op} {}", self.value(kind))
            }
            6 => {
                let op = self.dice.pick(&["=", "<", ">=", "IS"]);
                format!("{} {op} {column}", self.value(kind))
            }
            7 => {
                let not = self.dice.pick(&["", "NOT "]);
                let values = [self.value(kind), self.value(kind), self.value(kind)];
                format!("{column} {not}IN ({})", values.join(", "))
            }
            8 => format!("{column} BETWEEN {} AND {}", self.value(kind), self.value(kind)),
            9 => {
                let like =
                    self.dice.pick(&["LIKE 'a%'", "LIKE '%B%'", "GLOB '[a-c]*'", "LIKE '_'"]);
                format!("{column} {like}")
            }
            10 => format!("{column} {}", self.dice.pick(&["IS NULL", "IS NOT NULL", "ISNULL"])),
            11 => {
                let (other, _) = self.column(scope);
                format!("{column} {} {other}", self.dice.pick(&["=", "<", "IS NOT"]))
            }
            12 => {
                let test =
                    ["length({}) > 2", "lower({}) = 'ada'", "typeof({}) = 'text'", "{} + 0 > 1"];
                let test = test[self.dice.below(test.len())];
                test.replace("{}", &column)
            }
            13 => format!("{column} = {} COLLATE NOCASE", self.value_of(Kind::Text)),
            14 => format!("coalesce({column}, {}) = {}", self.value(kind), self.value(kind)),
            15 => {
                let (other, kind_of_other) = self.column(scope);
                format!(
                    "({column}, {other}) = ({}, {})",
                    self.value(kind),
                    self.value(kind_of_other)
                )
            }
            16 | 17 => {
                let (a, b) = (self.condition(scope, depth - 1), self.condition(scope, depth - 1));
                format!("({a} AND {b})")
            }
            18 | 19 => {
                let (a, b) = (self.condition(scope, depth - 1), self.condition(scope, depth - 1));
                format!("({a} OR {b})")
            }
            20 => format!("NOT ({})", self.condition(scope, depth - 1)),
            21 => format!(
                "EXISTS (SELECT 1 FROM orders WHERE who = {alias}.id AND total > {})",
                self.value_of(Kind::Real)
            ),
            22 => {
                let inner = self.table();
                let (wanted, _) = self.column(&[("i", inner)]);
                let condition = self.condition(&[("i", inner)], depth - 1);
                format!("{column} IN (SELECT {wanted} FROM {} i WHERE {condition})", inner.name)
            }
            _ => format!(
                "{alias}.id IN (SELECT who FROM orders WHERE total < {})",
                self.value_of(Kind::Real)
            ),
        }
    }

    /// An expression over a row, of a kind that mostly fits.
    pub(crate) fn expression(&mut self, scope: &Scope<'_>, kind: Kind) -> String {
        let (column, kind_of_column) = self.column(scope);
        match self.dice.below(12) {
            0..=3 => self.value(kind),
            4 | 5 => column,
            6 => match kind {
                Kind::Integer | Kind::Real => format!("{column} + {}", self.value_of(kind)),
                Kind::Text => format!("{column} || {}", self.value_of(kind)),
                Kind::Blob => format!("CAST({column} AS BLOB)"),
            },
            7 => format!("coalesce({column}, {})", self.value(kind)),
            8 => {
                let condition = self.condition(scope, 0);
                format!("CASE WHEN {condition} THEN {} ELSE {column} END", self.value(kind))
            }
            9 => match kind_of_column {
                Kind::Text => format!("upper({column})"),
                Kind::Blob => format!("hex({column})"),
                _ => format!("abs({column})"),
            },
            10 => {
                let wanted = if kind == Kind::Text { "max(note)" } else { "count(*)" };
                let (alias, _) = scope[0];
                format!("(SELECT {wanted} FROM orders WHERE who = {alias}.id)")
            }
            _ => format!("CAST({column} AS {})", format!("{kind:?}").to_uppercase()),
        }
    }
}

/// The value of a literal of the lists above.
fn parsed(literal: &str) -> Value {
    if let Some(hex) = literal.strip_prefix("x'") {
        let hex = hex.trim_end_matches('\'').as_bytes();
        let byte =
            |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        return Value::Blob(hex.chunks(2).map(byte).collect());
    }
    if let Some(text) = literal.strip_prefix('\'') {
        return Value::Text(text.strip_suffix('\'').unwrap().replace("''", "'"));
    }
    literal.parse().map_or_else(|_| Value::Real(literal.parse().unwrap()), Value::Integer)
}
