//! A checkpoint: a short MACed text that says how far the chain went, to be kept outside the file.

use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};

use super::chain::Link;
use super::keys::Keys;
use crate::crypto::mac::ct_eq;
use crate::error::{ErrorKind, Result, err, fail};
use crate::format::bytes::Reader;

/// What a checkpoint's text begins with; the version is the last character.
const PREFIX: &str = "sealite-audit-1.";
/// Vault id, audit key id, entries, milliseconds, link.
const BODY_LEN: usize = 16 + 4 + 8 + 8 + 32;

/// How far the chain went at one moment. Printed and kept outside, it shows later whether the tail was cut off or an
/// older file was put back.
#[derive(Clone, PartialEq, Eq)]
pub struct Checkpoint {
    pub(super) seq: i64,
    pub(super) at: i64,
    pub(crate) link: Link,
    text: String,
}

impl Checkpoint {
    pub(crate) fn make(keys: &Keys, vault: &[u8; 16], seq: i64, at: i64, link: Link) -> Self {
        let mut bytes = Vec::with_capacity(BODY_LEN + 32);
        bytes.extend_from_slice(vault);
        bytes.extend_from_slice(&keys.id.to_be_bytes());
        bytes.extend_from_slice(&seq.to_be_bytes());
        bytes.extend_from_slice(&at.to_be_bytes());
        bytes.extend_from_slice(&link);
        let mac = keys.checkpoint.mac(&[&bytes]);
        bytes.extend_from_slice(&mac);
        let text = format!("{PREFIX}{}", Base64UrlUnpadded::encode_string(&bytes));
        Checkpoint { seq, at, link, text }
    }

    /// Reads a checkpoint of this vault. `keys` gives those of the audit key that it names.
    pub(crate) fn read(
        vault: &[u8; 16],
        text: &str,
        keys: impl FnOnce(u32) -> Result<Keys>,
    ) -> Result<Self> {
        let text = text.trim();
        let bytes = text.strip_prefix(PREFIX).and_then(|b| Base64UrlUnpadded::decode_vec(b).ok());
        let Some(bytes) = bytes.filter(|bytes| bytes.len() == BODY_LEN + 32) else {
            fail!(InvalidInput, "not the text of a checkpoint");
        };
        let (body, mac) = bytes.split_at(BODY_LEN);
        let foreign = || {
            err!(AuthenticationFailed, "the checkpoint was not made by this vault, or was altered")
        };
        let mut reader = Reader::new(body.get(16..).unwrap_or(&[]));
        let Ok(id) = reader.array().map(|id| u32::from_be_bytes(*id)) else {
            fail!(InvalidInput, "not the text of a checkpoint");
        };
        if !body.starts_with(vault) {
            return Err(foreign());
        }
        let keys = keys(id).map_err(|error| match error.kind() {
            // Of this vault, under an audit key that the file does not have yet.
            ErrorKind::UnknownKey => {
                err!(RolledBack, "the file is older than the checkpoint's audit key")
            }
            ErrorKind::AuthenticationFailed => foreign(),
            _ => error,
        })?;
        if !ct_eq(&keys.checkpoint.mac(&[body]), mac) {
            return Err(foreign());
        }
        let mut number = || reader.array().map(|b| i64::from_be_bytes(*b));
        let (Ok(seq), Ok(at)) = (number(), number()) else {
            fail!(InvalidInput, "not the text of a checkpoint");
        };
        let Ok(link) = reader.array::<32>() else {
            fail!(InvalidInput, "not the text of a checkpoint");
        };
        Ok(Checkpoint { seq, at, link: *link, text: text.to_owned() })
    }

    /// The entries up to here.
    pub fn seq(&self) -> i64 {
        self.seq
    }

    /// When it was made, in milliseconds since 1970.
    pub fn at(&self) -> i64 {
        self.at
    }

    /// The text to keep: 150 characters, no secret.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Checkpoint({})", self.seq)
    }
}
