//! Blind indexes: how a value is brought to one form before it is hashed, and how many bits of
//! the hash a look-up index keeps.

pub(crate) mod normalise;
pub(crate) mod planner;
