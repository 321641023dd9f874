//! Tokens: the verification of a session, and of what only looks like one.

use std::path::Path;

use rusqlite::Connection;
use sealite::{ExposeSecret, TokenKind, TokenRequest, Vault};

use super::{Measured, Options, Unit};
use crate::Outcome;
use crate::measure::{Stopwatch, interleave};
use crate::plain::set_up;
use crate::sealed::fresh_key;

/// Sessions that take turns.
const SESSIONS: usize = 1_000;
/// Verifications a measurement.
const CALLS: usize = 20_000;

/// Measures both.
pub(super) fn measure(
    options: &Options,
    work: &Path,
    note: &mut dyn FnMut(Measured) -> Outcome<()>,
) -> Outcome<()> {
    let work = work.join("tokens");
    std::fs::create_dir(&work)?;
    let vault = Vault::create(work.join("sealed.db"), &fresh_key()?)?;
    let plain = Connection::open(work.join("plain.db"))?;
    set_up(&plain, "FULL")?;
    plain.execute_batch(
        "CREATE TABLE sessions (id TEXT PRIMARY KEY, kind TEXT, subject TEXT, scopes TEXT, enabled INTEGER,
                                created_at INTEGER, expires_at INTEGER, last_used_at INTEGER, hash BLOB)",
    )?;
    let mut texts = Vec::with_capacity(SESSIONS);
    let mut ids = Vec::with_capacity(SESSIONS);
    for number in 0..SESSIONS {
        let request =
            TokenRequest::new(TokenKind::Session).subject(format!("user-{number}")).scope("read");
        let issued = vault.tokens().issue(&request)?;
        let (id, at) = (issued.token.id().to_owned(), issued.token.created_at());
        plain.execute(
            "INSERT INTO sessions VALUES (?, 'session', ?, 'read', 1, ?, ?, ?, randomblob(32))",
            (&id, issued.token.subject(), at, issued.token.expires_at(), at),
        )?;
        ids.push(id);
        texts.push(issued.text.expose_secret().to_owned());
    }
    let verify = |texts: &[String], holds: bool| {
        let watch = Stopwatch::start();
        let tokens = vault.tokens();
        for text in texts.iter().cycle().take(CALLS) {
            if tokens.verify(text, TokenKind::Session).is_ok() != holds {
                return Err("a session was not what it should be".into());
            }
        }
        Ok(watch.spent())
    };
    // The last use of each is written with its first verification, once a minute: before anything is measured.
    verify(&texts, true)?;
    let mut select = plain.prepare(
        "SELECT kind, subject, scopes, enabled, created_at, expires_at, last_used_at, hash FROM sessions WHERE id = ?",
    )?;
    let mut select = || {
        let watch = Stopwatch::start();
        for id in ids.iter().cycle().take(CALLS) {
            let read = |row: &rusqlite::Row<'_>| {
                let kind: String = row.get(0)?;
                let subject: String = row.get(1)?;
                let scopes: String = row.get(2)?;
                let enabled: bool = row.get(3)?;
                let times: [i64; 3] = [row.get(4)?, row.get(5)?, row.get(6)?];
                let hash: Vec<u8> = row.get(7)?;
                Ok((kind, subject, scopes, enabled, times, hash))
            };
            let session = select.query_row([id], read)?;
            if std::hint::black_box(session).5.len() != 32 {
                return Err("no such session".into());
            }
        }
        Ok(watch.spent())
    };
    let compared = interleave(options.pairs, &mut select, || verify(&texts, true))?;
    note(Measured {
        name: "token_verify_vs_select",
        what: format!(
            "verify of a session token with a subject and a scope, {SESSIONS} in turn, against a prepared SELECT of a \
             plain session by the same id, all columns into owned values"
        ),
        comparison: compared.each(CALLS),
        unit: Unit::Time,
    })?;
    let bogus = bogus()?;
    let compared = interleave(options.pairs, || verify(&texts, true), || verify(&bogus, false))?;
    note(Measured {
        name: "token_bogus_vs_good",
        what: "verify of what costs the most of what is no token, well-formed texts of tokens that nobody has, against \
               that of a good one"
            .into(),
        comparison: compared.each(CALLS),
        unit: Unit::Time,
    })?;
    vault.close();
    Ok(())
}

/// Good texts of another vault.
fn bogus() -> Outcome<Vec<String>> {
    let other = Vault::in_memory()?;
    let mut texts = Vec::with_capacity(SESSIONS);
    for _ in 0..SESSIONS {
        let issued = other.tokens().issue(&TokenRequest::new(TokenKind::Session))?;
        texts.push(issued.text.expose_secret().to_owned());
    }
    Ok(texts)
}
