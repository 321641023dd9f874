//! Appending, inside the transaction of the change that is recorded.

use std::sync::Arc;

use super::chain::{self, Link, SALT_LEN, Said};
use super::entry::{Entry, Event};
use super::keys::Keys;
use super::read::check;
use super::trace::Trace;
use super::{TABLE, definition};
use crate::crypto::random;
use crate::db::Conn;
use crate::error::{Result, err};
use crate::keys::ring::Key;
use crate::keys::seal::no_randomness;
use crate::table::engine::State;
use crate::table::session::Session;
use crate::table::{Row, Sealer, Target, Writer, define, last_row};
use crate::value::ValueRef;

/// The end of the chain as a transaction knows it, and what it takes to go on. Forgotten with a roll-back.
pub(crate) struct Appender {
    keys: Keys,
    last: Link,
    sealer: Arc<Sealer>,
    buffer: Vec<u8>,
}

/// Appends an entry; its place in the chain. Where it fails, the caller's change must fail with it.
pub(crate) fn append(session: &Session, entry: &Entry) -> Result<i64> {
    append_for(session, entry, entry.tenant.as_deref())
}

/// Appends what the engine itself has done.
pub(crate) fn note(session: &Session, event: &str, payload: serde_json::Value) -> Result<()> {
    append(session, &Entry::new(event).json(payload)).map(|_| ())
}

/// As [`append`], for that tenant, whatever the entry says.
pub(crate) fn append_for(session: &Session, entry: &Entry, tenant: Option<&str>) -> Result<i64> {
    let payload = entry.canonical(tenant)?;
    session.check_open()?;
    let mut appender = session.kept(|| Appender::begin(session))?;
    let appender = &mut *appender;
    if !appender.sealer.is_current(session) {
        appender.sealer = sealer(session)?;
        // Perhaps the audit key's successor has been made in this very transaction.
        appender.keys = Keys::active(session.conn(), &session.state())?;
    }
    let writer = Writer::over(session, &appender.sealer);
    let seq = session.sequences().ahead(
        session.conn(),
        appender.sealer.ring(),
        appender.sealer.table(),
    )?;
    let at = session.clock_ms();
    let salt: [u8; SALT_LEN] = random::nonce().map_err(|_| no_randomness())?;
    let (actor, subject) = (entry.actor.as_deref(), entry.subject.as_deref());
    let under = subject_key(session, tenant, subject)?;
    let owner = under.as_ref().map(|key| key.id());
    let trace = Trace::current();
    let digest = chain::digest(&salt, [actor, subject, payload.as_deref()]);
    let said = Said {
        seq,
        at,
        event: &entry.event,
        tenant,
        trace_id: entry.trace_id.as_deref().or(trace.as_ref().map(Trace::id)),
        correlation_id: (entry.correlation_id.as_deref())
            .or(trace.as_ref().and_then(Trace::correlation)),
        digest: &digest,
        key: i64::from(appender.keys.id),
        owner: owner.map(i64::from),
    };
    let link = chain::link(&appender.keys.chain, &appender.last, &said, &mut appender.buffer);
    // In the order of `definition`, of its types, and within the lengths that `Entry::canonical` has checked.
    let values = [
        ValueRef::Integer(at),
        ValueRef::Text(&entry.event),
        ValueRef::from(said.tenant),
        ValueRef::from(said.trace_id),
        ValueRef::from(said.correlation_id),
        ValueRef::Blob(&digest),
        ValueRef::Blob(&link),
        ValueRef::Integer(said.key),
        ValueRef::from(owner),
        ValueRef::from(actor),
        ValueRef::from(subject),
        payload.as_deref().map_or(ValueRef::Null, ValueRef::Json),
        ValueRef::Blob(&salt),
    ];
    writer.under(under).insert_admitted(None, &values)?;
    appender.last = link;
    session.note_audited();
    Ok(seq)
}

/// The key of the entry's subject, where it has one: not where nothing of it was ever kept, nor after its erasure.
fn subject_key(
    session: &Session,
    tenant: Option<&str>,
    subject: Option<&str>,
) -> Result<Option<Arc<Key>>> {
    let state = session.state();
    match subject.filter(|_| state.has_subjects()) {
        Some(subject) => state.ring.sealing(session.conn(), tenant, Some(subject)),
        None => Ok(None),
    }
}

impl Appender {
    fn begin(session: &Session) -> Result<Self> {
        if session.state().table(TABLE).is_err() {
            define::define_internal(session, &definition())?;
        }
        let sealer = sealer(session)?;
        let state = session.state();
        let keys = Keys::active(session.conn(), &state)?;
        let last = match last_event(session.conn(), &state)? {
            Some(event) => link_of(&event)?,
            None => chain::genesis(&keys.chain, state.ring.vault()),
        };
        Ok(Appender { keys, last, sealer, buffer: Vec::new() })
    }
}

fn sealer(session: &Session) -> Result<Arc<Sealer>> {
    let writer = Writer::new(session, Target { name: TABLE, tenant: None })?;
    Ok(Arc::clone(writer.sealer()))
}

/// The last entry, verified.
pub(super) fn last_event(conn: &Conn, state: &State) -> Result<Option<Event>> {
    let target = Target { name: TABLE, tenant: None };
    let event = last_row(conn, state, target)?.map(|row: Row| Event::new(row));
    if let Some(event) = &event {
        check(conn, state, event)?;
    }
    Ok(event)
}

pub(super) fn link_of(event: &Event) -> Result<Link> {
    event
        .blob("chain")
        .try_into()
        .map_err(|_| err!(Corrupt, "a link of the audit chain is damaged"))
}
