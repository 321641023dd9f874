//! Tokens made elsewhere: imported by their hash, and given the keyed hash of their text when they are first used.

use super::handle::Tokens;
use super::issue::{NewToken, Secret};
use super::issued::id_text;
use super::kind::TokenKind;
use super::legacy::LegacyEntry;
use super::presented::foreign_id;
use super::request::check_text;
use super::store::Store;
use crate::error::{Result, err, fail};
use crate::keys::Hashed;

/// The last use of such a token is written down every minute at most.
const TOUCH_MS: i64 = 60_000;

/// What an import has done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct LegacyImport {
    /// Tokens that are new here.
    pub imported: u64,
    /// Tokens that were here already, and stay as they are.
    pub known: u64,
}

impl Tokens<'_> {
    /// Imports tokens that were made elsewhere, all or none. They keep their text. What is stored is a keyed hash of the
    /// hash that they come with, never that itself; with its first use a token gets the keyed hash of its text.
    ///
    /// Importing again changes nothing: a token that is here already stays as it is, revoked or not. Audited as
    /// `token.imported`, one entry a token.
    ///
    /// # Errors
    /// `invalid_input` for a subject or label that no token may have, and for a short code, which [`Tokens::issue_code`]
    /// makes.
    pub fn import(&self, entries: &[LegacyEntry]) -> Result<LegacyImport> {
        for entry in entries {
            check_text("a subject", entry.subject.as_deref())?;
            check_text("a label", entry.label.as_deref())?;
            if entry.kind == TokenKind::ShortCode {
                fail!(InvalidInput, "a short code is made by issue_code");
            }
        }
        self.write(|store| {
            store.prepare()?;
            let mut done = LegacyImport { imported: 0, known: 0 };
            for entry in entries {
                if import_one(store, entry)? {
                    done.imported += 1;
                } else {
                    done.known += 1;
                }
            }
            Ok(done)
        })
    }
}

/// False where the token is here already.
fn import_one(store: Store<'_>, entry: &LegacyEntry) -> Result<bool> {
    let id = store.view(|view| {
        foreign_id(view.conn, &view.state.ring, view.tenant, &entry.hash)?
            .ok_or_else(|| err!(Internal, "a look-up key just made is not there"))
    })?;
    if store.view(|view| view.get(&id_text(&id)))?.is_some() {
        return Ok(false);
    }
    let now = store.view(|view| view.now())?;
    let new = NewToken {
        kind: entry.kind,
        subject: entry.subject.as_deref(),
        label: entry.label.as_deref(),
        enabled: entry.enabled,
        created_at: entry.created_at.unwrap_or(now),
        uses_left: entry.kind.default_uses(),
        touch_ms: TOUCH_MS,
        ..NewToken::default()
    };
    let token = new.write(store, &id, Secret::Hashed(Hashed::Digest(&entry.hash)))?;
    store.note("token.imported", &token, [])?;
    Ok(true)
}
