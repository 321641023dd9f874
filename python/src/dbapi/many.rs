//! One statement many times, and many statements once.

use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple};
use sealite::ValueRef;

use super::bind;
use super::engine::Connection as Engine;
use super::error::{Class, programming, raised};
use super::link::{Link, Live};
use super::mode::LEGACY;

/// Rows that are run without the interpreter in between, where they are there already.
const TOGETHER: usize = 64;
/// Rows of a script's SELECT that are passed over at once.
const SKIP: usize = 64;

/// Runs the statement once for each set of parameters; adds up the rows that it changes.
pub(super) fn run(
    link: &Arc<Link>,
    py: Python<'_>,
    mut live: Live,
    sets: &Bound<'_, PyAny>,
    changed: &mut i64,
) -> PyResult<()> {
    let done = if live.about.readonly {
        Err(programming("executemany() can only execute DML statements."))
    } else {
        each(link, py, &mut live, sets, changed)
    };
    if !live.about.writes {
        *changed = -1;
    }
    py.detach(|| live.statement.reset());
    link.keep(py, live);
    done
}

fn each(
    link: &Arc<Link>,
    py: Python<'_>,
    live: &mut Live,
    sets: &Bound<'_, PyAny>,
    changed: &mut i64,
) -> PyResult<()> {
    let ready = sets.is_exact_instance_of::<PyList>() || sets.is_exact_instance_of::<PyTuple>();
    let together = if ready { TOGETHER } else { 1 };
    let mut sets = sets.try_iter()?;
    link.begin_now(py, &live.about)?;
    let width = live.about.parameters.len();
    let mut arguments = Vec::with_capacity(width * together);
    loop {
        arguments.clear();
        let (mut count, mut ended) = (0, Ok(false));
        while count < together {
            let start = arguments.len();
            let next = match sets.next() {
                None => Ok(true),
                Some(set) => set.and_then(|set| {
                    bind::arguments(&live.about, Some(&set), &mut arguments)?;
                    // What has no form in SQLite is told before anything of its row is bound.
                    arguments.iter().skip(start).try_for_each(|value| value.as_ref().map(drop))?;
                    Ok(false)
                }),
            };
            match next {
                Ok(false) => count += 1,
                other => {
                    arguments.truncate(start);
                    ended = other;
                    break;
                }
            }
        }
        for _ in 0..count {
            link.traced(py, &live.about.sql);
        }
        let values: Vec<ValueRef<'_>> =
            arguments.iter().map(bind::Argument::as_ref).collect::<PyResult<_>>()?;
        let returned = link.run(py, |_| {
            live.statement.run_each(&values, count, |rows| {
                if live.about.writes {
                    *changed += i64::try_from(rows).unwrap_or(0);
                }
            })
        })?;
        if returned {
            return Err(programming("executemany() can only execute DML statements."));
        }
        if ended? {
            return Ok(());
        }
        py.check_signals()?;
    }
}

/// Runs every statement of a text.
pub(super) fn script(
    link: &Arc<Link>,
    py: Python<'_>,
    script: &Bound<'_, PyString>,
) -> PyResult<()> {
    let text = super::error::utf8(script)?;
    if text.contains('\0') {
        return Err(PyValueError::new_err("embedded null character"));
    }
    if text.len() > link.run(py, super::limits::sql_length)? {
        return Err(raised(Class::Data, "query string is too large"));
    }
    if link.mode.autocommit() == LEGACY && link.run(py, Engine::in_transaction)? {
        link.command(py, "COMMIT")?;
    }
    let mut rest = text;
    while !super::lexer::is_blank(rest) {
        let (live, tail) = link.run(py, |engine| Link::compile(engine, rest))?;
        rest = rest.get(tail..).unwrap_or_default();
        let Some(mut live) = live else { continue };
        // As sqlite3 has it, in the older mode a script's transactions are the script's own.
        if link.mode.autocommit() != LEGACY {
            link.begin_now(py, &live.about)?;
        }
        link.traced(py, live.about.sql.get(..tail).unwrap_or(&live.about.sql).trim());
        let done = link.run(py, |_| {
            while live.statement.fetch(SKIP, |_| Ok(()))? {}
            Ok(())
        });
        py.detach(|| drop(live));
        done?;
        py.check_signals()?;
    }
    Ok(())
}
