//! The command line, for the entry point of the package.

use std::ffi::OsString;

use pyo3::prelude::*;

/// Runs the command line `sealite` on the process's own standard streams; the exit code, as `sealite --help` lists
/// them. `arguments` begins with the name of the program.
#[pyfunction]
pub(crate) fn run_command(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| sealite_cli::run_standard(arguments))
}
