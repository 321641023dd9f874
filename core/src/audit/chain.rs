//! The chain: HMAC-SHA-256 over the link before and everything that an entry says, the sealed part by its digest.

use super::entry::Event;
use crate::crypto::mac::{MacKey, sha256};
use crate::format::context::{put_value, tag};
use crate::keys::label;
use crate::secret::Secret32;
use crate::value::ValueRef;

/// link = HMAC(chain key, label || link before || seq, at, event, tenant, trace id, correlation id, digest, audit key's id,
/// and the id of the subject's key where the entry is sealed under one)
const LINK: &[u8; 16] = b"sealite/audit/1\0";
/// the link before the first entry = HMAC(chain key, label || vault id)
const GENESIS: &[u8; 16] = b"sealite/audit/0\0";
/// digest = SHA-256(salt || actor, subject, payload, each with tag and length)
const DIGEST_COLUMNS: usize = 3;

/// The length of an entry's salt.
pub(crate) const SALT_LEN: usize = 24;

/// 32 bytes that stand for an entry and everything before it.
pub(crate) type Link = [u8; 32];

/// What the chain says of one entry.
pub(crate) struct Said<'a> {
    pub(crate) seq: i64,
    pub(crate) at: i64,
    pub(crate) event: &'a str,
    pub(crate) tenant: Option<&'a str>,
    pub(crate) trace_id: Option<&'a str>,
    pub(crate) correlation_id: Option<&'a str>,
    pub(crate) digest: &'a [u8],
    /// The id of the audit key.
    pub(crate) key: i64,
    /// The key of the subject that the entry is sealed under.
    pub(crate) owner: Option<i64>,
}

pub(crate) fn genesis(key: &MacKey, vault: &[u8; 16]) -> Link {
    key.mac(&[GENESIS, vault])
}

pub(crate) fn link(key: &MacKey, before: &Link, said: &Said<'_>, buffer: &mut Vec<u8>) -> Link {
    buffer.clear();
    for value in [
        ValueRef::Integer(said.seq),
        ValueRef::Integer(said.at),
        ValueRef::Text(said.event),
        ValueRef::from(said.tenant),
        ValueRef::from(said.trace_id),
        ValueRef::from(said.correlation_id),
        ValueRef::Blob(said.digest),
        ValueRef::Integer(said.key),
    ] {
        put_value(buffer, value);
    }
    if let Some(owner) = said.owner {
        put_value(buffer, ValueRef::Integer(owner));
    }
    key.mac(&[LINK, before, buffer])
}

/// The digest of the sealed part: a commitment that tells nothing without the salt, which is sealed beside it. The chain
/// keys it, and so it needs no key of its own.
pub(crate) fn digest<'a>(salt: &[u8; SALT_LEN], sealed: [Option<&'a str>; DIGEST_COLUMNS]) -> Link {
    let [actor, subject, payload] = sealed;
    let text = |value: Option<&'a str>| value.unwrap_or("").as_bytes();
    let (actor_head, subject_head, payload_head) = (head(actor), head(subject), head(payload));
    sha256(&[
        salt,
        &actor_head,
        text(actor),
        &subject_head,
        text(subject),
        &payload_head,
        text(payload),
    ])
}

/// Tag and length of a text or NULL, as [`put_value`] writes them: here nothing is copied that would have to be wiped.
fn head(value: Option<&str>) -> [u8; 5] {
    let Some(text) = value else { return [tag::NULL, 0, 0, 0, 0] };
    // Texts are far shorter: see `Entry::canonical`.
    let [a, b, c, d] = u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes();
    [tag::TEXT, a, b, c, d]
}

impl<'a> Said<'a> {
    pub(crate) fn of(event: &'a Event) -> Self {
        Said {
            seq: event.seq(),
            at: event.at(),
            event: event.event(),
            tenant: event.tenant(),
            trace_id: event.trace_id(),
            correlation_id: event.correlation_id(),
            digest: event.blob("digest"),
            key: event.key(),
            owner: event.owner(),
        }
    }
}

/// True where the digest of what was opened is the one that the chain runs over. Of an erased entry nothing was.
pub(crate) fn digest_fits(event: &Event) -> bool {
    if event.is_erased() {
        return true;
    }
    let Ok(salt) = <&[u8; SALT_LEN]>::try_from(event.blob("salt")) else { return false };
    digest(salt, [event.actor(), event.subject(), event.payload()]).as_slice()
        == event.blob("digest")
}

/// The keys that the audit key gives: of the chain, and of checkpoints.
pub(crate) fn keys(audit_key: &Secret32) -> (MacKey, MacKey) {
    let (chain, checkpoint) = label::audit(audit_key);
    (MacKey::new(chain.expose()), MacKey::new(checkpoint.expose()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_is_the_hash_of_salt_and_encoded_values() {
        let salt = [7; SALT_LEN];
        for sealed in [
            [None, None, None],
            [Some("ada"), None, Some("{}")],
            [Some(""), Some("grace"), None],
            [None, Some("x"), Some("[1,2,3]")],
        ] {
            let mut encoded = salt.to_vec();
            for value in sealed {
                put_value(&mut encoded, ValueRef::from(value));
            }
            assert_eq!(digest(&salt, sealed), sha256(&[&encoded]));
        }
        assert_ne!(digest(&salt, [Some(""), None, None]), digest(&salt, [None; 3]));
    }
}
