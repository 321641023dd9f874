//! What is kept as bytes: records, what is inside of them, and what they are bound to.

use crate::format::bytes::Reader;
use crate::format::context::{Context, Place, put_value};
use crate::format::padding::Padding;
use crate::format::payload::{self, Columns, pad, put_column};
use crate::format::record::{self, HEADER_LEN, Record};
use crate::format::slot::{SlotKind, SlotParameters};
use crate::quota::codec;
use crate::table::catalog;
use crate::table::schema::Schema;
use crate::value::IdRef;

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

/// A catalog entry that is read is written as one that is read as the same.
pub fn catalog(data: &[u8]) {
    let Ok(stored) = catalog::decode(data) else { return };
    let written = catalog::encode(&stored);
    let again = catalog::decode(&written).expect("what was written reads");
    assert_eq!(catalog::encode(&again), written);
    // Whether it makes sense is the next question, and has an answer.
    let _ = Schema::resolve(stored);
}

/// What a key has used is written as what it is read as.
pub fn quota_usage(data: &[u8]) {
    codec::reads_back(data);
}
