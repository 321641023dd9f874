//! A statement on its way: what a cursor has executed and fetches from.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString, PyTuple};
use sealite::ValueRef;

use super::batch::{Batch, Plan, TextFactory};
use super::bind;
use super::engine::Connection as Engine;
use super::error::{Class, programming, raised};
use super::lexer;
use super::link::{About, Link, Live, lock};
use crate::once::once;

/// Rows that are read ahead at first. The second look tells whether there are more: a query for one row ends at once.
const FIRST: usize = 2;

/// What has been executed.
pub(super) struct Run {
    pub(super) link: Arc<Link>,
    pub(super) about: Arc<About>,
    batch: Batch,
    plan: Plan,
    /// The statement, while it stands on a row.
    live: Option<Arc<Mutex<Option<Live>>>>,
    /// The process that it stands there in.
    made_in: u64,
    ahead: usize,
    /// What comes after the rows that are left.
    failed: Option<sealite::Error>,
    changed: i64,
}

/// Parameters by position, by name, or none.
pub(super) type Given<'a, 'py> = Option<&'a Bound<'py, PyAny>>;

impl Link {
    /// The statement of a text that holds one; `None` for one that holds none.
    pub(super) fn statement(
        self: &Arc<Self>,
        py: Python<'_>,
        sql: &Bound<'_, PyString>,
    ) -> PyResult<Option<Live>> {
        let text = super::error::utf8(sql)?;
        if let Some(live) = self.cached(text) {
            return Ok(Some(live));
        }
        if text.contains('\0') {
            return Err(programming("the query contains a null character"));
        }
        let (live, tail) = self.run(py, |engine| {
            if text.len() > super::limits::sql_length(engine)? {
                return Ok((None, usize::MAX));
            }
            Link::compile(engine, text)
        })?;
        if tail == usize::MAX {
            return Err(raised(Class::Data, "query string is too large"));
        }
        if live.is_some() && !lexer::is_blank(text.get(tail..).unwrap_or_default()) {
            py.detach(|| drop(live));
            return Err(programming("You can only execute one statement at a time."));
        }
        Ok(live)
    }

    /// Tells the trace callback of a text. Never of a value: parameters are shown as they stand in the text.
    pub(super) fn traced(&self, py: Python<'_>, sql: &str) {
        let Some(callback) = lock(&self.trace).as_ref().map(|callback| callback.clone_ref(py))
        else {
            return;
        };
        if let Err(error) = callback.bind(py).call1((sql,))
            && super::shows_tracebacks()
        {
            error.write_unraisable(py, Some(callback.bind(py)));
        }
    }

    fn is_traced(&self) -> bool {
        lock(&self.trace).is_some()
    }

    /// Runs one statement without parameters, for its effect.
    pub(super) fn command(self: &Arc<Self>, py: Python<'_>, sql: &str) -> PyResult<()> {
        self.traced(py, sql);
        self.run(py, |engine| engine.execute(sql, &[]).map(drop))
    }

    /// What begins the transaction that a statement is to be in, where the statement's own call can do it.
    fn begin(self: &Arc<Self>, py: Python<'_>, about: &About) -> PyResult<Option<&'static str>> {
        let begin = self.mode.implicit(about.writes);
        if begin.is_some() && self.is_traced() {
            self.begin_now(py, about)?;
            return Ok(None);
        }
        Ok(begin)
    }

    /// Begins the transaction that a statement is to be in.
    pub(super) fn begin_now(self: &Arc<Self>, py: Python<'_>, about: &About) -> PyResult<()> {
        match self.mode.implicit(about.writes) {
            Some(begin) if !self.run(py, Engine::in_transaction)? => self.command(py, begin),
            _ => Ok(()),
        }
    }

    /// Executes a statement, and reads the first rows.
    pub(super) fn start(
        self: &Arc<Self>,
        py: Python<'_>,
        mut live: Live,
        given: Given<'_, '_>,
        detect: i32,
    ) -> PyResult<Run> {
        let mut about = Arc::clone(&live.about);
        let mut arguments = Vec::with_capacity(about.parameters.len());
        let bound = bind::arguments(&about, given, &mut arguments);
        let prepared = bound.and_then(|()| {
            let values = arguments.iter().map(bind::Argument::as_ref);
            let values: Vec<ValueRef<'_>> = values.collect::<PyResult<_>>()?;
            Ok((values, Plan::of(py, &about, detect)?, self.begin(py, &about)?))
        });
        let (values, mut plan, begin) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => {
                self.let_go(py, live);
                return Err(error);
            }
        };
        self.traced(py, &about.sql);
        let mut batch = Batch::default();
        let (mut now, mut stands) = (Arc::clone(&about), false);
        let mut changed = -1;
        let done = self.run(py, |engine| {
            if let Some(begin) = begin
                && !engine.in_transaction()?
            {
                engine.execute(begin, &[])?;
            }
            let more = batch.fill(&mut live.statement, Some(&values), FIRST);
            live.refresh();
            now = Arc::clone(&live.about);
            if !about.readonly {
                if about.writes {
                    changed = i64::try_from(live.statement.changes()).unwrap_or(i64::MAX);
                }
                self.last_rowid.store(engine.last_insert_rowid()?, Ordering::Relaxed);
            }
            match more {
                Ok(more) => stands = more,
                // The rows before it come first.
                Err(error) if batch.is_empty() => return Err(error),
                Err(error) => return Ok(Some(error)),
            }
            Ok(None)
        });
        let rest = if stands {
            Some(live)
        } else {
            self.keep(py, live);
            None
        };
        let failed = done?;
        if !Arc::ptr_eq(&now, &about) {
            plan = Plan::of(py, &now, detect)?;
            about = now;
        }
        let live = rest.map(|live| Arc::new(Mutex::new(Some(live))));
        if let Some(live) = &live {
            self.watch(live);
        }
        let (link, made_in) = (Arc::clone(self), sealite::fork_generation());
        Ok(Run { link, about, batch, plan, live, made_in, ahead: FIRST, failed, changed })
    }
}

impl Run {
    /// The next row.
    pub(super) fn next<'py>(
        &mut self,
        py: Python<'py>,
        text: &TextFactory,
        all: bool,
    ) -> PyResult<Option<Bound<'py, PyTuple>>> {
        loop {
            if let Some(row) = self.batch.take(py, &self.plan, text)? {
                return Ok(Some(row));
            }
            if let Some(error) = self.failed.take() {
                return Err(self.link.failed(py, &error));
            }
            let Some(live) = self.live.clone() else { return Ok(None) };
            self.link.check_open()?;
            py.check_signals()?;
            if self.is_the_parents() {
                // The engine refuses it. The statement's lock may be one that nobody opens.
                self.link.run(py, Engine::in_transaction)?;
                return Err(programming("the statement was running when the process forked"));
            }
            self.ahead = if all { usize::MAX } else { self.ahead.saturating_mul(2) };
            let (batch, link, ahead) = (&mut self.batch, &self.link, self.ahead);
            let (mut changed, mut done) = (None, None);
            let ended = link.run(py, |_| {
                let mut place = lock(&live);
                let Some(held) = place.as_mut() else { return Ok(Some(None)) };
                let more = batch.fill(&mut held.statement, None, ahead);
                if let Ok(true) = more {
                    return Ok(None);
                }
                if held.about.writes {
                    changed = i64::try_from(held.statement.changes()).ok();
                }
                done = place.take();
                Ok(Some(more.err()))
            });
            if let Some(live) = done {
                link.keep(py, live);
            }
            let ended = ended?;
            if let Some(failed) = ended {
                self.live = None;
                self.failed = failed;
                self.changed = changed.unwrap_or(self.changed);
            }
        }
    }

    /// True where a row is there already.
    pub(super) fn is_ahead(&self) -> bool {
        !self.batch.is_empty()
    }

    /// The rows that were changed so far; -1 for a statement that changes none.
    pub(super) fn changed(&self) -> i64 {
        self.changed
    }

    fn is_the_parents(&self) -> bool {
        self.made_in != sealite::fork_generation()
    }

    /// Ends it: the statement goes back. In a child it is left to the parent.
    #[allow(clippy::mem_forget)]
    pub(super) fn end(&mut self, py: Python<'_>) {
        let live = self.live.take();
        if self.is_the_parents() {
            std::mem::forget(live);
            return;
        }
        if let Some(live) = live {
            // Nobody else waits for it: a close that has it takes the statement.
            let taken = lock(&live).take();
            if let Some(live) = taken {
                self.link.let_go(py, live);
            }
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if self.live.is_some() {
            Python::attach(|py| self.end(py));
        }
    }
}

pub(super) const PARSE_DECLTYPES: i32 = 1;
pub(super) const PARSE_COLNAMES: i32 = 2;

/// The converters of the process, by name in upper case.
pub(super) fn converters(py: Python<'_>) -> PyResult<&'static Py<PyDict>> {
    static CONVERTERS: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
    once(&CONVERTERS, py, || Ok(PyDict::new(py).unbind()))
}

impl Plan {
    fn of(py: Python<'_>, about: &About, detect: i32) -> PyResult<Self> {
        if detect == 0 {
            return Ok(Plan::default());
        }
        let known = converters(py)?.bind(py);
        let find = |name: &str| known.get_item(name.to_uppercase());
        let mut chosen = Vec::with_capacity(about.columns.len());
        for (name, declared) in about.columns.iter().zip(&about.declared) {
            let mut converter = None;
            if detect & PARSE_COLNAMES != 0
                && let Some((_, rest)) = name.split_once('[')
                && let Some((kind, _)) = rest.split_once(']')
            {
                converter = find(kind)?;
            }
            if converter.is_none()
                && detect & PARSE_DECLTYPES != 0
                && let Some(declared) = declared
            {
                let end = declared.find([' ', '(']).unwrap_or(declared.len());
                converter = find(declared.get(..end).unwrap_or_default())?;
            }
            chosen.push(converter.map(Bound::unbind));
        }
        Ok(Plan { converters: chosen })
    }
}

/// The description of a statement's rows: a tuple of 7-tuples; `None` where it returns none.
pub(super) fn description(
    py: Python<'_>,
    about: &About,
    detect: i32,
) -> PyResult<Option<Py<PyTuple>>> {
    if about.columns.is_empty() {
        return Ok(None);
    }
    let made = lock(&about.description).as_ref().map(|made| made.clone_ref(py));
    if made.is_some() {
        return Ok(made);
    }
    let none = || py.None();
    let each = about.columns.iter().map(|name| {
        let shown = match name.find('[') {
            Some(at) if detect & PARSE_COLNAMES != 0 => name.get(..at).unwrap_or(name).trim_end(),
            _ => name,
        };
        (shown, none(), none(), none(), none(), none(), none())
    });
    let made = PyTuple::new(py, each.collect::<Vec<_>>())?.unbind();
    *lock(&about.description) = Some(made.clone_ref(py));
    Ok(Some(made))
}
