//! Sealite as an extension that SQLite loads: in the sqlite3 shell, Debian's Python, Node, Go, or any other host from
//! SQLite 3.40 on, the sealed tables of the vault that the connection has open are tables.
//!
//! `SELECT sealite_unlock('env:APP_KEY')` opens the vault, with a key by reference: the text of a statement may end in a
//! log. See docs/sql.md.

#![deny(unsafe_code)]

mod api;
mod functions;
mod handle;
