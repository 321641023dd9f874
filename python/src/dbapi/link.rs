//! What a connection and its cursors share: the engine's connection, the compiled statements, what Python has
//! registered with it.
//!
//! The order of locks: nothing here is locked while the interpreter is waited for, and the engine's connection is only
//! called detached from the interpreter, since it may wait for a thread that runs a function of Python's.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::ThreadId;
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use super::engine::{Connection, Statement};
use super::error::{from_core, programming};
use super::functions::Registration;
use super::lexer;
use super::mode::Mode;
use crate::vault::Vault;

/// The engine's connection with what stands around it.
pub(crate) struct Link {
    pub(super) engine: Connection,
    pub(super) vault: Py<Vault>,
    /// The only thread that may use it.
    owner: Option<ThreadId>,
    closed: AtomicBool,
    cache: Mutex<Cache>,
    /// Statements that stand on a row.
    running: Mutex<Vec<Weak<Mutex<Option<Live>>>>>,
    pub(super) registered: Mutex<Vec<Registration>>,
    /// What a function of Python's has raised in the statement that runs.
    pub(super) raised: Mutex<Option<PyErr>>,
    pub(super) trace: Mutex<Option<Py<PyAny>>>,
    pub(super) last_rowid: AtomicI64,
    pub(super) mode: Mode,
}

/// What a link is made of.
pub(super) struct Parts {
    pub(super) engine: Connection,
    pub(super) vault: Py<Vault>,
    /// Whether threads other than the one that makes it may use it.
    pub(super) any_thread: bool,
    /// Statements that are kept compiled.
    pub(super) cached: usize,
    pub(super) timeout: Duration,
    pub(super) query_only: bool,
    pub(super) mode: Mode,
}

/// A compiled statement, with what Python wants to know of it.
pub(super) struct Live {
    pub(super) statement: Statement,
    pub(super) about: Arc<About>,
}

pub(super) struct About {
    pub(super) sql: Box<str>,
    pub(super) columns: Vec<String>,
    pub(super) declared: Vec<Option<String>>,
    /// Names of the parameters, without what stands before them.
    pub(super) parameters: Vec<Option<String>>,
    pub(super) readonly: bool,
    /// INSERT, UPDATE, DELETE or REPLACE.
    pub(super) writes: bool,
    /// The description, made at its first use: a tuple of 7-tuples.
    pub(super) description: Mutex<Option<Py<PyTuple>>>,
}

#[derive(Default)]
struct Cache {
    capacity: usize,
    kept: HashMap<Box<str>, Kept>,
    clock: u64,
}

/// A place in the cache. While a cursor uses the statement the place is empty.
struct Kept {
    used: u64,
    live: Option<Live>,
}

thread_local! {
    /// The links whose statements this thread is running, by address.
    static RUNNING: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

pub(super) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Text of a program's, for SQLite. Python's own error for a lone surrogate would carry the whole text.
pub(super) fn utf8<'a>(text: &'a Bound<'_, PyString>) -> PyResult<&'a str> {
    text.to_str().map_err(|_| {
        let arguments = ("utf-8", "?", 0, 1, "surrogates not allowed");
        pyo3::exceptions::PyUnicodeEncodeError::new_err(arguments)
    })
}

impl Link {
    pub(super) fn new(py: Python<'_>, parts: Parts) -> PyResult<Arc<Self>> {
        let link = Arc::new(Link {
            engine: parts.engine,
            vault: parts.vault,
            owner: (!parts.any_thread).then(|| std::thread::current().id()),
            closed: AtomicBool::new(false),
            cache: Mutex::new(Cache { capacity: parts.cached, ..Cache::default() }),
            running: Mutex::default(),
            registered: Mutex::default(),
            raised: Mutex::default(),
            trace: Mutex::default(),
            last_rowid: AtomicI64::new(0),
            mode: parts.mode,
        });
        link.run(py, |_| super::functions::replay(&link, parts.timeout, parts.query_only))?;
        super::functions::watch(&link, py, None)?;
        Ok(link)
    }

    pub(super) fn check_thread(&self) -> PyResult<()> {
        match self.owner {
            Some(owner) if owner != std::thread::current().id() => Err(programming(
                "SQLite objects created in a thread can only be used in that same thread: connect with \
                 check_same_thread=False to share one",
            )),
            _ => Ok(()),
        }
    }

    pub(super) fn check_open(&self) -> PyResult<()> {
        if self.closed.load(Ordering::Relaxed) {
            return Err(programming("Cannot operate on a closed database."));
        }
        Ok(())
    }

    pub(super) fn check(&self) -> PyResult<()> {
        self.check_thread()?;
        self.check_open()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Runs `work` on the engine, detached from the interpreter. What a function of Python's raised on the way comes
    /// out as it was, or as the cause.
    pub(super) fn run<T: Send>(
        self: &Arc<Self>,
        py: Python<'_>,
        work: impl FnOnce(&Connection) -> sealite::Result<T> + Send,
    ) -> PyResult<T> {
        let entered = Entered::new(self)?;
        let done = py.detach(|| work(&self.engine));
        drop(entered);
        match done {
            Ok(done) => Ok(done),
            Err(error) => Err(self.failed(py, &error)),
        }
    }

    /// The exception for an error of the engine.
    pub(super) fn failed(&self, py: Python<'_>, error: &sealite::Error) -> PyErr {
        let Some(cause) = lock(&self.raised).take() else { return from_core(py, error) };
        if !cause.is_instance_of::<pyo3::exceptions::PyException>(py) {
            // KeyboardInterrupt, SystemExit.
            return cause;
        }
        let raised = from_core(py, error);
        raised.set_cause(py, Some(cause));
        raised
    }

    /// A statement from the cache.
    pub(super) fn cached(&self, sql: &str) -> Option<Live> {
        lock(&self.cache).kept.get_mut(sql)?.live.take()
    }

    /// Compiles the first statement of a text; where the text goes on. Only to be called detached.
    pub(super) fn compile(
        engine: &Connection,
        sql: &str,
    ) -> sealite::Result<(Option<Live>, usize)> {
        let (statement, tail) = engine.prepare_owned(sql)?;
        let Some(statement) = statement else { return Ok((None, tail)) };
        let columns = statement.columns().to_vec();
        let declared = (0..columns.len()).map(|at| statement.declared_type(at)).collect();
        let name = |name: String| name.get(1..).unwrap_or_default().to_owned();
        let parameters = statement.parameters().into_iter();
        let parameters = parameters.map(|parameter| parameter.map(name)).collect();
        let about = About {
            sql: sql.into(),
            columns,
            declared,
            parameters,
            readonly: statement.is_read_only(),
            writes: lexer::writes(sql),
            description: Mutex::default(),
        };
        Ok((Some(Live { statement, about: Arc::new(about) }), tail))
    }

    /// Gives a statement back. Only to be called detached: another statement may have to go for it.
    pub(super) fn keep(&self, mut live: Live) {
        live.statement.reset();
        if self.is_closed() {
            return;
        }
        let gone = {
            let mut cache = lock(&self.cache);
            let cache = &mut *cache;
            cache.clock += 1;
            let used = cache.clock;
            if let Some(place) = cache.kept.get_mut(&live.about.sql) {
                place.used = used;
                place.live.replace(live)
            } else if cache.capacity == 0 {
                Some(live)
            } else {
                let mut gone = None;
                if cache.kept.len() >= cache.capacity {
                    let oldest = cache.kept.iter().min_by_key(|(_, place)| place.used);
                    if let Some(oldest) = oldest.map(|(sql, _)| sql.clone()) {
                        gone = cache.kept.remove(&oldest).and_then(|place| place.live);
                    }
                }
                cache.kept.insert(live.about.sql.clone(), Kept { used, live: Some(live) });
                gone
            }
        };
        drop(gone);
    }

    /// Remembers a statement that stands on a row.
    pub(super) fn watch(&self, live: &Arc<Mutex<Option<Live>>>) {
        let mut running = lock(&self.running);
        if running.len() >= 32 {
            running.retain(|each| each.strong_count() > 0);
        }
        running.push(Arc::downgrade(live));
    }

    /// Ends every statement and the connection.
    pub(super) fn close(&self, py: Python<'_>) {
        if self.closed.swap(true, Ordering::Relaxed) {
            return;
        }
        let running = std::mem::take(&mut *lock(&self.running));
        let kept = std::mem::take(&mut lock(&self.cache).kept);
        let registered = std::mem::take(&mut *lock(&self.registered));
        let trace = lock(&self.trace).take();
        py.detach(|| {
            for each in running.iter().filter_map(Weak::upgrade) {
                lock(&each).take();
            }
            drop(kept);
            self.engine.close();
        });
        drop((registered, trace));
    }
}

/// While it lives, this thread runs statements of the link.
struct Entered;

impl Entered {
    fn new(link: &Arc<Link>) -> PyResult<Self> {
        let address = Arc::as_ptr(link) as usize;
        RUNNING.with_borrow_mut(|running| {
            if running.contains(&address) {
                return Err(programming(
                    "a function that a statement calls can't use the statement's own connection: open another one",
                ));
            }
            running.push(address);
            Ok(Entered)
        })
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        RUNNING.with_borrow_mut(|running| running.pop());
    }
}
