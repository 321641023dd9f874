//! The internal table of erasures: what is under way, and what has been done. One row for each subject or tenant.

use base64ct::{Base64UrlUnpadded, Encoding};

use super::Whom;
use super::receipt::{Erasure, ErasureReceipt};
use crate::error::{Result, err};
use crate::keys::ring::{IndexPlace, Owner, Purpose};
use crate::table::engine::Engine;
use crate::table::session::Session;
use crate::table::{Column, Index, Row, TableDefinition, Target, define, find, get_one, put_row};
use crate::value::{IdRef, ValueRef};

const TABLE: &str = "sealite_erasures";
const TARGET: Target<'static> = Target { name: TABLE, tenant: None };
/// The bytes of a MAC that are kept.
const MAC_LEN: usize = 16;
/// Erasures under way that are expected; the index is SQLite's own.
const EXPECTED_DISTINCT: u64 = 2;

/// The row's key is a MAC of whom it is about; only whether it is under way is readable.
fn definition() -> TableDefinition {
    let sealed = |column: Column| column.sealed().not_null();
    TableDefinition::new(TABLE)
        .text_key("mac")
        .column(
            Column::boolean("running")
                .authenticated()
                .not_null()
                .index(Index::lookup(EXPECTED_DISTINCT)),
        )
        .column(Column::text("tenant").sealed())
        .column(Column::text("subject").sealed())
        .column(sealed(Column::integer("at")))
        .column(sealed(Column::integer("rows")))
        .column(sealed(Column::integer("internal")))
        .column(sealed(Column::integer("keys")))
        .column(sealed(Column::integer("audit")))
}

/// An erasure, as far as it has come.
pub(super) struct Job {
    id: String,
    pub(super) is_running: bool,
    pub(super) receipt: ErasureReceipt,
}

impl Job {
    /// The job of that erasure, begun here where it is new.
    pub(super) fn of(session: &Session, whom: Whom<'_>) -> Result<Self> {
        define::define_internal(session, &definition())?;
        let place = IndexPlace::Receipt;
        if session.state().ring.index(session.conn(), None, &place)?.is_none() {
            session.create_key(Owner::of(Purpose::Lookup, None))?;
        }
        let (state, conn) = (session.state(), session.conn());
        let key = state.ring.index(conn, None, &place)?;
        let key = key.ok_or_else(|| err!(Internal, "a key just made is not there"))?;
        let id = name(&key, whom);
        if let Some((set, _)) = get_one(conn, &state, TARGET, IdRef::Text(&id))?
            && let Some(row) = set.into_rows().pop()
        {
            return Self::read(session, &row);
        }
        let receipt = ErasureReceipt {
            tenant: whom.tenant.map(str::to_owned),
            subject: whom.subject.map(str::to_owned),
            at: 0,
            rows: 0,
            internal: 0,
            keys: 0,
            audit_seq: 0,
            text: String::new(),
            erasure: Erasure::Pending,
        };
        Ok(Job { id, is_running: true, receipt })
    }

    fn read(session: &Session, row: &Row) -> Result<Self> {
        let damaged = || err!(Corrupt, "the row of an erasure opens and does not read");
        let word = |name: &str| Ok::<_, crate::Error>(row.get(name)?.as_str().map(str::to_owned));
        let number = |name: &str| row.get(name)?.as_i64().ok_or_else(damaged);
        let count = |name: &str| u64::try_from(number(name)?).map_err(|_| damaged());
        let IdRef::Text(id) = row.id() else { return Err(damaged()) };
        let mut receipt = ErasureReceipt {
            tenant: word("tenant")?,
            subject: word("subject")?,
            at: number("at")?,
            rows: count("rows")?,
            internal: count("internal")?,
            keys: count("keys")?,
            audit_seq: number("audit")?,
            text: String::new(),
            erasure: Erasure::of(session.conn())?,
        };
        let is_running = row.get("running")?.as_bool().ok_or_else(damaged)?;
        if !is_running {
            receipt.seal(session.conn(), &session.state())?;
        }
        Ok(Job { id: id.to_owned(), is_running, receipt })
    }

    /// Writes how far it has come.
    pub(super) fn save(&self, session: &Session) -> Result<()> {
        let number = |count: u64| ValueRef::Integer(i64::try_from(count).unwrap_or(i64::MAX));
        let ErasureReceipt { tenant, subject, at, rows, internal, keys, audit_seq, .. } =
            &self.receipt;
        let values = [
            ValueRef::Boolean(self.is_running),
            ValueRef::from(tenant.as_deref()),
            ValueRef::from(subject.as_deref()),
            ValueRef::Integer(*at),
            number(*rows),
            number(*internal),
            number(*keys),
            ValueRef::Integer(*audit_seq),
        ];
        put_row(session, TARGET, IdRef::Text(&self.id), &values)
    }
}

/// Whom the erasures that are under way are about: tenant and subject.
pub(super) fn running(engine: &Engine) -> Result<Vec<(Option<String>, Option<String>)>> {
    if engine.state()?.table(TABLE).is_err() {
        return Ok(Vec::new());
    }
    let set =
        engine.read(|conn, state| find(conn, state, TARGET, "running", ValueRef::Boolean(true)))?;
    let whom = |row: Row| {
        let word = |name: &str| Ok::<_, crate::Error>(row.get(name)?.as_str().map(str::to_owned));
        Ok((word("tenant")?, word("subject")?))
    };
    set.into_rows().into_iter().map(whom).collect()
}

/// The MAC of the names, each behind its length and whether it is there.
fn name(key: &crate::crypto::mac::MacKey, whom: Whom<'_>) -> String {
    let head = |name: Option<&str>| match name {
        None => [0; 5],
        Some(name) => {
            let [a, b, c, d] = u32::try_from(name.len()).unwrap_or(u32::MAX).to_be_bytes();
            [1, a, b, c, d]
        }
    };
    let bytes = |name: Option<&'_ str>| name.unwrap_or_default().to_owned();
    let (tenant, subject) = (bytes(whom.tenant), bytes(whom.subject));
    let parts = [
        b"job".as_slice(),
        &head(whom.tenant),
        tenant.as_bytes(),
        &head(whom.subject),
        subject.as_bytes(),
    ];
    let mac = key.mac(&parts);
    Base64UrlUnpadded::encode_string(mac.get(..MAC_LEN).unwrap_or(&mac))
}
