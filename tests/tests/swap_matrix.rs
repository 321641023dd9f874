//! Somebody who can write the file, and has no key: whatever is moved, copied, swapped or edited is refused with the one
//! authentication error, and never gives a wrong value.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used)]

use rusqlite::types::Value as Raw;
use rusqlite::{Connection, ToSql, params};
use sealite::{Column, Entry, Error, ErrorKind, Id, Protection, TableDefinition, Vault, values};
use sealite_tests::scale::{is_full, scaled};
use sealite_tests::scratch::{FIRST_TABLE, Scratch, create};
use sealite_tests::world::{
    AUTHENTICATED, Outcome, Place, World, insert_user, people, place, with,
};

/// The purposes of keys, as they stand in the file.
const DATA: i64 = 1;
const INDEX: i64 = 2;
const AUDIT: i64 = 3;

/// The physical table of a place.
fn physical(place: &Place) -> String {
    format!("\"{}_sealed\"", place.table)
}

/// A WHERE clause for a place, and its parameters.
fn at(place: &Place) -> (String, Vec<Raw>) {
    let id = match &place.id {
        Id::Integer(id) => Raw::Integer(*id),
        Id::Text(id) => Raw::Text(id.clone()),
        _ => unreachable!("two kinds of id"),
    };
    let key = if matches!(place.id, Id::Text(_)) { "slug" } else { "id" };
    match &place.tenant {
        None => (format!("{key} = ?"), vec![id]),
        Some(tenant) => (format!("{key} = ? AND tenant = ?"), vec![id, Raw::Text(tenant.clone())]),
    }
}

fn read(conn: &Connection, place: &Place, column: &str) -> Raw {
    let (clause, parameters) = at(place);
    let sql = format!("SELECT {column} FROM {} WHERE {clause}", physical(place));
    conn.query_row(&sql, rusqlite::params_from_iter(parameters), |row| row.get(0)).unwrap()
}

fn write(conn: &Connection, place: &Place, column: &str, value: &Raw) {
    let (clause, mut parameters) = at(place);
    parameters.insert(0, value.clone());
    let sql = format!("UPDATE {} SET {column} = ? WHERE {clause}", physical(place));
    let changed = conn.execute(&sql, rusqlite::params_from_iter(parameters)).unwrap();
    assert_eq!(changed, 1, "{sql}");
}

fn blob(value: Raw) -> Vec<u8> {
    match value {
        Raw::Blob(bytes) => bytes,
        other => panic!("not a blob: {other:?}"),
    }
}

fn bytes_of(world: &World, place: &Place) -> Vec<u8> {
    let mut record = Vec::new();
    world.edit(|conn| record = blob(read(conn, place, "sealed")));
    record
}

fn key_ids(conn: &Connection) -> Vec<u32> {
    let mut stmt = conn.prepare("SELECT id FROM sealite_keys").unwrap();
    let ids = stmt.query_map([], |row| row.get(0)).unwrap();
    ids.map(Result::unwrap).collect()
}

#[test]
fn an_untouched_vault_is_read_whole() {
    let world = World::default();
    world.edit(|_| ());
    world.check("untouched", &Outcome::default());
    assert!(world.rows.len() >= 15);
}

#[test]
fn a_record_copied_over_any_other_is_refused_there() {
    let world = World::default();
    let places: Vec<Place> = world.rows.keys().cloned().collect();
    let mut pairs = 0;
    for from in &places {
        for to in places.iter().filter(|to| *to != from) {
            world.edit(|conn| {
                let record = read(conn, from, "sealed");
                write(conn, to, "sealed", &record);
            });
            let what = format!("record of {from:?} over {to:?}");
            world.check(&what, &Outcome::refused([to.clone()]));
            pairs += 1;
        }
    }
    assert_eq!(pairs, places.len() * (places.len() - 1));
}

#[test]
fn two_records_swapped_are_refused_both() {
    let world = World::default();
    let places: Vec<Place> = world.rows.keys().cloned().collect();
    for (number, one) in places.iter().enumerate() {
        for other in &places[number + 1..] {
            world.edit(|conn| {
                let (first, second) = (read(conn, one, "sealed"), read(conn, other, "sealed"));
                write(conn, one, "sealed", &second);
                write(conn, other, "sealed", &first);
            });
            let what = format!("{one:?} and {other:?} swapped");
            world.check(&what, &Outcome::refused([one.clone(), other.clone()]));
        }
    }
}

/// Copies everything of a row but its ids over another row of the same columns, or into a new row.
fn whole_rows(world: &World) -> Vec<(Place, Place)> {
    let people = ["users", "members", "clients"].map(|table| world.places(table)).concat();
    let pages = ["pages", "notes"].map(|table| world.places(table)).concat();
    let mut pairs = Vec::new();
    for group in [people, pages] {
        for from in &group {
            for to in group.iter().filter(|to| *to != from) {
                pairs.push((from.clone(), to.clone()));
            }
        }
    }
    pairs
}

fn other_columns(conn: &Connection, place: &Place) -> Vec<String> {
    let sql = "SELECT name FROM pragma_table_info(?) WHERE name NOT IN \
               ('id', 'slug', 'tenant', 'sealite_rowid')";
    let mut stmt = conn.prepare(sql).unwrap();
    let table = format!("{}_sealed", place.table);
    stmt.query_map([table], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[test]
fn a_whole_row_copied_over_another_is_refused_there() {
    let world = World::default();
    for (from, to) in whole_rows(&world) {
        // Where a value is unique, the rows that have it make way: the authenticated code within the tenant, the blind
        // index within the table.
        let code = |place: &Place| world.rows[place].get("code").cloned();
        let in_the_way: Vec<Place> = world
            .places(&to.table)
            .into_iter()
            .filter(|other| {
                let same_code = other.tenant == to.tenant && code(other) == code(&from);
                *other != to && code(other).is_some() && (same_code || *other == from)
            })
            .collect();
        world.edit(|conn| {
            let columns = other_columns(conn, &to);
            let values: Vec<Raw> = columns.iter().map(|column| read(conn, &from, column)).collect();
            for other in &in_the_way {
                let (clause, parameters) = at(other);
                let sql = format!("DELETE FROM {} WHERE {clause}", physical(other));
                assert_eq!(conn.execute(&sql, rusqlite::params_from_iter(parameters)).unwrap(), 1);
            }
            for (column, value) in columns.iter().zip(&values) {
                write(conn, &to, column, value);
            }
        });
        let outcome = Outcome::refused([to.clone()]).gone(in_the_way);
        world.check(&format!("whole row of {from:?} over {to:?}"), &outcome);
    }
}

#[test]
fn a_row_inserted_as_a_copy_is_refused() {
    let world = World::default();
    for table in ["users", "clients"] {
        let from = world.places(table)[0].clone();
        let copy = Place { id: Id::Integer(77), ..from.clone() };
        world.edit(|conn| {
            let columns = other_columns(conn, &from);
            let shown: Vec<String> = columns
                .iter()
                .map(|name| if name.contains("email_bidx") || name == "code" { "NULL".into() } else { name.clone() })
                .collect();
            let tenant = if from.tenant.is_some() { ", tenant" } else { "" };
            let sql = format!(
                "INSERT INTO {table}_sealed (id{tenant}, {}) SELECT 77{tenant}, {} FROM {table}_sealed WHERE id = 1",
                columns.join(", "),
                shown.join(", ")
            );
            assert_eq!(conn.execute(&sql, []).unwrap(), 1);
        });
        world.check("a copy of a row", &Outcome::refused([copy]));
    }
    let from = place("pages", None, Id::Text("page-1".into()));
    let copy = Place { id: Id::Text("page-9".into()), ..from.clone() };
    world.edit_sql(
        "INSERT INTO pages_sealed (slug, kind, views, sealed)
         SELECT 'page-9', kind, views, sealed FROM pages_sealed WHERE slug = 'page-1'",
        &[],
    );
    world.check("a copy of a page", &Outcome::refused([copy]));
}

#[test]
fn a_record_of_another_vault_is_refused() {
    let world = World::default();
    // The same key opens the other vault; the same rows are in it.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.db");
    let other = create(&path, &world.scratch.unlock());
    other.define_table(&people("users")).unwrap();
    for place in world.places("users") {
        let values = &world.rows[&place];
        let pairs: Vec<_> =
            values.iter().map(|(name, value)| (name.as_str(), value.as_ref())).collect();
        assert_eq!(other.table("users").unwrap().insert(&pairs).unwrap(), place.id);
    }
    drop(other);
    let raw = sealite_tests::scratch::raw(&path);
    for place in world.places("users") {
        world.edit(|conn| write(conn, &place, "sealed", &read(&raw, &place, "sealed")));
        world.check("a record of another vault", &Outcome::refused([place.clone()]));
        world.edit(|conn| {
            for column in other_columns(conn, &place) {
                write(conn, &place, &column, &read(&raw, &place, &column));
            }
        });
        world.check("a row of another vault", &Outcome::refused([place]));
    }
    // The keys, the catalog and the marks of another vault.
    for (table, kinds) in [
        ("sealite_keys", [ErrorKind::AuthenticationFailed]),
        ("sealite_catalog", [ErrorKind::AuthenticationFailed]),
    ] {
        world.edit(|conn| {
            conn.execute("ATTACH ? AS other", [path.to_str().unwrap()]).unwrap();
            let ids = format!("SELECT id FROM other.{table}");
            let sql = format!(
                "UPDATE main.{table} SET sealed = (SELECT o.sealed FROM other.{table} o WHERE o.id = main.{table}.id)
                 WHERE id IN ({ids})"
            );
            assert!(conn.execute(&sql, []).unwrap() > 0);
            conn.execute_batch("DETACH other").unwrap();
        });
        let refused = world.scratch.try_open().map(|_| ()).unwrap_err();
        assert!(kinds.contains(&refused.kind()), "{table}: {refused}");
    }
}

/// Values of every storage class, some of which SQLite's `=` takes for each other.
fn replacements() -> Vec<(&'static str, Raw)> {
    vec![
        ("NULL", Raw::Null),
        ("0", Raw::Integer(0)),
        ("1", Raw::Integer(1)),
        ("2", Raw::Integer(2)),
        ("-1", Raw::Integer(-1)),
        ("max", Raw::Integer(i64::MAX)),
        ("0.0", Raw::Real(0.0)),
        ("-0.0", Raw::Real(-0.0)),
        ("1.0", Raw::Real(1.0)),
        ("2.0", Raw::Real(2.0)),
        ("empty text", Raw::Text(String::new())),
        ("text 1", Raw::Text("1".into())),
        ("admin", Raw::Text("admin".into())),
        ("ADMIN", Raw::Text("ADMIN".into())),
        ("admin and NUL", Raw::Text("admin\0".into())),
        ("user", Raw::Text("user".into())),
        ("draft", Raw::Text("draft".into())),
        ("json", Raw::Text("{\"n\":1}".into())),
        ("empty blob", Raw::Blob(vec![])),
        ("admin as a blob", Raw::Blob(b"admin".to_vec())),
        ("ff00d8 and more", Raw::Blob(vec![0xff, 0, 0xd8, 0])),
        ("ff00d8", Raw::Blob(vec![0xff, 0, 0xd8])),
    ]
}

#[test]
fn an_authenticated_column_with_any_other_value_is_refused() {
    let world = World::default();
    let mut places = vec![
        world.places("users")[0].clone(),
        world.places("users")[1].clone(),
        world.places("clients")[2].clone(),
        world.places("notes")[0].clone(),
    ];
    if is_full() {
        places = world.rows.keys().cloned().collect();
    }
    let mut edits = 0;
    for place in &places {
        let columns = if place.table == "notes" || place.table == "pages" {
            &["kind"][..]
        } else {
            AUTHENTICATED
        };
        for column in columns {
            for (name, value) in replacements() {
                let mut same = false;
                world.edit(|conn| {
                    let old = read(conn, place, column);
                    same = match (&old, &value) {
                        (Raw::Real(a), Raw::Real(b)) => a.to_bits() == b.to_bits(),
                        (a, b) => a == b,
                    };
                    write(conn, place, column, &value);
                });
                let outcome =
                    if same { Outcome::default() } else { Outcome::refused([place.clone()]) };
                world.check(&format!("{column} of {place:?} made {name}"), &outcome);
                edits += 1;
            }
        }
    }
    assert!(edits > 400, "{edits}");
    let place = &world.places("users")[0];
    world.edit_sql("UPDATE users_sealed SET role = CAST(x'ff' AS TEXT) WHERE id = 1", &[]);
    world.check("text that is not UTF-8", &Outcome::refused([place.clone()]));
}

#[test]
fn authenticated_columns_swapped_within_and_between_rows_are_refused() {
    let world = World::default();
    let users = world.places("users");
    world.edit_sql("UPDATE users_sealed SET role = code, code = role WHERE id = 1", &[]);
    world.check("two columns of a row swapped", &Outcome::refused([users[0].clone()]));
    world.edit(|conn| {
        let (first, second) = (read(conn, &users[0], "role"), read(conn, &users[1], "role"));
        write(conn, &users[0], "role", &second);
        write(conn, &users[1], "role", &first);
    });
    world.check("a column of two rows swapped", &Outcome::refused(users[..2].to_vec()));
}

#[test]
fn an_edited_blind_index_value_is_refused() {
    let world = World::default();
    for table in ["users", "clients"] {
        let rows = world.places(table);
        let (one, two) = (&rows[0], &rows[1]);
        let mut names = Vec::new();
        world.edit(|conn| {
            let all = other_columns(conn, one);
            names = all.into_iter().filter(|name| name.contains("_bidx")).collect();
        });
        assert_eq!(names.len(), 2);
        for name in &names {
            let refused = |same: bool, places: &[&Place]| {
                let places = places.iter().filter(|_| !same);
                Outcome::refused(places.map(|place| (*place).clone()))
            };
            for (what, value) in replacements() {
                let mut same = false;
                world.edit(|conn| {
                    let old = read(conn, one, name);
                    write(conn, one, name, &value);
                    // A look-up index has 512 values: one in 512 vaults has this one already.
                    same = old == read(conn, one, name);
                });
                world.check(&format!("{name} made {what}"), &refused(same, &[one]));
            }
            let mut same = false;
            world.edit(|conn| {
                let (first, second) = (read(conn, one, name), read(conn, two, name));
                same = first == second;
                write(conn, one, name, &Raw::Null);
                write(conn, two, name, &first);
                write(conn, one, name, &second);
            });
            world.check(&format!("{name} swapped"), &refused(same, &[one, two]));
            if let Raw::Blob(bytes) = {
                let mut value = Raw::Null;
                world.edit(|conn| value = read(conn, one, name));
                value
            } {
                for at in 0..bytes.len() {
                    let mut other = bytes.clone();
                    other[at] ^= 1 << (at % 8);
                    world.edit(|conn| write(conn, one, name, &Raw::Blob(other.clone())));
                    world.check(&format!("{name}, byte {at}"), &Outcome::refused([one.clone()]));
                }
            }
        }
    }
}

#[test]
fn every_bit_of_a_record_is_authenticated() {
    let world = World::default();
    let mut known = Vec::new();
    world.edit(|conn| known = key_ids(conn));
    for table in ["users", "notes"] {
        let place = world.places(table)[0].clone();
        let record = bytes_of(&world, &place);
        let bits: &[u32] = if is_full() { &[0, 1, 2, 3, 4, 5, 6, 7] } else { &[] };
        for at in 0..record.len() {
            let quick = [u32::try_from(at % 8).unwrap(), 7 - u32::try_from(at % 8).unwrap()];
            for bit in if bits.is_empty() { &quick[..=at % 2] } else { bits } {
                let mut other = record.clone();
                other[at] ^= 1 << bit;
                world.edit(|conn| write(conn, &place, "sealed", &Raw::Blob(other.clone())));
                let mut outcome = Outcome::refused([place.clone()]);
                let key = u32::from_be_bytes(other[3..7].try_into().unwrap());
                if !known.contains(&key) {
                    outcome.refused.insert(place.clone(), ErrorKind::UnknownKey);
                }
                world.check(&format!("byte {at}, bit {bit} of {place:?}"), &outcome);
            }
        }
    }
}

#[test]
fn a_record_of_another_length_or_type_is_refused() {
    let world = World::default();
    let place = world.places("users")[0].clone();
    let record = bytes_of(&world, &place);
    let step = scaled(7, 1);
    let mut others: Vec<Raw> = (0..record.len())
        .step_by(step)
        .map(|length| Raw::Blob(record[..length].to_vec()))
        .collect();
    others.push(Raw::Blob([record.clone(), vec![0]].concat()));
    others.push(Raw::Blob([vec![1], record.clone()].concat()));
    others.push(Raw::Blob(record[1..].to_vec()));
    others.push(Raw::Blob([record[..40].to_vec(), vec![0; 32], record[40..].to_vec()].concat()));
    others.push(Raw::Blob(vec![0; 200]));
    others.push(Raw::Blob(vec![1; 79]));
    others.push(Raw::Text("sealed".into()));
    others.push(Raw::Integer(1));
    others.push(Raw::Real(0.0));
    for other in others {
        world.edit(|conn| write(conn, &place, "sealed", &other));
        let mut outcome = Outcome::refused([place.clone()]);
        // Two of them name the key 0x01010101, or parts of others: an id that no key has.
        let names_no_key = |bytes: &[u8]| {
            bytes.len() >= 79
                && bytes[0] == 1
                && u32::from_be_bytes(bytes[3..7].try_into().unwrap()) > 100
        };
        if matches!(&other, Raw::Blob(bytes) if names_no_key(bytes)) {
            // Whether layout or key is looked up first does not matter: both are refused.
            let vault = world.scratch.open();
            let refused = vault.table("users").unwrap().get(1).map(|_| ()).unwrap_err();
            let refusals = [ErrorKind::AuthenticationFailed, ErrorKind::UnknownKey];
            assert!(refusals.contains(&refused.kind()), "{refused}");
            continue;
        }
        outcome.plain.clear();
        world.check("a record of another length or type", &outcome);
    }
}

#[test]
fn a_record_that_names_another_key_is_refused() {
    let world = World::default();
    let mut known = Vec::new();
    world.edit(|conn| known = key_ids(conn));
    assert!(known.len() >= 6);
    for table in ["users", "clients", "pages"] {
        let place = world.places(table)[0].clone();
        let record = bytes_of(&world, &place);
        let own = u32::from_be_bytes(record[3..7].try_into().unwrap());
        for id in known.iter().copied().chain([0, 99, u32::MAX]).filter(|id| *id != own) {
            let mut other = record.clone();
            other[3..7].copy_from_slice(&id.to_be_bytes());
            world.edit(|conn| write(conn, &place, "sealed", &Raw::Blob(other.clone())));
            let mut outcome = Outcome::refused([place.clone()]);
            if !known.contains(&id) {
                outcome.refused.insert(place.clone(), ErrorKind::UnknownKey);
            }
            world.check(&format!("key {own} made {id}"), &outcome);
        }
        for layout in [0u16, 2, 255, u16::MAX] {
            let mut other = record.clone();
            other[1..3].copy_from_slice(&layout.to_be_bytes());
            world.edit(|conn| write(conn, &place, "sealed", &Raw::Blob(other.clone())));
            world.check(&format!("layout {layout}"), &Outcome::refused([place.clone()]));
        }
    }
}

#[test]
fn a_row_under_another_id_is_refused() {
    let world = World::default();
    for table in ["users", "clients"] {
        let rows = world.places(table);
        for id in [0, -1, 99, i64::MAX, i64::MIN] {
            let moved = Place { id: Id::Integer(id), ..rows[0].clone() };
            world.edit(|conn| write(conn, &rows[0], "id", &Raw::Integer(id)));
            let outcome = Outcome::refused([moved]).gone([rows[0].clone()]);
            world.check(&format!("id {id} in {table}"), &outcome);
        }
    }
    let users = world.places("users");
    world.edit(|conn| {
        conn.execute_batch(
            "UPDATE users_sealed SET id = 1000 WHERE id = 1;
             UPDATE users_sealed SET id = 1 WHERE id = 2;
             UPDATE users_sealed SET id = 2 WHERE id = 1000;",
        )
        .unwrap();
    });
    world.check("two ids swapped", &Outcome::refused(users[..2].to_vec()));
}

#[test]
fn a_row_under_another_text_id_is_refused() {
    let world = World::default();
    for table in ["pages", "notes"] {
        let from = world.places(table)[0].clone();
        for id in ["page-3", "PAGE-1", "page-1 ", "page-1\0", "1", ""] {
            let moved = Place { id: Id::Text(id.into()), ..from.clone() };
            world.edit(|conn| write(conn, &from, "slug", &Raw::Text(id.into())));
            let outcome = Outcome::refused([moved]).gone([from.clone()]);
            world.check(&format!("text id {id:?} in {table}"), &outcome);
        }
        // An id that is no text: the row is reported by the number that SQLite gives it.
        world.edit(|conn| write(conn, &from, "slug", &Raw::Blob(b"page-1".to_vec())));
        let moved = Place { id: Id::Integer(1), ..from.clone() };
        let vault = world.scratch.open();
        let found = vault.verify(|_| ()).unwrap();
        assert_eq!(found.faults.len(), 1, "{found:?}");
        assert_eq!(found.faults[0].id, moved.id);
        assert_eq!(found.faults[0].error.kind(), ErrorKind::AuthenticationFailed);
        let refused =
            with(&vault, &from, |table| table.scan()?.collect::<sealite::Result<Vec<_>>>());
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::AuthenticationFailed);
        assert!(with(&vault, &from, |table| table.get(&from.id)).unwrap().is_none());
        drop(vault);
        // The row's own number is nowhere authenticated and says nothing.
        world.edit_sql(
            &format!("UPDATE {table}_sealed SET sealite_rowid = 500 WHERE sealite_rowid = 1"),
            &[],
        );
        world.check("another internal number", &Outcome::default());
    }
    world.edit(|conn| {
        conn.execute_batch(
            "UPDATE pages_sealed SET slug = 'x' WHERE slug = 'page-1';
             UPDATE pages_sealed SET slug = 'page-1' WHERE slug = 'page-2';
             UPDATE pages_sealed SET slug = 'page-2' WHERE slug = 'x';",
        )
        .unwrap();
    });
    world.check("two text ids swapped", &Outcome::refused(world.places("pages")));
}

#[test]
fn a_row_given_to_another_tenant_is_refused() {
    let world = World::default();
    for table in ["clients", "notes"] {
        let from = world.places(table)[0].clone();
        assert_eq!(from.tenant.as_deref(), Some("acme"));
        for tenant in ["beta", "ACME", "acme ", "nobody", "1", ""] {
            world.edit(|conn| {
                // Where ids are unique within a tenant, the other tenant's row makes way.
                if table == "notes" {
                    conn.execute(
                        "DELETE FROM notes_sealed WHERE tenant = ? AND slug = 'page-1'",
                        [tenant],
                    )
                    .unwrap();
                }
                if table == "clients" && tenant == "beta" {
                    conn.execute("UPDATE clients_sealed SET code = NULL WHERE id = 1", []).unwrap();
                }
                write(conn, &from, "tenant", &Raw::Text(tenant.into()));
            });
            let moved = Place { tenant: Some(tenant.into()), ..from.clone() };
            let outcome = Outcome::refused([moved]).gone([from.clone()]);
            world.check(&format!("{table} given to {tenant:?}"), &outcome);
        }
        // A tenant that is no text.
        world.edit(|conn| write(conn, &from, "tenant", &Raw::Blob(b"acme".to_vec())));
        let vault = world.scratch.open();
        let found = vault.verify(|_| ()).unwrap();
        assert_eq!(found.faults.len(), 1, "{found:?}");
        assert_eq!((found.faults[0].table.as_str(), &found.faults[0].tenant), (table, &None));
        assert_eq!(found.faults[0].error.kind(), ErrorKind::AuthenticationFailed);
        assert!(with(&vault, &from, |table| table.get(&from.id)).unwrap().is_none());
    }
}

#[test]
fn plain_columns_may_be_edited_and_everything_else_stays_refused() {
    let world = World::default();
    let users = world.places("users");
    world.edit_sql("UPDATE users_sealed SET plan = 'gold' WHERE id = 1", &[]);
    world.check("a plain column", &Outcome::default().plain([users[0].clone()]));
    let vault = world.scratch.open();
    assert_eq!(
        vault.table("users").unwrap().get(1).unwrap().unwrap().text("plan").unwrap(),
        "gold"
    );
    assert_eq!(vault.table("users").unwrap().find("plan", "gold").unwrap().len(), 1);
    drop(vault);
    world.edit_sql("UPDATE users_sealed SET plan = 'gold', level = 9 WHERE id = 1", &[]);
    world.check("a plain and an authenticated one", &Outcome::refused([users[0].clone()]));
}

#[test]
fn a_stale_record_or_a_stale_column_put_back_alone_is_refused() {
    let world = World::default();
    let user = world.places("users")[0].clone();
    let mut before = Vec::new();
    world.edit(|conn| {
        for column in other_columns(conn, &user) {
            let value = read(conn, &user, &column);
            before.push((column, value));
        }
    });
    let vault = world.scratch.open();
    let all = values! {
        "email" => "new@example.org", "surname" => "New", "phone" => "1", "role" => "guest", "level" => 7,
        "score" => 7.5, "active" => false, "extra" => "{}", "photo" => b"new", "code" => "new",
    };
    assert!(vault.table("users").unwrap().update(1, all).unwrap());
    drop(vault);
    let mut restored = 0;
    for (column, value) in before.iter().filter(|(column, _)| column != "plan") {
        let raw = world.scratch.raw();
        let now = read(&raw, &user, column);
        restored += 1;
        if now == *value {
            // A look-up index has 512 values: one in 512 vaults gives both surnames the same.
            assert_eq!(column, "surname_bidx");
            continue;
        }
        write(&raw, &user, column, value);
        drop(raw);
        let vault = world.scratch.open();
        let refused = vault.table("users").unwrap().get(1).map(|_| ()).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::AuthenticationFailed, "{column}");
        drop(vault);
        write(&world.scratch.raw(), &user, column, &now);
    }
    assert_eq!(restored, AUTHENTICATED.len() + 3);
    let vault = world.scratch.open();
    assert_eq!(
        vault.table("users").unwrap().get(1).unwrap().unwrap().text("role").unwrap(),
        "guest"
    );
}

#[test]
fn an_edited_row_of_the_keys_table_is_refused() {
    let world = World::default();
    let mut keys: Vec<(i64, i64, Option<String>)> = Vec::new();
    world.edit(|conn| {
        let mut stmt = conn.prepare("SELECT id, purpose, tenant FROM sealite_keys").unwrap();
        let rows = stmt.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
        keys = rows.map(Result::unwrap).collect();
    });
    let owners: Vec<_> =
        keys.iter().map(|(_, purpose, tenant)| (*purpose, tenant.as_deref())).collect();
    for owner in [
        (DATA, None),
        (INDEX, None),
        (AUDIT, None),
        (DATA, Some("acme")),
        (INDEX, Some("acme")),
        (DATA, Some("beta")),
        (INDEX, Some("beta")),
    ] {
        assert!(owners.contains(&owner), "{owner:?} in {owners:?}");
    }
    let edits: &[(&str, &dyn ToSql)] = &[
        ("purpose", &1),
        ("purpose", &2),
        ("purpose", &3),
        ("purpose", &"x"),
        ("tenant", &None::<String>),
        ("tenant", &"acme"),
        ("tenant", &"beta"),
        ("tenant", &b"acme"),
        ("subject", &"somebody"),
        ("subject", &b"somebody"),
        ("floor", &9),
        ("floor", &"none"),
        ("generation", &2),
        ("generation", &"one"),
        ("state", &2),
        ("state", &3),
        ("state", &9),
        ("state", &1.5),
        ("created_at", &0),
        ("created_at", &"never"),
        ("changed_at", &0),
        ("changed_at", &b"x"),
        ("sealed", &b""),
        ("sealed", &"text"),
        ("sealed", &7),
    ];
    for (id, purpose, tenant) in &keys {
        for (column, value) in edits {
            let mut changed = 0;
            world.edit(|conn| {
                let sql = format!(
                    "UPDATE sealite_keys SET {column} = ?1 WHERE id = ?2 AND {column} IS NOT ?1"
                );
                changed = conn.execute(&sql, params![value, id]).unwrap();
            });
            if changed == 1 {
                check_key(
                    &world,
                    &format!("{column} of key {id}"),
                    *purpose,
                    tenant.as_deref(),
                    ErrorKind::AuthenticationFailed,
                );
            }
        }
        let mut record = Vec::new();
        world.edit(|conn| {
            let sql = "SELECT sealed FROM sealite_keys WHERE id = ?";
            record = conn.query_row(sql, [id], |row| row.get(0)).unwrap();
        });
        for at in (0..record.len()).step_by(scaled(5, 1)) {
            let mut other: Vec<u8> = record.clone();
            other[at] ^= 0x10;
            world.edit_sql("UPDATE sealite_keys SET sealed = ?1 WHERE id = ?2", &[&other, id]);
            let what = format!("byte {at} of key {id}");
            check_key(&world, &what, *purpose, tenant.as_deref(), ErrorKind::AuthenticationFailed);
        }
        // The row of a key under another id, and no row at all.
        world.edit_sql("UPDATE sealite_keys SET id = 50 WHERE id = ?", &[id]);
        check_key(
            &world,
            &format!("key {id} renumbered"),
            *purpose,
            tenant.as_deref(),
            ErrorKind::UnknownKey,
        );
        world.edit_sql("DELETE FROM sealite_keys WHERE id = ?", &[id]);
        check_key(
            &world,
            &format!("key {id} removed"),
            *purpose,
            tenant.as_deref(),
            ErrorKind::UnknownKey,
        );
    }
}

/// What an unusable key leads to: what it has sealed and a search are refused, no wrong value comes from anywhere, and a
/// check of the vault tells.
#[track_caller]
fn check_key(world: &World, what: &str, purpose: i64, tenant: Option<&str>, kind: ErrorKind) {
    let opened = world.scratch.try_open();
    if purpose == DATA && tenant.is_none() {
        // The catalog is sealed under it.
        assert_eq!(opened.map(|_| ()).unwrap_err().kind(), kind, "{what}");
        return;
    }
    // The edited row says that it is somebody else's newest key, whose records are refused then.
    let misleads = what.starts_with("tenant of key") || what.starts_with("purpose of key");
    let vault = match opened {
        Ok(vault) => vault,
        Err(error) => {
            assert!(misleads, "{what}: {error}");
            return assert_eq!(error.kind(), ErrorKind::AuthenticationFailed, "{what}: {error}");
        }
    };
    let verification = vault.verify(|_| ()).unwrap();
    let keys = verification.keys.as_ref().map(Error::kind);
    assert_eq!(keys, Some(ErrorKind::AuthenticationFailed), "{what}");
    assert_eq!(vault.keys().list().unwrap_err().kind(), ErrorKind::AuthenticationFailed, "{what}");
    assert!(!vault.health().ready, "{what}");
    if purpose == DATA {
        let owned = world.rows.keys().filter(|place| place.tenant.as_deref() == tenant);
        let faults = verification.faults.len();
        assert!(faults == owned.clone().count() || (misleads && faults > owned.clone().count()));
        for place in owned {
            let refused = with(&vault, place, |table| table.get(&place.id));
            assert_eq!(refused.map(|_| ()).unwrap_err().kind(), kind, "{what}");
        }
        assert!(verification.faults.iter().all(|fault| fault.error.kind() == kind), "{what}");
        return;
    }
    assert!(
        misleads || verification.faults.is_empty(),
        "{what}: neither an index key nor the trail's seals anything"
    );
    if purpose == AUDIT {
        check_trail(&vault, what);
        return;
    }
    let table = if tenant.is_some() { "clients" } else { "users" };
    for place in world.places(table).iter().filter(|place| place.tenant.as_deref() == tenant) {
        let values = &world.rows[place];
        let found = with(&vault, place, |table| table.find("email", values["email"].as_ref()));
        let refused = found.map(|_| ()).expect_err(what);
        assert_eq!(refused.kind(), ErrorKind::AuthenticationFailed, "{what}: {refused}");
    }
    if tenant.is_none() {
        let refused = insert_user(&vault, "person1@example.org").unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::AuthenticationFailed, "{what}: {refused}");
    }
}

/// A trail whose key is unusable, or not there, is neither taken for sound nor added to.
#[track_caller]
fn check_trail(vault: &Vault, what: &str) {
    let audit = vault.audit();
    match audit.verify(None) {
        Ok(report) => assert!(!report.is_sound(), "{what}: no entry opens"),
        Err(error) => assert_eq!(error.kind(), ErrorKind::AuthenticationFailed, "{what}"),
    }
    let refused =
        [audit.checkpoint().map(|_| ()), audit.append(&Entry::new("something")).map(|_| ())];
    for refused in refused {
        assert_eq!(refused.expect_err(what).kind(), ErrorKind::AuthenticationFailed, "{what}");
    }
}

#[test]
fn rows_of_the_keys_table_swapped_are_refused() {
    let world = World::default();
    let mut keys: Vec<(i64, i64, Option<String>)> = Vec::new();
    world.edit(|conn| {
        let mut stmt = conn.prepare("SELECT id, purpose, tenant FROM sealite_keys").unwrap();
        let rows = stmt.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
        keys = rows.map(Result::unwrap).collect();
    });
    for (number, (one, ..)) in keys.iter().enumerate() {
        for (other, ..) in &keys[number + 1..] {
            // Whole rows change places: everything but the id agrees with what was wrapped.
            for whole in [true, false] {
                world.edit(|conn| {
                    if whole {
                        conn.execute("UPDATE sealite_keys SET id = 1000 WHERE id = ?", [one])
                            .unwrap();
                        conn.execute("UPDATE sealite_keys SET id = ? WHERE id = ?", [one, other])
                            .unwrap();
                        conn.execute("UPDATE sealite_keys SET id = ? WHERE id = 1000", [other])
                            .unwrap();
                    } else {
                        let sealed = |id| {
                            let sql = "SELECT sealed FROM sealite_keys WHERE id = ?";
                            conn.query_row(sql, [id], |row| row.get::<_, Vec<u8>>(0)).unwrap()
                        };
                        let (first, second) = (sealed(one), sealed(other));
                        let sql = "UPDATE sealite_keys SET sealed = ? WHERE id = ?";
                        assert_eq!(conn.execute(sql, params![second, one]).unwrap(), 1);
                        assert_eq!(conn.execute(sql, params![first, other]).unwrap(), 1);
                    }
                });
                let what = format!("keys {one} and {other} swapped, whole: {whole}");
                for (_, purpose, tenant) in keys.iter().filter(|(id, ..)| id == one || id == other)
                {
                    check_swapped_key(&world, &what, *purpose, tenant.as_deref());
                }
            }
        }
    }
}

fn check_swapped_key(world: &World, what: &str, purpose: i64, tenant: Option<&str>) {
    let vault = match world.scratch.try_open() {
        Err(error) => return assert_eq!(error.kind(), ErrorKind::AuthenticationFailed, "{what}"),
        Ok(vault) => vault,
    };
    if purpose == AUDIT {
        check_trail(&vault, what);
        return;
    }
    for place in world.rows.keys().filter(|place| place.tenant.as_deref() == tenant) {
        let what = format!("{what}: purpose {purpose} of {place:?}");
        let refused = if purpose == DATA {
            with(&vault, place, |table| table.get(&place.id).map(|_| ()))
        } else if world.rows[place].contains_key("email") {
            let email = world.rows[place]["email"].as_ref();
            with(&vault, place, |table| table.find("email", email).map(|_| ()))
        } else {
            continue;
        };
        assert_eq!(refused.expect_err(&what).kind(), ErrorKind::AuthenticationFailed, "{what}");
    }
}

#[test]
fn an_edited_slot_opens_nothing() {
    let world = World::default();
    let edits: &[(&str, &dyn ToSql)] = &[
        ("id", &9),
        ("kind", &2),
        ("kind", &3),
        ("kind", &99),
        ("kind", &"key"),
        ("label", &"other"),
        ("label", &b"key"),
        ("created_at", &1),
        ("created_at", &"x"),
        ("parameters", &b"0123456789abcdef"),
        ("parameters", &b""),
        ("parameters", &"text"),
        ("sealed", &b""),
        ("sealed", &1),
    ];
    // A wrong kind, salt, nonce or commitment can't be told from a wrong key.
    let refusals = [ErrorKind::AuthenticationFailed, ErrorKind::WrongKey];
    for (column, value) in edits {
        world.edit_sql(&format!("UPDATE sealite_slots SET {column} = ?"), &[*value]);
        let refused = world.scratch.try_open().map(|_| ()).unwrap_err();
        assert!(refusals.contains(&refused.kind()), "{column}: {refused}");
        if matches!(*column, "id" | "label" | "created_at") {
            assert_eq!(refused.kind(), ErrorKind::AuthenticationFailed, "{column}: {refused}");
        }
    }
    let mut record: Vec<u8> = Vec::new();
    world.edit(|conn| {
        record = conn.query_row("SELECT sealed FROM sealite_slots", [], |row| row.get(0)).unwrap();
    });
    for at in 0..record.len() {
        let mut other = record.clone();
        other[at] ^= 1 << (at % 8);
        world.edit_sql("UPDATE sealite_slots SET sealed = ?", &[&other]);
        let refused = world.scratch.try_open().map(|_| ()).unwrap_err();
        assert!(refusals.contains(&refused.kind()), "byte {at}: {refused}");
        let ciphertext_or_tag = (31..record.len() - 32).contains(&at);
        if ciphertext_or_tag {
            assert_eq!(refused.kind(), ErrorKind::AuthenticationFailed, "byte {at}");
        }
    }
    world.edit_sql("DELETE FROM sealite_slots", &[]);
    assert!(world.scratch.try_open().is_err());
}

#[test]
fn an_edited_catalog_is_refused() {
    let world = World::default();
    let mut entries: Vec<(i64, Vec<u8>)> = Vec::new();
    let mut keys = Vec::new();
    world.edit(|conn| {
        keys = key_ids(conn);
        let mut stmt = conn.prepare("SELECT id, sealed FROM sealite_catalog").unwrap();
        let rows = stmt.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        entries = rows.map(Result::unwrap).collect();
    });
    let refused = |what: &str| {
        let error = world.scratch.try_open().map(|_| ()).unwrap_err();
        let kinds = [ErrorKind::AuthenticationFailed, ErrorKind::UnknownKey];
        assert!(kinds.contains(&error.kind()), "{what}: {error}");
        error.kind()
    };
    for (id, record) in &entries {
        for at in (0..record.len()).step_by(scaled(11, 1)) {
            let mut other = record.clone();
            other[at] ^= 4;
            world.edit_sql("UPDATE sealite_catalog SET sealed = ? WHERE id = ?", &[&other, id]);
            let kind = refused("a byte of the catalog");
            let key = u32::from_be_bytes(other[3..7].try_into().unwrap());
            assert_eq!(kind == ErrorKind::UnknownKey, !keys.contains(&key), "byte {at} of {id}");
        }
        for value in [&b"" as &dyn ToSql, &"text", &3] {
            world.edit_sql("UPDATE sealite_catalog SET sealed = ? WHERE id = ?", &[value, id]);
            assert_eq!(refused("another type"), ErrorKind::AuthenticationFailed);
        }
        world.edit_sql("UPDATE sealite_catalog SET id = 900 WHERE id = ?", &[id]);
        assert_eq!(refused("another id"), ErrorKind::AuthenticationFailed);
        for (other, _) in entries.iter().filter(|(other, _)| other != id) {
            world.edit_sql(
                "UPDATE sealite_catalog SET sealed = (SELECT c.sealed FROM sealite_catalog c WHERE c.id = ?1)
                 WHERE id = ?2",
                &[other, id],
            );
            assert_eq!(refused("another table's entry"), ErrorKind::AuthenticationFailed);
        }
    }
    // A record of a row is no entry.
    world.edit_sql(
        "UPDATE sealite_catalog SET sealed = (SELECT sealed FROM users_sealed WHERE id = 1)",
        &[],
    );
    assert_eq!(refused("a row's record"), ErrorKind::AuthenticationFailed);
}

#[test]
fn an_edited_or_older_high_water_mark_gives_no_id_out_again() {
    let world = World::default();
    let mut old: Vec<u8> = Vec::new();
    world.edit(|conn| {
        let sql = "SELECT sealed FROM sealite_sequences WHERE id = ?";
        old = conn.query_row(sql, [FIRST_TABLE], |row| row.get(0)).unwrap();
    });
    for at in (0..old.len()).step_by(scaled(3, 1)) {
        let mut other = old.clone();
        other[at] ^= 0x20;
        world.edit_sql(
            "UPDATE sealite_sequences SET sealed = ? WHERE id = ?",
            &[&other, &FIRST_TABLE],
        );
        let vault = world.scratch.open();
        let refused = insert_user(&vault, "new@example.org").unwrap_err();
        let wanted = if (3..7).contains(&at) {
            ErrorKind::UnknownKey
        } else {
            ErrorKind::AuthenticationFailed
        };
        assert_eq!(refused.kind(), wanted, "byte {at}: {refused}");
        assert_eq!(vault.table("users").unwrap().count().unwrap(), 3);
    }
    for sql in [
        "UPDATE sealite_sequences SET sealed = x''",
        "UPDATE sealite_sequences SET sealed = 'text'",
        "UPDATE sealite_sequences SET sealed = (SELECT s.sealed FROM sealite_sequences s WHERE s.id = 3)",
        "UPDATE sealite_sequences SET id = id + 1000",
        "DELETE FROM sealite_sequences",
    ] {
        world.edit_sql(sql, &[]);
        let vault = world.scratch.open();
        let refused = insert_user(&vault, "new@example.org").unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::AuthenticationFailed, "{sql}: {refused}");
    }
    // An older mark, put back while its later rows are there.
    world.edit(|_| ());
    let vault = world.scratch.open();
    let later = insert_user(&vault, "later@example.org").unwrap();
    assert_eq!(later, Id::Integer(4));
    drop(vault);
    let raw = world.scratch.raw();
    raw.execute("UPDATE sealite_sequences SET sealed = ? WHERE id = ?", params![old, FIRST_TABLE])
        .unwrap();
    drop(raw);
    let vault = world.scratch.open();
    let refused = insert_user(&vault, "again@example.org").unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Corrupt, "{refused}");
    let kept = vault.table("users").unwrap().get(4).unwrap().unwrap();
    assert_eq!(kept.text("email").unwrap(), "later@example.org");
}

#[test]
fn another_vault_id_opens_nothing_and_the_epoch_is_no_secret() {
    let world = World::default();
    world.edit_sql("UPDATE sealite_meta SET vault = x'000102030405060708090a0b0c0d0e0f'", &[]);
    assert_eq!(
        world.scratch.try_open().map(|_| ()).unwrap_err().kind(),
        ErrorKind::AuthenticationFailed
    );
    for epoch in [0, 1, -5, 1_000_000] {
        world.edit_sql("UPDATE sealite_meta SET epoch = ?", &[&epoch]);
        world.check(&format!("epoch {epoch}"), &Outcome::default());
    }
}

#[test]
fn a_weaker_catalog_put_back_is_refused_by_the_declaration() {
    let scratch = Scratch::new();
    let vault = scratch.create();
    let weak = |name: &str| {
        TableDefinition::new(name)
            .column(Column::text("email").sealed())
            .column(Column::text("phone"))
            .column(Column::text("role").authenticated())
    };
    vault.define_table(&weak("users")).unwrap();
    vault.table("users").unwrap().insert(values! {"phone" => "plain", "role" => "user"}).unwrap();
    vault.close();
    let entry = "SELECT sealed FROM sealite_catalog WHERE id = ?";
    let old: Vec<u8> = scratch.raw().query_row(entry, [FIRST_TABLE], |row| row.get(0)).unwrap();
    let vault = scratch.open();
    for column in ["phone", "role"] {
        let protect = sealite::Alteration::Protect(column.into(), Protection::Sealed);
        let _ = vault.alter_table("users", &protect).unwrap();
    }
    vault.close();
    let raw = scratch.raw();
    let edit = "UPDATE sealite_catalog SET sealed = ? WHERE id = ?";
    assert_eq!(raw.execute(edit, params![old, FIRST_TABLE]).unwrap(), 1);
    raw.execute("UPDATE sealite_meta SET epoch = epoch + 1", []).unwrap();
    raw.execute_batch(
        "ALTER TABLE users_sealed ADD COLUMN phone; ALTER TABLE users_sealed ADD COLUMN role;",
    )
    .unwrap();
    drop(raw);
    let vault = scratch.open();
    let strong = TableDefinition::new("users")
        .column(Column::text("email").sealed())
        .column(Column::text("phone").sealed())
        .column(Column::text("role").sealed());
    let refused = vault.define_table(&strong).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Definition, "{refused}");
    // The rows were sealed under a layout that the old entry does not know.
    let refused = vault.table("users").unwrap().get(1).map(|_| ()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::AuthenticationFailed);
    // An equal or a stronger table than the declared one is accepted.
    assert!(!vault.define_table(&weak("users")).unwrap());
}
