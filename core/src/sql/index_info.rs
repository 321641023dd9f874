//! What SQLite asks `xBestIndex`, and the answer.
//!
//! Invariants, which the `SAFETY` comments cite:
//! - I1. An [`IndexInfo`] is made in `xBestIndex` from SQLite's own structure and does not outlive it.
//! - I2. Its arrays have the lengths that stand beside them; `aConstraintUsage` has that of `aConstraint`.

#![allow(unsafe_code)]

use std::ffi::{CStr, c_int};

use rusqlite::ffi;

/// The question and the answer.
pub(super) struct IndexInfo<'a> {
    raw: &'a mut ffi::sqlite3_index_info,
}

/// A condition on a column.
#[derive(Clone, Copy)]
pub(super) struct Constraint {
    /// Its place in the question.
    pub(super) at: usize,
    /// The column; none for the row id.
    pub(super) column: Option<usize>,
    pub(super) op: Op,
}

/// What a condition compares by.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    Eq,
    Is,
    Gt,
    Ge,
    Lt,
    Le,
}

impl Op {
    fn from_code(code: u8) -> Option<Self> {
        Some(match c_int::from(code) {
            ffi::SQLITE_INDEX_CONSTRAINT_EQ => Op::Eq,
            ffi::SQLITE_INDEX_CONSTRAINT_IS => Op::Is,
            ffi::SQLITE_INDEX_CONSTRAINT_GT => Op::Gt,
            ffi::SQLITE_INDEX_CONSTRAINT_GE => Op::Ge,
            ffi::SQLITE_INDEX_CONSTRAINT_LT => Op::Lt,
            ffi::SQLITE_INDEX_CONSTRAINT_LE => Op::Le,
            _ => return None,
        })
    }

    /// As SQL writes it.
    pub(super) fn sql(self) -> &'static str {
        match self {
            Op::Eq => "=",
            Op::Is => "IS",
            Op::Gt => ">",
            Op::Ge => ">=",
            Op::Lt => "<",
            Op::Le => "<=",
        }
    }

    pub(super) fn is_equality(self) -> bool {
        matches!(self, Op::Eq | Op::Is)
    }

    pub(super) fn is_lower(self) -> bool {
        matches!(self, Op::Gt | Op::Ge)
    }
}

impl<'a> IndexInfo<'a> {
    pub(super) fn new(raw: &'a mut ffi::sqlite3_index_info) -> Self {
        IndexInfo { raw }
    }

    /// The conditions that can be used.
    pub(super) fn constraints(&self) -> Vec<Constraint> {
        let count = usize::try_from(self.raw.nConstraint).unwrap_or(0);
        if count == 0 || self.raw.aConstraint.is_null() {
            return Vec::new();
        }
        // SAFETY: I2.
        let all = unsafe { std::slice::from_raw_parts(self.raw.aConstraint, count) };
        let usable = all.iter().enumerate().filter(|(_, constraint)| constraint.usable != 0);
        usable
            .filter_map(|(at, constraint)| {
                let op = Op::from_code(constraint.op)?;
                Some(Constraint { at, column: usize::try_from(constraint.iColumn).ok(), op })
            })
            .collect()
    }

    /// True where a condition is an IN, whose values come one at a time.
    pub(super) fn is_in(&self, constraint: Constraint) -> bool {
        let Ok(at) = c_int::try_from(constraint.at) else { return false };
        let raw = std::ptr::from_ref::<ffi::sqlite3_index_info>(self.raw).cast_mut();
        // SAFETY: I1; -1 asks and changes nothing.
        unsafe { ffi::sqlite3_vtab_in(raw, at, -1) != 0 }
    }

    /// The name of the collation that a condition compares by.
    pub(super) fn collation(&self, constraint: Constraint) -> String {
        let Ok(at) = c_int::try_from(constraint.at) else { return String::new() };
        // SAFETY: I1; the name is a static text of SQLite's or null.
        unsafe {
            let raw = std::ptr::from_ref::<ffi::sqlite3_index_info>(self.raw).cast_mut();
            let name = ffi::sqlite3_vtab_collation(raw, at);
            if name.is_null() {
                return String::new();
            }
            CStr::from_ptr(name).to_string_lossy().into_owned()
        }
    }

    /// The columns that the rows are wanted in the order of, and true for each that descends.
    pub(super) fn order(&self) -> Vec<(Option<usize>, bool)> {
        let count = usize::try_from(self.raw.nOrderBy).unwrap_or(0);
        if count == 0 || self.raw.aOrderBy.is_null() {
            return Vec::new();
        }
        // SAFETY: I2.
        let all = unsafe { std::slice::from_raw_parts(self.raw.aOrderBy, count) };
        all.iter().map(|term| (usize::try_from(term.iColumn).ok(), term.desc != 0)).collect()
    }

    /// True where the statement uses the column.
    pub(super) fn uses(&self, column: usize) -> bool {
        // The last bit stands for every column from there on.
        self.raw.colUsed >> column.min(63) & 1 != 0
    }

    /// Wants the value of a condition as an argument of `xFilter`, counted from 0. SQLite checks the condition again, but
    /// where the plan finds what is equal and nothing else.
    pub(super) fn take(&mut self, constraint: Constraint, argument: usize, exact: bool) {
        let count = usize::try_from(self.raw.nConstraint).unwrap_or(0);
        if self.raw.aConstraintUsage.is_null() {
            return;
        }
        // SAFETY: I2.
        let usage = unsafe { std::slice::from_raw_parts_mut(self.raw.aConstraintUsage, count) };
        if let (Some(usage), Ok(argument)) =
            (usage.get_mut(constraint.at), c_int::try_from(argument + 1))
        {
            usage.argvIndex = argument;
            usage.omit = u8::from(exact);
        }
    }

    /// The plan: its number, its words, what it costs, how many rows it gives.
    pub(super) fn answer(&mut self, number: usize, label: &str, cost: f64, rows: i64) {
        self.raw.idxNum = c_int::try_from(number).unwrap_or(c_int::MAX);
        let label = label.replace('\0', " ");
        // SAFETY: as many bytes are allocated as are written, and the NUL; SQLite frees them.
        unsafe {
            let copy = ffi::sqlite3_malloc64(label.len() as u64 + 1).cast::<std::ffi::c_char>();
            if !copy.is_null() {
                std::ptr::copy_nonoverlapping(label.as_ptr().cast(), copy, label.len());
                copy.add(label.len()).write(0);
                self.raw.idxStr = copy;
                self.raw.needToFreeIdxStr = 1;
            }
        }
        self.raw.estimatedCost = cost;
        self.raw.estimatedRows = rows;
    }

    /// The rows come in the order that is wanted.
    pub(super) fn set_ordered(&mut self) {
        self.raw.orderByConsumed = 1;
    }

    /// The plan gives one row at most.
    pub(super) fn set_unique(&mut self) {
        self.raw.idxFlags |= ffi::SQLITE_INDEX_SCAN_UNIQUE;
    }
}
