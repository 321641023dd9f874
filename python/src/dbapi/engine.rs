//! The engine's connection.

use pyo3::prelude::*;

pub(super) use sealite::stub::{Connection, Statement};

use crate::vault::Vault;

pub(super) fn connect(py: Python<'_>, vault: &Vault) -> sealite::Result<Connection> {
    py.detach(|| sealite::stub::connect(vault.0.path()))
}
