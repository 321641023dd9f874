//! The C interface against the Rust interface: what handles, checks and the guard cost.

use std::hint::black_box;
use std::path::Path;
use std::ptr::{null, null_mut};

use sealite::{Column, ExposeSecret, TableDefinition, Unlock, Vault, values};
use sealite_ffi::rows::{sealite_rows_free, sealite_rows_value_at};
use sealite_ffi::status::sealite_status::{self, SEALITE_OK};
use sealite_ffi::table::{sealite_table, sealite_table_free, sealite_table_get};
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

/// Measures a get.
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
    })
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

/// The same vault, opened through C.
struct Opened {
    vault: *mut sealite_vault,
    table: *mut sealite_table,
}

impl Opened {
    fn new(path: &Path, key: &str) -> Outcome<Self> {
        let path = path.to_str().ok_or("a path that is not UTF-8")?;
        let mut unlock = null_mut();
        let mut opened = Opened { vault: null_mut(), table: null_mut() };
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
        }
        Ok(opened)
    }

    fn get(&self) -> Outcome<u64> {
        let mut id = sealite_value {
            kind: sealite_type::SEALITE_INTEGER as i32,
            integer: 0,
            real: 0.0,
            data: null(),
            length: 0,
        };
        let mut value = id;
        let mut sum = 0_u64;
        for at in 0..LOOKUPS {
            id.integer = black_box(1 + at % ROWS);
            let (mut rows, mut error) = (null_mut(), null_mut());
            // SAFETY: as above; the rows are freed once, after their last use.
            unsafe {
                check(sealite_table_get(self.table, &raw const id, &raw mut rows, &raw mut error))?;
                for position in 0..COLUMNS {
                    let (value, error) = (&raw mut value, &raw mut error);
                    check(sealite_rows_value_at(rows, 0, position, value, error))?;
                    sum = sum.wrapping_add(1 + black_box(&*value).length as u64);
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
            sealite_table_free(self.table);
            sealite_vault_free(self.vault);
        }
    }
}

fn check(status: sealite_status) -> Outcome<()> {
    if status == SEALITE_OK { Ok(()) } else { Err(format!("{status:?}").into()) }
}
