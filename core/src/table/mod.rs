//! Sealed tables: their definition and catalog, the codec between rows and records, reading, writing, and changes to
//! the schema.

pub(crate) mod alter;
pub(crate) mod backfill;
pub(crate) mod blind;
pub(crate) mod catalog;
mod codec;
mod ddl;
pub(crate) mod define;
pub(crate) mod definition;
pub(crate) mod engine;
mod handle;
mod names;
mod read;
mod row;
pub(crate) mod schema;
pub(crate) mod sequence;
pub(crate) mod session;
mod specification;
pub(crate) mod verify;
mod write;

pub use alter::Alteration;
pub use definition::{Column, Index, Protection, TableDefinition};
pub use handle::Table;
pub(crate) use handle::{ReadSession, Source};
pub use read::{Cursor, Scan};
pub use row::Row;
pub use verify::{Fault, Verification};
