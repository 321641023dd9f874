//! What holds for whatever a parser or a table is given. The fuzz targets look for inputs for which it does not; the test
//! `tests/tests/fuzz_corpus.rs` replays the inputs of `corpus/`. What is to hold of the parsers that are not public is
//! in `core/src/fuzzing/`.

mod faulty;
mod stateful;
mod statement;

use std::str;

// What the crash matrix loads before the C library is part of the fuzz target.
#[allow(dead_code, unreachable_pub)]
#[path = "../../tests/src/faults.rs"]
mod faults;

pub use faulty::{failures, stateful_faults};
use sealite::{
    AdoptionPlan, Column, ErrorKind, LegacyEntry, Limit, PasswordHasher, TableDefinition, Vault,
    is_token_text, values,
};
pub use stateful::stateful;
pub use statement::statement;

/// Token texts: no input makes the parser panic, and what it takes for a token is the one text of that token.
pub fn token_text(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    if !is_token_text(text) {
        return;
    }
    assert!(text.is_ascii() && (68..=91).contains(&text.len()));
    for other in [text.to_uppercase(), format!("{text} "), format!("{text}0"), format!(" {text}")] {
        assert!(!is_token_text(&other));
    }
}

/// Files of tokens: read or refused as what it is, never with any of it in the message.
pub fn legacy_tokens(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    for read in [LegacyEntry::admin_tokens(text), LegacyEntry::users(text)] {
        if let Err(error) = read {
            let kind = error.kind();
            assert!(matches!(
                kind,
                ErrorKind::Corrupt | ErrorKind::InvalidInput | ErrorKind::Limit
            ));
            // A file may read like the message; then others get that message too.
            let told = error.to_string();
            assert!(text.len() < 20 || !told.contains(text) || is_told_of_others(&told));
        }
    }
}

/// True where files that have nothing in common with any other are refused in these words.
fn is_told_of_others(told: &str) -> bool {
    let read = [LegacyEntry::admin_tokens, LegacyEntry::users];
    let errors = read.into_iter().flat_map(|read| ["{", "[]", "{}", "7", ""].map(read));
    errors.into_iter().any(|read| read.is_err_and(|error| error.to_string() == told))
}

/// Hashes of passwords: read or refused, without any work.
pub fn password_hash(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    if let Err(error) = PasswordHasher::new().needs_rehash(text) {
        assert!(matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Limit));
    }
}

/// Limits as text: what is taken is a number in a window of time, and both are within their bounds.
pub fn quota_limit(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    match Limit::parse(text) {
        Ok(limits) => {
            assert!(!limits.is_empty());
            for limit in limits {
                let seconds = limit.window().as_secs();
                assert!(limit.count() > 0 && (1..=366 * 86_400).contains(&seconds));
                let again = Limit::parse(&format!("{} per {seconds} seconds", limit.count()));
                assert_eq!(again.ok(), Some(vec![limit]));
            }
        }
        Err(error) => assert_eq!(error.kind(), ErrorKind::InvalidInput),
    }
}

/// Specifications of columns: what is read reads back from what is written of it.
pub fn column_specification(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let Ok(column) = Column::parse(text) else { return };
    let written = column.specification();
    let again = Column::parse(&written).expect("what is written reads");
    assert_eq!(again.specification(), written);
}

/// Plan files: read or refused as what they are, before anything is looked at but the keys.
pub fn plan_file(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    // Files of the machine that this runs on are none of its business.
    if text.contains("file:") || text.contains('\\') {
        return;
    }
    match AdoptionPlan::from_toml(text) {
        Ok(plan) => assert!(plan.tables().iter().all(|(_, columns)| !columns.is_empty())),
        Err(error) => assert!(
            matches!(
                error.kind(),
                ErrorKind::InvalidInput
                    | ErrorKind::NotFound
                    | ErrorKind::WeakKey
                    | ErrorKind::Definition
                    | ErrorKind::NotAllowed
                    | ErrorKind::Refused
                    | ErrorKind::Limit
            ),
            "{error}"
        ),
    }
}

thread_local! {
    /// A vault, and the receipt of an erasure in it.
    static ERASED: (Vault, String) = {
        let vault = Vault::in_memory().expect("a vault");
        let definition = TableDefinition::new("users").column(Column::text("mail").sealed());
        vault.define_table(&definition.subject_is_row()).expect("a table");
        let row = vault.table("users").and_then(|table| table.insert(values! {"mail" => "ada"}));
        let receipt = vault.erase_subject(None, &row.expect("a row").to_string());
        (vault, receipt.expect("an erasure").text().to_owned())
    };
}

/// Receipts: of a text that the vault has written every edit is refused. Three bytes say one: where, how, with what.
pub fn receipt(data: &[u8]) {
    ERASED.with(|(vault, made)| {
        let mut text = made.clone().into_bytes();
        for edit in data.chunks_exact(3) {
            let [at, how, with] = [edit[0], edit[1], edit[2]].map(usize::from);
            let at = (at + 256 * (how / 4)) % (text.len() + 1);
            match how % 4 {
                0 => text.truncate(at),
                1 => text.insert(at, with as u8),
                2 if at < text.len() => text[at] = with as u8,
                _ if at < text.len() => drop(text.remove(at)),
                _ => {}
            }
        }
        let Ok(text) = str::from_utf8(&text) else { return };
        match vault.verify_receipt(text) {
            Ok(receipt) => assert_eq!((receipt.text(), text.trim()), (&**made, &**made)),
            Err(error) => assert!(matches!(
                error.kind(),
                ErrorKind::InvalidInput | ErrorKind::AuthenticationFailed
            )),
        }
    });
}
