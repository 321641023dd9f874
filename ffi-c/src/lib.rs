//! The C ABI of sealite. The documentation of each function is what stands in `sealite.h`, which is generated from this
//! crate; `docs/c-api.md` has the conventions.
//!
//! One file for each object of the ABI. Every exported function reads its arguments and runs its work inside `call!`,
//! which turns an error into a status and an error object, and a panic into a status that poisons the handle.
//!
//! Why the `unsafe` in this crate is sound, by number:
//!
//! 1. A pointer argument is NULL, or readable (an out-parameter: writable) for the length that is given with it, for as
//!    long as the call takes; the place of an out-parameter overlaps no other argument's bytes, and nobody else writes to
//!    either meanwhile. That is what the header asks of the caller; NULL, alignment, lengths beyond half the address
//!    space, UTF-8 and integers that stand for choices are checked here.
//! 2. What is read through such a pointer is borrowed no longer than the call's [`call::Scope`], which the reading
//!    functions tie it to, and does not change while it is borrowed: out-parameters are written through their own
//!    pointers, which by (1) point elsewhere.
//! 3. A handle is a number in the form of a pointer and is never dereferenced ([`handles`]): any other pointer in its
//!    place is an unknown number, and so is a handle that was freed.
//! 4. A function of the caller's is called during the call that it was given to, on the same thread, with the context that
//!    came with it; the header asks that it neither throws nor jumps out.

// The conventions of the header hold for every function; a section in each would say the same in hundreds of places.
#![allow(clippy::missing_safety_doc)]
// The names are C's.
#![allow(non_camel_case_types, clippy::enum_glob_use, clippy::similar_names)]
// C functions have the parameters that they have.
#![allow(clippy::too_many_arguments)]
// The path of a method of `Table<'_>` is of one lifetime only.
#![allow(clippy::redundant_closure_for_method_calls)]

#[cfg(not(target_pointer_width = "64"))]
compile_error!(
    "handles are 48-bit numbers in the form of pointers: the target must have 64-bit pointers"
);

mod call;
mod file;
mod fork;
mod handles;
mod held;
mod input;
mod output;
mod prepared;

// What the others are made of.
pub mod bytes;
pub mod error;
pub mod json;
pub mod progress;
pub mod rows;
pub mod status;
pub mod value;
pub mod values;
pub mod version;

// The vault.
pub mod config;
pub mod copy;
pub mod keys;
pub mod slots;
pub mod unlock;
pub mod vault;

// Its tables.
pub mod adoption;
pub mod connection;
pub mod cursor;
pub mod definition;
pub mod erasure;
pub mod protect;
pub mod schema;
pub mod snapshot;
pub mod sql;
pub mod stmt;
pub mod table;
pub mod tenant;
pub mod transaction;

// Its capabilities.
pub mod approval;
pub mod audit;
pub mod field;
pub mod health;
pub mod metrics;
pub mod password;
pub mod quota;
pub mod rotation;
pub mod setting;
pub mod token;
