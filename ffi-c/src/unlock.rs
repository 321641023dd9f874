//! Secrets that unlock.

use std::ffi::{c_char, c_void};

use sealite::{ExposeSecret, PassphraseCost, SecretString, SlotKind, Unlock};

use crate::bytes::{Bytes, sealite_bytes};
use crate::call::{call, free};
use crate::error::sealite_error;
use crate::handles::Kind;
use crate::status::{Failure, sealite_status};

/// A secret that opens one kind of slot. A copy of what it was made from, wiped by sealite_unlock_free(): the caller
/// wipes its own.
pub struct sealite_unlock {
    _opaque: [u8; 0],
}

impl Kind for sealite_unlock {
    type Object = Unlock;
}

/// Takes a 32-byte key, as bytes.
///
/// SEALITE_WEAK_KEY for another length, and for a key that is all one byte, counts up or repeats.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_unlock_key(
    key: *const c_void,
    key_length: usize,
    unlock: *mut *mut sealite_unlock,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; bytes(key, key_length), out(unlock); { unlock.give(Unlock::key(key)?)?; })
}

/// Takes a 32-byte key, as 64 hexadecimal digits, or in base64 or base64url.
///
/// SEALITE_INVALID_INPUT for what is no such text; SEALITE_WEAK_KEY as of sealite_unlock_key().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_unlock_key_text(
    key: *const c_char,
    key_length: usize,
    unlock: *mut *mut sealite_unlock,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; text(key, key_length), out(unlock); { unlock.give(Unlock::key_text(key)?)?; })
}

/// Takes a key by reference: `env:VARIABLE`, `file:/path` (mode 0600 or stricter), `credential:name` (systemd) or
/// `docker:name`. A key itself is refused, so that none ends up in a configuration file.
///
/// SEALITE_NOT_FOUND where there is no such variable, file or credential; SEALITE_INVALID_INPUT for what is no
/// reference; SEALITE_WEAK_KEY as of sealite_unlock_key().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_unlock_reference(
    reference: *const c_char,
    reference_length: usize,
    unlock: *mut *mut sealite_unlock,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; text(reference, reference_length), out(unlock); {
        unlock.give(Unlock::reference(reference)?)?;
    })
}

/// Takes a passphrase of at least 12 characters. It is stretched with Argon2id (RFC 9106) when it is used.
///
/// `memory_kib` (19,456 to 1,048,576), `passes` (2 to 16) and `lanes` (1 to 16) are the cost of a slot that is made with
/// it; all 0 for the default: 65,536, 3 and 4. A slot that is there keeps its own.
///
/// SEALITE_WEAK_KEY for a passphrase that is short, regular or well known; SEALITE_LIMIT for a cost out of range.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_unlock_passphrase(
    passphrase: *const c_char,
    passphrase_length: usize,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    unlock: *mut *mut sealite_unlock,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        text(passphrase, passphrase_length),
        plain(memory_kib), plain(passes), plain(lanes),
        out(unlock);
        {
            let cost = match (memory_kib, passes, lanes) {
                (0, 0, 0) => PassphraseCost::default(),
                _ => PassphraseCost { memory_kib, passes, lanes },
            };
            let passphrase = SecretString::from(passphrase);
            unlock.give(Unlock::passphrase_with(passphrase, cost)?)?;
        }
    )
}

/// Takes a recovery code, as it was shown once. Case, hyphens and spaces do not matter.
///
/// SEALITE_INVALID_INPUT for what is no recovery code.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_unlock_recovery_code(
    code: *const c_char,
    code_length: usize,
    unlock: *mut *mut sealite_unlock,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; text(code, code_length), out(unlock); {
        unlock.give(Unlock::recovery_code(code)?)?;
    })
}

/// Writes to `kind` which kind of slot `unlock` opens, as a text that is ended by a NUL and lives as long as the library:
/// "key", "passphrase" or "recovery", as sealite_vault_slots() has it.
///
/// SEALITE_CLOSED for a handle that was freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_unlock_kind(
    unlock: *const sealite_unlock,
    kind: *mut *const c_char,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(unlock), out(kind); {
        let name = match unlock.kind() {
            SlotKind::Key => c"key",
            SlotKind::Passphrase => c"passphrase",
            SlotKind::Recovery => c"recovery",
            _ => return Err(Failure::internal()),
        };
        kind.set(name.as_ptr());
    })
}

/// Writes the least cost that sealite_unlock_passphrase() and sealite_password_hasher_create() accept, OWASP's minimum, for
/// tests and small machines, to `memory_kib`, `passes` and `lanes`. Each may be NULL.
///
/// SEALITE_INVALID_INPUT for a place that is not aligned.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_passphrase_cost_floor(
    memory_kib: *mut u32,
    passes: *mut u32,
    lanes: *mut u32,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; optional_out(memory_kib), optional_out(passes), optional_out(lanes); {
        let floor = PassphraseCost::floor();
        memory_kib.set(floor.memory_kib);
        passes.set(floor.passes);
        lanes.set(floor.lanes);
    })
}

/// Wipes and frees the secret. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_unlock_free(unlock: *mut sealite_unlock) {
    free(unlock);
}

/// Makes a random 32-byte key and reveals it, as 64 hexadecimal digits, for sealite_unlock_key_text(). The engine never
/// makes a key by itself: this is for a program that sets a vault up. Free it with sealite_bytes_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_key_reveal_new(
    key: *mut *mut sealite_bytes,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; out(key); {
        key.give(Bytes::copy_of(sealite::generate_key()?.expose_secret().as_bytes()))?;
    })
}
