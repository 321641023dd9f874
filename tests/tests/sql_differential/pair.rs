//! A vault with sealed tables beside a plain SQLite with the same tables: what is done to one is done to the other.

use std::collections::BTreeMap;
use std::fmt::Write;

use rusqlite::Connection;
use rusqlite::types::{Value as Plain, ValueRef as PlainRef};
use sealite::{Connection as Sealed, Error, ErrorKind, SqlRows, Value, ValueRef, Vault};

use super::dice::Dice;
use super::schema::{ORDERS, Shape, plain};
use super::side::{Side, Through};

/// A statement to be run on both.
pub(crate) struct Statement {
    pub(crate) sql: String,
    pub(crate) parameters: Vec<Value>,
    /// True where its rows come in one order only.
    pub(crate) ordered: bool,
    pub(crate) returns: bool,
    /// True to run it by way of a prepared one.
    pub(crate) prepared: bool,
}

/// What came of the statements.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) same: usize,
    pub(crate) same_errors: usize,
    /// By reason.
    pub(crate) refused: BTreeMap<String, usize>,
}

enum Outcome {
    Rows(Vec<Vec<Value>>),
    Error(i32, String),
    Refused(String),
}

pub(crate) struct Pair {
    pub(crate) vault: Vault,
    connection: Option<Sealed>,
    through: Through,
    plain: Connection,
    shapes: Vec<Shape>,
    /// What ran since the tables were last compared.
    log: Vec<String>,
    pub(crate) counts: Counts,
    seed: u64,
}

/// A transaction that is open on both.
pub(crate) struct Open<'p> {
    pair: &'p mut Pair,
    sealed: Side,
    /// How many savepoints are open.
    depth: usize,
}

impl Pair {
    pub(crate) fn new(seed: u64, shapes: &[Shape], through: Through) -> Self {
        let (vault, plain) = (Vault::in_memory().unwrap(), plain());
        for shape in shapes {
            vault.define_table(&shape.definition()).unwrap();
            shape.declare(&plain);
            if !shape.text_key {
                plain.execute("INSERT INTO sqlite_sequence VALUES (?, 0)", [shape.name]).unwrap();
            }
        }
        vault.execute(ORDERS, &[]).unwrap();
        plain.execute_batch(ORDERS).unwrap();
        let connection = (through != Through::Transactions).then(|| vault.connect().unwrap());
        let (shapes, log, counts) = (shapes.to_vec(), Vec::new(), Counts::default());
        Pair { vault, connection, through, plain, shapes, log, counts, seed }
    }

    pub(crate) fn begin(&mut self) -> Open<'_> {
        let sealed = Side::begin(&self.vault, self.connection.as_ref(), self.through);
        if self.through != Through::Autocommit {
            self.plain.execute_batch("BEGIN IMMEDIATE").unwrap();
            self.log.push("BEGIN".to_owned());
        }
        // Both begin with the same last row id.
        for sql in ["INSERT INTO orders (id) VALUES (999)", "DELETE FROM orders WHERE id = 999"] {
            sealed.execute(sql, &[]).unwrap();
            self.plain.execute(sql, []).unwrap();
        }
        Open { pair: self, sealed, depth: 0 }
    }

    /// Runs the statement on the plain tables. SQLite takes a statement that fails at a value's type back only where it has
    /// another reason to keep what is needed for that; here, as on a sealed table, it is always taken back.
    fn on_plain(&self, statement: &Statement) -> rusqlite::Result<Vec<Vec<Value>>> {
        self.plain.execute_batch("SAVEPOINT statement")?;
        let done = run_plain(&self.plain, &statement.sql, &statement.parameters);
        let datatype = |error: &rusqlite::Error| {
            let code = error.sqlite_error().map(|error| error.extended_code);
            code == Some(rusqlite::ffi::SQLITE_CONSTRAINT_DATATYPE)
        };
        if !self.plain.is_autocommit() {
            let back =
                if done.as_ref().is_err_and(datatype) { "ROLLBACK TO statement; " } else { "" };
            self.plain.execute_batch(&format!("{back}RELEASE statement"))?;
        }
        done
    }

    /// No id is given out twice: where a statement fails and leaves rows, SQLite forgets that it has given out theirs.
    fn keep_ids(&self) {
        for shape in self.shapes.iter().filter(|shape| !shape.text_key) {
            let name = shape.name;
            let sql = format!(
                "UPDATE sqlite_sequence SET seq = max(seq, coalesce((SELECT max(id) FROM {name}), 0)) WHERE name = '{name}'"
            );
            self.plain.execute(&sql, []).unwrap();
        }
    }

    fn counts_of(&self) -> &'static str {
        if self.shapes.iter().any(|shape| shape.text_key) { CHANGES } else { COUNTS }
    }

    /// Both hold the same rows once the transaction is over.
    fn compare_committed(&mut self) {
        // A vault in memory has one connection.
        if let Some(connection) = self.connection.clone() {
            self.compare(|sql| connection.query(sql, &[]));
        } else {
            let vault = self.vault.clone();
            self.compare(|sql| vault.query(sql, &[]));
        }
    }

    /// Both hold the same rows.
    fn compare(&mut self, sealed: impl Fn(&str) -> sealite::Result<SqlRows>) {
        let tables = self.shapes.iter().map(|shape| shape.name).chain(["orders"]);
        for table in tables {
            let sql = format!("SELECT * FROM {table} ORDER BY id");
            let found = sealed(&sql).unwrap().rows;
            let expected = run_plain(&self.plain, &sql, &[]).unwrap();
            if found != expected {
                let (found, expected) = (shown(&found), shown(&expected));
                self.fail(&format!("{table} holds\n{found}\nand not\n{expected}"));
            }
        }
        // Of one seed alone, everything is told.
        if std::env::var_os("SEALITE_TEST_SEED").is_none() {
            self.log.clear();
        }
    }

    fn fail(&self, what: &str) -> ! {
        let shapes: Vec<String> = self.shapes.iter().map(|shape| format!("{shape:?}")).collect();
        panic!("seed {}\n{}\n{}\n{what}", self.seed, shapes.join("\n"), self.log.join(";\n"));
    }
}

impl Open<'_> {
    /// Runs the statement on both, and compares; false where that has ended the transaction.
    pub(crate) fn run(&mut self, statement: &Statement) -> bool {
        self.pair.log.push(format!(
            "{} {}",
            statement.sql,
            shown(std::slice::from_ref(&statement.parameters))
        ));
        let sealed = run_sealed(&self.sealed, statement, self.pair.counts_of());
        if let Outcome::Refused(reason) = sealed {
            *self.pair.counts.refused.entry(reason).or_default() += 1;
            return true;
        }
        let plain = match self.pair.on_plain(statement) {
            Ok(rows) if statement.returns => Outcome::Rows(rows),
            Ok(_) => {
                Outcome::Rows(run_plain(&self.pair.plain, self.pair.counts_of(), &[]).unwrap())
            }
            Err(error) => plain_error(&error),
        };
        let ended = self.pair.through != Through::Autocommit && self.pair.plain.is_autocommit();
        let same = match (&sealed, &plain) {
            (Outcome::Rows(sealed), Outcome::Rows(plain)) => {
                self.pair.counts.same += 1;
                same_rows(sealed, plain, statement)
            }
            (Outcome::Error(code, message), Outcome::Error(plain_code, plain_message)) => {
                self.pair.counts.same_errors += 1;
                // The engine shows nothing of a literal that SQLite quotes.
                let shown = message.strip_suffix("...").unwrap_or(message);
                code == plain_code && plain_message.starts_with(shown)
            }
            _ => false,
        };
        if !same {
            self.pair.fail(&format!("sealed: {}\nplain:  {}", sealed.shown(), plain.shown()));
        }
        if statement.sql.starts_with("UPDATE") && !ended {
            self.pair.keep_ids();
        }
        if ended {
            self.sealed.assert_ended();
        } else if matches!(sealed, Outcome::Error(..)) {
            self.pair.keep_ids();
            self.compare();
        }
        !ended
    }

    pub(crate) fn compare(&mut self) {
        self.pair.compare(|sql| self.sealed.query(sql, &[]));
    }

    /// Sets a savepoint, or ends the innermost.
    pub(crate) fn savepoint(&mut self, dice: &mut Dice) {
        if self.depth == 0 || dice.one_in(2) {
            // Alone it would begin a transaction.
            if self.pair.through != Through::Autocommit {
                let name = format!("p{}", self.depth);
                self.sealed.save(&name);
                self.pair.plain.execute_batch(&format!("SAVEPOINT {name}")).unwrap();
                self.pair.log.push(format!("SAVEPOINT {name}"));
                self.depth += 1;
            }
            return;
        }
        let keep = dice.one_in(2);
        self.depth -= 1;
        let name = format!("p{}", self.depth);
        let back = if keep { String::new() } else { format!("ROLLBACK TO {name}; ") };
        self.pair.plain.execute_batch(&format!("{back}RELEASE {name}")).unwrap();
        self.pair.log.push(format!("{back}RELEASE {name}"));
        self.sealed.release(&name, keep);
        self.compare();
    }

    /// Ends the transaction; where `goes_on` is false a statement has done so.
    pub(crate) fn end(self, goes_on: bool, keep: bool) {
        let Open { pair, sealed, .. } = self;
        if goes_on && pair.through != Through::Autocommit {
            sealed.end(keep);
            let sql = if keep { "COMMIT" } else { "ROLLBACK" };
            pair.plain.execute_batch(sql).unwrap();
            pair.log.push(sql.to_owned());
        } else {
            drop(sealed);
        }
        pair.compare_committed();
    }
}

const COUNTS: &str = "SELECT changes(), last_insert_rowid()";
/// The row id of a row with a text key is the engine's own.
const CHANGES: &str = "SELECT changes()";

fn run_sealed(side: &Side, statement: &Statement, counts: &str) -> Outcome {
    let parameters: Vec<ValueRef<'_>> = statement.parameters.iter().map(Value::as_ref).collect();
    match side.run(statement, &parameters, counts) {
        Ok(found) => Outcome::Rows(found.rows),
        Err(error) => sealed_error(&error),
    }
}

fn sealed_error(error: &Error) -> Outcome {
    match (error.kind(), error.sqlite_code()) {
        (ErrorKind::Refused | ErrorKind::NotIndexed | ErrorKind::Limit, _)
        | (ErrorKind::NotAllowed, _) => {
            let reason =
                error.message().split_once(" (table").map_or(error.message(), |(head, _)| head);
            let words = reason.split(' ').filter(|word| !["people", "things"].contains(word));
            Outcome::Refused(words.collect::<Vec<_>>().join(" "))
        }
        (_, Some(code)) => Outcome::Error(code, error.message().to_owned()),
        (kind, None) => Outcome::Error(-1, format!("{} {}", kind.name(), error.message())),
    }
}

fn plain_error(error: &rusqlite::Error) -> Outcome {
    match error {
        rusqlite::Error::SqliteFailure(failure, message) => {
            Outcome::Error(failure.extended_code, message.clone().unwrap_or_default())
        }
        rusqlite::Error::SqlInputError { error, msg, .. } => {
            Outcome::Error(error.extended_code, msg.clone())
        }
        other => panic!("{other}"),
    }
}

fn run_plain(
    plain: &Connection,
    sql: &str,
    parameters: &[Value],
) -> rusqlite::Result<Vec<Vec<Value>>> {
    let mut stmt = plain.prepare(sql)?;
    for (at, value) in parameters.iter().enumerate() {
        let value = match value {
            Value::Integer(v) => Plain::Integer(*v),
            Value::Real(v) => Plain::Real(*v),
            Value::Text(v) => Plain::Text(v.clone()),
            Value::Blob(v) => Plain::Blob(v.clone()),
            _ => Plain::Null,
        };
        stmt.raw_bind_parameter(at + 1, value)?;
    }
    let width = stmt.column_count();
    let (mut rows, mut found) = (stmt.raw_query(), Vec::new());
    while let Some(row) = rows.next()? {
        let value = |at: usize| match row.get_ref(at).unwrap() {
            PlainRef::Null => Value::Null,
            PlainRef::Integer(v) => Value::Integer(v),
            PlainRef::Real(v) => Value::Real(v),
            PlainRef::Text(v) => Value::Text(String::from_utf8(v.to_vec()).unwrap()),
            PlainRef::Blob(v) => Value::Blob(v.to_vec()),
        };
        found.push((0..width).map(value).collect());
    }
    Ok(found)
}

fn same_rows(sealed: &[Vec<Value>], plain: &[Vec<Value>], statement: &Statement) -> bool {
    // SQLite has counted those rows, too, that have been replaced before their turn.
    if statement.sql.starts_with("UPDATE OR REPLACE") && !statement.returns {
        return true;
    }
    // SQLite's RETURNING shows an integer in a REAL column as it was given.
    let whole = |line: String| match statement.sql.contains(" RETURNING ") {
        true => line.replace(".0 |", " |"),
        false => line,
    };
    let lines = |rows: &[Vec<Value>]| {
        let mut lines: Vec<String> =
            rows.iter().map(|row| whole(shown(std::slice::from_ref(row)) + " |")).collect();
        if !statement.ordered {
            lines.sort();
        }
        lines
    };
    lines(sealed) == lines(plain)
}

impl Outcome {
    fn shown(&self) -> String {
        match self {
            Outcome::Rows(rows) => shown(rows),
            Outcome::Error(code, message) => format!("{code} {message}"),
            Outcome::Refused(reason) => reason.clone(),
        }
    }
}

/// The values of a test are nobody's: unlike their `Debug`, this shows them.
fn shown(rows: &[Vec<Value>]) -> String {
    let mut text = String::new();
    for row in rows {
        for value in row {
            match value {
                Value::Integer(v) => write!(text, "{v}"),
                Value::Real(v) => write!(text, "{v:?}"),
                Value::Text(v) => write!(text, "'{v}'"),
                Value::Blob(v) => write!(text, "x{v:?}"),
                _ => write!(text, "NULL"),
            }
            .unwrap();
            text.push_str(" | ");
        }
        text.push('\n');
    }
    text.trim_end().to_owned()
}
