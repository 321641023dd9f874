//! What stands behind a long-lived connection: SQLite's own, opened when it is needed and closed around a fork, and the
//! statements that are compiled on it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::connection::Shared;
use super::extend::{self, Watch};
use super::face::Face;
use super::host::Host;
use super::prepared::Prepared;
use super::within::Within;
use crate::db::{Conn, Keeper, Lease, Own};
use crate::error::{Result, err, fail};
use crate::table::engine::Engine;

/// What is set up on every SQLite connection that it opens.
pub(super) type Setup = Box<dyn Fn(&Conn) -> Result<()> + Send>;

pub(super) struct Inner {
    /// Before the connection: statements go first.
    pub(super) statements: BTreeMap<u64, Prepared>,
    /// Those that stand on a row.
    standing: BTreeSet<u64>,
    pub(super) host: Box<Host>,
    pub(super) setups: Vec<Setup>,
    pub(super) place: Option<Place>,
    /// After the connection, which may have a pointer to it.
    pub(super) watch: Option<Box<Watch>>,
    next: u64,
    pub(super) opened: u64,
    pub(super) closed: bool,
    /// Statements that went when the process forked, until they are bound again.
    pub(super) lost: BTreeSet<u64>,
}

/// Where the SQLite connection comes from.
pub(super) enum Place {
    Own(Own),
    /// The one connection of a vault in memory.
    Lent(Lease),
}

impl Place {
    pub(super) fn conn(&self) -> &Conn {
        match self {
            Place::Own(conn) => conn,
            Place::Lent(conn) => conn,
        }
    }
}

impl Inner {
    pub(super) fn new(engine: &Arc<Engine>) -> Self {
        Inner {
            statements: BTreeMap::new(),
            standing: BTreeSet::new(),
            host: Box::new(Host::new(engine)),
            setups: Vec::new(),
            place: None,
            watch: None,
            next: 0,
            opened: 0,
            closed: false,
            lost: BTreeSet::new(),
        }
    }

    pub(super) fn conn(&self) -> Result<&Conn> {
        match &self.place {
            Some(place) => Ok(place.conn()),
            None => Err(err!(Closed, "the connection has been closed")),
        }
    }

    pub(super) fn open(&mut self, shared: &Shared) -> Result<()> {
        let pool = &shared.engine.pool;
        let place = if pool.is_memory() {
            Place::Lent(pool.writer()?)
        } else {
            let own = Place::Own(pool.own()?);
            self.opened += 1;
            own
        };
        let conn = place.conn();
        conn.authority().let_end(true);
        if matches!(place, Place::Own(_)) {
            self.setups.iter().try_for_each(|setup| setup(conn))?;
        }
        *shared.interrupter.write() = Some(conn.interrupter()?);
        self.place = Some(place);
        self.set_watch()
    }

    /// Has SQLite call the watch of this connection.
    pub(super) fn set_watch(&mut self) -> Result<()> {
        match (&self.place, &mut self.watch) {
            (Some(place), Some(watch)) => extend::watch(place.conn(), Some(watch)),
            _ => Ok(()),
        }
    }

    /// Compiles a text, under the tables that are there now.
    pub(super) fn compile(&self, sql: &str) -> Result<Prepared> {
        self.at_one_moment(|within| Prepared::new(within, sql))
    }

    /// Runs `work` in a transaction, so that what is looked at is what a statement is compiled with. Where a statement
    /// stands on a row there is one already, which is not ours to end.
    fn at_one_moment<T>(&self, work: impl FnOnce(Within<'_>) -> Result<T>) -> Result<T> {
        let conn = self.conn()?;
        let within = Within::Host(conn, &self.host);
        if self.is_busy() {
            return work(within);
        }
        conn.execute("BEGIN", &[])?;
        let done = work(within);
        if let Err(error) = conn.execute("COMMIT", &[]) {
            conn.execute("ROLLBACK", &[])?;
            return Err(error);
        }
        done
    }

    pub(super) fn recompile(&mut self, key: u64) -> Result<()> {
        let Some(mut prepared) = self.statements.remove(&key) else {
            fail!(Internal, "a statement that is not there")
        };
        let done = self.at_one_moment(|within| prepared.anew(within));
        self.statements.insert(key, prepared);
        done
    }

    /// Compiles a statement anew that went when the process forked; true where nothing was bound since.
    pub(super) fn restore(&mut self, key: u64, sql: &str) -> Result<bool> {
        if !self.statements.contains_key(&key) {
            let prepared = self.compile(sql)?;
            self.statements.insert(key, prepared);
            self.lost.insert(key);
        }
        Ok(self.lost.contains(&key))
    }

    pub(super) fn take_in(&mut self, prepared: Prepared) -> u64 {
        self.next += 1;
        self.statements.insert(self.next, prepared);
        self.next
    }

    pub(super) fn is_busy(&self) -> bool {
        let inside = |place: &Place| place.conn().in_transaction().unwrap_or(true);
        !self.standing.is_empty() || self.place.as_ref().is_some_and(inside)
    }

    /// Looks whether a statement that was worked with stands on a row now.
    pub(super) fn look_where(&mut self, key: u64) {
        if self.statements.get(&key).is_some_and(Prepared::is_on_row) {
            self.standing.insert(key);
        } else if !self.standing.is_empty() {
            self.standing.remove(&key);
        }
    }

    /// Gives the connection of a vault in memory back.
    pub(super) fn give_back(&mut self) {
        if let Some(place @ Place::Lent(_)) = &self.place {
            place.conn().authority().let_end(false);
            if self.watch.is_some() {
                let _ = extend::watch(place.conn(), None);
            }
            self.place = None;
        }
    }

    pub(super) fn roll_back(&mut self) {
        let Ok(conn) = self.conn() else { return };
        if conn.in_transaction().unwrap_or(false) {
            let _entered = Face::enter_to_end(Within::Host(conn, &self.host));
            let _turn = conn.authority().engine();
            let _ = conn.batch("ROLLBACK");
        }
        self.host.forget();
    }
}

impl Keeper for Inner {
    fn close_idle(&mut self, forking: bool) -> bool {
        if self.is_busy() {
            return false;
        }
        if forking && matches!(self.place, None | Some(Place::Lent(_))) {
            self.give_back();
            return true;
        }
        self.statements.clear();
        self.standing.clear();
        self.host.forget();
        match self.place.take() {
            Some(Place::Own(own)) if forking => own.close_quietly(),
            place => drop(place),
        }
        true
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.roll_back();
        self.statements.clear();
        self.standing.clear();
        self.give_back();
    }
}
