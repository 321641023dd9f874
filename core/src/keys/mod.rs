//! Keyslots, the master key, the key ring, and the one path that seals and opens records.

mod attributes;
mod audit;
pub(crate) mod cache;
mod directory;
mod generations;
mod key;
pub(crate) mod label;
pub(crate) mod lifecycle;
mod list;
pub(crate) mod master;
mod pepper;
mod provider;
pub(crate) mod ring;
mod rows;
pub(crate) mod seal;
pub(crate) mod slots;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;

pub use attributes::{KeyState, Purpose};
pub(crate) use audit::AuditKey;
pub use lifecycle::KeyInfo;
pub(crate) use pepper::{Hashed, Pepper};
pub(crate) use provider::well_known;
pub use provider::{PassphraseCost, Unlock, generate_key};
pub use slots::Slot;

/// The surrogate ids of the engine's own tables, as they stand in associated data. The catalog counts from 256.
pub(crate) mod table_id {
    pub(crate) const SLOTS: u32 = 1;
    pub(crate) const KEYS: u32 = 2;
    pub(crate) const CATALOG: u32 = 3;
    pub(crate) const SEQUENCES: u32 = 4;
    /// No table: the latest time of a write, kept as a high-water mark.
    pub(crate) const CLOCK: u32 = 5;
    pub(crate) const FIRST_DECLARED: u32 = 256;
}

/// Seconds since 1970.
pub(crate) fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |d| i64::try_from(d.as_secs()).unwrap_or(i64::MAX))
}
