//! One tenant of a vault.

use pyo3::prelude::*;

use crate::approval::Approvals;
use crate::field::Field;
use crate::given::{string_given, text_given};
use crate::quota::Quotas;
use crate::row::unpicklable;
use crate::settings::Settings;
use crate::source::{Root, Source};
use crate::table::Table;
use crate::tokens::Tokens;
use crate::trail::Audit;
use crate::transaction::{Snapshot, Transaction};

/// One tenant of a vault. It can't reach what belongs to another, or to the vault itself.
///
///     >>> vault = sealite.Vault.in_memory()
///     >>> vault.define_table("notes", {"body": "text sealed"}, per_tenant=True)
///     True
///     >>> vault.tenant("acme").table("notes").insert(body="buy the other one")
///     1
///     >>> vault.tenant("other").table("notes").get(1) is None
///     True
#[pyclass(module = "sealite", frozen)]
pub(crate) struct Tenant {
    pub(crate) tenant: sealite::Tenant,
    /// Whether the vault is in memory.
    pub(crate) memory: bool,
}

impl Tenant {
    fn root(&self) -> Root {
        Root::Tenant(self.tenant.clone(), self.memory)
    }
}

#[pymethods]
impl Tenant {
    /// The name.
    #[getter]
    fn name(&self) -> &str {
        self.tenant.name()
    }

    /// The tenant's rows of a table of tenants.
    fn table(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = string_given)] name: String,
    ) -> PyResult<Table> {
        Table::new(py, Source::Root(self.root()), name)
    }

    /// Single sealed values of this tenant.
    #[pyo3(signature = (name, *, padding=None))]
    fn field(
        &self,
        #[pyo3(from_py_with = text_given)] name: &str,
        padding: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Field> {
        Field::new(self.tenant.field(name), padding)
    }

    /// Limits on how often something happens.
    #[getter]
    fn quotas(&self) -> Quotas {
        Quotas(self.tenant.quotas())
    }

    /// Requests that somebody has to approve.
    #[getter]
    fn approvals(&self) -> Approvals {
        Approvals(self.tenant.approvals())
    }

    /// The settings as they hold for this tenant.
    #[getter]
    fn settings(&self) -> Settings {
        Settings::new(self.tenant.settings())
    }

    /// Tokens of this tenant.
    #[getter]
    fn tokens(&self) -> Tokens {
        Tokens::of(self.root())
    }

    /// The audit trail, as far as it is this tenant's.
    #[getter]
    fn audit(&self) -> Audit {
        Audit::new(self.tenant.audit())
    }

    /// A transaction within the tenant, for a with statement.
    fn transaction(&self) -> Transaction {
        Transaction::new(self.root())
    }

    /// A view at one moment within the tenant, for a with statement.
    fn snapshot(&self) -> Snapshot {
        Snapshot::new(self.root())
    }

    fn __repr__(&self) -> String {
        format!("<Tenant {}>", self.tenant.name())
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(unpicklable("Tenant"))
    }
}
