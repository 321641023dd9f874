//! The `sealite` command: the library's [`sealite_cli::run_standard`] on the process's own arguments.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(sealite_cli::run_standard(std::env::args_os()))
}
