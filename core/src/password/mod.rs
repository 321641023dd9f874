//! Passwords of the application's users: hashed with Argon2id, verified whatever sane cost they were hashed with, and upgraded
//! when they are. No vault is needed, and none is locked: hashing is slow on purpose, so do it before a transaction, not in one.

mod hasher;
mod stored;
#[cfg(test)]
mod tests;

pub use hasher::{PasswordHasher, PasswordVerdict};

/// True for a hash that [`PasswordHasher`] verifies.
pub(crate) fn is_hash(text: &str) -> bool {
    stored::Stored::parse(text).is_ok()
}
