//! A table is altered while others read and write it: every row is readable at every moment, nothing is lost, and what a
//! crash interrupts is completed.

#![allow(clippy::cast_possible_wrap, clippy::expect_used, clippy::indexing_slicing)]
#![allow(clippy::redundant_closure_for_method_calls, clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sealite::Alteration as A;
use sealite::{
    Alteration, Column, ErrorKind, Id, IdRef, Index, Normaliser, Protection, Result, Row, Table,
    TableDefinition, Unlock, Value, ValueRef, Vault, values,
};
use sealite_tests::reexec::{self, Conversation, argument, role, tell};
use sealite_tests::scale::scaled;
use sealite_tests::scratch::{Scratch, open};

const PROTECTIONS: [Protection; 3] =
    [Protection::Plain, Protection::Authenticated, Protection::Sealed];

/// The names that the table goes by, in turn.
const NAMES: [&str; 2] = ["people", "folk"];

/// Columns that the alterations work on. Each row's value follows from its tag.
const COLUMNS: [&str; 4] = ["first", "second", "third", "mail"];

fn definition() -> TableDefinition {
    TableDefinition::new(NAMES[0])
        .column(Column::text("tag").index(Index::unique()))
        .column(Column::text("first"))
        .column(Column::text("second").authenticated())
        .column(Column::text("third").sealed())
        .column(Column::text("mail").sealed().index(Index::unique().normaliser(Normaliser::Email)))
        .column(Column::integer("touched").authenticated().default(0i64))
}

fn value(column: &str, tag: &str) -> String {
    format!("{column}-{tag}@example.org")
}

fn row_of(tag: &str) -> Vec<(&'static str, String)> {
    let tagged = ("tag", tag.to_owned());
    std::iter::once(tagged).chain(COLUMNS.map(|column| (column, value(column, tag)))).collect()
}

fn insert(table: &Table<'_>, tags: &[String]) -> Result<Vec<Id>> {
    let names: Vec<&str> = std::iter::once("tag").chain(COLUMNS).collect();
    let owned: Vec<Vec<(&str, String)>> = tags.iter().map(|tag| row_of(tag)).collect();
    let rows: Vec<Vec<ValueRef<'_>>> =
        owned.iter().map(|row| row.iter().map(|(_, value)| value.into()).collect()).collect();
    table.insert_many(&names, &rows)
}

/// Holds a row to its tag. A column that was added holds its default; a renamed one what it held before.
#[track_caller]
fn assert_row(row: &Row) -> String {
    let tag = row.text("tag").expect("every row has its tag").to_owned();
    for (name, found) in row.columns() {
        let base = name.strip_suffix("_renamed").unwrap_or(name);
        if COLUMNS.contains(&base) {
            assert_eq!(found.as_str(), Some(value(base, &tag).as_str()), "column {name} of {tag}");
        } else if let Some(how) = base.strip_prefix("added_") {
            assert_eq!(found.as_str(), Some(format!("default {how}").as_str()), "{tag}");
        } else {
            assert!(matches!(base, "tag" | "touched"), "column {name}");
        }
    }
    tag
}

/// How long the table is altered under its users, at least.
const LEAST_TIME: Duration = Duration::from_secs(5);

/// Runs work on the table under whichever name it has now.
fn with<T>(vault: &Vault, work: impl Fn(&Table<'_>) -> Result<T>) -> T {
    let started = Instant::now();
    loop {
        for name in NAMES {
            match vault.table(name).and_then(|table| work(&table)) {
                Ok(done) => return done,
                // Renamed between two tries.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) if error.kind() == ErrorKind::Busy => {}
                Err(error) => panic!("{error}"),
            }
        }
        assert!(started.elapsed() < Duration::from_secs(60), "busy without end");
    }
}

fn prepare(rows: usize) -> (Scratch, Vault, Vec<String>) {
    let scratch = Scratch::new();
    let vault = scratch.create();
    vault.define_table(&definition()).unwrap();
    let tags: Vec<String> = (0..rows).map(|n| format!("base-{n}")).collect();
    insert(&vault.table(NAMES[0]).unwrap(), &tags).unwrap();
    (scratch, vault, tags)
}

/// Every kind of alteration, over columns of every protection, so that the table ends as it began.
fn every_alteration() -> Vec<Alteration> {
    let mut all = Vec::new();
    let protect = |name: &str, how| A::Protect(name.to_owned(), how);
    let ways = [Protection::Sealed, Protection::Plain, Protection::Authenticated];
    for (name, own) in [("first", 0), ("second", 1), ("third", 2)] {
        // Every change from one protection to another: there and back again, in both orders.
        let start = PROTECTIONS[own];
        let others: Vec<_> = ways.into_iter().filter(|how| *how != start).collect();
        for how in [others[0], others[1], start, others[1], others[0], start] {
            all.push(protect(name, how));
        }
        // The same with an index that goes along.
        all.push(A::AddIndex(name.to_owned(), Index::unique()));
        for how in [others[0], others[1], start] {
            all.push(protect(name, how));
        }
        all.push(A::DropIndex(name.to_owned()));
        all.push(A::AddIndex(name.to_owned(), Index::lookup(100_000)));
        all.push(A::RenameColumn(name.to_owned(), format!("{name}_renamed")));
        all.push(protect(&format!("{name}_renamed"), others[0]));
        all.push(A::RenameColumn(format!("{name}_renamed"), name.to_owned()));
        all.push(A::DropIndex(name.to_owned()));
        all.push(protect(name, start));
        let added = format!("added_{}", start.name());
        let column =
            Column::text(&added).protection(start).default(format!("default {}", start.name()));
        all.push(A::AddColumn(column.not_null()));
        all.push(protect(&added, others[0]));
        all.push(A::DropColumn(added));
    }
    all.push(A::DropIndex("mail".into()));
    all.push(A::AddIndex("mail".into(), Index::lookup(50_000).normaliser(Normaliser::Email)));
    all.push(A::DropIndex("mail".into()));
    all.push(A::AddIndex("mail".into(), Index::unique().normaliser(Normaliser::Email)));
    all
}

#[test]
fn every_row_is_readable_and_writable_while_the_table_is_altered() {
    let (scratch, vault, tags) = prepare(scaled(1_100, 6_000));
    let stop = scratch.folder().join("stop");
    let children: Vec<Conversation> = (0..2)
        .map(|number| {
            let mut command =
                reexec::command("child_that_uses_the_table", "use", &scratch.path(), scratch.key());
            command
                .env("SEALITE_TEST_STOP", &stop)
                .env("SEALITE_TEST_NAME", format!("child{number}"));
            command.env("SEALITE_TEST_ROWS", tags.len().to_string());
            let mut child = Conversation::start(command);
            assert_eq!(child.next_step().as_deref(), Some("ready"));
            child
        })
        .collect();
    let mut name = 0;
    let started = Instant::now();
    // Over again on a fast machine: the children have to get their turns, too.
    while started.elapsed() < LEAST_TIME {
        for (number, alteration) in every_alteration().into_iter().enumerate() {
            alter(&vault, NAMES[name], &alteration);
            if number % 8 == 7 {
                let next = 1 - name;
                alter(&vault, NAMES[name], &Alteration::RenameTable(NAMES[next].into()));
                name = next;
            }
        }
    }
    std::fs::write(&stop, "").unwrap();
    let mut expected: BTreeSet<String> = tags.into_iter().collect();
    for mut child in children {
        let mut told = 0;
        while let Some(tag) = child.next_step() {
            expected.insert(tag);
            told += 1;
        }
        assert!(told > 0, "the child has written nothing meanwhile");
        child.finish(Duration::from_secs(30));
    }
    let found: BTreeSet<String> = vault
        .table(NAMES[name])
        .unwrap()
        .scan()
        .unwrap()
        .map(|row| assert_row(&row.unwrap()))
        .collect();
    assert_eq!(found.len(), expected.len());
    assert_eq!(found, expected, "nothing is lost and nothing comes back");
    let after = vault.table(NAMES[name]).unwrap().definition().unwrap();
    assert_eq!(after.columns(), definition().columns(), "the table is declared as it was");
    let report = vault.verify(|_| ()).unwrap();
    assert!(report.is_sound(), "{report:?}");
    assert!(vault.finish_erasure().unwrap() == sealite::Erasure::Complete);
    vault.close();
    assert_settled(&scratch, NAMES[name]);
}

/// Alters although others write: busy means try again.
fn alter(vault: &Vault, table: &str, alteration: &Alteration) {
    let started = Instant::now();
    loop {
        match vault.alter_table(table, alteration) {
            // Others may hold the log back; the erasure is finished at the end.
            Ok(_) => return,
            Err(error) if error.kind() == ErrorKind::Busy => {
                assert!(started.elapsed() < Duration::from_secs(60), "busy without end");
                match vault.finish_alteration(table) {
                    Ok(_) => {}
                    Err(error) => assert_eq!(error.kind(), ErrorKind::Busy, "{error}"),
                }
                if done_already(vault, table, alteration) {
                    return;
                }
            }
            Err(error) => panic!("{alteration:?}: {error}"),
        }
    }
}

/// True where an alteration that was busy at its end has been made after all.
fn done_already(vault: &Vault, table: &str, alteration: &Alteration) -> bool {
    let Ok(columns) = vault.table(table).and_then(|table| table.columns()) else {
        return matches!(alteration, Alteration::RenameTable(_));
    };
    let find = |name: &str| columns.iter().find(|column| column.name() == name);
    match alteration {
        Alteration::AddColumn(column) => find(column.name()).is_some(),
        Alteration::DropColumn(name) => find(name).is_none(),
        Alteration::RenameColumn(_, to) => find(to).is_some(),
        Alteration::Protect(name, how) => {
            find(name).is_some_and(|c| c.declared_protection() == *how)
        }
        Alteration::AddIndex(name, _) => find(name).is_some_and(|c| c.declared_index().is_some()),
        Alteration::DropIndex(name) => find(name).is_some_and(|c| c.declared_index().is_none()),
        _ => false,
    }
}

/// The closed file holds one layout, and no column or index that nothing uses.
fn assert_settled(scratch: &Scratch, name: &str) {
    let raw = scratch.raw();
    let one = |sql: &str| raw.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(one(&format!("SELECT count(DISTINCT substr(sealed, 2, 2)) FROM {name}_sealed")), 1);
    let sql = "SELECT count(*) FROM pragma_table_info(?) WHERE name LIKE '%\\_bidx%' ESCAPE '\\'";
    let blind: i64 = raw.query_row(sql, [format!("{name}_sealed")], |row| row.get(0)).unwrap();
    assert_eq!(blind, 1, "the index of mail");
    let columns: i64 = raw
        .query_row("SELECT count(*) FROM pragma_table_info(?)", [format!("{name}_sealed")], |row| {
            row.get(0)
        })
        .unwrap();
    // id, tag, first, second, touched, the blind index, the record.
    assert_eq!(columns, 7);
    let indexes = format!(
        "SELECT count(*) FROM sqlite_master
         WHERE type = 'index' AND tbl_name = '{name}_sealed' AND name LIKE 'sealite\\_%' ESCAPE '\\'"
    );
    assert_eq!(one(&indexes), 2);
}

#[test]
#[ignore = "the child of another test"]
fn child_that_uses_the_table() {
    if role().as_deref() != Some("use") {
        return;
    }
    let path = PathBuf::from(argument("PATH"));
    let vault = open(&path, &Unlock::key_text(&argument("KEY")).unwrap()).unwrap();
    let stop = PathBuf::from(argument("STOP"));
    let me = argument("NAME");
    let rows: usize = argument("ROWS").parse().unwrap();
    let base: Vec<String> = (0..rows).map(|n| format!("base-{n}")).collect();
    tell("ready");
    let reader = {
        let (vault, base, stop) = (vault.clone(), base.clone(), stop.clone());
        std::thread::spawn(move || read_until(&vault, &base, &stop))
    };
    let kept = write_until(&vault, &me, &base, &stop);
    reader.join().expect("the reader saw every row");
    for tag in kept {
        tell(&tag);
    }
}

fn read_until(vault: &Vault, base: &[String], stop: &Path) {
    let mut searches = BTreeMap::new();
    for round in 0.. {
        if stop.exists() {
            break;
        }
        let seen = with(vault, |table| {
            table.scan()?.map(|row| row.map(|row| assert_row(&row))).collect::<Result<Vec<_>>>()
        });
        let distinct: BTreeSet<&String> = seen.iter().collect();
        assert_eq!(distinct.len(), seen.len(), "a row was seen twice");
        assert!(base.iter().all(|tag| distinct.contains(tag)), "a row was not seen");
        assert!(with(vault, |table| table.count()) >= base.len() as u64);
        for number in 0..20 {
            let at = (round * 31 + number * 57) % base.len();
            let id = at as i64 + 1;
            assert_eq!(assert_row(&with(vault, |t| t.get(id)).expect("a base row")), base[at]);
            let many = with(vault, |t| t.get_many(&[IdRef::Integer(id), IdRef::Integer(1)]));
            assert_eq!(assert_row(many[0].as_ref().expect("a base row")), base[at]);
            for column in ["tag", "first", "second", "third", "mail"] {
                let wanted =
                    if column == "tag" { base[at].clone() } else { value(column, &base[at]) };
                search(vault, column, &wanted, &base[at], &mut searches);
            }
        }
        let snapshot = vault.snapshot();
        if let Ok(snapshot) = snapshot {
            let name =
                NAMES.into_iter().find(|name| snapshot.table(name).is_ok()).expect("the table");
            let table = snapshot.table(name).unwrap();
            let (first, second) = (table.scan().unwrap().count() as u64, table.count().unwrap());
            assert_eq!(first, second, "a snapshot sees one moment");
        }
    }
    assert!(searches.get("found").is_some_and(|count| *count > 50), "{searches:?}");
}

/// A search finds the row, or says that the index is not there (yet).
fn search(
    vault: &Vault,
    column: &str,
    wanted: &str,
    tag: &str,
    counts: &mut BTreeMap<&str, usize>,
) {
    for name in NAMES {
        match vault.table(name).and_then(|table| table.find(column, wanted)) {
            Ok(found) => {
                let tags: Vec<String> = found.iter().map(assert_row).collect();
                assert_eq!(tags, [tag], "a search by {column}");
                *counts.entry("found").or_default() += 1;
            }
            Err(error) if error.kind() == ErrorKind::NotIndexed => {
                *counts.entry("not indexed").or_default() += 1;
            }
            // The table or the column has its other name just now.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) if error.kind() == ErrorKind::Busy => {}
            Err(error) => panic!("a search by {column}: {error}"),
        }
    }
}

fn write_until(vault: &Vault, me: &str, base: &[String], stop: &Path) -> BTreeSet<String> {
    let mut kept: BTreeMap<String, Id> = BTreeMap::new();
    for round in 0usize.. {
        if stop.exists() {
            break;
        }
        let tag = format!("{me}-{round}");
        // A column that is renamed just now can't be named: the row is written whole when it can.
        let Some(ids) = attempt(vault, |table| insert(table, std::slice::from_ref(&tag))) else {
            continue;
        };
        kept.insert(tag.clone(), ids[0].clone());
        let id = &ids[0];
        assert_eq!(
            with(vault, |table| table.get(id)).map(|row| assert_row(&row)),
            Some(tag.clone())
        );
        // An update of one column leaves the others.
        assert!(with(vault, |table| table.update(id, values! {"touched" => 7})));
        let other = ((round * 37) % base.len()) as i64 + 1;
        assert!(with(vault, |table| table.update(other, values! {"touched" => 9})));
        let row = with(vault, |table| table.get(id)).expect("the row is there");
        assert_eq!(
            (assert_row(&row), row.get("touched").unwrap()),
            (tag.clone(), ValueRef::Integer(7))
        );
        if round % 3 == 2 {
            assert!(with(vault, |table| table.delete(id)));
            assert!(with(vault, |table| table.get(id)).is_none());
            kept.remove(&tag);
        }
        // Not as fast as it goes: the table shall not grow without end while it is altered.
        std::thread::sleep(Duration::from_millis(4));
    }
    for (tag, id) in &kept {
        let row = with(vault, |table| table.get(id)).expect("what was committed is there");
        assert_eq!(assert_row(&row), *tag);
    }
    kept.into_keys().collect()
}

/// As [`with`], but gives up where a column is not there.
fn attempt<T>(vault: &Vault, work: impl Fn(&Table<'_>) -> Result<T>) -> Option<T> {
    for name in NAMES {
        match vault.table(name).and_then(|table| work(&table)) {
            Ok(done) => return Some(done),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Busy) => {}
            Err(error) => panic!("{error}"),
        }
    }
    None
}

/// A handle that only searches learns of an alteration from nothing but its searches.
#[test]
fn a_search_never_misses_a_row_that_is_being_moved() {
    let (scratch, vault, tags) = prepare(scaled(1_500, 6_000));
    let done = Arc::new(AtomicBool::new(false));
    let searchers: Vec<_> = ["first", "mail"]
        .into_iter()
        .map(|column| {
            let (other, done) = (scratch.open(), Arc::clone(&done));
            let tag = tags[0].clone();
            std::thread::spawn(move || {
                let mut counts = BTreeMap::new();
                while !done.load(Ordering::Relaxed) {
                    search(&other, column, &value(column, &tag), &tag, &mut counts);
                }
                counts
            })
        })
        .collect();
    for _ in 0..scaled(4, 20) {
        for alteration in [
            A::Protect("first".into(), Protection::Sealed),
            A::Protect("first".into(), Protection::Plain),
            A::DropIndex("mail".into()),
            A::AddIndex("mail".into(), Index::unique().normaliser(Normaliser::Email)),
        ] {
            alter(&vault, NAMES[0], &alteration);
        }
    }
    done.store(true, Ordering::Relaxed);
    for searcher in searchers {
        let counts = searcher.join().expect("every search found the row or said that it could not");
        assert!(counts["found"] > 10 && counts["not indexed"] > 0, "{counts:?}");
    }
}

#[test]
fn a_crash_leaves_what_finish_alteration_completes() {
    let (scratch, vault, tags) = prepare(scaled(1_200, 3_000));
    vault.close();
    drop(vault);
    let mut state = u64::from(std::process::id());
    let mut interrupted = 0;
    let rounds = scaled(10, 100);
    for round in 0.. {
        // About one kill in three falls between two batches: on until one has.
        if round >= rounds && interrupted > 0 {
            break;
        }
        assert!(round < rounds + 100, "no round was interrupted in the middle");
        let command = reexec::command(
            "child_that_alters_without_end",
            "alter",
            &scratch.path(),
            scratch.key(),
        );
        let mut child = Conversation::start(command);
        assert_eq!(child.next_step().as_deref(), Some("ready"), "round {round}");
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        // Longer where the machine is so slow that nothing was interrupted.
        let longest = (state >> 33 & 0x1_ffff) << (round / rounds).min(4);
        std::thread::sleep(Duration::from_micros(longest));
        child.kill();
        let vault = scratch.open();
        // Before anything is completed, every row is there and reads.
        let read = |vault: &Vault| {
            let seen: BTreeSet<String> = vault
                .table(NAMES[0])
                .unwrap()
                .scan()
                .unwrap()
                .map(|row| assert_row(&row.unwrap()))
                .collect();
            assert_eq!(seen.len(), tags.len(), "round {round}");
            assert!(vault.verify(|_| ()).unwrap().is_sound(), "round {round}");
        };
        read(&vault);
        let layouts = |vault: &Vault| -> i64 {
            vault.close();
            let sql = "SELECT count(DISTINCT substr(sealed, 2, 2)) FROM people_sealed";
            scratch.raw().query_row(sql, [], |row| row.get(0)).unwrap()
        };
        interrupted += usize::from(layouts(&vault) > 1);
        drop(vault);
        let vault = scratch.open();
        assert!(vault.finish_alteration(NAMES[0]).unwrap() == sealite::Erasure::Complete);
        read(&vault);
        insert(&vault.table(NAMES[0]).unwrap(), &["probe".to_owned()]).unwrap();
        let probe = vault.table(NAMES[0]).unwrap().find_one("tag", "probe").unwrap().unwrap();
        assert_row(&probe);
        assert!(vault.table(NAMES[0]).unwrap().delete(probe.id()).unwrap());
        assert_eq!(layouts(&vault), 1, "round {round}");
        let vault = scratch.open();
        // Nothing is left of columns and indexes that are gone: the table can be brought back to what was declared.
        restore(&vault);
        vault.close();
        assert_settled(&scratch, NAMES[0]);
    }
}

/// Brings the columns back to their declaration, whatever of an alteration has been made.
fn restore(vault: &Vault) {
    let columns = vault.table(NAMES[0]).unwrap().columns().unwrap();
    for column in columns {
        let name = column.name();
        let wanted = definition().columns().iter().find(|other| other.name() == name).cloned();
        let Some(wanted) = wanted else {
            let _ = vault.alter_table(NAMES[0], &Alteration::DropColumn(name.into())).unwrap();
            continue;
        };
        if column.declared_index() != wanted.declared_index() && column.declared_index().is_some() {
            let _ = vault.alter_table(NAMES[0], &Alteration::DropIndex(name.into())).unwrap();
        }
        let protect = Alteration::Protect(name.into(), wanted.declared_protection());
        let _ = vault.alter_table(NAMES[0], &protect).unwrap();
        if let (Some(index), true) =
            (wanted.declared_index(), column.declared_index() != wanted.declared_index())
        {
            let _ = vault
                .alter_table(NAMES[0], &Alteration::AddIndex(name.into(), index.clone()))
                .unwrap();
        }
    }
}

#[test]
#[ignore = "the child of another test"]
fn child_that_alters_without_end() {
    if role().as_deref() != Some("alter") {
        return;
    }
    let path = PathBuf::from(argument("PATH"));
    let vault = open(&path, &Unlock::key_text(&argument("KEY")).unwrap()).unwrap();
    tell("ready");
    let column = |how: Protection| {
        Column::text(format!("added_{}", how.name()))
            .protection(how)
            .default(format!("default {}", how.name()))
    };
    loop {
        for how in [Protection::Sealed, Protection::Plain] {
            for alteration in [
                Alteration::Protect("first".into(), how),
                Alteration::AddColumn(column(Protection::Sealed)),
                Alteration::DropColumn("added_sealed".into()),
                Alteration::AddIndex("third".into(), Index::unique()),
                Alteration::DropIndex("third".into()),
                Alteration::Protect("second".into(), Protection::Sealed),
                Alteration::Protect("second".into(), Protection::Authenticated),
                Alteration::AddColumn(column(Protection::Authenticated)),
                Alteration::DropColumn("added_authenticated".into()),
            ] {
                let _ = vault.alter_table(NAMES[0], &alteration).expect("an alteration");
            }
        }
    }
}

#[test]
fn a_unique_index_over_duplicates_is_refused_and_leaves_the_table_as_it_was() {
    for protection in PROTECTIONS {
        let scratch = Scratch::new();
        let vault = scratch.create();
        let define = TableDefinition::new("t")
            .column(Column::text("v").protection(protection))
            .column(Column::text("other").sealed().index(Index::unique()));
        vault.define_table(&define).unwrap();
        let texts: Vec<String> =
            (0..1_100).map(|n| format!("value {}", if n == 1_050 { 3 } else { n })).collect();
        let others: Vec<String> = (0..1_100).map(|n| format!("other {n}")).collect();
        let rows: Vec<[ValueRef<'_>; 2]> =
            texts.iter().zip(&others).map(|(a, b)| [a.into(), b.into()]).collect();
        vault.table("t").unwrap().insert_many(&["v", "other"], &rows).unwrap();
        vault.close();
        let schema = |scratch: &Scratch| -> Vec<(String, String)> {
            let raw = scratch.raw();
            let sql = "SELECT name, coalesce(sql, '') FROM sqlite_master WHERE name LIKE '%256%' OR name LIKE 't\\_%' ESCAPE '\\' ORDER BY name";
            let mut stmt = raw.prepare(sql).unwrap();
            stmt.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
                .unwrap()
                .map(|r| r.unwrap())
                .collect()
        };
        let before = schema(&scratch);
        let vault = scratch.open();
        let add = Alteration::AddIndex("v".into(), Index::unique());
        for _ in 0..2 {
            let refused = vault.alter_table("t", &add).map(|_| ()).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::Conflict, "{protection:?}: {refused}");
            assert!(!refused.message().contains("value 3"));
        }
        let table = vault.table("t").unwrap();
        assert_eq!(table.definition().unwrap(), define);
        for (at, row) in table.scan().unwrap().enumerate() {
            let row = row.unwrap();
            assert_eq!(
                (row.text("v").unwrap(), row.text("other").unwrap()),
                (texts[at].as_str(), others[at].as_str())
            );
        }
        assert_eq!(table.find("other", "other 1050").unwrap().len(), 1);
        table.insert(values! {"v" => "value 3", "other" => "new"}).unwrap();
        assert!(table.delete(1_101).unwrap());
        assert!(vault.verify(|_| ()).unwrap().is_sound());
        drop(table);
        vault.close();
        assert_eq!(schema(&scratch), before, "{protection:?}");
        // Once the duplicate is gone, the index can be.
        let vault = scratch.open();
        vault.table("t").unwrap().update(1_051, values! {"v" => "value 1050"}).unwrap();
        let _ = vault.alter_table("t", &add).unwrap();
        assert_eq!(vault.table("t").unwrap().find("v", "value 1050").unwrap().len(), 1);
        let taken = vault.table("t").unwrap().insert(values! {"v" => "value 3"}).unwrap_err();
        assert_eq!(taken.kind(), ErrorKind::Conflict);
    }
}

#[test]
fn an_edited_row_stops_an_alteration_until_it_is_discarded() {
    let (scratch, vault, tags) = prepare(1_200);
    vault.close();
    scratch.raw().execute("UPDATE people_sealed SET second = 'forged' WHERE id = 900", []).unwrap();
    let vault = scratch.open();
    let protect = A::Protect("second".into(), Protection::Sealed);
    for _ in 0..2 {
        let refused = vault.alter_table(NAMES[0], &protect).map(|_| ()).unwrap_err();
        assert_eq!(
            refused.kind(),
            ErrorKind::AuthenticationFailed,
            "a forged value is not sealed in"
        );
    }
    let report = vault.verify(|_| ()).unwrap();
    assert_eq!(report.faults.len(), 1);
    let table = vault.table(NAMES[0]).unwrap();
    for (id, tag) in [(1, &tags[0]), (899, &tags[898]), (901, &tags[900]), (1_200, &tags[1_199])] {
        assert_eq!(assert_row(&table.get(id).unwrap().unwrap()), *tag, "the others read as before");
    }
    assert!(table.discard(900).unwrap());
    assert!(vault.finish_alteration(NAMES[0]).unwrap() == sealite::Erasure::Complete);
    let left: BTreeSet<String> =
        table.scan().unwrap().map(|row| assert_row(&row.unwrap())).collect();
    assert_eq!(left.len(), 1_199);
    assert!(vault.verify(|_| ()).unwrap().is_sound());
    let columns = table.columns().unwrap();
    let second = columns.iter().find(|column| column.name() == "second").unwrap();
    assert_eq!(second.declared_protection(), Protection::Sealed);
}

#[test]
fn every_change_of_protection_keeps_values_and_indexes() {
    let indexes = [None, Some(Index::unique()), Some(Index::lookup(5_000))];
    for tenants in [false, true] {
        for index in &indexes {
            for from in PROTECTIONS {
                for to in PROTECTIONS {
                    change(tenants, index.as_ref(), from, to);
                }
            }
        }
    }
}

fn change(tenants: bool, index: Option<&Index>, from: Protection, to: Protection) {
    let what = format!("{from:?} to {to:?}, {index:?}, tenants: {tenants}");
    let vault = Vault::in_memory().unwrap();
    let mut column = Column::text("v").protection(from);
    if let Some(index) = index {
        column = column.index(index.clone());
    }
    let mut define = TableDefinition::new("t").column(column).column(Column::integer("n").sealed());
    if tenants {
        define = define.per_tenant().text_key("slug");
    }
    vault.define_table(&define).unwrap();
    let tenant = vault.tenant("acme").unwrap();
    let table = || if tenants { tenant.table("t").unwrap() } else { vault.table("t").unwrap() };
    let contents = [
        Some(""),
        Some("a"),
        Some("\u{e9}\0b"),
        None,
        None,
        Some("long long long long long long long"),
    ];
    let given = |n: usize, text: Option<&'static str>| {
        let slug = tenants.then(|| format!("row {n}"));
        let mut pairs: Vec<(&str, Value)> = vec![("n", Value::Integer(n as i64))];
        pairs.push(("v", text.map_or(Value::Null, Value::from)));
        pairs.extend(slug.map(|slug| ("slug", Value::Text(slug))));
        pairs
    };
    let insert = |n: usize, text: Option<&'static str>| {
        let pairs = given(n, text);
        let pairs: Vec<(&str, ValueRef<'_>)> =
            pairs.iter().map(|(k, v)| (*k, v.as_ref())).collect();
        table().insert(&pairs)
    };
    let ids: Vec<Id> =
        contents.iter().enumerate().map(|(n, text)| insert(n, *text).unwrap()).collect();
    let _ = vault.alter_table("t", &Alteration::Protect("v".into(), to)).expect(&what);
    let kept = table().columns().unwrap()[0].clone();
    assert_eq!((kept.declared_protection(), kept.declared_index()), (to, index), "{what}");
    for (n, (id, text)) in ids.iter().zip(contents).enumerate() {
        let row = table().get(id).unwrap().unwrap();
        assert_eq!(row.get("v").unwrap(), ValueRef::from(text), "{what}");
        assert_eq!(row.get("n").unwrap(), ValueRef::Integer(n as i64), "{what}");
        let Some(text) = text else { continue };
        match table().find("v", text) {
            Ok(found) => {
                assert!(index.is_some() || to != Protection::Sealed, "{what}");
                assert_eq!(found.len(), 1, "{what}");
                assert_eq!(found[0].id(), id.as_ref(), "{what}");
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::NotIndexed, "{what}");
                assert!(index.is_none() && to == Protection::Sealed, "{what}");
            }
        }
    }
    let again = insert(90, Some("a"));
    match index {
        Some(index) if index.is_unique() => {
            assert_eq!(again.unwrap_err().kind(), ErrorKind::Conflict, "{what}");
        }
        _ => assert!(again.is_ok(), "{what}"),
    }
    insert(91, Some("b")).expect(&what);
    assert!(vault.verify(|_| ()).unwrap().is_sound(), "{what}");
    let _ = vault.alter_table("t", &Alteration::DropColumn("v".into())).expect(&what);
    assert_eq!(table().columns().unwrap().len(), 1);
    assert!(vault.verify(|_| ()).unwrap().is_sound(), "{what}");
    let _ = vault
        .alter_table("t", &Alteration::AddColumn(Column::text("v").protection(from)))
        .expect(&what);
    assert!(
        table().get(&ids[1]).unwrap().unwrap().get("v").unwrap().is_null(),
        "{what}: an old value came back"
    );
}

#[test]
fn a_refused_alteration_changes_nothing() {
    let vault = Vault::in_memory().unwrap();
    let define = TableDefinition::new("t")
        .column(Column::text("mail").sealed().index(Index::unique().normaliser(Normaliser::Email)))
        .column(Column::boolean("flag").index(Index::lookup(2)))
        .column(Column::real("score").authenticated().index(Index::lookup(2_000)))
        .column(Column::text("name"));
    vault.define_table(&define).unwrap();
    vault.define_table(&TableDefinition::new("other").column(Column::text("a"))).unwrap();
    let id = vault
        .table("t")
        .unwrap()
        .insert(values! {"mail" => "a@b.example", "flag" => true, "score" => 1.5, "name" => "x"})
        .unwrap();
    let cases = [
        // SQL compares exactly: an index in another normal form can't go along.
        (A::Protect("mail".into(), Protection::Plain), ErrorKind::InvalidInput),
        // A blind index over a boolean, or over doubles.
        (A::Protect("flag".into(), Protection::Sealed), ErrorKind::Refused),
        (A::Protect("score".into(), Protection::Sealed), ErrorKind::InvalidInput),
        (A::Protect("nowhere".into(), Protection::Sealed), ErrorKind::NotFound),
        (A::DropColumn("nowhere".into()), ErrorKind::NotFound),
        (A::AddColumn(Column::text("NAME")), ErrorKind::Conflict),
        (A::AddColumn(Column::text("id")), ErrorKind::Conflict),
        (A::AddColumn(Column::text("needed").not_null()), ErrorKind::InvalidInput),
        (A::AddColumn(Column::text("sealed")), ErrorKind::InvalidInput),
        (A::RenameColumn("name".into(), "mail".into()), ErrorKind::Conflict),
        (A::RenameColumn("name".into(), "x_bidx".into()), ErrorKind::InvalidInput),
        (A::RenameColumn("nowhere".into(), "x".into()), ErrorKind::NotFound),
        (A::RenameTable("other".into()), ErrorKind::Conflict),
        (A::RenameTable("sealite_x".into()), ErrorKind::InvalidInput),
        (A::AddIndex("mail".into(), Index::unique()), ErrorKind::Conflict),
        (
            A::AddIndex("name".into(), Index::unique().normaliser(Normaliser::Text)),
            ErrorKind::InvalidInput,
        ),
        (A::DropIndex("name".into()), ErrorKind::NotFound),
    ];
    for (alteration, kind) in cases {
        let error =
            vault.alter_table("t", &alteration).map(|_| ()).expect_err(&format!("{alteration:?}"));
        assert_eq!(error.kind(), kind, "{alteration:?}: {error}");
        let table = vault.table("t").unwrap();
        assert_eq!(table.definition().unwrap(), define, "{alteration:?}");
        let row = table.get(&id).unwrap().unwrap();
        assert_eq!((row.text("mail").unwrap(), row.text("name").unwrap()), ("a@b.example", "x"));
        assert_eq!(table.find("mail", "A@B.example").unwrap().len(), 1);
        assert_eq!(table.find("score", 1.5).unwrap().len(), 1);
    }
    let missing =
        vault.alter_table("nowhere", &A::RenameTable("x".into())).map(|_| ()).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
}
