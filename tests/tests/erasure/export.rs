//! What a subject has, as JSON.

use std::io::{self, Write};

use sealite::{Column, ErrorKind, ExportOptions, TableDefinition, ValueRef, Vault, values};

use super::fill;

#[test]
fn an_export_has_everything_of_the_subject_and_nothing_else() {
    let vault = Vault::in_memory().unwrap();
    let tokens = fill(&vault);
    let all = TableDefinition::new("all")
        .column(Column::text("owner").authenticated())
        .column(Column::real("real").sealed())
        .column(Column::boolean("flag").sealed())
        .column(Column::json("json").sealed())
        .column(Column::integer("nothing").sealed())
        .subject("owner");
    vault.define_table(&all).unwrap();
    for real in [1.5, f64::INFINITY] {
        let row = values! {
            "owner" => "2", "real" => real, "flag" => true, "json" => ValueRef::Json("{\"a\": [1]}")
        };
        vault.table("all").unwrap().insert(row).unwrap();
    }
    let mut out = Vec::new();
    let written = vault.export_subject(None, "2", &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let found: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((written.rows, written.tokens, written.approvals), (11, 2, 1));
    assert_eq!(found["format"], "sealite-subject-1");
    assert_eq!(found["subject"], "2");
    assert!(found["tenant"].is_null());
    let tables = found["tables"].as_object().unwrap();
    let names: Vec<_> = tables.keys().map(String::as_str).collect();
    assert_eq!(names, ["all", "files", "notes", "users"]);
    assert_eq!(found["tables"]["users"][0]["email"], "2@example.org");
    assert_eq!(found["tables"]["notes"].as_array().unwrap().len(), 4);
    assert!(found["tables"]["files"][0]["bytes"]["base64"].as_str().unwrap().len() == 4_000);
    assert_eq!(found["tables"]["all"][0]["real"], 1.5);
    assert_eq!(found["tables"]["all"][1]["real"], "inf");
    assert_eq!(found["tables"]["all"][0]["json"]["a"][0], 1);
    assert_eq!(found["tokens"].as_array().unwrap().len(), 2);
    assert_eq!(found["tokens"][0]["label"], "a device");
    let audit = found["audit"].as_array().unwrap();
    assert_eq!(audit.len() as u64, written.entries);
    assert!(audit.len() >= 3 && audit.iter().all(|entry| entry["subject"] == "2"));
    for other in ["1@example", "3@example", "1 body", "3 body", "\"hash\"", "shared"] {
        assert!(!text.contains(other), "{other}");
    }
    for token in &tokens {
        let (_, secret) = token.rsplit_once('_').unwrap();
        assert!(!text.contains(secret));
    }
    let last = vault.audit().tail(1).unwrap().remove(0);
    assert_eq!((last.event(), last.subject()), ("subject.exported", Some("2")));

    let _ = vault.erase_subject(None, "2").unwrap();
    let error = vault.export_subject(None, "2", &mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DestroyedKey);
    // Of a subject that is not there there is nothing.
    let none = vault.export_subject(None, "nobody", &mut Vec::new()).unwrap();
    assert_eq!((none.rows, none.tokens, none.approvals, none.entries), (0, 0, 0, 0));
}

/// Where an export goes: counts what comes, and fails where it is told to.
#[derive(Default)]
struct Place {
    writes: usize,
    bytes: usize,
    room: Option<usize>,
    flush_fails: bool,
}

impl Write for Place {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.room.is_some_and(|room| self.bytes + bytes.len() > room) {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        self.writes += 1;
        self.bytes += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.flush_fails { Err(io::Error::other("no")) } else { Ok(()) }
    }
}

#[test]
fn exports_are_written_in_blocks_and_what_fails_at_the_end_is_an_error() {
    let vault = Vault::in_memory().unwrap();
    let _ = fill(&vault);
    let files = vault.table("files").unwrap();
    for _ in 0..40 {
        files.insert(values! {"owner" => "2", "bytes" => vec![7_u8; 6_000].as_slice()}).unwrap();
    }
    let everything = |place: &mut Place| vault.export_subject(None, "2", place).map(|_| ());
    let trail =
        |place: &mut Place| vault.audit().export(place, &ExportOptions::default()).map(|_| ());
    for export in [&everything as &dyn Fn(&mut Place) -> sealite::Result<()>, &trail] {
        let mut place = Place::default();
        export(&mut place).unwrap();
        // Of 64 KiB, the last of what is left.
        assert!(place.writes <= place.bytes / 32_768 + 1, "{} of {}", place.writes, place.bytes);
        let last = vault.audit().tail(1).unwrap().remove(0).seq();
        for mut place in [
            Place { flush_fails: true, ..Place::default() },
            Place { room: Some(0), ..Place::default() },
            Place { room: Some(place.bytes - 1), ..Place::default() },
        ] {
            assert_eq!(export(&mut place).unwrap_err().kind(), ErrorKind::Io);
        }
        // What was not given out is not said to have been.
        assert_eq!(vault.audit().tail(1).unwrap().remove(0).seq(), last);
    }
}
