//! The frozen known answers of `tests/vectors/record.json`: what version 1 of the format is, byte for byte. They were made
//! by the reference reader's encodings, not by this engine.

use serde_json::Value as Json;

use super::label;
use super::seal::{RecordKey, Shape, open, seal};
use crate::crypto::{password, xaes};
use crate::format::context::{Context, Place};
use crate::format::padding::Padding;
use crate::format::payload::{Columns, pad, put_column, value};
use crate::format::record::{HEADER_LEN, Record, header};
use crate::format::secret_text::{format_recovery, parse_recovery};
use crate::secret::Secret32;
use crate::value::{IdRef, ValueRef};

fn vectors() -> Json {
    serde_json::from_str(include_str!("../../../tests/vectors/record.json")).expect("JSON")
}

fn hex(json: &Json) -> Vec<u8> {
    base16ct::lower::decode_vec(json.as_str().expect("hexadecimal text")).expect("hexadecimal")
}

fn array<const N: usize>(json: &Json) -> [u8; N] {
    hex(json).try_into().expect("the length")
}

fn number<T: TryFrom<u64>>(json: &Json) -> T {
    json.as_u64().and_then(|n| T::try_from(n).ok()).expect("a number in range")
}

fn list(json: &Json) -> &[Json] {
    json.as_array().expect("a list")
}

/// `[column id, tag, bytes]`.
fn columns(json: &Json) -> Vec<(u32, u8, Vec<u8>)> {
    list(json).iter().map(|c| (number(&c[0]), number(&c[1]), hex(&c[2]))).collect()
}

fn each(columns: &[(u32, u8, Vec<u8>)], mut take: impl FnMut(u32, ValueRef<'_>)) {
    for (id, tag, bytes) in columns {
        take(*id, value(*tag, bytes).expect("a value"));
    }
}

/// The parts of a record before they are sealed.
struct Parts {
    key: RecordKey,
    shape: Shape,
    beside: Vec<(u32, u8, Vec<u8>)>,
    inside: Vec<(u32, u8, Vec<u8>)>,
}

impl Parts {
    fn of(one: &Json) -> Self {
        let key =
            RecordKey { id: number(&one["key_id"]), cipher: xaes::Key::new(&array(&one["key"])) };
        let padding = Padding::from_code(number(&one["padding"]));
        Parts {
            key,
            shape: Shape { layout: number(&one["layout"]), padding },
            beside: columns(&one["columns"]),
            inside: columns(&one["values"]),
        }
    }

    /// What [`seal`] makes, under a nonce that is given: associated data, payload, record.
    fn seal_under(&self, nonce: &[u8; 24], place: &Place<'_>) -> [Vec<u8>; 3] {
        let head = header(self.shape.layout, self.key.id, nonce);
        let mut context = Context::default();
        context.begin(&head, place);
        each(&self.beside, |id, value| context.column(id, value));
        let mut body = Vec::new();
        each(&self.inside, |id, value| put_column(&mut body, id, value));
        pad(&mut body, 0, self.shape.padding);
        let payload = body.clone();
        let (tag, commitment) =
            self.key.cipher.seal_in_place(nonce, context.finish(), &mut body).expect("short");
        let record = [&head[..], &body, &tag, &commitment].concat();
        [context.finish().to_vec(), payload, record]
    }
}

fn with_place<R>(json: &Json, work: impl FnOnce(&Place<'_>) -> R) -> R {
    let vault = array(&json["vault"]);
    let bytes = json["record"].get(1).map(hex);
    let record = bytes.as_ref().map(|bytes| {
        match value(number(&json["record"][0]), bytes).expect("an id") {
            ValueRef::Text(id) => IdRef::Text(id),
            other => IdRef::Integer(other.as_i64().expect("an integer")),
        }
    });
    work(&Place {
        vault: &vault,
        table: number(&json["table"]),
        field: json["field"].as_str(),
        record,
        tenant: json["tenant"].as_str(),
        subject: json["subject"].as_str(),
    })
}

#[test]
fn records_are_made_and_opened_as_the_known_answers_say() {
    let vectors = vectors();
    let records = list(&vectors["records"]);
    assert!(records.len() >= 18);
    for one in records {
        let parts = Parts::of(one);
        with_place(&one["place"], |place| {
            let made = parts.seal_under(&array(&one["nonce"]), place);
            assert_eq!(made[0], hex(&one["aad"]), "{}: associated data", one["name"]);
            assert_eq!(made[1], hex(&one["payload"]), "{}: payload", one["name"]);
            assert_eq!(made[2], hex(&one["sealed"]), "{}: record", one["name"]);
            let record = Record::parse(&made[2]).expect("a record");
            let mut opened = Vec::new();
            let beside = |context: &mut Context| each(&parts.beside, |id, v| context.column(id, v));
            open(&mut opened, &mut Context::default(), &parts.key, &record, place, beside)
                .expect("opens");
            assert_eq!(opened, made[1]);
            let mut read = Columns::new(&opened);
            each(&parts.inside, |id, value| {
                assert!(read.next().expect("well formed") == Some((id, value)));
            });
            assert!(read.next().expect("padding").is_none());
        });
    }
}

#[test]
fn what_the_engine_seals_is_made_of_the_same_parts() {
    for one in list(&vectors()["records"]) {
        let parts = Parts::of(one);
        with_place(&one["place"], |place| {
            let mut sealed = Vec::new();
            seal(
                &mut sealed,
                &mut Context::default(),
                &parts.key,
                parts.shape,
                place,
                |context| each(&parts.beside, |id, value| context.column(id, value)),
                |out| each(&parts.inside, |id, value| put_column(out, id, value)),
            )
            .expect("seals");
            let nonce = sealed[7..HEADER_LEN].try_into().expect("24 bytes");
            assert_eq!(parts.seal_under(&nonce, place)[2], sealed, "{}", one["name"]);
        });
    }
}

#[test]
fn derived_keys_are_those_of_the_known_answers() {
    let vectors = vectors();
    let derived = list(&vectors["derived"]);
    for one in derived {
        let (key, salt, info) = (hex(&one["key"]), hex(&one["salt"]), hex(&one["info"]));
        let whole = || Secret32::copy_of(key.as_slice().try_into().expect("32 bytes"));
        let salt = || salt.as_slice().try_into().expect("16 bytes");
        let be = |from: usize, to: usize| {
            info[from..to].iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte))
        };
        let found = match one["label"].as_str().expect("a label") {
            "slot/key" => label::slot_key(whole().expose(), salt()),
            "slot/recovery" => {
                label::slot_recovery(key.as_slice().try_into().expect("20 bytes"), salt())
            }
            "slot/passphrase" => label::slot_passphrase(whole().expose()),
            "wrap" => label::wrap(&whole(), info.as_slice().try_into().expect("16 bytes")),
            "keys/list" => label::key_list(&whole(), info.as_slice().try_into().expect("16 bytes")),
            "blind-index/table" => {
                label::blind_index(&whole(), be(0, 4), be(4, 8), be(8, 10) as u16)
            }
            "blind-index/field" => {
                let name = std::str::from_utf8(&info[3..]).expect("a name");
                label::field_index(&whole(), name, info[0], be(1, 3) as u16)
            }
            other => panic!("an unknown label {other}"),
        };
        assert_eq!(found.expose()[..], hex(&one["derived"]), "{}", one["label"]);
    }
    assert_eq!(derived.len(), 9);
}

#[test]
fn recovery_codes_and_stretched_passphrases_are_those_of_the_known_answers() {
    let vectors = vectors();
    for one in list(&vectors["recovery_codes"]) {
        let (bits, code) = (array(&one["bits"]), one["code"].as_str().expect("a code"));
        assert_eq!(*format_recovery(&bits), code);
        assert_eq!(*parse_recovery(code).expect("a code"), bits);
    }
    for one in list(&vectors["passphrases"]) {
        let cost = password::Argon2Params {
            memory_kib: number(&one["memory_kib"]),
            passes: number(&one["passes"]),
            lanes: number(&one["lanes"]),
        };
        let text = one["passphrase"].as_str().expect("text");
        let stretched = password::derive(text.as_bytes(), &array(&one["salt"]), cost);
        assert_eq!(stretched.expect("derived")[..], hex(&one["stretched"]));
    }
}
