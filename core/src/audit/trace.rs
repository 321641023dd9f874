//! The request that a thread works at: what every entry of the trail that it leads to carries.

use std::cell::RefCell;
use std::sync::Arc;

use super::entry::MAX_TEXT;
use crate::error::{Result, fail};

thread_local! {
    static CURRENT: RefCell<Option<Trace>> = const { RefCell::new(None) };
}

/// The ids of a request, for all entries of the audit trail that come of it: the application's own and the engine's,
/// `token.issued`, `setting.changed`, `approval.executed` and so on. An id that an entry names itself goes before.
///
/// It holds for a thread and for as long as [`Trace::run`] runs. An asynchronous program wraps each call into the vault, not
/// what awaits.
///
/// ```
/// use sealite::{TokenKind, TokenRequest, Trace, Vault};
///
/// # let vault = Vault::in_memory()?;
/// let request = Trace::new("4bf92f3577b34da6a3ce929d0e0e4736")?.correlation_id("order-7")?;
/// request.run(|| vault.tokens().issue(&TokenRequest::new(TokenKind::Session).subject("user-7")))?;
/// let entry = vault.audit().tail(1)?.remove(0);
/// assert_eq!(entry.event(), "token.issued");
/// assert_eq!(entry.trace_id(), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
/// assert_eq!(entry.correlation_id(), Some("order-7"));
/// # Ok::<(), sealite::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Trace {
    trace_id: Arc<str>,
    correlation_id: Option<Arc<str>>,
}

/// Puts back what held before, also where the work panics.
struct Before(Option<Trace>);

impl Trace {
    /// A trace: W3C Trace Context's id, or the application's own. Readable in the file.
    ///
    /// # Errors
    /// `invalid_input` for an empty id, `limit` for one of more than 256 bytes.
    pub fn new(trace_id: &str) -> Result<Self> {
        Ok(Trace { trace_id: checked(trace_id)?, correlation_id: None })
    }

    /// With the id of what the request is a part of. Readable in the file.
    ///
    /// # Errors
    /// As of [`Trace::new`].
    pub fn correlation_id(mut self, correlation_id: &str) -> Result<Self> {
        self.correlation_id = Some(checked(correlation_id)?);
        Ok(self)
    }

    /// Runs `work`, whose entries in the audit trail carry these ids.
    pub fn run<T>(&self, work: impl FnOnce() -> T) -> T {
        let _before = Before(Trace::set(Some(self.clone())));
        work()
    }

    /// Sets the trace of this thread until the next call, or ends it; what held before. For callers that can't pass their
    /// work to [`Trace::run`].
    pub fn set(trace: Option<Trace>) -> Option<Trace> {
        // Nothing where the thread is about to end.
        CURRENT.try_with(|current| current.replace(trace)).unwrap_or_default()
    }

    /// The trace that this thread works at.
    pub fn current() -> Option<Trace> {
        CURRENT.try_with(|current| current.borrow().clone()).unwrap_or_default()
    }

    /// The request's own id.
    pub fn id(&self) -> &str {
        &self.trace_id
    }

    /// The id of what it is a part of.
    pub fn correlation(&self) -> Option<&str> {
        self.correlation_id.as_deref()
    }
}

impl Drop for Before {
    fn drop(&mut self) {
        Trace::set(self.0.take());
    }
}

fn checked(text: &str) -> Result<Arc<str>> {
    if text.is_empty() {
        fail!(InvalidInput, "the id of a trace is not empty");
    }
    if text.len() > MAX_TEXT {
        fail!(Limit, "the id of a trace has at most {MAX_TEXT} bytes");
    }
    Ok(Arc::from(text))
}
