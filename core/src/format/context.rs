//! The associated data of a record: an injective encoding of where the record belongs and of everything beside it that
//! must not change.

use super::record::HEADER_LEN;
use crate::value::{IdRef, ValueRef};

/// The domain label, 16 bytes.
const LABEL: &[u8; 16] = b"sealite/record/1";

const HAS_FIELD: u8 = 1;
const HAS_RECORD: u8 = 2;
const HAS_TENANT: u8 = 4;
const HAS_SUBJECT: u8 = 8;

/// Value tags, shared by the associated data, the payload and the blind indexes. Append-only.
pub(crate) mod tag {
    pub(crate) const NULL: u8 = 0;
    pub(crate) const INTEGER: u8 = 1;
    pub(crate) const REAL: u8 = 2;
    pub(crate) const TEXT: u8 = 3;
    pub(crate) const BLOB: u8 = 4;
    pub(crate) const BOOLEAN: u8 = 5;
    pub(crate) const JSON: u8 = 6;
}

/// Where a record belongs.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) vault: &'a [u8; 16],
    /// The table's surrogate id; 0 for a field.
    pub(crate) table: u32,
    /// The field's name, for a value in a database that the engine does not own.
    pub(crate) field: Option<&'a str>,
    pub(crate) record: Option<IdRef<'a>>,
    pub(crate) tenant: Option<&'a str>,
    pub(crate) subject: Option<&'a str>,
}

/// Builds associated data in a buffer that is used again and again.
#[derive(Default)]
pub(crate) struct Context {
    buffer: Vec<u8>,
    count_at: usize,
    count: u16,
}

/// Room for the associated data of most rows.
const USUAL_LEN: usize = 256;

impl Context {
    /// Starts the encoding: label, header, vault, table, presence bits, and the parts that are present.
    pub(crate) fn begin(&mut self, header: &[u8; HEADER_LEN], place: &Place<'_>) {
        let out = &mut self.buffer;
        out.clear();
        out.reserve(USUAL_LEN);
        out.extend_from_slice(LABEL);
        out.extend_from_slice(header);
        out.extend_from_slice(place.vault);
        out.extend_from_slice(&place.table.to_be_bytes());
        let bit = |present: bool, bit: u8| if present { bit } else { 0 };
        out.push(
            bit(place.field.is_some(), HAS_FIELD)
                | bit(place.record.is_some(), HAS_RECORD)
                | bit(place.tenant.is_some(), HAS_TENANT)
                | bit(place.subject.is_some(), HAS_SUBJECT),
        );
        if let Some(field) = place.field {
            put(out, field.as_bytes());
        }
        match place.record {
            Some(IdRef::Integer(id)) => put_value(out, ValueRef::Integer(id)),
            Some(IdRef::Text(id)) => put_value(out, ValueRef::Text(id)),
            None => {}
        }
        for text in [place.tenant, place.subject].into_iter().flatten() {
            put(out, text.as_bytes());
        }
        self.count_at = out.len();
        self.count = 0;
        out.extend_from_slice(&[0; 2]);
    }

    /// Adds an authenticated column; the caller keeps the order of the column ids.
    pub(crate) fn column(&mut self, id: u32, value: ValueRef<'_>) {
        self.count += 1;
        self.buffer.extend_from_slice(&id.to_be_bytes());
        put_value(&mut self.buffer, value);
    }

    /// Adds an authenticated text or JSON column by its bytes.
    pub(crate) fn text_column(&mut self, id: u32, json: bool, bytes: &[u8]) {
        self.count += 1;
        self.buffer.extend_from_slice(&id.to_be_bytes());
        self.buffer.push(if json { tag::JSON } else { tag::TEXT });
        put(&mut self.buffer, bytes);
    }

    /// The finished encoding.
    pub(crate) fn finish(&mut self) -> &[u8] {
        let count = self.count.to_be_bytes();
        if let Some(slot) = self.buffer.get_mut(self.count_at..self.count_at + 2) {
            slot.copy_from_slice(&count);
        }
        &self.buffer
    }
}

fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(bytes);
}

/// Tag, 32-bit length, bytes.
pub(crate) fn put_value(out: &mut Vec<u8>, value: ValueRef<'_>) {
    with_bytes(value, |tag, bytes| {
        out.push(tag);
        put(out, bytes);
    });
}

/// The tag and the bytes of a value: integers and doubles in 8 bytes big-endian, a boolean in one.
pub(crate) fn with_bytes<R>(value: ValueRef<'_>, with: impl FnOnce(u8, &[u8]) -> R) -> R {
    match value {
        ValueRef::Null => with(tag::NULL, &[]),
        ValueRef::Integer(v) => with(tag::INTEGER, &v.to_be_bytes()),
        ValueRef::Real(v) => with(tag::REAL, &v.to_bits().to_be_bytes()),
        ValueRef::Text(v) => with(tag::TEXT, v.as_bytes()),
        ValueRef::Blob(v) => with(tag::BLOB, v),
        ValueRef::Boolean(v) => with(tag::BOOLEAN, &[u8::from(v)]),
        ValueRef::Json(v) => with(tag::JSON, v.as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn different_places_never_share_an_encoding() {
        let mut seen = HashSet::new();
        let mut context = Context::default();
        let texts = [None, Some(""), Some("a"), Some("ab"), Some("b")];
        let ids = [None, Some(IdRef::Integer(1)), Some(IdRef::Text("1")), Some(IdRef::Text(""))];
        let mut count = 0;
        for field in texts {
            for record in ids {
                for tenant in texts {
                    for subject in texts {
                        let place =
                            Place { vault: &[1; 16], table: 7, field, record, tenant, subject };
                        for value in [ValueRef::Null, ValueRef::Text(""), ValueRef::Blob(b"")] {
                            context.begin(&[0; HEADER_LEN], &place);
                            context.column(1, value);
                            assert!(seen.insert(context.finish().to_vec()));
                            count += 1;
                        }
                    }
                }
            }
        }
        assert_eq!(seen.len(), count);
    }
}
