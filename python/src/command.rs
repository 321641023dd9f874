//! The command line, for the entry point of the package.

use std::ffi::OsString;

use pyo3::prelude::*;
use sealite::ErrorKind;

use crate::error::error;
use crate::given::text_given;

/// Runs the command line `sealite` on the process's own standard streams; the exit code, as `sealite --help` lists
/// them. `arguments` begins with the name of the program.
#[pyfunction]
pub(crate) fn run_command(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| sealite_cli::run_standard(arguments))
}

/// The exit code of the command line for an error of this `name`: what other command lines of a vault end with, too.
#[pyfunction]
pub(crate) fn exit_code(#[pyo3(from_py_with = text_given)] name: &str) -> PyResult<u8> {
    let kind = ErrorKind::ALL.iter().find(|kind| kind.name() == name);
    let kind = kind.ok_or_else(|| error(ErrorKind::NotFound, "no error has this name"))?;
    Ok(sealite_cli::exit_code(*kind))
}
