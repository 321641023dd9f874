//! Plain tables that become sealed ones.

use pyo3::prelude::*;

use crate::definition::Definition;

/// What a conversion would do.
#[pyclass(module = "sealite", frozen)]
pub(crate) struct ProtectionPlan(pub(crate) sealite::ProtectionPlan);

#[pymethods]
impl ProtectionPlan {
    /// The table as it would be declared afterwards.
    #[getter]
    fn definition(&self) -> Definition {
        Definition::new(self.0.definition.clone())
    }

    /// The number of rows to seal.
    #[getter]
    fn rows(&self) -> u64 {
        self.0.rows
    }

    /// Indexes, foreign keys and constraints that go on as they are.
    #[getter]
    fn kept(&self) -> Vec<String> {
        self.0.kept.clone()
    }

    /// What becomes another thing.
    #[getter]
    fn changed(&self) -> Vec<String> {
        self.0.changed.clone()
    }

    /// What stands against it.
    #[getter]
    fn obstacles(&self) -> Vec<String> {
        self.0.obstacles.clone()
    }

    fn __repr__(&self) -> String {
        format!("<ProtectionPlan {}>", self.0.definition.name())
    }
}
