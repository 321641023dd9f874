//! What the cross-cutting tests share.

pub mod bits;
pub mod disk;
pub mod documents;
pub mod faults;
pub mod freed;
pub mod memory;
pub mod process;
pub mod reexec;
pub mod scale;
pub mod scratch;
pub mod vaults;
pub mod world;
