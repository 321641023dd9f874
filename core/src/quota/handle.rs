//! The handle of quotas.

use std::sync::Arc;

use base64ct::{Base64UrlUnpadded, Encoding};

use super::limit::{Limit, MAX_LIMITS};
use super::usage::{Charge, Decision, Usage};
use super::{TABLE, column, definition};
use crate::crypto::mac::MacKey;
use crate::error::{ErrorKind, Result, err, fail};
use crate::keys::ring::{IndexPlace, Owner, Purpose};
use crate::metrics::Counter;
use crate::table::engine::Engine;
use crate::table::session::Session;
use crate::table::{Target, Writer, define, delete, due, get_one};
use crate::value::{IdRef, ValueRef};

/// Limits on how often something happens, for one vault or one tenant: shared by all processes, kept over restarts.
///
/// A key (an address, an account, whatever is limited, with the name of what it is limited for) is kept as a MAC of 16
/// bytes only. What one key has used is one row, which goes once nothing in it counts any more: every charge removes up
/// to four such rows, so that no call pays for all of them. For each key that was charged within the window of its limit
/// the file holds at most 256 bytes where that was a few times, and 512 where the window is full, however high the limit;
/// what is freed is used again. Each further limit adds at most 256.
///
/// A call is a transaction of its own, and refused inside another one of the same thread: a charge must stand where the
/// work that it was for is rolled back. It survives the end of the process at once; a power cut may take back the last
/// charges. Where the system's clock is set back, nothing is forgotten and nothing counts for longer than its window
/// from then on; a clock set forward lets windows end early.
#[derive(Clone)]
pub struct Quotas {
    engine: Arc<Engine>,
    tenant: Option<Arc<str>>,
}

/// Rows that a charge removes, at most.
const REMOVED_BY_A_CHARGE: usize = 4;
/// Rows that one transaction of a sweep removes, at most.
const REMOVED_BY_A_SWEEP: usize = 256;
/// The bytes of a MAC that are kept.
const MAC_LEN: usize = 16;
/// The parts of its longest window by which a row is removed later than it could: the index changes the less often.
const REMOVAL_PARTS: i64 = 8;

const TARGET: Target<'static> = Target { name: TABLE, tenant: None };

impl Quotas {
    pub(crate) fn new(engine: &Arc<Engine>, tenant: Option<Arc<str>>) -> Self {
        Quotas { engine: Arc::clone(engine), tenant }
    }

    /// Charges `cost` under every limit, or, where one of them has less left, under none. What is refused costs nothing.
    ///
    /// All calls for one key should give the same limits: each window (its length and whether it is sliding) counts
    /// for itself.
    ///
    /// # Errors
    /// `invalid_input` without a key or limit, for a cost of 0, or one that a limit never allows; `limit` for more than
    /// 8 limits; `refused` inside a transaction; `busy`; `authentication_failed` where the row was edited from outside.
    pub fn check_and_charge(&self, key: &str, limits: &[Limit], cost: u32) -> Result<Decision> {
        if cost == 0 {
            fail!(InvalidInput, "a charge costs at least 1: peek costs nothing");
        }
        if let Some(limit) = limits.iter().find(|limit| limit.count() < cost) {
            fail!(InvalidInput, "a charge of {cost} never fits the limit {limit}");
        }
        self.charge(key, limits, Charge::Whole(cost))
    }

    /// Charges a failed attempt, for limits that count failures only: [`Quotas::peek`] before the attempt, and where it
    /// has failed, this. It charges each limit as far as it has anything left; the decision is about the next attempt.
    ///
    /// Attempts that run at once all pass a `peek` before the first of them is charged. Where that matters, use
    /// [`Quotas::check_and_charge`] before the attempt and [`Quotas::reset`] after one that succeeded.
    ///
    /// # Errors
    /// As of [`Quotas::check_and_charge`].
    pub fn charge_failure(&self, key: &str, limits: &[Limit]) -> Result<Decision> {
        self.charge(key, limits, Charge::Failure(1))
    }

    /// Whether a charge of 1 would go through now. Charges nothing.
    ///
    /// # Errors
    /// As of [`Quotas::check_and_charge`]; allowed inside a transaction of a vault in a file.
    pub fn peek(&self, key: &str, limits: &[Limit]) -> Result<Decision> {
        check(key, limits)?;
        let now = self.engine.clock_ms();
        let found = self.engine.read(|conn, state| {
            let Some(mac) = state.ring.index(conn, self.tenant(), &IndexPlace::Quota)? else {
                return Ok(None);
            };
            let Some((row, _)) = get_one(conn, state, TARGET, IdRef::Text(&name(&mac, key)))?
            else {
                return Ok(None);
            };
            decoded(row.get(0, column::USED + 1)).map(Some)
        });
        let mut usage = match found {
            Ok(usage) => usage.unwrap_or_else(|| Usage::new(now)),
            // Nothing has ever been charged.
            Err(error) if error.kind() == ErrorKind::NotFound => Usage::new(now),
            Err(error) => return Err(error),
        };
        let stepped_back = usage.advance(now);
        if stepped_back && !self.engine.pool.writes_here() {
            return self.charge(key, limits, Charge::Peek);
        }
        Ok(usage.charge(limits, Charge::Peek).0)
    }

    /// Forgets what the key has used; false where there was nothing.
    ///
    /// # Errors
    /// `refused` inside a transaction; `authentication_failed` where the row was edited from outside.
    pub fn reset(&self, key: &str) -> Result<bool> {
        self.check_alone()?;
        Session::run(&self.engine, |session| {
            let state = session.state();
            if state.table(TABLE).is_err() {
                return Ok(false);
            }
            match state.ring.index(session.conn(), self.tenant(), &IndexPlace::Quota)? {
                Some(mac) => delete(session, TARGET, IdRef::Text(&name(&mac, key))),
                None => Ok(false),
            }
        })
    }

    /// Removes every row in which nothing counts any more, of every tenant, in short transactions; how many. Charges do
    /// so by and by; this is for a job at night.
    pub fn sweep(&self) -> Result<u64> {
        self.check_alone()?;
        let mut removed = 0;
        loop {
            let session = Session::begin_light(&self.engine)?;
            if session.state().table(TABLE).is_err() {
                return Ok(removed);
            }
            let now = session.clock_ms();
            let batch = remove_expired(&session, now, REMOVED_BY_A_SWEEP)?;
            session.commit()?;
            removed += batch as u64;
            if batch == 0 {
                return Ok(removed);
            }
        }
    }

    fn charge(&self, key: &str, limits: &[Limit], charge: Charge) -> Result<Decision> {
        check(key, limits)?;
        self.check_alone()?;
        let session = Session::begin_light(&self.engine)?;
        let Some((mac, mac_key)) = self.mac(&session)? else {
            drop(session);
            self.prepare()?;
            return self.charge(key, limits, charge);
        };
        let id = name(&mac, key);
        let writer = Writer::new(&session, TARGET)?;
        let current = writer.current(IdRef::Text(&id))?;
        // Read under the lock: no other process can have written a later time meanwhile.
        let now = session.clock_ms();
        let mut usage = match &current {
            Some(current) => decoded(current.get(column::USED))?,
            None => Usage::new(now),
        };
        let stepped_back = usage.advance(now);
        let (decision, charged) = usage.charge(limits, charge);
        if let (Charge::Whole(_), false) = (charge, decision.allowed) {
            self.engine.counters.add(Counter::QuotaRefused, 1);
        }
        if !charged && !stepped_back {
            session.roll_back()?;
            return Ok(decision);
        }
        if usage.windows.len() > super::usage::MAX_WINDOWS {
            fail!(Limit, "a key has too many different windows: give the same limits each time");
        }
        let expires = removable(&usage);
        let used = usage.encode();
        let used = (column::USED, ValueRef::Blob(&used));
        match &current {
            None => {
                let values = [ValueRef::Integer(expires), used.1, ValueRef::from(mac_key)];
                writer.insert(Some(IdRef::Text(&id)), &values)?;
            }
            Some(current) if current.get(column::EXPIRES) == ValueRef::Integer(expires) => {
                writer.rewrite(IdRef::Text(&id), current, &[used], None)?;
            }
            Some(current) => {
                let changes = [(column::EXPIRES, ValueRef::Integer(expires)), used];
                writer.rewrite(IdRef::Text(&id), current, &changes, None)?;
            }
        }
        drop(writer);
        remove_expired(&session, now, REMOVED_BY_A_CHARGE)?;
        session.commit()?;
        self.engine.counters.add(Counter::QuotaCharged, u64::from(charged));
        Ok(decision)
    }

    /// The key of the MACs, and the id of the key that it is of; `None` where the table or the key has still to be made.
    fn mac(&self, session: &Session) -> Result<Option<(Arc<MacKey>, u32)>> {
        let state = session.state();
        if state.table(TABLE).is_err() {
            return Ok(None);
        }
        let (conn, owner) = (session.conn(), Owner::of(Purpose::Lookup, self.tenant()));
        let mac = state.ring.index(conn, self.tenant(), &IndexPlace::Quota)?;
        Ok(mac.zip(state.ring.active(conn, owner)?.map(|key| key.id())))
    }

    /// Makes the table and the tenant's index key: in a transaction of the usual durability.
    fn prepare(&self) -> Result<()> {
        Session::run(&self.engine, |session| {
            define::define_internal(session, &definition())?;
            let state = session.state();
            if state.ring.index(session.conn(), self.tenant(), &IndexPlace::Quota)?.is_none() {
                session.create_key(Owner::of(Purpose::Lookup, self.tenant()))?;
            }
            Ok(())
        })
    }

    fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    fn check_alone(&self) -> Result<()> {
        if self.engine.pool.writes_here() {
            fail!(
                Refused,
                "a charge is a transaction of its own, so that it stands where the work is rolled back: end this \
                 thread's transaction first"
            );
        }
        Ok(())
    }
}

impl std::fmt::Debug for Quotas {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Quotas")
    }
}

fn check(key: &str, limits: &[Limit]) -> Result<()> {
    if key.is_empty() {
        fail!(InvalidInput, "a quota has a key: an empty one would be shared by all who have none");
    }
    if limits.is_empty() {
        fail!(InvalidInput, "a quota has at least one limit");
    }
    if limits.len() > MAX_LIMITS {
        fail!(Limit, "a charge takes at most {MAX_LIMITS} limits");
    }
    Ok(())
}

/// The row of a key: the first 16 bytes of HMAC-SHA-256 of it, in base64url.
fn name(mac: &MacKey, key: &str) -> String {
    let mac = mac.mac(&[key.as_bytes()]);
    Base64UrlUnpadded::encode_string(mac.get(..MAC_LEN).unwrap_or(&mac))
}

fn decoded(used: ValueRef<'_>) -> Result<Usage> {
    let usage = used.as_bytes().and_then(Usage::decode);
    usage.ok_or_else(|| err!(Corrupt, "a quota's row opens and does not read"))
}

/// From when on the row may be removed.
fn removable(usage: &Usage) -> i64 {
    let longest = usage.windows.iter().map(|window| window.span).max().unwrap_or(0);
    let grain = (longest / REMOVAL_PARTS).max(1_000);
    usage.expires().saturating_add(grain - 1) / grain * grain
}

/// Removes rows in which nothing counts any more. One that does not open is left for `verify` to report: it must not
/// stop others from charging.
fn remove_expired(session: &Session, now: i64, limit: usize) -> Result<usize> {
    let mut removed = 0;
    for (_, id) in due(session.conn(), &session.state(), TABLE, "expires", now, limit)? {
        match delete(session, TARGET, id.as_ref()) {
            Ok(gone) => removed += usize::from(gone),
            Err(error) if error.kind() == ErrorKind::AuthenticationFailed => {}
            Err(error) => return Err(error),
        }
    }
    Ok(removed)
}
