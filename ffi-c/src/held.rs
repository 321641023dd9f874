//! What handles work through. C knows no lifetimes: a transaction or snapshot is held here, shared by the tables made
//! from it, and gone for all of them when it ends.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use sealite::{Snapshot, Table, Tenant, Transaction, Vault};

use crate::fork;
use crate::status::sealite_status::{SEALITE_BUSY, SEALITE_CLOSED, SEALITE_FORKED};
use crate::status::{Failure, Result};

/// A transaction or snapshot until it ends. Calls on it take turns.
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

    /// A child's copy of the lock may be held by a thread that the child does not have.
    fn lock(&self) -> Result<MutexGuard<'_, Option<T>>> {
        if self.made_in != fork::generation() {
            let message = format!("the {} belongs to the process that forked", self.what);
            return Err(Failure::new(SEALITE_FORKED, message));
        }
        Ok(self.slot.lock().unwrap_or_else(PoisonError::into_inner))
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

/// Something that is put together call by call. Never waits: two threads that build one thing are a fault of theirs.
pub(crate) struct Builder<T>(Mutex<T>);

impl<T> Builder<T> {
    pub(crate) fn new(empty: T) -> Self {
        Builder(Mutex::new(empty))
    }

    pub(crate) fn with<R>(&self, work: impl FnOnce(&mut T) -> Result<R>) -> Result<R> {
        match self.0.try_lock() {
            Ok(mut built) => work(&mut built),
            Err(TryLockError::Poisoned(built)) => work(&mut built.into_inner()),
            Err(TryLockError::WouldBlock) => {
                Err(Failure::new(SEALITE_BUSY, "another thread is using what is built here"))
            }
        }
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
