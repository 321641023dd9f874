//! What a connection and its cursors share: the engine's connection, the compiled statements, what Python has
//! registered with it.
//!
//! The order of locks: nothing here is locked while the interpreter is waited for, and the engine's connection is only
//! called detached from the interpreter, since it may wait for a thread that runs a function of Python's. What is locked is
//! locked attached, but for a statement while it runs: a thread that forks has the interpreter, and so no other has a lock.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::engine::{Connection, Statement};
use super::error::{Class, from_core, programming, said};
use super::functions::Registration;
use super::lexer;
use super::mode::Mode;
use crate::trace::Traced;
use crate::vault::Vault;

/// The engine's connection with what stands around it.
pub(crate) struct Link {
    pub(super) engine: Connection,
    pub(super) vault: Py<Vault>,
    /// The only thread that may use it.
    owner: Option<u64>,
    closed: AtomicBool,
    cache: Mutex<Cache>,
    /// Statements that stand on a row, each with the process that it does so in.
    running: Mutex<Vec<(u64, Standing)>>,
    /// Statements that were given back while another one ran.
    left: Mutex<Vec<Live>>,
    pub(super) registered: Mutex<Vec<Registration>>,
    /// What a function of Python's has raised in the statement that runs.
    raised: Mutex<Option<PyErr>>,
    /// Whether there is one.
    noted: AtomicBool,
    /// And what is said of it.
    pub(super) refused: Mutex<Option<(Class, i32, String)>>,
    pub(super) trace: Mutex<Option<Py<PyAny>>>,
    pub(super) last_rowid: AtomicI64,
    pub(super) mode: Mode,
}

type Standing = Weak<Mutex<Option<Live>>>;

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
    pub(super) columns: Arc<[String]>,
    pub(super) declared: Vec<Option<String>>,
    /// Names of the parameters, without what stands before them.
    pub(super) parameters: Vec<Option<String>>,
    pub(super) readonly: bool,
    /// INSERT, UPDATE, DELETE or REPLACE.
    pub(super) writes: bool,
    /// The description, made at its first use: a tuple of 7-tuples.
    pub(super) description: Mutex<Option<Py<PyTuple>>>,
}

impl Live {
    /// Looks at the columns again, where the statement has been compiled anew.
    pub(super) fn refresh(&mut self) {
        let columns = self.statement.columns();
        if Arc::ptr_eq(columns, &self.about.columns) {
            return;
        }
        self.about = Arc::new(About {
            sql: self.about.sql.clone(),
            columns: Arc::clone(columns),
            declared: (0..columns.len()).map(|at| self.statement.declared_type(at)).collect(),
            parameters: self.about.parameters.clone(),
            readonly: self.about.readonly,
            writes: self.about.writes,
            description: Mutex::default(),
        });
    }
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
    /// This thread's number.
    static NUMBER: u64 = {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed)
    };
    /// The links whose statements this thread is running, by address.
    static RUNNING: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// No two threads have the same, one after the other neither.
fn this_thread() -> u64 {
    NUMBER.with(|number| *number)
}

pub(super) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Link {
    pub(super) fn new(py: Python<'_>, parts: Parts) -> PyResult<Arc<Self>> {
        let link = Arc::new(Link {
            engine: parts.engine,
            vault: parts.vault,
            owner: (!parts.any_thread).then(this_thread),
            closed: AtomicBool::new(false),
            cache: Mutex::new(Cache { capacity: parts.cached, ..Cache::default() }),
            running: Mutex::default(),
            left: Mutex::default(),
            registered: Mutex::default(),
            raised: Mutex::default(),
            noted: AtomicBool::new(false),
            refused: Mutex::default(),
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
            Some(owner) if owner != this_thread() => Err(programming(
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
        self.check_open()?;
        if self.runs_here() {
            return Err(recursive());
        }
        Ok(())
    }

    /// True while this thread runs a statement of the link: in a function that SQL calls.
    fn runs_here(&self) -> bool {
        let address = std::ptr::from_ref(self) as usize;
        RUNNING.with_borrow(|running| running.contains(&address))
    }

    /// Gives a statement back, from wherever.
    pub(super) fn let_go(&self, py: Python<'_>, mut live: Live) {
        if self.runs_here() {
            // The engine's connection is taken: what calls the function does it.
            lock(&self.left).push(live);
            return;
        }
        py.detach(|| live.statement.reset());
        self.keep(py, live);
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
        if self.noted.swap(false, Ordering::Relaxed) {
            // Of an earlier statement, which it has not stopped.
            let gone = (lock(&self.raised).take(), lock(&self.refused).take());
            drop(gone);
        }
        let done = py.traced(|| work(&self.engine));
        drop(entered);
        for live in std::mem::take(&mut *lock(&self.left)) {
            self.let_go(py, live);
        }
        match done {
            Ok(done) => Ok(done),
            Err(error) => Err(self.failed(py, &error)),
        }
    }

    /// Keeps what a function of Python's has raised for the statement's own exception.
    pub(super) fn note(&self, error: PyErr) {
        self.noted.store(true, Ordering::Relaxed);
        let before = lock(&self.raised).replace(error);
        drop(before);
    }

    /// The exception for an error of the engine.
    pub(super) fn failed(&self, py: Python<'_>, error: &sealite::Error) -> PyErr {
        let refused = lock(&self.refused).take();
        let Some(cause) = lock(&self.raised).take() else { return from_core(py, error) };
        if !cause.is_instance_of::<pyo3::exceptions::PyException>(py) {
            // KeyboardInterrupt, SystemExit.
            return cause;
        }
        let raised = match refused {
            Some((class, code, message)) => said(py, class, code, &message),
            None => from_core(py, error),
        };
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
        let columns = Arc::clone(statement.columns());
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

    /// Gives a statement back that stands on no row.
    pub(super) fn keep(&self, py: Python<'_>, live: Live) {
        let gone = if self.is_closed() {
            Some(live)
        } else {
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
        if gone.is_some() {
            // It waits for the engine's connection.
            py.detach(|| drop(gone));
        }
    }

    /// Remembers a statement that stands on a row.
    pub(super) fn watch(&self, live: &Arc<Mutex<Option<Live>>>) {
        let mut running = lock(&self.running);
        let made_in = sealite::fork_generation();
        if running.len() >= 32 {
            running.retain(|(_, each)| each.strong_count() > 0);
        }
        running.push((made_in, Arc::downgrade(live)));
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
            let here = sealite::fork_generation();
            let own = running.iter().filter(|(made_in, _)| *made_in == here);
            for each in own.filter_map(|(_, each)| each.upgrade()) {
                // Not under its lock: it waits for the engine's connection.
                let gone = lock(&each).take();
                drop(gone);
            }
            drop(kept);
            self.engine.close();
        });
        drop((registered, trace));
    }
}

fn recursive() -> PyErr {
    programming(
        "a function that a statement calls can't use the statement's own connection: open another one",
    )
}

/// While it lives, this thread runs statements of the link.
struct Entered;

impl Entered {
    fn new(link: &Arc<Link>) -> PyResult<Self> {
        let address = Arc::as_ptr(link) as usize;
        RUNNING.with_borrow_mut(|running| {
            if running.contains(&address) {
                return Err(recursive());
            }
            running.push(address);
            Ok(Entered)
        })
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        RUNNING.with_borrow_mut(Vec::pop);
    }
}
