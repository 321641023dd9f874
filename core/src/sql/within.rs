//! What SQL runs in.

use std::sync::Arc;

use super::host::{self, Host};
use crate::db::tokens::{begins_with, tokens};
use crate::db::{Conn, Handle};
use crate::error::{Result, fail};
use crate::table::engine::State;
use crate::table::session::Session;

/// What SQL runs in.
#[derive(Clone, Copy)]
pub(super) enum Within<'s> {
    Session(&'s Session),
    Snapshot(&'s Conn, &'s Arc<State>),
    /// A connection whose transactions SQL begins and ends.
    Host(&'s Conn, &'s Host),
}

impl<'s> Within<'s> {
    pub(super) fn conn(self) -> &'s Conn {
        match self {
            Within::Session(session) => session.conn(),
            Within::Snapshot(conn, _) | Within::Host(conn, _) => conn,
        }
    }

    /// Runs `work`, one write, in a transaction of its own where there is none; if `whole`, all of it or nothing.
    pub(super) fn one<T>(self, whole: bool, work: impl FnOnce() -> Result<T>) -> Result<T> {
        match self {
            Within::Session(session) if whole => session.savepoint(work),
            Within::Session(_) => work(),
            Within::Snapshot(..) => {
                fail!(ReadOnly, "a sealed table is written in a write transaction only")
            }
            Within::Host(conn, _) => host::one(conn, whole, work),
        }
    }

    /// Refuses a write in a snapshot, which on the one connection of a vault in memory SQLite would run.
    pub(super) fn check_reads(self, sql: &str, is_read_only: bool) -> Result<()> {
        let is_snapshot = matches!(self, Within::Snapshot(..));
        if is_snapshot && (may_analyse(sql) || !is_read_only && !only_tells(sql)) {
            fail!(ReadOnly, "a snapshot only reads: write in a transaction");
        }
        Ok(())
    }

    /// True where `look` says so of the state.
    pub(super) fn is(self, handle: Handle, look: impl FnOnce(&Arc<State>) -> bool) -> Result<bool> {
        match self {
            Within::Session(session) => Ok(session.look(look)),
            Within::Snapshot(_, state) => Ok(look(state)),
            Within::Host(conn, host) => Ok(look(&host.state(handle, conn)?)),
        }
    }

    /// An error where nothing more may be read: the vault has been locked meanwhile.
    pub(super) fn check(self, handle: Handle) -> Result<()> {
        match self {
            Within::Host(conn, host) if host.session().is_none() && !host.engine.is_open() => {
                host.state(handle, conn).map(drop)
            }
            _ => Ok(()),
        }
    }

    pub(super) fn state(self, handle: Handle) -> Result<Arc<State>> {
        match self {
            Within::Session(session) => Ok(session.state()),
            Within::Snapshot(_, state) => Ok(Arc::clone(state)),
            Within::Host(conn, host) => host.state(handle, conn),
        }
    }
}

/// True for what SQLite calls a write and that changes nothing.
fn only_tells(sql: &str) -> bool {
    begins_with(sql, &["explain"]) || pragma(sql).is_some_and(|name| name == "journal_mode")
}

/// True for what may write and that SQLite need not call a write.
fn may_analyse(sql: &str) -> bool {
    pragma(sql).is_some_and(|name| name == "optimize")
}

/// The name of the pragma that the statement is, in small letters.
fn pragma(sql: &str) -> Option<String> {
    if !begins_with(sql, &["pragma"]) {
        return None;
    }
    let tokens = tokens(sql);
    let mut words = tokens.iter().skip_while(|token| token.is_sign(";")).skip(1);
    let first = words.next()?;
    let name =
        if words.next().is_some_and(|sign| sign.is_sign(".")) { words.next()? } else { first };
    name.name().map(|name| name.to_ascii_lowercase())
}
