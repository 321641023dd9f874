//! SQLite: opening and pragmas, the connection pool, statements, transactions. The only module that names `rusqlite`.

// An extension has no authorizer.
#[cfg_attr(feature = "loadable", allow(dead_code))]
mod authority;
mod conn;
mod copy;
mod error;
mod files;
mod gate;
mod kept;
mod library;
mod open;
mod pool;
mod pragma;
mod raw;
pub(crate) mod schema;
mod statements;
mod text;
pub(crate) mod tokens;

pub(crate) use authority::Authority;
pub(crate) use conn::{Conn, Interrupter};
pub(crate) use files::held_here;
pub use gate::prepare_fork;
pub(crate) use kept::{Keeper, Kept, Locked, Own};
pub use open::{Config, SealedSql, Synchronous};
pub(crate) use open::{Location, collation};
pub(crate) use pool::{Lease, Pool};
#[cfg(feature = "loadable")]
pub(crate) use raw::borrowed;
pub(crate) use raw::{Handle, RawStmt, RawValue};
pub(crate) use statements::{SqlRow, Stmt};
pub(crate) use text::utf8;
