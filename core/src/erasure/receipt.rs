//! What says that something was erased: a text with a MAC, to be kept outside.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Value as Json, json};

use crate::crypto::mac::ct_eq;
use crate::db::Conn;
use crate::error::{Result, err, fail};
use crate::keys::ring::IndexPlace;
use crate::table::engine::{Engine, State, read_meta};

/// What a receipt's text begins with; the version stands before the dot.
const PREFIX: &str = "sealite-erasure-1.";

/// Whether remnants of what was removed have been overwritten.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use = "pending erasure is finished by Vault::finish_erasure"]
pub enum Erasure {
    /// Nothing is left of what was erased, sealed or replaced by the engine's own work, in the file, its free pages or its log.
    Complete,
    /// A reader held the log back, or another process wrote. Call [`crate::Vault::finish_erasure`] later.
    Pending,
}

impl Erasure {
    /// The name: `complete` or `pending`.
    pub fn name(self) -> &'static str {
        match self {
            Erasure::Complete => "complete",
            Erasure::Pending => "pending",
        }
    }

    /// What the file says.
    pub(crate) fn of(conn: &Conn) -> Result<Self> {
        let pending = read_meta(conn)?.map_or(0, |meta| meta.erasure_pending);
        Ok(if pending == 0 { Erasure::Complete } else { Erasure::Pending })
    }
}

/// What an erasure has destroyed, and when. Its text is for keeping outside: [`crate::Vault::verify_receipt`] tells later
/// whether the vault has written it.
#[derive(Clone, PartialEq, Eq)]
pub struct ErasureReceipt {
    pub(super) tenant: Option<String>,
    pub(super) subject: Option<String>,
    pub(super) at: i64,
    pub(super) rows: u64,
    pub(super) internal: u64,
    pub(super) keys: u64,
    pub(super) audit_seq: i64,
    pub(super) text: String,
    pub(super) erasure: Erasure,
}

impl ErasureReceipt {
    /// The tenant; none for a subject of the vault itself.
    pub fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    /// The subject; none where the tenant was erased as a whole.
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// When the keys were destroyed, in milliseconds since 1970.
    pub fn at(&self) -> i64 {
        self.at
    }

    /// Rows deleted from the application's tables.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Rows deleted from the engine's own: tokens, approvals, settings, quotas.
    pub fn internal(&self) -> u64 {
        self.internal
    }

    /// Keys destroyed.
    pub fn keys(&self) -> u64 {
        self.keys
    }

    /// The place of the erasure's entry in the audit trail.
    pub fn audit_seq(&self) -> i64 {
        self.audit_seq
    }

    /// Whether what was removed has been overwritten in the file and its log by now. This is of the moment of the call, and
    /// does not stand in the text.
    pub fn erasure(&self) -> Erasure {
        self.erasure
    }

    /// The text to keep: some 250 characters, no secret but the names of tenant and subject.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The same, with what holds now.
    pub(crate) fn with_erasure(mut self, erasure: Erasure) -> Self {
        self.erasure = erasure;
        self
    }

    /// Writes the text.
    pub(super) fn seal(&mut self, conn: &Conn, state: &State) -> Result<()> {
        let body = json!({
            "vault": base16ct::lower::encode_string(state.ring.vault()),
            "tenant": self.tenant,
            "subject": self.subject,
            "at": self.at,
            "rows": self.rows,
            "internal": self.internal,
            "keys": self.keys,
            "audit": self.audit_seq,
        });
        let signed =
            format!("{PREFIX}{}", Base64UrlUnpadded::encode_string(body.to_string().as_bytes()));
        let mac = mac(conn, state, &signed)?
            .ok_or_else(|| err!(Internal, "a receipt without its key"))?;
        self.text = format!("{signed}.{}", Base64UrlUnpadded::encode_string(&mac));
        Ok(())
    }
}

impl std::fmt::Debug for ErasureReceipt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let what = if self.subject.is_some() { "subject" } else { "tenant" };
        write!(f, "ErasureReceipt({what}, {} rows, {} keys)", self.rows, self.keys)
    }
}

fn mac(conn: &Conn, state: &State, signed: &str) -> Result<Option<[u8; 32]>> {
    let key = state.ring.index(conn, None, &IndexPlace::Receipt)?;
    Ok(key.map(|key| key.mac(&[signed.as_bytes()])))
}

/// Reads a receipt of this vault.
pub(crate) fn verify(engine: &Engine, text: &str) -> Result<ErasureReceipt> {
    let text = text.trim();
    let parts = text.rsplit_once('.').filter(|_| text.starts_with(PREFIX));
    let decoded = parts.and_then(|(signed, mac)| {
        let body = Base64UrlUnpadded::decode_vec(signed.strip_prefix(PREFIX)?).ok()?;
        Some((signed, body, Base64UrlUnpadded::decode_vec(mac).ok()?))
    });
    let Some((signed, body, stated)) = decoded else {
        fail!(InvalidInput, "not the text of a receipt of an erasure");
    };
    engine.read(|conn, state| {
        if !mac(conn, state, signed)?.is_some_and(|mac| ct_eq(&mac, &stated)) {
            fail!(AuthenticationFailed, "the receipt was not made by this vault, or was altered");
        }
        let body: Json = serde_json::from_slice(&body)
            .map_err(|_| err!(NewerFormat, "a receipt that this version can't read"))?;
        let word = |name: &str| body.get(name).and_then(Json::as_str).map(str::to_owned);
        let count = |name: &str| body.get(name).and_then(Json::as_u64).unwrap_or_default();
        let number = |name: &str| body.get(name).and_then(Json::as_i64).unwrap_or_default();
        Ok(ErasureReceipt {
            tenant: word("tenant"),
            subject: word("subject"),
            at: number("at"),
            rows: count("rows"),
            internal: count("internal"),
            keys: count("keys"),
            audit_seq: number("audit"),
            text: text.to_owned(),
            erasure: Erasure::of(conn)?,
        })
    })
}
