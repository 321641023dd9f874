//! Every key that is derived from another, its label and its formula. HKDF is HKDF-SHA-256 (RFC 5869).

use crate::crypto::kdf::hkdf_sha256;
use crate::secret::Secret32;

/// slot key = HKDF(key of 32 bytes, salt of the slot, label)
const SLOT_KEY: &[u8] = b"sealite/v1/slot/key";
/// slot key = HKDF(recovery code of 20 bytes, salt of the slot, label)
const SLOT_RECOVERY: &[u8] = b"sealite/v1/slot/recovery";
/// slot key = HKDF(Argon2id(passphrase, salt of the slot, cost), no salt, label)
const SLOT_PASSPHRASE: &[u8] = b"sealite/v1/slot/passphrase";
/// wrapping key = HKDF(master key, no salt, label || vault id)
const WRAP: &[u8] = b"sealite/v1/wrap";
/// list key = HKDF(master key, no salt, label || vault id)
const KEY_LIST: &[u8] = b"sealite/v1/keys/list";
/// blind-index key = HKDF(index key, no salt, label || table id || index id || generation)
const BLIND_INDEX: &[u8] = b"sealite/v1/blind-index/table";
/// field-index key = HKDF(index key, no salt, label || normaliser || its version || field name)
const FIELD_INDEX: &[u8] = b"sealite/v1/blind-index/field";

/// quota key = HKDF(look-up key, no salt, label)
const QUOTA: &[u8] = b"sealite/v1/quota";

/// token look-up key = HKDF(look-up key, no salt, label)
const TOKEN_LOOKUP: &[u8] = b"sealite/v1/token/look-up";
/// token hash key = HKDF(token key, no salt, label)
const TOKEN_HASH: &[u8] = b"sealite/v1/token/hash";
/// successor key = HKDF(token key, no salt, label)
const TOKEN_SUCCESSOR: &[u8] = b"sealite/v1/token/successor";

/// chain key = HKDF(audit key, no salt, label)
const AUDIT_CHAIN: &[u8] = b"sealite/v1/audit/chain";
/// checkpoint key = HKDF(audit key, no salt, label)
const AUDIT_CHECKPOINT: &[u8] = b"sealite/v1/audit/checkpoint";

/// receipt key = HKDF(look-up key, no salt, label)
const RECEIPT: &[u8] = b"sealite/v1/erasure/receipt";

fn derive(key: &[u8], salt: &[u8], info: &[&[u8]]) -> Secret32 {
    let mut out = Secret32::zeroed();
    hkdf_sha256(key, salt, info, out.expose_mut());
    out
}

pub(super) fn slot_key(key: &[u8; 32], salt: &[u8; 16]) -> Secret32 {
    derive(key, salt, &[SLOT_KEY])
}

pub(super) fn slot_recovery(bits: &[u8; 20], salt: &[u8; 16]) -> Secret32 {
    derive(bits, salt, &[SLOT_RECOVERY])
}

pub(super) fn slot_passphrase(stretched: &[u8; 32]) -> Secret32 {
    derive(stretched, &[], &[SLOT_PASSPHRASE])
}

pub(super) fn wrap(master: &Secret32, vault: &[u8; 16]) -> Secret32 {
    derive(master.expose(), &[], &[WRAP, vault])
}

/// The key of the set hash over the rows of the table of keys.
pub(super) fn key_list(master: &Secret32, vault: &[u8; 16]) -> Secret32 {
    derive(master.expose(), &[], &[KEY_LIST, vault])
}

pub(super) fn blind_index(key: &Secret32, table: u32, index: u32, generation: u16) -> Secret32 {
    let (table, index) = (table.to_be_bytes(), index.to_be_bytes());
    derive(key.expose(), &[], &[BLIND_INDEX, &table, &index, &generation.to_be_bytes()])
}

pub(super) fn field_index(key: &Secret32, field: &str, normaliser: u8, version: u16) -> Secret32 {
    let info = [FIELD_INDEX, &[normaliser], &version.to_be_bytes(), field.as_bytes()];
    derive(key.expose(), &[], &info)
}

/// The key of the MACs that stand for the keys of quotas.
pub(super) fn quota(key: &Secret32) -> Secret32 {
    derive(key.expose(), &[], &[QUOTA])
}

/// The key of the MACs that subjects of tokens, and tokens made elsewhere, are found by.
pub(super) fn token_lookup(key: &Secret32) -> Secret32 {
    derive(key.expose(), &[], &[TOKEN_LOOKUP])
}

/// The key of the MACs of receipts of erasures.
pub(super) fn receipt(key: &Secret32) -> Secret32 {
    derive(key.expose(), &[], &[RECEIPT])
}

/// The key of the hashes of tokens, and the one that successors are derived under.
pub(super) fn token(key: &Secret32) -> (Secret32, Secret32) {
    (derive(key.expose(), &[], &[TOKEN_HASH]), derive(key.expose(), &[], &[TOKEN_SUCCESSOR]))
}

/// The chain key and the checkpoint key.
pub(crate) fn audit(key: &Secret32) -> (Secret32, Secret32) {
    (derive(key.expose(), &[], &[AUDIT_CHAIN]), derive(key.expose(), &[], &[AUDIT_CHECKPOINT]))
}
