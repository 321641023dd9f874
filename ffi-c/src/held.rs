//! What handles work through. C knows no lifetimes: a transaction or snapshot is held here, shared by the tables made
//! from it, and gone for all of them when it ends.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sealite::{Snapshot, Table, Tenant, Transaction, Vault};

use crate::fork;
use crate::status::sealite_status::{
    SEALITE_BUSY, SEALITE_CLOSED, SEALITE_FORKED, SEALITE_INTERNAL,
};
use crate::status::{Failure, Result};

/// A transaction or snapshot until it ends. Calls on it take turns. After a panic within it, it can only be taken back:
/// what was half done must not be committed.
pub(crate) struct Held<T> {
    what: &'static str,
    made_in: u64,
    slot: Mutex<Option<T>>,
}

impl<T> Held<T> {
    pub(crate) fn new(what: &'static str, held: T) -> Arc<Self> {
        Arc::new(Held { what, made_in: fork::generation(), slot: Mutex::new(Some(held)) })
    }

    pub(crate) fn with<R>(&self, work: impl FnOnce(&T) -> Result<R>) -> Result<R> {
        match &*self.lock()? {
            Some(held) => work(held),
            None => Err(self.ended()),
        }
    }

    /// Takes it out: what comes next ends it.
    pub(crate) fn take(&self) -> Result<T> {
        self.lock()?.take().ok_or_else(|| self.ended())
    }

    /// Takes it out, to be taken back and for nothing else.
    pub(crate) fn take_to_undo(&self) -> Result<T> {
        self.check_process()?;
        let mut slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        slot.take().ok_or_else(|| self.ended())
    }

    fn lock(&self) -> Result<MutexGuard<'_, Option<T>>> {
        self.check_process()?;
        self.slot.lock().map_err(|_| {
            let message =
                format!("an earlier call within the {} failed inside the engine", self.what);
            Failure::new(SEALITE_INTERNAL, message)
        })
    }

    /// A child's copy of the lock may be held by a thread that the child does not have.
    fn check_process(&self) -> Result<()> {
        if self.made_in == fork::generation() {
            return Ok(());
        }
        let message = format!("the {} belongs to the process that forked", self.what);
        Err(Failure::new(SEALITE_FORKED, message))
    }

    fn ended(&self) -> Failure {
        Failure::new(SEALITE_CLOSED, format!("the {} has ended", self.what))
    }
}

/// What begins transactions and snapshots.
#[derive(Clone)]
pub(crate) enum Root {
    Vault(Vault),
    /// A tenant, and whether its vault is in memory.
    Tenant(Tenant, bool),
}

impl Root {
    pub(crate) fn snapshot(&self) -> sealite::Result<Snapshot> {
        match self {
            Root::Vault(vault) => vault.snapshot(),
            Root::Tenant(tenant, _) => tenant.snapshot(),
        }
    }

    pub(crate) fn is_memory(&self) -> bool {
        match self {
            Root::Vault(vault) => vault.path().is_none(),
            Root::Tenant(_, memory) => *memory,
        }
    }
}

/// What a table is reached through.
#[derive(Clone)]
pub(crate) enum Source {
    /// Each call in a transaction of its own.
    Root(Root),
    /// A transaction, and the tenant within it.
    Transaction(Arc<Held<Transaction>>, Option<String>),
    /// A snapshot, and the tenant within it.
    Snapshot(Arc<Held<Snapshot>>, Option<String>),
}

impl Source {
    /// Runs `work` on the table.
    pub(crate) fn table<R>(
        &self,
        name: &str,
        work: impl FnOnce(&Table<'_>) -> Result<R>,
    ) -> Result<R> {
        match self {
            Source::Root(Root::Vault(vault)) => work(&vault.table_handle(name)),
            Source::Root(Root::Tenant(tenant, _)) => work(&tenant.table_handle(name)),
            Source::Transaction(held, tenant) => held.with(|transaction| {
                work(&match tenant {
                    None => transaction.table(name)?,
                    Some(tenant) => transaction.tenant_table(tenant, name)?,
                })
            }),
            Source::Snapshot(held, tenant) => held.with(|snapshot| {
                work(&match tenant {
                    None => snapshot.table(name)?,
                    Some(tenant) => snapshot.tenant_table(tenant, name)?,
                })
            }),
        }
    }
}

/// Something that is put together, or read, call by call. Never waits: two threads that use one at once are a fault of
/// theirs.
pub(crate) struct Builder<T> {
    /// 0, or one more than the generation of the process that has a thread at work here: the child of a fork has a copy of
    /// what such a thread was doing, and not the thread.
    turn: AtomicU64,
    /// Locked by whose turn it is.
    built: Mutex<T>,
}

impl<T> Builder<T> {
    pub(crate) fn new(empty: T) -> Self {
        Builder { turn: AtomicU64::new(0), built: Mutex::new(empty) }
    }

    pub(crate) fn with<R>(&self, work: impl FnOnce(&mut T) -> Result<R>) -> Result<R> {
        let _turn = Turn::take(&self.turn)?;
        // Poisoned by a panic that came while it was being changed.
        let mut built = self.built.lock().map_err(|_| {
            Failure::new(SEALITE_INTERNAL, "an earlier call on it failed inside the engine")
        })?;
        work(&mut built)
    }

    /// As it is now.
    pub(crate) fn built(&self) -> Result<T>
    where
        T: Clone,
    {
        self.with(|built| Ok(built.clone()))
    }

    /// For builders whose steps take them by value.
    pub(crate) fn step(&self, work: impl FnOnce(T) -> T) -> Result<()>
    where
        T: Clone,
    {
        self.with(|built| {
            *built = work(built.clone());
            Ok(())
        })
    }
}

/// Gives the turn back when it goes, after a panic as well.
struct Turn<'t>(&'t AtomicU64);

impl<'t> Turn<'t> {
    fn take(turn: &'t AtomicU64) -> Result<Self> {
        let mine = fork::generation() + 1;
        match turn.compare_exchange(0, mine, Ordering::Acquire, Ordering::Relaxed) {
            Ok(_) => Ok(Turn(turn)),
            Err(theirs) if theirs == mine => {
                Err(Failure::new(SEALITE_BUSY, "another thread is using it at this moment"))
            }
            Err(_) => {
                Err(Failure::new(SEALITE_FORKED, "a thread was using it when the process forked"))
            }
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.store(0, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    #[test]
    fn panic_within_what_is_held_leaves_only_the_way_back() {
        let held = Held::new("transaction", 7);
        let panics = || held.with(|_| -> Result<()> { panic!("a fault of the engine") });
        assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());
        assert_eq!(held.with(|_| Ok(())).unwrap_err().status, SEALITE_INTERNAL);
        assert_eq!(held.take().unwrap_err().status, SEALITE_INTERNAL);
        assert_eq!(held.take_to_undo().unwrap(), 7);
        assert_eq!(held.take_to_undo().unwrap_err().status, SEALITE_CLOSED);
    }

    #[test]
    fn panic_within_a_builder_leaves_nothing_to_use() {
        let builder = Builder::new(String::new());
        let panics = || builder.with(|_| -> Result<()> { panic!("a fault of the engine") });
        assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());
        assert_eq!(builder.built().unwrap_err().status, SEALITE_INTERNAL);
    }

    #[test]
    fn builder_in_use_is_busy_and_of_a_thread_that_a_fork_left_behind_forked() {
        let builder = Builder::new(());
        builder
            .with(|()| {
                assert_eq!(builder.with(|()| Ok(())).unwrap_err().status, SEALITE_BUSY);
                Ok(())
            })
            .unwrap();
        builder.with(|()| Ok(())).unwrap();
        // As a child finds it whose generation is not that of the thread at work.
        builder.turn.store(fork::generation() + 2, Ordering::Relaxed);
        assert_eq!(builder.with(|()| Ok(())).unwrap_err().status, SEALITE_FORKED);
    }
}
