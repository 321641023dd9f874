//! The C interface against the Rust interface: what handles, checks and the guard cost.

use std::hint::black_box;
use std::path::Path;
use std::ptr::{null, null_mut};
use std::time::Duration;

use sealite::{
    Column, ExposeSecret, TableDefinition, TokenKind, TokenRequest, Unlock, Vault, values,
};
use sealite_ffi::rows::{sealite_rows_free, sealite_rows_read};
use sealite_ffi::status::sealite_status::{self, SEALITE_OK};
use sealite_ffi::table::{sealite_table, sealite_table_free, sealite_table_get};
use sealite_ffi::token::handle::{
    sealite_tokens, sealite_tokens_free, sealite_tokens_verify, sealite_vault_tokens,
};
use sealite_ffi::token::known::sealite_token_kind;
use sealite_ffi::unlock::{sealite_unlock_free, sealite_unlock_key_text};
use sealite_ffi::value::{sealite_type, sealite_value};
use sealite_ffi::vault::{
    sealite_vault, sealite_vault_free, sealite_vault_open, sealite_vault_table,
};

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
    let c = Opened::new(&path, key.expose_secret())?;
    let comparison = interleave_reads(pairs, || rust(&table), || c.get())?;
    note(Measured {
        name: "c_get_vs_rust",
        what: "one row of 4 columns by its id, outside a transaction, the id and all columns read: the exported functions \
               against the Rust interface"
            .into(),
        comparison: comparison.each(LOOKUPS as usize),
        unit: Unit::Time,
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
    let comparison = interleave_reads(pairs, || verify(&vault, &texts), || c.verify(&texts))?;
    note(Measured {
        name: "c_verify_vs_rust",
        what: "verify of a session token, its id, kind and subject read: the exported functions against the Rust interface"
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

/// The same vault, opened through C.
struct Opened {
    vault: *mut sealite_vault,
    table: *mut sealite_table,
    tokens: *mut sealite_tokens,
}

impl Opened {
    fn new(path: &Path, key: &str) -> Outcome<Self> {
        let path = path.to_str().ok_or("a path that is not UTF-8")?;
        let mut unlock = null_mut();
        let mut opened = Opened { vault: null_mut(), table: null_mut(), tokens: null_mut() };
        // SAFETY: every pointer is to a text with its length, to a place of this function, or NULL.
        unsafe {
            let none = null_mut();
            let text = key.as_ptr().cast();
            check(sealite_unlock_key_text(text, key.len(), &raw mut unlock, none))?;
            let vault = &raw mut opened.vault;
            let text = path.as_ptr().cast();
            check(sealite_vault_open(text, path.len(), unlock, null(), vault, none))?;
            sealite_unlock_free(unlock);
            let table = &raw mut opened.table;
            check(sealite_vault_table(opened.vault, c"people".as_ptr(), 6, table, none))?;
            check(sealite_vault_tokens(opened.vault, &raw mut opened.tokens, none))?;
        }
        Ok(opened)
    }

    fn verify(&self, texts: &[String]) -> Outcome<u64> {
        let kind = sealite_token_kind::SEALITE_TOKEN_SESSION as i32;
        let mut values = [NO_VALUE; KNOWN];
        let mut sum = 0_u64;
        for text in texts.iter().cycle().take(LOOKUPS as usize) {
            let (mut rows, mut error) = (null_mut(), null_mut());
            let (text, kind) = (black_box(text), &raw const kind);
            // SAFETY: as above; the rows are freed once, after their last use.
            unsafe {
                check(sealite_tokens_verify(
                    self.tokens,
                    text.as_ptr().cast(),
                    text.len(),
                    kind,
                    1,
                    null(),
                    0,
                    &raw mut rows,
                    &raw mut error,
                ))?;
                let all = (&raw mut values).cast();
                check(sealite_rows_read(rows, 0, all, KNOWN, &raw mut error))?;
                for value in black_box(&values) {
                    sum = sum.wrapping_add(value.length as u64);
                }
                sealite_rows_free(rows);
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
            // SAFETY: as above; the rows are freed once, after their last use.
            unsafe {
                check(sealite_table_get(self.table, &raw const id, &raw mut rows, &raw mut error))?;
                let all = (&raw mut values).cast();
                check(sealite_rows_read(rows, 0, all, COLUMNS, &raw mut error))?;
                for value in black_box(&values) {
                    sum = sum.wrapping_add(1 + value.length as u64);
                }
                sealite_rows_free(rows);
            }
        }
        Ok(sum)
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        // SAFETY: handles are checked.
        unsafe {
            sealite_tokens_free(self.tokens);
            sealite_table_free(self.table);
            sealite_vault_free(self.vault);
        }
    }
}

fn check(status: sealite_status) -> Outcome<()> {
    if status == SEALITE_OK { Ok(()) } else { Err(format!("{status:?}").into()) }
}
