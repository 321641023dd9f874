//! Sealed tables: their definition and catalog, the codec between rows and records, reading, writing, and changes to
//! the schema.

pub(crate) mod alter;
pub(crate) mod attached;
pub(crate) mod backfill;
pub(crate) mod blind;
pub(crate) mod catalog;
pub(crate) mod clock;
mod codec;
mod conflicts;
mod ddl;
pub(crate) mod define;
pub(crate) mod definition;
mod due;
pub(crate) mod engine;
mod handle;
mod names;
mod places;
mod read;
mod read_session;
mod row;
mod rows;
pub(crate) mod schema;
mod sealer;
pub(crate) mod sequence;
pub(crate) mod session;
mod specification;
pub(crate) mod verify;
mod write;
mod write_plan;

pub use alter::Alteration;
pub(crate) use codec::{Buffers, Opener};
pub use definition::{Column, Index, Protection, TableDefinition};
pub(crate) use due::due;
pub(crate) use handle::Source;
pub use handle::Table;
pub use read::{Cursor, Scan};
pub(crate) use read::{Target, batch, get_one, last_row};
pub(crate) use read_session::ReadSession;
pub use row::Row;
pub(crate) use row::RowSet;
pub(crate) use rows::{delete, discard, put_row, write_row};
pub(crate) use sealer::Sealer;
pub(crate) use sequence::mark_of;
pub(crate) use verify::tenants;
pub use verify::{Fault, Verification};
pub(crate) use write::{Taken, Writer};
