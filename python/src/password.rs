//! Passwords: hashed, verified and upgraded. No vault is needed.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use sealite::{ErrorKind, PassphraseCost, PasswordVerdict};

use crate::error::error;
use crate::given::optional;
use crate::value::{OrRaise, text_of};

/// Hashes and verifies users' passwords, by Argon2id; bcrypt is verified and upgraded. The cost is that of new hashes.
/// Any thread may use it, and others run while it works.
///
///     >>> hasher = sealite.PasswordHasher(memory_kib=19_456, passes=2, lanes=1)
///     >>> stored = hasher.hash("correct horse battery staple")
///     >>> stored.startswith("$argon2id$")
///     True
///     >>> hasher.verify_and_update("correct horse battery staple", stored)
///     (True, None)
///     >>> hasher.verify("wrong", stored)
///     False
#[pyclass(module = "sealite", frozen)]
pub(crate) struct PasswordHasher(sealite::PasswordHasher);

/// A password's bytes, from a str (UTF-8) or bytes.
fn bytes_of<'a>(password: &'a Bound<'_, PyAny>) -> PyResult<&'a [u8]> {
    if let Ok(text) = password.cast::<PyString>() {
        return Ok(text_of(text)?.as_bytes());
    }
    match password.cast::<PyBytes>() {
        Ok(bytes) => Ok(bytes.as_bytes()),
        Err(_) => Err(error(ErrorKind::TypeMismatch, "a password is a str or bytes")),
    }
}

#[pymethods]
impl PasswordHasher {
    /// With 64 MiB, 3 passes and 4 lanes (RFC 9106), or a cost of one's own: 19,456 KiB to 1 GiB, 2 to 16 passes, 1 to 16
    /// lanes.
    #[new]
    #[pyo3(signature = (*, memory_kib=None, passes=None, lanes=None))]
    fn new(memory_kib: Option<u32>, passes: Option<u32>, lanes: Option<u32>) -> PyResult<Self> {
        let mut cost = PassphraseCost::default();
        cost.memory_kib = memory_kib.unwrap_or(cost.memory_kib);
        cost.passes = passes.unwrap_or(cost.passes);
        cost.lanes = lanes.unwrap_or(cost.lanes);
        sealite::PasswordHasher::with_cost(cost).map(PasswordHasher).or_raise()
    }

    /// What is stored for a new password: a PHC string with the cost and a fresh salt.
    fn hash(&self, py: Python<'_>, password: &Bound<'_, PyAny>) -> PyResult<String> {
        let password = bytes_of(password)?;
        py.detach(|| self.0.hash(password)).or_raise()
    }

    /// Whether the password is right. Without a stored hash, because there is no such user, it is wrong after as much work.
    fn verify(
        &self,
        py: Python<'_>,
        password: &Bound<'_, PyAny>,
        stored: Option<&Bound<'_, PyString>>,
    ) -> PyResult<bool> {
        let (password, stored) = (bytes_of(password)?, optional(stored)?);
        py.detach(|| self.0.verify(password, stored)).or_raise()
    }

    /// Whether the password is right, and the new hash to store where the old one is weaker than this hasher's.
    fn verify_and_update(
        &self,
        py: Python<'_>,
        password: &Bound<'_, PyAny>,
        stored: Option<&Bound<'_, PyString>>,
    ) -> PyResult<(bool, Option<String>)> {
        let (password, stored) = (bytes_of(password)?, optional(stored)?);
        let verdict = py.detach(|| self.0.verify_and_update(password, stored)).or_raise()?;
        Ok(match verdict {
            PasswordVerdict::Upgraded(hash) => (true, Some(hash)),
            verdict => (verdict.is_accepted(), None),
        })
    }

    /// Whether a stored hash differs from what this hasher would make.
    fn needs_rehash(&self, stored: &Bound<'_, PyString>) -> PyResult<bool> {
        self.0.needs_rehash(text_of(stored)?).or_raise()
    }

    fn __repr__(&self) -> &'static str {
        "<PasswordHasher>"
    }
}
