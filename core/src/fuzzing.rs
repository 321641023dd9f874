//! What holds for whatever the parsers inside are given. Compiled for fuzzing (`--cfg fuzzing`) and for tests only: the
//! targets of `fuzz/` look for inputs for which it does not hold, and the tests below replay those that are kept.

#![allow(missing_docs, clippy::expect_used, clippy::missing_panics_doc)]

use crate::audit::checkpoint::Checkpoint;
use crate::crypto::mac::MacKey;
use crate::db::tokens::{first_statement, is_blank, tokens};
use crate::error::ErrorKind;
use crate::format::bytes::Reader;
use crate::format::context::{Context, Place, put_value};
use crate::format::padding::Padding;
use crate::format::payload::{self, Columns, pad, put_column};
use crate::format::record::{self, HEADER_LEN, Record};
use crate::format::secret_text::{format_key, format_recovery, parse_key, parse_recovery};
use crate::format::slot::{SlotKind, SlotParameters};
use crate::settings::{dotenv, value};
use crate::sql::analysis;
use crate::table::catalog;
use crate::table::schema::Schema;
use crate::value::{IdRef, Type, ValueRef};

/// A record comes apart into what it is put together from.
pub fn record(data: &[u8]) {
    let Ok(record) = Record::parse(data) else { return };
    let header = record::header(record.layout, record.key_id, record.nonce);
    assert_eq!(&header, record.header);
    let parts = [record.ciphertext, record.tag.as_slice(), record.commitment];
    assert_eq!([&header[..], &parts.concat()].concat(), data);
}

/// A payload has one form.
pub fn payload(data: &[u8]) {
    let mut columns = Columns::new(data);
    let mut written = Vec::new();
    let mut last = 0;
    loop {
        match columns.next() {
            Err(_) => return,
            Ok(None) => break,
            Ok(Some((id, value))) => {
                assert!(id > last);
                last = id;
                // A NULL has no place in a payload, and is read as what it says where there is one.
                if value.is_null() {
                    return;
                }
                put_column(&mut written, id, value);
            }
        }
    }
    let (body, padding) = data.split_at(written.len());
    // A NaN is read as it stands; a boolean, a text and an integer have one form.
    assert_eq!(body, written);
    assert!(padding.iter().all(|byte| *byte == 0));
    for padding in [Padding::None, Padding::Block(32), Padding::Padme] {
        let mut padded = written.clone();
        pad(&mut padded, 0, padding);
        assert!(padded.starts_with(&written) && padded.len() >= written.len());
    }
}

/// Associated data are equal exactly where what they stand for is equal.
pub fn context(data: &[u8]) {
    let middle = data.len() / 2;
    let (one, other) = data.split_at(middle);
    let (Some(one), Some(other)) = (Parts::read(one), Parts::read(other)) else { return };
    assert_eq!(one == other, one.encoded() == other.encoded());
}

/// What goes into the associated data of one record.
#[derive(PartialEq)]
struct Parts<'a> {
    header: [u8; HEADER_LEN],
    vault: [u8; 16],
    table: u32,
    texts: [Option<&'a str>; 3],
    record: Option<IdRef<'a>>,
    columns: Vec<(u32, u8, &'a [u8])>,
}

impl<'a> Parts<'a> {
    fn read(data: &'a [u8]) -> Option<Self> {
        let mut r = Reader::new(data);
        let which = r.u8().ok()?;
        let mut text = |bit: u8| match which & bit {
            0 => Some(None),
            _ => r.text().ok().map(Some),
        };
        let texts = [text(1)?, text(2)?, text(4)?];
        let record = match which >> 3 & 3 {
            0 => Some(IdRef::Integer(i64::from_be_bytes(*r.array().ok()?))),
            1 => Some(IdRef::Text(r.text().ok()?)),
            _ => None,
        };
        let mut parts = Parts {
            header: [which >> 5; HEADER_LEN],
            vault: [7; 16],
            table: u32::from(which >> 5),
            texts,
            record,
            columns: Vec::new(),
        };
        while !r.rest().is_empty() && parts.columns.len() < 8 {
            let (id, tag, bytes) = (r.varint().ok()?, r.u8().ok()?, r.bytes().ok()?);
            payload::value(tag, bytes).ok()?;
            parts.columns.push((id, tag, bytes));
        }
        Some(parts)
    }

    fn encoded(&self) -> Vec<u8> {
        let [field, tenant, subject] = self.texts;
        let place = Place {
            vault: &self.vault,
            table: self.table,
            field,
            record: self.record,
            tenant,
            subject,
        };
        let mut context = Context::default();
        context.begin(&self.header, &place);
        for (id, tag, bytes) in &self.columns {
            context.column(*id, payload::value(*tag, bytes).expect("read before"));
        }
        context.finish().to_vec()
    }
}

/// A value reads back as the bytes that it was written as.
pub fn value(data: &[u8]) {
    let Some((tag, bytes)) = data.split_first() else { return };
    let Ok(value) = payload::value(*tag, bytes) else { return };
    let mut written = Vec::new();
    put_value(&mut written, value);
    assert!(written.ends_with(bytes));
}

/// A slot's parameters have one form.
pub fn slot(data: &[u8]) {
    for kind in [SlotKind::Key, SlotKind::Passphrase, SlotKind::Recovery] {
        if let Ok(parameters) = SlotParameters::decode(kind, data) {
            assert_eq!(parameters.encode(), data);
            assert_eq!(parameters.cost.is_some(), kind == SlotKind::Passphrase);
        }
    }
}

/// What a key or a recovery code is read as, its own text is read as.
pub fn secret_text(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(key) = parse_key(text) {
        assert_eq!(parse_key(&format_key(&key)).ok(), Some(key));
    }
    if let Ok(bits) = parse_recovery(text) {
        assert_eq!(parse_recovery(&format_recovery(&bits)).ok(), Some(bits));
    }
}

/// A catalog entry that is read is written as one that is read as the same.
pub fn catalog(data: &[u8]) {
    let Ok(stored) = catalog::decode(data) else { return };
    let written = catalog::encode(&stored);
    let again = catalog::decode(&written).expect("what was written reads");
    assert_eq!(catalog::encode(&again), written);
    // Whether it makes sense is the next question, and has an answer.
    let _ = Schema::resolve(stored);
}

/// The tokens of a statement are parts of it, in their order, and finding its clauses ends.
pub fn sql(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut end = 0;
    for token in tokens(text) {
        assert!(token.at >= end && !token.text.is_empty());
        assert_eq!(text.get(token.at..token.end()), Some(token.text));
        let _ = token.name();
        end = token.end();
    }
    let first = first_statement(text);
    assert!(text.is_char_boundary(first));
    assert!(text.get(..first).is_some_and(|first| tokens(first).len() <= tokens(text).len()));
    let _ = is_blank(text);
    analysis::survives(text);
}

/// A text that this vault has not made is no checkpoint.
pub fn checkpoint(data: &[u8]) {
    let (key, vault) = (MacKey::new(&[7; 32]), [9; 16]);
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Checkpoint::read(&key, &vault, text) {
        Ok(read) => {
            let made = Checkpoint::make(&key, &vault, read.seq(), read.at(), read.link());
            assert_eq!(made.text(), text.trim());
        }
        Err(error) => assert!(matches!(
            error.kind(),
            ErrorKind::InvalidInput | ErrorKind::AuthenticationFailed
        )),
    }
}

/// What a `.env` file sets reads back from the lines that are written of it.
pub fn dotenv(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(lines) = dotenv::read(text) else { return };
    for line in lines {
        let mut written = String::new();
        if !dotenv::write_line(&mut written, &line.name, &line.value) {
            assert!(line.value.contains('\0'));
            continue;
        }
        let read = dotenv::read(&written).expect("what was written reads");
        assert!(
            matches!(read.as_slice(), [again] if again.name == line.name && again.value == line.value)
        );
    }
}

/// The text of a setting's value reads back as that value.
pub fn setting_text(data: &[u8]) {
    let Some((kind, text)) = data.split_first() else { return };
    let kinds = [Type::Integer, Type::Real, Type::Text, Type::Blob, Type::Boolean, Type::Json];
    let kind = kinds.get(usize::from(*kind) % kinds.len()).copied().unwrap_or(Type::Text);
    let Ok(text) = std::str::from_utf8(text) else { return };
    let Ok(read) = value::parse("a setting", kind, text) else { return };
    let shown = value::text_of(read.as_ref());
    let again = value::parse("a setting", kind, &shown).expect("what is shown reads");
    assert!(again == read && !matches!(again.as_ref(), ValueRef::Null));
    let kept = value::SettingValue::encode(read.as_ref());
    let kept = value::SettingValue::decode(&kept).expect("what is kept reads");
    assert!(kept.expose() == read.as_ref());
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    fn replay(target: &str, holds: fn(&[u8]), at_least: usize) {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
        let mut replayed = 0;
        for file in std::fs::read_dir(corpus).expect("the corpus") {
            let input = std::fs::read(file.expect("an entry").path()).expect("an input");
            // Cut anywhere, and with any byte changed, too.
            for at in 0..input.len() {
                holds(&input[..at]);
                let mut other = input.clone();
                other[at] ^= 1 << (at % 8);
                holds(&other);
            }
            holds(&input);
            replayed += 1;
        }
        assert!(replayed >= at_least, "{replayed} inputs of {target}");
    }

    #[test]
    fn kept_records_and_payloads_do_no_harm() {
        replay("record", super::record, 3);
        replay("payload", super::payload, 5);
        replay("value", super::value, 8);
        replay("context", super::context, 5);
        replay("slot", super::slot, 3);
        replay("catalog", super::catalog, 2);
    }

    #[test]
    fn kept_texts_do_no_harm() {
        replay("secret_text", super::secret_text, 5);
        replay("sql", super::sql, 12);
        replay("checkpoint", super::checkpoint, 3);
        replay("dotenv", super::dotenv, 6);
        replay("setting_text", super::setting_text, 6);
    }
}
