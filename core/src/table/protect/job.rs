//! What a conversion is told: which table, from where, and what becomes of its values on the way.

use super::plan::Wanted;
use crate::db::Conn;
use crate::db::schema::quote;
use crate::error::Result;
use crate::table::definition::{Column, check_own, check_table_name};
use crate::table::session::Session;
use crate::table::subject::{Whose, subject_words};
use crate::value::{IdRef, Value, ValueRef};

/// One conversion.
pub(crate) struct Job<'j> {
    pub(crate) table: &'j str,
    pub(super) wanted: Vec<Wanted>,
    /// What says whose a row is.
    pub(super) subject: Option<Whose<String>>,
    /// Where the plain table is, if not in the vault's own file.
    pub(super) elsewhere: Option<Elsewhere<'j>>,
    pub(super) changes: &'j dyn Changes,
    pub(super) watch: &'j dyn Fn(Phase, u64) -> Result<()>,
}

/// A plain table of another file. It stays as it is.
#[derive(Clone, Copy)]
pub(crate) struct Elsewhere<'j> {
    pub(crate) conn: &'j Conn,
    /// Tables that are converted with this one: foreign keys to them are kept.
    pub(crate) coming: &'j [String],
    /// The table is dropped there afterwards, so that nothing may use it.
    pub(crate) drops: bool,
}

/// What is being done, with the number of rows so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Phase {
    Copying,
    Comparing,
}

/// What becomes of values on the way.
pub(crate) trait Changes {
    /// True where the values of a column become others, so that their type is not what it was.
    fn converts(&self, column: &str) -> bool;
    /// What becomes of a value that is not NULL.
    fn convert(&self, column: &str, id: IdRef<'_>, value: ValueRef<'_>) -> Result<Value>;
    /// Columns whose values go to another in some rows.
    fn splits(&self) -> &[Split];
}

/// A column that some rows keep, and others have in another column.
pub(crate) struct Split {
    pub(crate) from: String,
    /// The specification of the column that it goes to, which the plain table has not.
    pub(crate) into: Column,
    /// An SQL expression over the plain table's columns.
    pub(crate) when: String,
}

/// Values stay as they are.
pub(crate) struct Unchanged;

impl Changes for Unchanged {
    fn converts(&self, _column: &str) -> bool {
        false
    }

    fn convert(&self, _column: &str, _id: IdRef<'_>, value: ValueRef<'_>) -> Result<Value> {
        Ok(value.to_owned())
    }

    fn splits(&self) -> &[Split] {
        &[]
    }
}

/// A read transaction.
pub(super) struct Moment<'j>(&'j Conn);

impl Drop for Moment<'_> {
    fn drop(&mut self) {
        // It has written nothing.
        let _ = self.0.execute("ROLLBACK", &[]);
    }
}

impl<'j> Job<'j> {
    /// A conversion within the file, of values as they are.
    pub(crate) fn new(table: &'j str, words: &[&str]) -> Result<Self> {
        let (mut wanted, mut subject) = (Vec::new(), None);
        for words in words {
            match subject_words(words)? {
                None => wanted.push(Column::parse_typed(words)?),
                whose => subject = whose,
            }
        }
        Ok(Job { subject, ..Self::of(table, wanted)? })
    }

    /// As [`Job::new`], for columns that were read before, and whether their types were named.
    pub(crate) fn of(table: &'j str, wanted: Vec<(Column, bool)>) -> Result<Self> {
        check_own(table)?;
        check_table_name(table)?;
        let (elsewhere, subject) = (None, None);
        Ok(Job { table, wanted, subject, elsewhere, changes: &Unchanged, watch: &|_, _| Ok(()) })
    }

    /// Takes the table from another file.
    pub(crate) fn elsewhere(self, elsewhere: Option<Elsewhere<'j>>) -> Self {
        Job { elsewhere, ..self }
    }

    pub(crate) fn changes(self, changes: &'j dyn Changes) -> Self {
        Job { changes, ..self }
    }

    /// `watch` hears how far it is; an error from it stops the conversion where it can be taken up again.
    pub(crate) fn watch(self, watch: &'j dyn Fn(Phase, u64) -> Result<()>) -> Self {
        Job { watch, ..self }
    }

    /// The connection to the plain table's file.
    pub(super) fn source<'c>(&'c self, session: &'c Session) -> &'c Conn {
        self.elsewhere.map_or(session.conn(), |elsewhere| elsewhere.conn)
    }

    /// From here on another file is seen as it is now; until that is dropped.
    pub(super) fn moment(&self) -> Result<Option<Moment<'j>>> {
        let Some(Elsewhere { conn, .. }) = self.elsewhere else { return Ok(None) };
        if conn.in_transaction()? {
            return Ok(None);
        }
        conn.execute("BEGIN", &[])?;
        Ok(Some(Moment(conn)))
    }

    /// The same job on a sample in another file, which nobody watches.
    pub(super) fn elsewhere_only<'c>(&'c self, conn: &'c Conn) -> Job<'c> {
        Job {
            table: self.table,
            wanted: Vec::new(),
            subject: None,
            elsewhere: Some(Elsewhere { conn, coming: &[], drops: false }),
            changes: self.changes,
            watch: &|_, _| Ok(()),
        }
    }

    /// The split whose values go to that column.
    pub(super) fn split_into(&self, column: &str) -> Option<&Split> {
        self.changes.splits().iter().find(|split| split.into.name.eq_ignore_ascii_case(column))
    }

    /// The split whose values come from that column.
    fn split_from(&self, column: &str) -> Option<&Split> {
        self.changes.splits().iter().find(|split| split.from.eq_ignore_ascii_case(column))
    }

    /// What a SELECT of the plain table has for a column of the sealed one.
    pub(super) fn selected(&self, column: &str) -> String {
        if let Some(split) = self.split_into(column) {
            return format!("CASE WHEN {} THEN {} END", split.when, quote(&split.from));
        }
        match self.split_from(column) {
            Some(split) => format!("CASE WHEN {} THEN NULL ELSE {} END", split.when, quote(column)),
            None => quote(column),
        }
    }

    /// The column of the plain table that values of a column of the sealed one are from.
    pub(crate) fn origin<'n>(&'n self, column: &'n str) -> &'n str {
        self.split_into(column).map_or(column, |split| &split.from)
    }
}
