//! The shapes of files in which tokens were kept. Each entry is read strictly: a field that is not known might be the one that
//! says that a token no longer holds.

use std::collections::HashMap;

use zeroize::Zeroizing;

use super::json::{self, Fault, Json};
use super::{LegacyEntry, created, parse_hash};
use crate::crypto::mac::sha256;
use crate::error::{Error, Result, err, fail};
use crate::token::TokenKind;

/// The longest file, in bytes.
const MAX_FILE: usize = 16 << 20;
/// The longest id or name, in bytes.
const MAX_NAME: usize = 256;
/// The shortest token that is taken for one where it is the name of an entry.
const MIN_TOKEN: usize = 6;

/// Whose tokens a file has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    Admin,
    User,
}

pub(super) fn read(text: &str, owner: Owner) -> Result<Vec<LegacyEntry>> {
    if text.len() > MAX_FILE {
        fail!(Limit, "a file of tokens has at most 16 MiB");
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let entries = match json::read(text) {
        Ok(json) => entries(json, owner)?,
        Err(Fault::Torn) => {
            fail!(Corrupt, "the file of tokens is torn: not one complete JSON text")
        }
        Err(Fault::Ambiguous) => {
            fail!(InvalidInput, "the file of tokens has a name twice in one object")
        }
    };
    without_repetitions(entries)
}

fn entries(json: Json, owner: Owner) -> Result<Vec<LegacyEntry>> {
    match json {
        Json::List(list) => of_list(list, owner),
        Json::Object(mut members) => {
            match members.iter().position(|(name, _)| *name.as_str() == *WRAPPER) {
                None => of_object(members, owner),
                Some(at) => match members.swap_remove(at) {
                    (_, Json::List(list)) if members.is_empty() => of_list(list, owner),
                    _ => fail!(InvalidInput, "a list of tokens stands alone under its name"),
                },
            }
        }
        _ => fail!(InvalidInput, "a file of tokens is a JSON object or list"),
    }
}

/// The name of the list, where there is one around it.
const WRAPPER: &str = "tokens";

fn of_list(list: Vec<Json>, owner: Owner) -> Result<Vec<LegacyEntry>> {
    let entry = |(at, item)| match item {
        Json::Object(members) => {
            let mut fields = Fields::read(members).ok_or_else(|| unknown(at))?;
            let id = fields.id.take().ok_or_else(|| unknown(at))?;
            fields.entry(Some(id), owner).ok_or_else(|| unknown(at))
        }
        _ => Err(unknown(at)),
    };
    list.into_iter().enumerate().map(entry).collect()
}

fn of_object(members: Vec<(Zeroizing<String>, Json)>, owner: Owner) -> Result<Vec<LegacyEntry>> {
    let entry = |(at, (name, value)): (usize, (Zeroizing<String>, Json))| {
        let fields = match value {
            Json::Text(hash) => {
                parse_hash(&hash).map(|hash| Fields { hash: Some(hash), ..Fields::default() })
            }
            // The name is the id.
            Json::Object(members) => Fields::read(members).filter(|fields| fields.id.is_none()),
            _ => None,
        };
        let fields = fields.ok_or_else(|| unknown(at))?;
        let read = if fields.hash.is_some() {
            fields.entry(Some(name), owner)
        } else {
            fields.keyed_by_token(&name, owner)
        };
        read.ok_or_else(|| unknown(at))
    };
    members.into_iter().enumerate().map(entry).collect()
}

fn unknown(at: usize) -> Error {
    err!(InvalidInput, "entry {} of the file of tokens has a form that is not known", at + 1)
}

/// The fields that an entry may have.
#[derive(Default)]
struct Fields {
    id: Option<Zeroizing<String>>,
    name: Option<Zeroizing<String>>,
    hash: Option<[u8; 32]>,
    enabled: Option<bool>,
    break_glass: Option<bool>,
    created_at: Option<i64>,
}

impl Fields {
    fn read(members: Vec<(Zeroizing<String>, Json)>) -> Option<Self> {
        let mut fields = Fields::default();
        for (name, value) in members {
            match (name.as_str(), value) {
                ("id", Json::Text(id)) => fields.id = Some(id),
                ("name", Json::Text(name)) => fields.name = Some(name),
                ("hash", Json::Text(hash)) => fields.hash = Some(parse_hash(&hash)?),
                ("enabled", Json::Boolean(enabled)) => fields.enabled = Some(enabled),
                ("breakglass", Json::Boolean(armed)) => fields.break_glass = Some(armed),
                ("created", Json::Number(at)) => fields.created_at = Some(created::from_epoch(at)?),
                ("created", Json::Text(at)) => fields.created_at = Some(created::from_iso(&at)?),
                // What sort of user: it decides nothing.
                ("type", Json::Text(_)) | ("name" | "created" | "type", Json::Null) => {}
                _ => return None,
            }
        }
        Some(fields)
    }

    /// An entry with its hash.
    fn entry(self, id: Option<Zeroizing<String>>, owner: Owner) -> Option<LegacyEntry> {
        let kind = match (owner, self.break_glass.unwrap_or(false)) {
            (Owner::Admin, true) => TokenKind::BreakGlass,
            (Owner::Admin, false) => TokenKind::Admin,
            (Owner::User, false) => TokenKind::User,
            (Owner::User, true) => return None,
        };
        let mut entry = LegacyEntry::new(kind, self.hash?);
        entry.enabled = self.enabled.unwrap_or(true);
        entry.created_at = self.created_at;
        // The store that was keyed by the tokens was once turned into a list, with the token as id and within the name.
        let token = id.as_ref().filter(|id| sha256(&[id.as_bytes()]) == entry.hash);
        entry.label = self
            .name
            .filter(|name| token.is_none_or(|token| !name.contains(token.as_str())))
            .map(|name| name.to_string());
        if token.is_none() {
            entry.subject = id.map(|id| id.to_string());
            entry.label = entry.label.or_else(|| entry.subject.clone());
        }
        let sound = |text: &String| {
            (1..=MAX_NAME).contains(&text.len()) && !text.contains(char::is_control)
        };
        let names = entry.subject.iter().chain(&entry.label);
        names.into_iter().all(sound).then_some(entry)
    }

    /// An entry without a hash, whose name is the token. An id is known to others: that of an entry that has lost its hash must
    /// not become a token.
    fn keyed_by_token(mut self, token: &str, owner: Owner) -> Option<LegacyEntry> {
        if owner != Owner::User || token.len() < MIN_TOKEN || token.starts_with(USER_ID) {
            return None;
        }
        self.hash = Some(LegacyEntry::from_token(TokenKind::User, token).ok()?.hash);
        self.entry(Some(Zeroizing::new(token.to_owned())), owner)
    }
}

/// How the ids of users begin.
const USER_ID: &str = "user_";

/// One entry for each token; two that say the same are one.
fn without_repetitions(entries: Vec<LegacyEntry>) -> Result<Vec<LegacyEntry>> {
    let mut first = HashMap::new();
    let mut kept: Vec<LegacyEntry> = Vec::with_capacity(entries.len());
    for (at, entry) in entries.into_iter().enumerate() {
        match first.get(&entry.hash).and_then(|position: &usize| kept.get(*position)) {
            Some(before) if *before == entry => {}
            Some(_) => fail!(
                InvalidInput,
                "entry {} of the file of tokens says otherwise than an earlier one of the same token",
                at + 1
            ),
            None => {
                first.insert(entry.hash, kept.len());
                kept.push(entry);
            }
        }
    }
    Ok(kept)
}
