//! Compiled statements, kept by their text, and the rows that they give.

use std::cell::RefCell;
use std::ops::ControlFlow;

use super::authority::Authority;
use super::conn::Conn;
use super::raw::RawStmt;
use super::text::utf8;
use crate::error::{Result, err, fail};
use crate::value::ValueRef;

/// Statements that a connection keeps compiled.
const KEPT: usize = 128;

/// The statements of a connection that nobody uses now, the one that was used last at the end.
#[derive(Default)]
pub(super) struct Statements(RefCell<Vec<Kept>>);

/// A statement and what it was compiled from.
pub(super) struct Kept {
    sql: Box<str>,
    /// Of an application's statement the version of what it may read; none for the engine's. So neither is ever served to
    /// the other, nor what was compiled under other rights.
    rights: Option<u64>,
    stmt: RawStmt,
}

impl Statements {
    /// The statement of that text, compiled where it is not there.
    pub(super) fn get<'c>(
        &'c self,
        conn: &'c Conn,
        sql: &str,
        rights: Option<u64>,
    ) -> Result<Stmt<'c>> {
        let authority = rights.is_some().then(|| &**conn.authority());
        let mut kept = self.0.borrow_mut();
        let at = kept.iter().rposition(|kept| kept.rights == rights && *kept.sql == *sql);
        if let Some(at) = at {
            let kept = Some(kept.remove(at));
            return Ok(Stmt { kept, home: self, authority });
        }
        drop(kept);
        let Some(stmt) = RawStmt::only(conn, sql)? else {
            fail!(Sql, "the text holds no statement");
        };
        Ok(Stmt { kept: Some(Kept { sql: sql.into(), rights, stmt }), home: self, authority })
    }

    /// Lets go of all of them.
    #[cfg(feature = "loadable")]
    pub(super) fn clear(&self) {
        drop(self.0.take());
    }

    /// All of them.
    pub(super) fn take(&mut self) -> Vec<Kept> {
        self.0.take()
    }

    fn give_back(&self, kept: Kept) {
        let mut all = self.0.borrow_mut();
        if all.len() >= KEPT {
            all.remove(0);
        }
        all.push(kept);
    }
}

/// A compiled statement. Returns to the connection's cache when dropped.
pub(crate) struct Stmt<'c> {
    /// There until it is dropped.
    kept: Option<Kept>,
    home: &'c Statements,
    authority: Option<&'c Authority>,
}

impl Drop for Stmt<'_> {
    fn drop(&mut self) {
        if let Some(kept) = self.kept.take() {
            self.home.give_back(kept);
        }
    }
}

impl Stmt<'_> {
    /// Runs to the end; the number of rows changed.
    pub(crate) fn execute(&mut self, parameters: &[ValueRef<'_>]) -> Result<usize> {
        let authority = self.authority;
        self.raw_mut()?.with(parameters, |raw| {
            let _turn = authority.map(Authority::application);
            if raw.step()? {
                fail!(Sql, "the statement returns rows: use query");
            }
            Ok(raw.changes())
        })
    }

    /// The first row, if there is one.
    pub(crate) fn first<T>(
        &mut self,
        parameters: &[ValueRef<'_>],
        read: impl FnOnce(&SqlRow<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let authority = self.authority;
        self.raw_mut()?.with(parameters, |raw| {
            let turn = authority.map(Authority::application);
            let there = raw.step()?;
            drop(turn);
            if there { read(&raw.row()).map(Some) } else { Ok(None) }
        })
    }

    /// Every row in turn, until `read` says stop.
    pub(crate) fn each(
        &mut self,
        parameters: &[ValueRef<'_>],
        mut read: impl FnMut(&SqlRow<'_>) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        let authority = self.authority;
        self.raw_mut()?.with(parameters, |raw| {
            loop {
                let turn = authority.map(Authority::application);
                let there = raw.step()?;
                drop(turn);
                if !there || read(&raw.row())?.is_break() {
                    return Ok(());
                }
            }
        })
    }

    /// True where the statement both writes and returns rows.
    pub(crate) fn writes_and_returns(&self) -> bool {
        self.column_count() > 0 && !self.raw().is_some_and(RawStmt::is_read_only)
    }

    /// The number of the result's columns.
    pub(crate) fn column_count(&self) -> usize {
        self.raw().map_or(0, RawStmt::column_count)
    }

    /// The names of the result's columns.
    pub(crate) fn column_names(&self) -> Vec<String> {
        self.raw().map(RawStmt::column_names).unwrap_or_default()
    }

    fn raw(&self) -> Option<&RawStmt> {
        self.kept.as_ref().map(|kept| &kept.stmt)
    }

    fn raw_mut(&mut self) -> Result<&mut RawStmt> {
        let kept = self.kept.as_mut().map(|kept| &mut kept.stmt);
        kept.ok_or_else(|| err!(Internal, "a statement that has been given back"))
    }
}

/// A row that SQLite stands on.
pub(crate) struct SqlRow<'r>(&'r RawStmt);

impl<'r> SqlRow<'r> {
    pub(super) fn new(stmt: &'r RawStmt) -> Self {
        SqlRow(stmt)
    }

    /// A column, counted from 0, as one of SQLite's five types.
    pub(crate) fn get(&self, index: usize) -> Result<ValueRef<'r>> {
        match self.0.column(index) {
            (ValueRef::Blob(text), true) => match utf8(text) {
                Some(text) => Ok(ValueRef::Text(text)),
                None => Err(err!(Corrupt, "text that is not UTF-8")),
            },
            (value, _) => Ok(value),
        }
    }

    /// A column as one of SQLite's five types, a text unchecked as a blob: for what is only authenticated here. True for
    /// a text.
    pub(crate) fn get_unchecked_text(&self, index: usize) -> (ValueRef<'r>, bool) {
        self.0.column(index)
    }

    pub(crate) fn integer(&self, index: usize) -> Result<i64> {
        self.get(index)?.as_i64().ok_or_else(|| unexpected("an integer"))
    }

    pub(crate) fn text(&self, index: usize) -> Result<&'r str> {
        self.get(index)?.as_str().ok_or_else(|| unexpected("text"))
    }

    pub(crate) fn blob(&self, index: usize) -> Result<&'r [u8]> {
        self.get(index)?.as_bytes().ok_or_else(|| unexpected("a blob"))
    }
}

fn unexpected(wanted: &str) -> crate::Error {
    err!(Corrupt, "a column of the engine's tables is not {wanted}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::authority::Columns;
    use super::super::open::{Config, Location, Role, open};
    use super::*;
    use crate::error::ErrorKind;

    fn conn() -> Conn {
        open(&Location::Memory, Role::Creator, &Config::default(), &std::sync::Arc::default())
            .unwrap()
    }

    fn kept(conn: &Conn, sql: &str, rights: Option<u64>) -> bool {
        let all = conn.statements.0.borrow();
        all.iter().any(|kept| &*kept.sql == sql && kept.rights == rights)
    }

    #[test]
    fn a_statement_in_use_is_served_to_nobody_else() {
        let conn = conn();
        let outer = conn.prepare("SELECT 1").unwrap();
        let mut inner = conn.prepare("SELECT 1").unwrap();
        assert_eq!(inner.first(&[], |row| row.integer(0)).unwrap(), Some(1));
        drop((outer, inner));
        assert_eq!(conn.statements.0.borrow().len(), 2);
    }

    #[test]
    fn the_engines_statements_and_the_applications_are_never_the_same() {
        let conn = conn();
        drop(conn.prepare("SELECT 1").unwrap());
        assert!(kept(&conn, "SELECT 1", None) && !kept(&conn, "SELECT 1", Some(0)));
        drop(conn.prepare_application("SELECT 1").unwrap());
        assert!(kept(&conn, "SELECT 1", None) && kept(&conn, "SELECT 1", Some(0)));
        conn.authority().readable().set(Columns::default(), Columns::default());
        drop(conn.prepare_application("SELECT 1").unwrap());
        assert!(kept(&conn, "SELECT 1", Some(0)) && kept(&conn, "SELECT 1", Some(1)));
    }

    #[test]
    fn what_was_lent_to_a_statement_is_not_there_at_the_next_run() {
        let conn = conn();
        let mut stmt = conn.prepare("SELECT ?1 IS NULL").unwrap();
        let lent = String::from("lent");
        let given = stmt.first(&[ValueRef::Text(&lent)], |row| row.integer(0)).unwrap();
        drop(lent);
        assert_eq!(given, Some(0));
        let raw = stmt.raw_mut().unwrap();
        assert!(raw.step().unwrap());
        assert_eq!(raw.row().integer(0).unwrap(), 1);
    }

    #[test]
    fn the_statement_used_least_lately_goes() {
        let conn = conn();
        drop(conn.prepare("SELECT 0").unwrap());
        for number in 1..KEPT {
            drop(conn.prepare(&format!("SELECT {number}")).unwrap());
        }
        drop(conn.prepare("SELECT 0").unwrap());
        drop(conn.prepare("SELECT 'one more'").unwrap());
        assert!(kept(&conn, "SELECT 0", None) && !kept(&conn, "SELECT 1", None));
        assert_eq!(conn.statements.0.borrow().len(), KEPT);
    }

    #[test]
    fn a_text_of_no_or_two_statements_and_missing_parameters_are_refused() {
        let conn = conn();
        for sql in ["", " -- nothing", "SELECT 1; SELECT 2"] {
            assert_eq!(conn.prepare(sql).err().unwrap().kind(), ErrorKind::Sql, "{sql}");
        }
        drop(conn.prepare("SELECT 1; -- behind").unwrap());
        let mut stmt = conn.prepare("SELECT ?").unwrap();
        assert_eq!(stmt.execute(&[]).err().unwrap().kind(), ErrorKind::Sql);
        assert_eq!(stmt.execute(&[ValueRef::Null]).err().unwrap().kind(), ErrorKind::Sql);
    }

    #[test]
    fn only_utf8_is_text() {
        for (bytes, is_text) in
            [(&b""[..], true), (b"ada", true), ("Žofie".as_bytes(), true), (b"\xff", false)]
        {
            assert_eq!(utf8(bytes).map(str::as_bytes), is_text.then_some(bytes));
        }
        assert!(
            utf8(b"Zofie, \xc5 Zofie, Zofie, Zofie, Zofie, Zofie, Zofie, Zofie, Zofie").is_none()
        );
    }
}
