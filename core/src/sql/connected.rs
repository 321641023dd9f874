//! The statements of a long-lived connection, which outlive its transactions.
//!
//! Invariants, which the `SAFETY` comments cite:
//! - N1. Everything of a connection is reached under its lock, and what SQLite lends for a row stays until its statement
//!   moves on, is reset or dropped, which all take it by `&mut`. Neither a fork nor [`Connection::close`] touches a
//!   statement that stands on a row.

#![allow(unsafe_code)]

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::connection::{Connection, Shared};
use super::keeper::Inner;
use super::prepared::Prepared;
use super::within::Within;
use crate::db::{Conn, Keeper};
use crate::error::{ErrorKind, Result, err};
use crate::table::backfill;
use crate::value::{Value, ValueRef};

/// How often a statement is compiled anew when the tables change under it.
const MAX_COMPILATIONS: usize = 16;

/// A statement of a connection.
pub(super) struct Connected {
    connection: Connection,
    key: u64,
    sql: Box<str>,
    columns: Arc<[String]>,
    /// True once something was bound.
    has_parameters: bool,
}

impl Connected {
    pub(super) fn new(connection: Connection, key: u64, sql: &str, columns: Arc<[String]>) -> Self {
        Connected { connection, key, sql: sql.into(), columns, has_parameters: false }
    }

    pub(super) fn columns(&self) -> &[String] {
        &self.columns
    }

    pub(super) fn shared_columns(&self) -> &Arc<[String]> {
        &self.columns
    }

    pub(super) fn look<T>(&self, look: impl FnOnce(&Prepared) -> T) -> Result<T> {
        let inner = self.connection.lock()?;
        match inner.statements.get(&self.key) {
            Some(prepared) => Ok(look(prepared)),
            None => Err(gone()),
        }
    }

    /// Binds; `every` parameter, or some.
    pub(super) fn bind<T>(
        &mut self,
        every: bool,
        bind: impl FnOnce(&mut Prepared) -> Result<T>,
    ) -> Result<T> {
        let done = self.with(|inner, statement| {
            let lost = inner.restore(statement.key, statement.sql)? && statement.bound;
            let prepared = inner.statements.get_mut(&statement.key).ok_or_else(gone)?;
            if lost && !every && prepared.parameter_count() > 1 {
                return Err(unbound());
            }
            inner.lost.remove(&statement.key);
            bind(prepared)
        });
        self.has_parameters = true;
        done
    }

    /// What went when the process forked is left to the next step, which tells that what was bound has gone.
    pub(super) fn reset(&mut self) {
        // Where the connection has gone, there is nothing to reset.
        let _ = self.with(|inner, statement| {
            if let Some(prepared) = inner.statements.get_mut(&statement.key) {
                prepared.reset();
            }
            Ok(())
        });
    }

    pub(super) fn step(&mut self) -> Result<bool> {
        self.with(|inner, statement| statement.step(inner))
    }

    /// As [`crate::Statement::execute`], under one lock: no fork comes between the binding and the steps.
    pub(super) fn execute(&mut self, parameters: &[ValueRef<'_>]) -> Result<usize> {
        self.has_parameters = true;
        self.with(|inner, statement| {
            statement.bind(inner, parameters)?;
            while statement.step(inner)? {}
            Ok(inner.statements.get(&statement.key).ok_or_else(gone)?.changes())
        })
    }

    /// As [`crate::OwnedStatement::fetch`], under one lock; after binding, where there is something to bind.
    pub(super) fn fetch(
        &mut self,
        parameters: Option<&[ValueRef<'_>]>,
        rows: usize,
        mut take: impl FnMut(ValueRef<'_>) -> Result<()>,
    ) -> Result<bool> {
        self.has_parameters |= parameters.is_some();
        self.with(|inner, statement| {
            if let Some(parameters) = parameters {
                statement.bind(inner, parameters)?;
            }
            for _ in 0..rows {
                if !statement.step(inner)? {
                    return Ok(false);
                }
                let prepared = inner.statements.get(&statement.key).ok_or_else(gone)?;
                (0..statement.columns.len()).try_for_each(|at| take(prepared.value(at)?))?;
            }
            Ok(true)
        })
    }

    /// As [`crate::OwnedStatement::run_each`], under one lock.
    pub(super) fn run_each(
        &mut self,
        parameters: &[ValueRef<'_>],
        runs: usize,
        mut done: impl FnMut(usize),
    ) -> Result<bool> {
        self.has_parameters = true;
        self.with(|inner, statement| {
            let width = parameters.len() / runs.max(1);
            for run in 0..runs {
                let values = parameters.get(run * width..(run + 1) * width).unwrap_or_default();
                statement.bind(inner, values)?;
                let returns = statement.step(inner)?;
                let prepared = inner.statements.get_mut(&statement.key).ok_or_else(gone)?;
                if returns {
                    return Ok(true);
                }
                done(prepared.changes());
            }
            Ok(false)
        })
    }

    /// Works with the statement, under the connection's lock.
    fn with<T>(
        &mut self,
        work: impl FnOnce(&mut Inner, &mut Stepped<'_>) -> Result<T>,
    ) -> Result<T> {
        let Connected { connection, key, sql, columns, has_parameters } = self;
        let (key, bound, shared) = (*key, *has_parameters, &connection.0);
        connection.with(|inner| {
            let done = work(inner, &mut Stepped { shared, key, sql, bound, columns });
            inner.look_where(key);
            done
        })
    }

    pub(super) fn value(&self, column: usize) -> Result<ValueRef<'_>> {
        let inner = self.connection.lock()?;
        let prepared = inner.statements.get(&self.key).ok_or_else(gone)?;
        let value = prepared.value(column)?;
        // SAFETY: N1.
        Ok(unsafe { std::mem::transmute::<ValueRef<'_>, ValueRef<'_>>(value) })
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        // In a child that does not own the connection there is nothing to do.
        let Ok(mut inner) = self.connection.lock() else { return };
        let prepared = inner.statements.remove(&self.key);
        inner.lost.remove(&self.key);
        drop(prepared);
        inner.look_where(self.key);
        let busy = inner.is_busy();
        self.connection.0.busy.store(busy, Ordering::Release);
        if !busy {
            inner.give_back();
            if inner.closed {
                inner.close_idle(false);
            }
        }
    }
}

/// A statement under the lock of its connection.
struct Stepped<'s> {
    shared: &'s Shared,
    key: u64,
    sql: &'s str,
    bound: bool,
    columns: &'s mut Arc<[String]>,
}

impl Stepped<'_> {
    /// Binds every parameter.
    fn bind(&mut self, inner: &mut Inner, parameters: &[ValueRef<'_>]) -> Result<()> {
        inner.restore(self.key, self.sql)?;
        inner.lost.remove(&self.key);
        inner.statements.get_mut(&self.key).ok_or_else(gone)?.bind_all(parameters)
    }

    /// Goes to the next row; where the tables have changed, after compiling the statement anew.
    fn step(&mut self, inner: &mut Inner) -> Result<bool> {
        let key = self.key;
        if inner.restore(key, self.sql)? && self.bound {
            return Err(unbound());
        }
        if inner.statements.get(&key).is_some_and(|prepared| prepared.command().is_some()) {
            return command(self.shared, inner, key);
        }
        let mut left = MAX_COMPILATIONS;
        loop {
            let Inner { statements, place, host, .. } = &mut *inner;
            let prepared = statements.get_mut(&key).ok_or_else(gone)?;
            let Some(place) = place else { return Err(gone()) };
            let conn = place.conn();
            let fresh = !prepared.is_on_row();
            match prepared.step(Within::Host(conn, host)) {
                Err(error) if fresh && left > 0 && is_stale(&error, conn) => {
                    left -= 1;
                    inner.recompile(key)?;
                    if let Some(prepared) = inner.statements.get(&key) {
                        *self.columns = Arc::clone(&prepared.columns);
                    }
                }
                Err(error) => {
                    if error.kind() == ErrorKind::Io && !conn.in_transaction()? {
                        inner.host.engine.pool.poison();
                    }
                    return Err(error);
                }
                Ok(there) => {
                    if fresh && !Arc::ptr_eq(self.columns, &prepared.columns) {
                        *self.columns = Arc::clone(&prepared.columns);
                    }
                    if prepared.may_erase() && !conn.in_transaction()? {
                        inner.give_back();
                        // The statement is done: what is pending or fails here stays pending.
                        let _ = backfill::finish_erasure(&self.shared.engine);
                    }
                    return Ok(there);
                }
            }
        }
    }
}

/// Runs a command, which takes transactions of its own.
fn command(shared: &Shared, inner: &mut Inner, key: u64) -> Result<bool> {
    if inner.conn()?.in_transaction()?
        && let Some(prepared) = inner.statements.get(&key)
        && let Some((command, _)) = prepared.command()
    {
        return Err(command.not_alone());
    }
    // The one connection of a vault in memory is the command's meanwhile.
    inner.give_back();
    let Some(prepared) = inner.statements.get_mut(&key) else { return Err(gone()) };
    let Some((command, bound)) = prepared.command() else { return Ok(false) };
    let bound: Vec<ValueRef<'_>> = bound.iter().map(Value::as_ref).collect();
    // It has one row at most.
    let answer = command.run(&shared.engine, &bound)?.rows.pop().unwrap_or_default();
    let on_row = prepared.answer(answer);
    // For what the caller does next under the same lock.
    if inner.place.is_none() {
        inner.open(shared)?;
    }
    Ok(on_row)
}

/// What passes when the statement is compiled anew.
fn is_stale(error: &crate::Error, conn: &Conn) -> bool {
    match error.kind() {
        ErrorKind::NotAllowed => conn.authority().is_stale(),
        ErrorKind::Busy => error.sqlite_code().is_none(),
        _ => false,
    }
}

fn unbound() -> crate::Error {
    err!(Closed, "the process has forked since the parameters were bound: bind all of them again")
}

fn gone() -> crate::Error {
    err!(Closed, "the connection has been closed")
}
