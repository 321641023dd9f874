//! The handle of one tenant.

use std::sync::Arc;

use crate::approval::Approvals;
use crate::audit::Audit;
use crate::error::Result;
use crate::field::Field;
use crate::quota::Quotas;
use crate::settings::Settings;
use crate::table::engine::Engine;
use crate::table::{Source, Table};
use crate::token::Tokens;
use crate::transaction::{Snapshot, Transaction};

/// One tenant of a vault. It can't reach what belongs to another, or to the vault itself.
#[derive(Clone)]
pub struct Tenant {
    engine: Arc<Engine>,
    name: Arc<str>,
}

impl Tenant {
    pub(crate) fn new(engine: &Arc<Engine>, name: &str) -> Self {
        Tenant { engine: Arc::clone(engine), name: Arc::from(name) }
    }

    /// The tenant's rows of a table of tenants.
    pub fn table<'a>(&'a self, name: &'a str) -> Result<Table<'a>> {
        Table::new(Source::Engine(&self.engine), name, Some(Arc::clone(&self.name))).checked()
    }

    /// As [`Tenant::table`], without looking whether the table is there: its calls tell.
    pub fn table_handle<'a>(&'a self, name: &'a str) -> Table<'a> {
        Table::new(Source::Engine(&self.engine), name, Some(Arc::clone(&self.name))).counted()
    }

    /// Single sealed values of this tenant.
    pub fn field(&self, name: &str) -> Result<Field> {
        Field::new(&self.engine, name, Some(Arc::clone(&self.name)))
    }

    /// As [`crate::Vault::transaction`], within the tenant.
    pub fn transaction<T>(&self, work: impl FnOnce(&Transaction) -> Result<T>) -> Result<T> {
        self.begin()?.run(work)
    }

    /// As [`crate::Vault::begin`], within the tenant.
    pub fn begin(&self) -> Result<Transaction> {
        Transaction::begin(&self.engine, Some(Arc::clone(&self.name)))
    }

    /// As [`crate::Vault::snapshot`], within the tenant.
    pub fn snapshot(&self) -> Result<Snapshot> {
        Snapshot::begin(&self.engine, Some(Arc::clone(&self.name)))
    }

    /// The settings as they hold for this tenant.
    pub fn settings(&self) -> Settings {
        Settings::new(&self.engine, Some(Arc::clone(&self.name)))
    }

    /// Limits on how often something happens, of this tenant.
    pub fn quotas(&self) -> Quotas {
        Quotas::new(&self.engine, Some(Arc::clone(&self.name)))
    }

    /// Requests of this tenant that somebody has to approve.
    pub fn approvals(&self) -> Approvals {
        Approvals::new(&self.engine, Some(Arc::clone(&self.name)))
    }

    /// Tokens of this tenant.
    pub fn tokens(&self) -> Tokens<'_> {
        Tokens::new(&self.engine, Some(Arc::clone(&self.name)))
    }

    /// The audit trail, as far as it is this tenant's.
    pub fn audit(&self) -> Audit {
        Audit::new(&self.engine, Some(Arc::clone(&self.name)))
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl std::fmt::Debug for Tenant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tenant({})", self.name)
    }
}
