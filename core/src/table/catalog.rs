//! The catalog: every table's entry is one sealed record.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::definition::{Column, Index, Protection};
use super::schema::{Blind, Layout, Schema, Stored, StoredColumn};
use super::subject::Whose;
use crate::db::Conn;
use crate::error::{Result, err};
use crate::format::Malformed;
use crate::format::bytes::{Reader, put_bytes, put_varint};
use crate::format::context::{Context, Place, with_bytes};
use crate::format::padding::Padding;
use crate::format::payload::{Columns, put_column, value};
use crate::format::record::Record;
use crate::index::normalise::Normaliser;
use crate::keys::ring::Ring;
use crate::keys::seal::{Shape, forged, open, seal};
use crate::keys::table_id;
use crate::value::{IdRef, Type, ValueRef};

/// The version of the entry's encoding.
const VERSION: u8 = 1;
/// The column id of the entry in its record.
const ENTRY: u32 = 1;

/// Tables by their name in lower case.
pub(crate) type Tables = HashMap<String, Arc<Schema>>;

/// Reads every entry.
pub(crate) fn load(conn: &Conn, ring: &Ring) -> Result<Tables> {
    let mut tables = Tables::new();
    let mut payload = Vec::new();
    let mut stmt = conn.prepare("SELECT id, sealed FROM sealite_catalog")?;
    stmt.each(&[], |row| {
        let id = row.integer(0)?;
        let refused = || forged(format_args!("the catalog's entry {id}"));
        let record = row.blob(1).map_err(|_| refused())?;
        let record = Record::parse(record).map_err(|_| refused())?;
        let key = ring.opening(conn, record.key_id, None, None)?;
        payload.clear();
        let mut context = Context::default();
        open(&mut payload, &mut context, key.record_key()?, &record, &place(ring, id), |_| ())
            .map_err(|_| refused())?;
        let Ok(Some((ENTRY, ValueRef::Blob(entry)))) = Columns::new(&payload).next() else {
            return Err(refused());
        };
        let stored = decode(entry).map_err(|_| {
            err!(NewerFormat, "the catalog's entry {id} is of a version that this one can't read")
        })?;
        if i64::from(stored.id) != id {
            return Err(refused());
        }
        let schema = Schema::resolve(stored)?;
        tables.insert(schema.name().to_lowercase(), schema);
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(tables)
}

/// Writes a table's entry, inside the caller's write transaction; the caller advances the epoch.
pub(crate) fn save(conn: &Conn, ring: &Ring, stored: &Stored) -> Result<()> {
    let Some(key) = ring.sealing(conn, None, None)? else {
        return Err(err!(Corrupt, "the vault has no data key of its own"));
    };
    let id = i64::from(stored.id);
    let entry = encode(stored);
    let mut sealed = Vec::new();
    seal(
        &mut sealed,
        &mut Context::default(),
        key.record_key()?,
        Shape { layout: 0, padding: Padding::default() },
        &place(ring, id),
        |_| (),
        |out| put_column(out, ENTRY, ValueRef::Blob(&entry)),
    )?;
    conn.execute(
        "INSERT OR REPLACE INTO sealite_catalog (id, sealed) VALUES (?, ?)",
        &[ValueRef::Integer(id), ValueRef::Blob(&sealed)],
    )?;
    Ok(())
}

fn place(ring: &Ring, id: i64) -> Place<'_> {
    Place {
        vault: ring.vault(),
        table: table_id::CATALOG,
        field: None,
        record: Some(IdRef::Integer(id)),
        tenant: None,
        subject: None,
    }
}

const PHYSICAL: u8 = 1;
const DROPPING: u8 = 2;
const NOT_NULL: u8 = 4;
const TEXT_KEY: u8 = 1;
const PER_TENANT: u8 = 2;
const SUBJECT_ROW: u8 = 4;
const SUBJECT_COLUMN: u8 = 8;
const SUBJECT_KEY: u8 = 16;
const KEY_BEHIND: u8 = 32;
const UNIQUE: u8 = 1;
const BUILDING: u8 = 2;

pub(crate) fn encode(stored: &Stored) -> Vec<u8> {
    let flag = |set: bool, bit: u8| if set { bit } else { 0 };
    let count = |out: &mut Vec<u8>, length: usize| put_varint(out, length as u32);
    let mut out = vec![VERSION];
    put_varint(&mut out, stored.id);
    put_bytes(&mut out, stored.name.as_bytes());
    put_bytes(&mut out, stored.key.as_bytes());
    let subject = match stored.subject {
        None => 0,
        Some(Whose::Row) => SUBJECT_ROW,
        Some(Whose::Column(_)) => SUBJECT_COLUMN,
        Some(Whose::Key) => SUBJECT_KEY,
    };
    out.push(
        flag(stored.text_key, TEXT_KEY)
            | flag(stored.per_tenant, PER_TENANT)
            | flag(stored.key_at > 0, KEY_BEHIND)
            | subject,
    );
    put_varint(&mut out, u32::from(stored.padding.code()));
    put_varint(&mut out, stored.next_id);
    if let Some(Whose::Column(id)) = stored.subject {
        put_varint(&mut out, id);
    }
    count(&mut out, stored.columns.len());
    for StoredColumn { id, column, physical, dropping, since, blind } in &stored.columns {
        put_varint(&mut out, *id);
        put_bytes(&mut out, column.name.as_bytes());
        out.push(type_code(column.kind));
        out.push(column.protection as u8);
        out.push(
            flag(*physical, PHYSICAL) | flag(*dropping, DROPPING) | flag(column.not_null, NOT_NULL),
        );
        put_varint(&mut out, u32::from(*since));
        put_optional(&mut out, column.default.as_ref(), |out, default| {
            with_bytes(default.as_ref(), |tag, bytes| {
                out.push(tag);
                put_bytes(out, bytes);
            });
        });
        put_optional(&mut out, column.index.as_ref(), put_index);
        put_optional(&mut out, blind.as_ref(), put_blind);
    }
    count(&mut out, stored.retired.len());
    for blind in &stored.retired {
        put_blind(&mut out, blind);
    }
    count(&mut out, stored.layouts.len());
    for layout in &stored.layouts {
        put_varint(&mut out, u32::from(layout.number));
        for ids in [&layout.authenticated, &layout.sealed] {
            count(&mut out, ids.len());
            for id in ids {
                put_varint(&mut out, *id);
            }
        }
    }
    if stored.key_at > 0 {
        count(&mut out, stored.key_at);
    }
    out
}

fn put_optional<T>(out: &mut Vec<u8>, value: Option<T>, put: impl FnOnce(&mut Vec<u8>, T)) {
    out.push(u8::from(value.is_some()));
    if let Some(value) = value {
        put(out, value);
    }
}

fn put_index(out: &mut Vec<u8>, index: &Index) {
    out.push(if index.unique { UNIQUE } else { 0 });
    out.push(index.normaliser.code());
    put_varint(out, u32::from(index.normaliser.version()));
    put_optional(out, index.expected_distinct, |out, count| {
        out.extend_from_slice(&count.to_be_bytes());
    });
    put_optional(out, index.override_reason.as_ref(), |out, reason| {
        put_bytes(out, reason.as_bytes());
    });
}

fn put_blind(out: &mut Vec<u8>, blind: &Blind) {
    put_varint(out, blind.id);
    put_varint(out, u32::from(blind.generation));
    put_bytes(out, blind.physical.as_bytes());
    out.push(blind.bits.unwrap_or(128));
    out.push(if blind.building { BUILDING } else { 0 });
}

pub(crate) fn decode(entry: &[u8]) -> std::result::Result<Stored, Malformed> {
    let mut r = Reader::new(entry);
    if r.u8()? != VERSION {
        return Err(Malformed);
    }
    let id = r.varint()?;
    let name = r.text()?.to_owned();
    let key = r.text()?.to_owned();
    let flags = r.u8()?;
    let padding = Padding::from_code(short(r.varint()?)?);
    let next_id = r.varint()?;
    let subject = match flags & !(TEXT_KEY | PER_TENANT | KEY_BEHIND) {
        0 => None,
        SUBJECT_ROW => Some(Whose::Row),
        SUBJECT_COLUMN => Some(Whose::Column(r.varint()?)),
        SUBJECT_KEY => Some(Whose::Key),
        _ => return Err(Malformed),
    };
    let columns = list(&mut r, |r| {
        let id = r.varint()?;
        let name = r.text()?.to_owned();
        let kind = type_of(r.u8()?)?;
        let protection = match r.u8()? {
            0 => Protection::Plain,
            1 => Protection::Authenticated,
            2 => Protection::Sealed,
            _ => return Err(Malformed),
        };
        let flags = r.u8()?;
        let since = short(r.varint()?)?;
        let default = optional(r, |r| {
            let tag = r.u8()?;
            Ok(value(tag, r.bytes()?)?.to_owned())
        })?;
        let index = optional(r, get_index)?;
        let blind = optional(r, get_blind)?;
        let not_null = flags & NOT_NULL != 0;
        Ok(StoredColumn {
            id,
            column: Column { name, kind, protection, not_null, default, index },
            physical: flags & PHYSICAL != 0,
            dropping: flags & DROPPING != 0,
            since,
            blind,
        })
    })?;
    let retired = list(&mut r, get_blind)?;
    let layouts = list(&mut r, |r| {
        let number = short(r.varint()?)?;
        let authenticated = list(r, Reader::varint)?;
        let sealed = list(r, Reader::varint)?;
        Ok(Layout { number, authenticated, sealed })
    })?;
    let key_at = if flags & KEY_BEHIND != 0 { r.varint()? as usize } else { 0 };
    r.finish()?;
    let (text_key, per_tenant) = (flags & TEXT_KEY != 0, flags & PER_TENANT != 0);
    Ok(Stored {
        id,
        name,
        key,
        text_key,
        key_at,
        per_tenant,
        padding,
        subject,
        columns,
        retired,
        layouts,
        next_id,
    })
}

fn get_index(r: &mut Reader<'_>) -> std::result::Result<Index, Malformed> {
    let unique = r.u8()? & UNIQUE != 0;
    let normaliser = Normaliser::from_code(r.u8()?).ok_or(Malformed)?;
    if r.varint()? != u32::from(normaliser.version()) {
        return Err(Malformed);
    }
    let expected_distinct = optional(r, |r| Ok(u64::from_be_bytes(*r.array()?)))?;
    let override_reason = optional(r, |r| Ok(r.text()?.to_owned()))?;
    Ok(Index { unique, normaliser, expected_distinct, override_reason })
}

fn get_blind(r: &mut Reader<'_>) -> std::result::Result<Blind, Malformed> {
    Ok(Blind {
        id: r.varint()?,
        generation: short(r.varint()?)?,
        physical: r.text()?.to_owned(),
        bits: match r.u8()? {
            128 => None,
            bits @ 1..=56 => Some(bits),
            _ => return Err(Malformed),
        },
        building: r.u8()? & BUILDING != 0,
    })
}

fn list<'a, T>(
    r: &mut Reader<'a>,
    mut item: impl FnMut(&mut Reader<'a>) -> std::result::Result<T, Malformed>,
) -> std::result::Result<Vec<T>, Malformed> {
    let count = r.varint()?;
    (0..count).map(|_| item(r)).collect()
}

fn optional<'a, T>(
    r: &mut Reader<'a>,
    item: impl FnOnce(&mut Reader<'a>) -> std::result::Result<T, Malformed>,
) -> std::result::Result<Option<T>, Malformed> {
    match r.u8()? {
        0 => Ok(None),
        1 => item(r).map(Some),
        _ => Err(Malformed),
    }
}

fn short(number: u32) -> std::result::Result<u16, Malformed> {
    u16::try_from(number).map_err(|_| Malformed)
}

fn type_code(kind: Type) -> u8 {
    match kind {
        Type::Integer => 1,
        Type::Real => 2,
        Type::Text => 3,
        Type::Blob => 4,
        Type::Boolean => 5,
        Type::Json => 6,
    }
}

fn type_of(code: u8) -> std::result::Result<Type, Malformed> {
    Ok(match code {
        1 => Type::Integer,
        2 => Type::Real,
        3 => Type::Text,
        4 => Type::Blob,
        5 => Type::Boolean,
        6 => Type::Json,
        _ => return Err(Malformed),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Stored {
        let blind = Blind {
            id: 3,
            generation: 2,
            physical: "a_bidx_2".into(),
            bits: Some(9),
            building: true,
        };
        let index = Index::lookup(5_000).normaliser(Normaliser::Text).accept_leakage("why");
        Stored {
            id: 256,
            name: "users".into(),
            key: "id".into(),
            text_key: true,
            key_at: 1,
            per_tenant: true,
            padding: Padding::Padme,
            subject: Some(Whose::Column(1)),
            columns: vec![StoredColumn {
                id: 1,
                column: Column::text("a").sealed().not_null().default("x").index(index),
                physical: false,
                dropping: true,
                since: 4,
                blind: Some(blind.clone()),
            }],
            retired: vec![Blind { bits: None, ..blind }],
            layouts: vec![Layout { number: 4, authenticated: vec![3], sealed: vec![1] }],
            next_id: 9,
        }
    }

    #[test]
    fn entries_read_back() {
        for subject in [None, Some(Whose::Row), Some(Whose::Column(300)), Some(Whose::Key)] {
            let stored = Stored { subject, ..sample() };
            assert!(decode(&encode(&stored)) == Ok(stored));
        }
    }

    #[test]
    fn the_frozen_entry_reads_and_is_written_again_byte_for_byte() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/vectors/record.json")).expect("JSON");
        let entry = vectors["catalog"][0]["entry"].as_str().expect("hexadecimal text");
        let entry = base16ct::lower::decode_vec(entry).expect("hexadecimal");
        let stored = decode(&entry).expect("an entry of version 1");
        assert_eq!(encode(&stored), entry);
        let names: Vec<_> = stored.columns.iter().map(|c| c.column.specification()).collect();
        assert_eq!(
            names,
            [
                "email text sealed not null unique email",
                "n\u{e4}me text sealed lookup 5000 text accept leakage 'why not'",
                "age integer authenticated default -7",
            ]
        );
        assert!(stored.per_tenant && !stored.text_key && stored.padding == Padding::Block(32));
        assert!(stored.columns[2].dropping && stored.columns[2].since == 2);
        let blinds = stored.columns.iter().filter_map(|column| column.blind.as_ref());
        let blinds: Vec<_> = blinds.map(|b| (b.id, b.generation, b.bits, b.building)).collect();
        assert_eq!(blinds, [(4, 1, None, false), (300, 2, Some(8), true)]);
        assert_eq!((stored.retired[0].bits, stored.layouts[1].number), (Some(12), 2));
    }

    #[test]
    fn cut_and_lengthened_entries_are_refused() {
        let entry = encode(&sample());
        for length in 0..entry.len() {
            assert!(decode(&entry[..length]).is_err(), "{length}");
        }
        assert!(decode(&[entry, vec![0]].concat()).is_err());
    }
}
