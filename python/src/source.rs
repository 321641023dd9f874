//! What a handle of Python's works through. Python knows no lifetimes: a transaction or snapshot is held here, shared
//! by the objects made from it, and gone for all of them when it ends.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;

use sealite::{ErrorKind, Snapshot, Table, Tenant, Transaction, Vault};

use crate::error::Failure;

/// A transaction or snapshot until it ends. Dropped unfinished, it is rolled back.
pub(crate) struct Held<T> {
    /// The only thread that may use it.
    owner: Option<ThreadId>,
    /// The only process.
    made_in: u64,
    what: &'static str,
    slot: Mutex<Option<T>>,
}

pub(crate) type HeldTransaction = Held<Transaction>;
pub(crate) type HeldSnapshot = Held<Snapshot>;

impl<T> Held<T> {
    /// Held for any thread, one at a time.
    pub(crate) fn shared(what: &'static str, held: T) -> Arc<Self> {
        Self::new(None, what, held)
    }

    /// Held for this thread.
    pub(crate) fn owned(what: &'static str, held: T) -> Arc<Self> {
        Self::new(Some(std::thread::current().id()), what, held)
    }

    fn new(owner: Option<ThreadId>, what: &'static str, held: T) -> Arc<Self> {
        let made_in = sealite::fork_generation();
        Arc::new(Held { owner, made_in, what, slot: Mutex::new(Some(held)) })
    }

    /// Only to be called detached from the interpreter: it may wait for another thread.
    pub(crate) fn with<R>(
        &self,
        work: impl FnOnce(&T) -> sealite::Result<R>,
    ) -> Result<R, Failure> {
        self.check_owner()?;
        match &*self.lock() {
            Some(held) => Ok(work(held)?),
            None => Err(self.ended()),
        }
    }

    /// Takes it out: what comes next ends it.
    pub(crate) fn take(&self) -> Result<T, Failure> {
        self.check_owner()?;
        self.lock().take().ok_or_else(|| self.ended())
    }

    pub(crate) fn has_ended(&self) -> bool {
        // One that is in use has not ended.
        self.slot.try_lock().is_ok_and(|held| held.is_none())
    }

    fn lock(&self) -> MutexGuard<'_, Option<T>> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check_owner(&self) -> Result<(), Failure> {
        if self.made_in != sealite::fork_generation() {
            // The child's copy of the lock may be held by a thread that it does not have.
            let message = format!("the {} belongs to the process that forked", self.what);
            return Err(Failure::new(ErrorKind::Forked, message));
        }
        if self.owner.is_some_and(|owner| owner != std::thread::current().id()) {
            let message = format!(
                "a {} belongs to the thread that began it: begin another one in this thread",
                self.what
            );
            return Err(Failure::new(ErrorKind::Refused, message));
        }
        Ok(())
    }

    fn ended(&self) -> Failure {
        Failure::new(ErrorKind::Closed, format!("the {} has ended", self.what))
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
    pub(crate) fn begin(&self) -> sealite::Result<Transaction> {
        match self {
            Root::Vault(vault) => vault.begin(),
            Root::Tenant(tenant, _) => tenant.begin(),
        }
    }

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

    /// A table that need not be there.
    fn handle<'a>(&'a self, name: &'a str) -> Table<'a> {
        match self {
            Root::Vault(vault) => vault.table_handle(name),
            Root::Tenant(tenant, _) => tenant.table_handle(name),
        }
    }
}

/// What a table is reached through.
#[derive(Clone)]
pub(crate) enum Source {
    /// Each call in a transaction of its own.
    Root(Root),
    /// A transaction, and the tenant within it.
    Transaction(Arc<HeldTransaction>, Option<Arc<str>>),
    /// A snapshot, and the tenant within it.
    Snapshot(Arc<HeldSnapshot>, Option<Arc<str>>),
}

impl Source {
    /// Runs `work` on the table. Only to be called detached from the interpreter.
    pub(crate) fn table<R>(
        &self,
        name: &str,
        work: impl FnOnce(&Table<'_>) -> sealite::Result<R>,
    ) -> Result<R, Failure> {
        match self {
            Source::Root(root) => Ok(work(&root.handle(name))?),
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

    /// Runs `work` on the table so that all of it happens or nothing.
    pub(crate) fn whole<R>(
        &self,
        name: &str,
        work: impl FnOnce(&Table<'_>) -> sealite::Result<R>,
    ) -> Result<R, Failure> {
        match self {
            Source::Root(root) => {
                let transaction = root.begin()?;
                let result = work(&transaction.table(name)?)?;
                transaction.commit()?;
                Ok(result)
            }
            Source::Transaction(held, tenant) => held.with(|transaction| {
                transaction.savepoint(|transaction| {
                    work(&match tenant {
                        None => transaction.table(name)?,
                        Some(tenant) => transaction.tenant_table(tenant, name)?,
                    })
                })
            }),
            Source::Snapshot(..) => self.table(name, work),
        }
    }
}
