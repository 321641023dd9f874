//! The sealed side: the engine, asked for the same things.

use std::path::Path;

use sealite::{ExposeSecret, Id, Row, Table, Unlock, ValueRef, Vault};

use crate::Outcome;
use crate::dataset::{Dataset, id_value, weigh, weigh_all};

/// A vault with one table.
pub struct Sealed {
    vault: Vault,
    table: String,
}

/// A fresh random key.
pub fn fresh_key() -> Outcome<Unlock> {
    Ok(Unlock::key_text(sealite::generate_key()?.expose_secret())?)
}

impl Sealed {
    /// Creates the vault and declares the table.
    pub fn create(path: &Path, unlock: &Unlock, data: &Dataset) -> Outcome<Self> {
        let vault = Vault::create(path, unlock)?;
        vault.define_table(&data.definition())?;
        Ok(Sealed { vault, table: data.table.clone() })
    }

    /// Opens a vault that was created here.
    pub fn open(path: &Path, unlock: &Unlock, data: &Dataset) -> Outcome<Self> {
        Ok(Sealed { vault: Vault::open(path, unlock)?, table: data.table.clone() })
    }

    /// The vault.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// The table, each call a transaction of its own.
    pub fn table(&self) -> Outcome<Table<'_>> {
        Ok(self.vault.table(&self.table)?)
    }

    /// Inserts rows in transactions of `batch`.
    pub fn insert(&self, names: &[&str], rows: &[Vec<ValueRef<'_>>], batch: usize) -> Outcome<()> {
        let table = self.table()?;
        for rows in rows.chunks(batch) {
            table.insert_many(names, rows)?;
        }
        Ok(())
    }

    /// Reads the rows of those ids, verified, and every column of each.
    pub fn get(&self, ids: &[Id]) -> Outcome<u64> {
        get(&self.table()?, ids)
    }

    /// As [`Sealed::get`], in one snapshot.
    pub fn get_in_transaction(&self, ids: &[Id]) -> Outcome<u64> {
        let snapshot = self.vault.snapshot()?;
        get(&snapshot.table(&self.table)?, ids)
    }

    /// Reads the rows whose column has one of those values.
    pub fn find(&self, column: &str, values: &[ValueRef<'_>]) -> Outcome<u64> {
        let table = self.table()?;
        let mut sum = 0_u64;
        for value in values {
            for row in table.find(column, *value)? {
                sum = sum.wrapping_add(weigh_row(&row));
            }
        }
        Ok(sum)
    }

    /// Reads every row.
    pub fn scan(&self) -> Outcome<u64> {
        let mut sum = 0_u64;
        for row in self.table()?.scan()? {
            sum = sum.wrapping_add(weigh_row(&row?));
        }
        Ok(sum)
    }

    /// Closes every connection, which writes the log back.
    pub fn close(self) {
        self.vault.close();
    }
}

fn get(table: &Table<'_>, ids: &[Id]) -> Outcome<u64> {
    let mut sum = 0_u64;
    for id in ids {
        let row = table.get(id)?.ok_or("a row is missing")?;
        sum = sum.wrapping_add(weigh_row(&row));
    }
    Ok(sum)
}

fn weigh_row(row: &Row) -> u64 {
    let columns = (0..row.len()).filter_map(|at| row.at(at));
    weigh(id_value(row.id())).wrapping_add(weigh_all(columns))
}
