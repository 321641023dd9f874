//! The ratios that the project holds itself to, in a few minutes: `make bench-quick`.

mod c;
pub mod one_side;
mod open;
mod promised;
mod python;
mod report;
mod rotation;
mod sql;
mod state;
mod table;
mod tables;
mod tokens;
mod values;

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::Outcome;
use crate::measure::{Comparison, SHA256_LIMIT, sha256_nanoseconds_a_byte};

/// What to measure, and where the results go.
pub struct Options {
    /// Rows of the table.
    pub rows: usize,
    /// Interleaved pairs of each measurement.
    pub pairs: usize,
    /// The file of the ratios.
    pub out: PathBuf,
    /// An interpreter with the wheel installed, to measure from Python as well.
    pub python: Option<PathBuf>,
    /// A document whose table gets the figures.
    pub table: Option<PathBuf>,
    /// The one part to measure: `tables`, `values`, `state`, `tokens`, `sql`, `c`, `open` or `rotation`.
    pub only: Option<String>,
}

/// One ratio.
pub struct Measured {
    /// The name in the file.
    pub name: &'static str,
    /// What is compared with what, in one line.
    pub what: String,
    /// The times, for one operation. Of sizes: the bytes of one row, as nanoseconds.
    pub comparison: Comparison,
    /// What the two sides are counted in.
    pub unit: Unit,
}

/// What a measurement is counted in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Time for one operation.
    Time,
    /// Bytes for one row.
    Bytes,
}

/// Measures everything, prints a table and writes the file.
///
/// # Errors
/// Where SHA-256 is too slow for the figures to mean anything, before anything is measured.
pub fn run(options: &Options, out: &mut dyn Write) -> Outcome<()> {
    let sha = sha256_nanoseconds_a_byte();
    if sha > SHA256_LIMIT {
        return Err(format!(
            "SHA-256 takes {sha:.2} ns a byte here, more than {SHA256_LIMIT}: not reporting. Was this built without \
             optimisation, or with -C target-cpu=native (SHA-NI mixed with AVX)?"
        )
        .into());
    }
    let folder = options.out.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    std::fs::create_dir_all(folder)?;
    // Beside the results, on a disk: a temporary folder in memory would make commits free.
    let work = tempfile::tempdir_in(folder)?;
    report::heading(options, sha, out)?;
    let mut measured = Vec::new();
    let mut note = |one: Measured, out: &mut dyn Write| -> Outcome<()> {
        report::line(&one, out)?;
        measured.push(one);
        Ok(())
    };
    let wanted = |part: &str| options.only.as_deref().is_none_or(|only| only == part);
    if wanted("tables") {
        tables::measure(options, work.path(), &mut |one| note(one, out))?;
    }
    if wanted("values") {
        values::measure(options.pairs, &mut |one| note(one, out))?;
    }
    if wanted("state") {
        state::measure(options, work.path(), &mut |one| note(one, out))?;
    }
    if wanted("tokens") {
        tokens::measure(options, work.path(), &mut |one| note(one, out))?;
    }
    if wanted("sql") {
        sql::measure(options, work.path(), &mut |one| note(one, out))?;
    }
    if wanted("c") {
        c::measure(options.pairs, work.path(), &mut |one| note(one, out))?;
    }
    if wanted("open") {
        open::measure(options, work.path(), &mut |one| note(one, out))?;
    }
    if wanted("rotation") {
        rotation::measure(options, work.path(), &mut |one| note(one, out))?;
    }
    let mut ratios = report::json(&measured);
    let mut with_python = false;
    if let Some(interpreter) = &options.python {
        match python::measure(interpreter, work.path())? {
            Some(more) => {
                report::python(&more, out)?;
                ratios.extend(more);
                with_python = true;
            }
            None => writeln!(out, "\n{} has no sealite installed", interpreter.display())?,
        }
    }
    if options.only.is_none() {
        promised::check(&ratios, promised::RUST)?;
        if with_python {
            promised::check(&ratios, promised::PYTHON)?;
        }
    }
    std::fs::write(&options.out, serde_json::to_string_pretty(&ratios)? + "\n")?;
    writeln!(out, "\nwritten to {}", options.out.display())?;
    if let Some(path) = &options.table {
        let document = std::fs::read_to_string(path)?;
        std::fs::write(path, table::write_into(&document, &ratios)?)?;
        writeln!(out, "and into {}", path.display())?;
    }
    Ok(())
}
