//! The C interface against the Rust interface: what handles, checks, the guard and the way into a shared library cost.
//!
//! The functions are those of `libsealite.so` as it is shipped, opened as any other program does, and not those of the
//! crate, which the compiler could join with the measurement. Why the `unsafe` here is sound:
//!
//! 1. The library is that of this build: `sealite.h` is generated from the same source, and the types below are those of
//!    the header. It stays open as long as the process.
//! 2. Every pointer passed is to a text with its length, to a place of the calling function that lives as long as the call,
//!    or NULL.
//! 3. Handles are numbers, which the library checks; rows are freed once, after their last use.

use std::ffi::{CStr, CString, c_char, c_void};
use std::hint::black_box;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::ptr::{null, null_mut};
use std::time::Duration;

use sealite::{
    Column, ExposeSecret, TableDefinition, TokenKind, TokenRequest, Unlock, Vault, values,
};
use sealite_ffi::token::known::sealite_token_kind;
use sealite_ffi::value::{sealite_type, sealite_value};

use super::{Measured, Unit};
use crate::Outcome;
use crate::measure::interleave_reads;

const ROWS: i64 = 1_000;
const LOOKUPS: i64 = 20_000;
/// Columns that are read of each row, the primary key with them.
const COLUMNS: usize = 5;
/// Sessions that take turns.
const SESSIONS: usize = 1_000;
/// Columns that are read of each session: its id, kind and subject.
const KNOWN: usize = 3;

/// Measures a get and a verification.
pub(super) fn measure(
    pairs: usize,
    work: &Path,
    note: &mut dyn FnMut(Measured) -> Outcome<()>,
) -> Outcome<()> {
    let path = work.join("c.db");
    let key = sealite::generate_key()?;
    let vault = Vault::create(&path, &Unlock::key_text(key.expose_secret())?)?;
    vault.define_table(
        &TableDefinition::new("people")
            .column(Column::parse("email text sealed")?)
            .column(Column::parse("name text sealed")?)
            .column(Column::parse("age integer sealed")?)
            .column(Column::parse("plan text")?),
    )?;
    let table = vault.table("people")?;
    vault.transaction(|transaction| {
        let table = transaction.table("people")?;
        for at in 0..ROWS {
            let (email, name) = (format!("person{at}@example.org"), format!("Person {at}"));
            table.insert(
                values! {"email" => &email, "name" => &name, "age" => at, "plan" => "pro"},
            )?;
        }
        Ok(())
    })?;
    let mut texts = Vec::with_capacity(SESSIONS);
    for number in 0..SESSIONS {
        // The last use is written down while nothing is measured.
        let request = TokenRequest::new(TokenKind::Session)
            .subject(format!("user-{number}"))
            .scope("read")
            .last_used_every(Duration::from_secs(86_400));
        let issued = vault.tokens().issue(&request)?;
        texts.push(issued.text.expose_secret().to_owned());
    }
    // One process must not open a file with two SQLite libraries: the shared one gets a copy.
    let copy = work.join("c-copy.db");
    vault.backup(&copy)?;
    let c = Opened::new(&copy, key.expose_secret())?;
    let comparison = interleave_reads(pairs, || rust(&table), || c.get())?;
    note(Measured {
        name: "c_get_vs_rust",
        what: "one row of 4 columns by its id, outside a transaction, the id and all columns read: libsealite.so \
               against the Rust interface"
            .into(),
        comparison: comparison.each(LOOKUPS as usize),
        unit: Unit::Time,
    })?;
    let comparison = interleave_reads(pairs, || verify(&vault, &texts), || c.verify(&texts))?;
    note(Measured {
        name: "c_verify_vs_rust",
        what: "verify of a session token, its id, kind and subject read: libsealite.so against the Rust interface"
            .into(),
        comparison: comparison.each(LOOKUPS as usize),
        unit: Unit::Time,
    })
}

fn verify(vault: &Vault, texts: &[String]) -> Outcome<u64> {
    let mut sum = 0_u64;
    for text in texts.iter().cycle().take(LOOKUPS as usize) {
        let token = vault.tokens().verify(black_box(text), TokenKind::Session)?;
        let known = [Some(token.id()), Some(token.kind().name()), token.subject()];
        for text in black_box(known) {
            sum = sum.wrapping_add(text.map_or(0, str::len) as u64);
        }
    }
    Ok(sum)
}

fn rust(table: &sealite::Table<'_>) -> Outcome<u64> {
    let mut sum = 0_u64;
    for at in 0..LOOKUPS {
        let row = table.get(black_box(1 + at % ROWS))?.ok_or("a row is missing")?;
        sum = sum.wrapping_add(row.len() as u64 + 1);
        for position in 0..COLUMNS - 1 {
            let text = row.at(position).and_then(sealite::ValueRef::as_str);
            sum = sum.wrapping_add(black_box(text).map_or(0, str::len) as u64);
        }
    }
    Ok(sum)
}

const NO_VALUE: sealite_value =
    sealite_value { kind: 0, integer: 0, real: 0.0, data: null(), length: 0 };

/// A handle of any type.
type Handle = *mut c_void;
/// A place for one.
type Place = *mut Handle;
/// An array of texts.
type Texts = *const c_void;

macro_rules! functions {
    ($($name:ident($($argument:ty),*);)*) => {
        /// The functions, as the header declares them. Each returns a status.
        #[derive(Clone, Copy)]
        struct Functions { $($name: unsafe extern "C" fn($($argument),*) -> i32,)* }

        impl Functions {
            /// Those of a library that is open.
            fn of(library: Handle) -> Outcome<Self> {
                // SAFETY: (1).
                Ok(unsafe {
                    Functions {
                        $($name: std::mem::transmute::<
                            Handle,
                            unsafe extern "C" fn($($argument),*) -> i32,
                        >(symbol(library, concat!("sealite_", stringify!($name), "\0"))?),)*
                    }
                })
            }
        }
    };
}

functions! {
    unlock_key_text(*const c_char, usize, Place, Place);
    vault_open(*const c_char, usize, Handle, *const c_void, Place, Place);
    vault_table(Handle, *const c_char, usize, Place, Place);
    vault_tokens(Handle, Place, Place);
    table_get(Handle, *const sealite_value, Place, Place);
    tokens_verify(Handle, *const c_char, usize, *const i32, usize, Texts, usize, Place, Place);
    rows_read(Handle, usize, *mut sealite_value, usize, Place);
}

/// Functions that free, and return nothing.
type Free = unsafe extern "C" fn(Handle);

fn symbol(library: Handle, name: &str) -> Outcome<Handle> {
    let name = CStr::from_bytes_with_nul(name.as_bytes())?;
    // SAFETY: (1), (2).
    let found = unsafe { libc::dlsym(library, name.as_ptr()) };
    if found.is_null() {
        return Err(format!("the library has no {}", name.to_string_lossy()).into());
    }
    Ok(found)
}

/// Where `cargo build -p sealite-ffi` puts the library, beside this program; `SEALITE_LIBRARY` names another.
fn library() -> Outcome<PathBuf> {
    if let Some(named) = std::env::var_os("SEALITE_LIBRARY") {
        return Ok(named.into());
    }
    let program = std::env::current_exe()?;
    let folder = program.parent().ok_or("a program without a folder")?;
    let places = [folder.join("deps/libsealite_ffi.so"), folder.join("libsealite_ffi.so")];
    let found = places.into_iter().find(|place| place.exists());
    found.ok_or_else(|| "no libsealite_ffi.so: cargo build --release -p sealite-ffi".into())
}

/// The copy of the vault, opened through C.
struct Opened {
    call: Functions,
    free_rows: Free,
    table: Handle,
    tokens: Handle,
    /// What is freed at the end: a handle, and with what.
    held: Vec<(Handle, Free)>,
}

impl Opened {
    fn new(path: &Path, key: &str) -> Outcome<Self> {
        let path = path.to_str().ok_or("a path that is not UTF-8")?;
        let file = CString::new(library()?.as_os_str().as_bytes())?;
        // SAFETY: (1), (2).
        let library = unsafe { libc::dlopen(file.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        if library.is_null() {
            return Err(format!("{} can't be opened as a library", file.to_string_lossy()).into());
        }
        let free = |name| -> Outcome<Free> {
            // SAFETY: (1).
            Ok(unsafe { std::mem::transmute::<Handle, Free>(symbol(library, name)?) })
        };
        let call = Functions::of(library)?;
        let (mut unlock, mut vault) = (null_mut(), null_mut());
        let (mut table, mut tokens) = (null_mut(), null_mut());
        // SAFETY: (2), (3).
        unsafe {
            let none = null_mut();
            check((call.unlock_key_text)(key.as_ptr().cast(), key.len(), &raw mut unlock, none))?;
            let (text, length) = (path.as_ptr().cast(), path.len());
            check((call.vault_open)(text, length, unlock, null(), &raw mut vault, none))?;
            check((call.vault_table)(vault, c"people".as_ptr(), 6, &raw mut table, none))?;
            check((call.vault_tokens)(vault, &raw mut tokens, none))?;
        }
        let held = vec![
            (unlock, free("sealite_unlock_free\0")?),
            (tokens, free("sealite_tokens_free\0")?),
            (table, free("sealite_table_free\0")?),
            (vault, free("sealite_vault_free\0")?),
        ];
        Ok(Opened { call, free_rows: free("sealite_rows_free\0")?, table, tokens, held })
    }

    fn verify(&self, texts: &[String]) -> Outcome<u64> {
        let kind = sealite_token_kind::SEALITE_TOKEN_SESSION as i32;
        let mut values = [NO_VALUE; KNOWN];
        let mut sum = 0_u64;
        for text in texts.iter().cycle().take(LOOKUPS as usize) {
            let (mut rows, mut error) = (null_mut(), null_mut());
            let (text, kind) = (black_box(text), &raw const kind);
            let (data, length) = (text.as_ptr().cast(), text.len());
            let (place, error) = (&raw mut rows, &raw mut error);
            // SAFETY: (2), (3).
            unsafe {
                let verify = self.call.tokens_verify;
                check(verify(self.tokens, data, length, kind, 1, null(), 0, place, error))?;
                check((self.call.rows_read)(rows, 0, (&raw mut values).cast(), KNOWN, error))?;
                for value in black_box(&values) {
                    sum = sum.wrapping_add(value.length as u64);
                }
                (self.free_rows)(rows);
            }
        }
        Ok(sum)
    }

    fn get(&self) -> Outcome<u64> {
        let mut id = sealite_value { kind: sealite_type::SEALITE_INTEGER as i32, ..NO_VALUE };
        let mut values = [id; COLUMNS];
        let mut sum = 0_u64;
        for at in 0..LOOKUPS {
            id.integer = black_box(1 + at % ROWS);
            let (mut rows, mut error) = (null_mut(), null_mut());
            let error = &raw mut error;
            // SAFETY: (2), (3).
            unsafe {
                check((self.call.table_get)(self.table, &raw const id, &raw mut rows, error))?;
                check((self.call.rows_read)(rows, 0, (&raw mut values).cast(), COLUMNS, error))?;
                for value in black_box(&values) {
                    sum = sum.wrapping_add(1 + value.length as u64);
                }
                (self.free_rows)(rows);
            }
        }
        Ok(sum)
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        for (handle, free) in &self.held {
            // SAFETY: (3).
            unsafe { free(*handle) };
        }
    }
}

fn check(status: i32) -> Outcome<()> {
    if status == 0 { Ok(()) } else { Err(format!("the C interface returned {status}").into()) }
}
