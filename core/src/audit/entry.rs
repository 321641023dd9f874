//! What an application writes to the trail, and what it reads back.

use std::fmt;

use super::export::json_line;
use crate::error::{Result, fail};
use crate::format::canonical::{Form, canonical};
use crate::format::json::{Meaning, WipedJson};
use crate::secret::WipedText;
use crate::table::Row;
use crate::value::ValueRef;

/// The longest event name, actor, subject, tenant, trace or correlation id, in bytes.
pub(super) const MAX_TEXT: usize = 256;
/// The longest payload, in bytes of JSON.
const MAX_PAYLOAD: usize = 1 << 20;

/// An entry to append. Never put a secret into one: the trail is meant to be exported.
#[derive(Clone, Default)]
pub struct Entry {
    pub(crate) event: String,
    pub(crate) actor: Option<WipedText>,
    pub(crate) tenant: Option<String>,
    pub(crate) subject: Option<WipedText>,
    pub(crate) trace_id: Option<String>,
    pub(crate) correlation_id: Option<String>,
    pub(crate) payload: Option<WipedText>,
}

impl Entry {
    /// An entry with the name of its event, such as `user.login`.
    pub fn new(event: impl Into<String>) -> Self {
        Entry { event: event.into(), ..Entry::default() }
    }

    /// Who did it. Sealed.
    #[must_use]
    pub fn actor(mut self, actor: impl Into<String>) -> Self {
        self.actor = Some(WipedText::new(actor));
        self
    }

    /// Whose data it concerns. Sealed.
    #[must_use]
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(WipedText::new(subject));
        self
    }

    /// The trace that it belongs to (W3C Trace Context or the application's own), where it is another than
    /// [`crate::Trace::current`]. Readable in the file.
    #[must_use]
    pub fn trace_id(mut self, id: impl Into<String>) -> Self {
        self.trace_id = Some(id.into());
        self
    }

    /// A correlation id, as the trace's. Readable in the file.
    #[must_use]
    pub fn correlation_id(mut self, id: impl Into<String>) -> Self {
        self.correlation_id = Some(id.into());
        self
    }

    /// What happened, as JSON text. It is brought to its canonical form (RFC 8785), to full depth, and sealed.
    #[must_use]
    pub fn payload(mut self, json: impl Into<String>) -> Self {
        self.payload = Some(WipedText::new(json));
        self
    }

    /// As [`Entry::payload`], from what is not yet text.
    #[must_use]
    pub(crate) fn json(mut self, payload: serde_json::Value) -> Self {
        self.payload = Some(WipedJson(payload).text());
        self
    }

    /// Checks the lengths, with the tenant that the entry is written for; the canonical payload.
    pub(crate) fn canonical(&self, tenant: Option<&str>) -> Result<Option<Form<'_>>> {
        if self.event.is_empty() {
            fail!(InvalidInput, "an audit entry names its event");
        }
        let (actor, subject) = (self.actor.as_deref(), self.subject.as_deref());
        let (trace, correlation) = (self.trace_id.as_deref(), self.correlation_id.as_deref());
        let texts = [actor, subject, trace, correlation, tenant].into_iter();
        let longest = texts.flatten().map(str::len).max().unwrap_or(0);
        if self.event.len().max(longest) > MAX_TEXT {
            fail!(Limit, "the texts of an audit entry have at most {MAX_TEXT} bytes each");
        }
        let Some(payload) = &self.payload else { return Ok(None) };
        if payload.len() > MAX_PAYLOAD {
            fail!(Limit, "the payload of an audit entry has at most {MAX_PAYLOAD} bytes");
        }
        match canonical(payload, Meaning::Any) {
            Some(canonical) => Ok(Some(canonical)),
            None => fail!(InvalidInput, "the payload of an audit entry is not JSON text"),
        }
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Entry({})", self.event)
    }
}

/// An entry of the trail, read and verified.
#[derive(Clone)]
pub struct Event {
    row: Row,
}

impl Event {
    pub(crate) fn new(row: Row) -> Self {
        Event { row }
    }

    fn value(&self, column: &str) -> ValueRef<'_> {
        self.row.get(column).unwrap_or(ValueRef::Null)
    }

    /// Its place in the chain, counted from 1.
    pub fn seq(&self) -> i64 {
        match self.row.id() {
            crate::value::IdRef::Integer(seq) => seq,
            crate::value::IdRef::Text(_) => 0,
        }
    }

    /// When it was appended, in milliseconds since 1970.
    pub fn at(&self) -> i64 {
        self.value("at").as_i64().unwrap_or(0)
    }

    /// The name of the event.
    pub fn event(&self) -> &str {
        self.value("event").as_str().unwrap_or("")
    }

    /// Who did it.
    pub fn actor(&self) -> Option<&str> {
        self.value("actor").as_str()
    }

    /// The tenant.
    pub fn tenant(&self) -> Option<&str> {
        self.value("tenant").as_str()
    }

    /// Whose data it concerns.
    pub fn subject(&self) -> Option<&str> {
        self.value("subject").as_str()
    }

    /// The trace id.
    pub fn trace_id(&self) -> Option<&str> {
        self.value("trace_id").as_str()
    }

    /// The correlation id.
    pub fn correlation_id(&self) -> Option<&str> {
        self.value("correlation_id").as_str()
    }

    /// The payload, as canonical JSON.
    pub fn payload(&self) -> Option<&str> {
        self.value("payload").as_str()
    }

    /// True where its subject has been erased: actor, subject and payload are gone, and the chain holds on without them.
    pub fn is_erased(&self) -> bool {
        self.value("salt").is_null()
    }

    /// The id of the subject's key that it was sealed under.
    pub(super) fn owner(&self) -> Option<i64> {
        self.value("owner").as_i64()
    }

    /// The entry as one line of JSON, as [`crate::Audit::export`] writes it, with its line feed.
    ///
    /// # Errors
    /// None at present.
    pub fn json_line(&self) -> Result<String> {
        Ok(str::to_owned(&json_line(self)))
    }

    /// The id of the audit key that its link is made with.
    pub(super) fn key(&self) -> i64 {
        self.value("key").as_i64().unwrap_or(0)
    }

    pub(crate) fn blob(&self, column: &str) -> &[u8] {
        self.value(column).as_bytes().unwrap_or(&[])
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Event({}, {})", self.seq(), self.event())
    }
}
