//! The engine's connection.

use pyo3::prelude::*;

pub(super) use sealite::{Connection, OwnedStatement as Statement};

use crate::vault::Vault;

pub(super) fn connect(py: Python<'_>, vault: &Vault) -> sealite::Result<Connection> {
    py.detach(|| vault.0.connect())
}
