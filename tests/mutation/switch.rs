//! Which mutant is on. Written into the copy that is tested, never part of the library.
#![allow(missing_docs)]

use std::cell::RefCell;
use std::collections::HashSet;
use std::fs::OpenOptions;
use std::io::Write;
use std::sync::OnceLock;

static CHOSEN: OnceLock<u32> = OnceLock::new();
static TRACE: OnceLock<Option<String>> = OnceLock::new();

thread_local! {
    static SEEN: RefCell<HashSet<u32>> = RefCell::new(HashSet::new());
}

/// Whether that mutant is the one of `SEALITE_MUTANT`. With `SEALITE_MUTANT_TRACE`, notes which test came by.
pub(crate) fn on(id: u32) -> bool {
    let number = || std::env::var("SEALITE_MUTANT").ok().and_then(|n| n.parse().ok()).unwrap_or(0);
    if let Some(file) = TRACE.get_or_init(|| std::env::var("SEALITE_MUTANT_TRACE").ok()) {
        note(file, id);
    }
    *CHOSEN.get_or_init(number) == id
}

fn note(file: &str, id: u32) {
    let new = SEEN.try_with(|seen| seen.try_borrow_mut().is_ok_and(|mut seen| seen.insert(id)));
    if new != Ok(true) {
        return;
    }
    let thread = std::thread::current();
    let line = format!("{}\t{id}\n", thread.name().unwrap_or("-"));
    if let Ok(mut file) = OpenOptions::new().append(true).create(true).open(file) {
        let _ = file.write_all(line.as_bytes());
    }
}
