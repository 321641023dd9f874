//! A process that is killed while it writes: what was committed is there, and nothing else.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
#![allow(clippy::cast_possible_wrap, clippy::too_many_lines)]

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::time::Duration;

use sealite::{Column, Index, TableDefinition, Vault, values};
use sealite_tests::process::{staged, tell};
use sealite_tests::scale::scaled;
use sealite_tests::vaults::{Home, assert_distinct_nonces, assert_integrity, open_in, people};

fn notes() -> TableDefinition {
    TableDefinition::new("notes")
        .text_key("slug")
        .per_tenant()
        .column(Column::text("body").sealed().index(Index::unique()))
}

/// Writes without end, and tells of each commit after it has returned: `+id email` and `-id`. Every second transaction
/// spans tables, tenants and an application's own table; every so often one is rolled back.
fn writer(folder: &Path) {
    let vault = open_in(folder);
    let table = vault.table("people").unwrap();
    let round = std::process::id();
    tell("ready");
    for n in 0_i64.. {
        let email = format!("{n}.{round}@example.org");
        let long = "x".repeat(usize::try_from(n % 7).unwrap() * 1_500);
        match n % 5 {
            0 => {
                let id = table.insert(values! {"email" => &email, "name" => &long}).unwrap();
                tell(format_args!("+{id} {email}"));
            }
            1 | 2 => {
                let transaction = vault.begin().unwrap();
                let ids = fill(&transaction, &email, n, round);
                transaction.commit().unwrap();
                for (part, id) in ids.iter().enumerate() {
                    tell(format_args!("+{id} {part}.{email}"));
                }
            }
            3 => {
                let transaction = vault.begin().unwrap();
                for id in fill(&transaction, &email, n, round) {
                    // Given out, and taken back with the transaction: not told.
                    assert!(id > 0);
                }
                transaction.roll_back().unwrap();
            }
            _ => {
                let id = table.insert(values! {"email" => &email}).unwrap().as_i64().unwrap();
                tell(format_args!("+{id} {email}"));
                if n % 2 == 0 {
                    table.update(id, values! {"name" => "updated"}).unwrap();
                    tell(format_args!("={id}"));
                } else {
                    table.delete(id).unwrap();
                    tell(format_args!("-{id}"));
                }
            }
        }
    }
}

fn fill(transaction: &sealite::Transaction, email: &str, n: i64, round: u32) -> Vec<i64> {
    let table = transaction.table("people").unwrap();
    let rows: Vec<String> = (0..20).map(|part| format!("{part}.{email}")).collect();
    let rows = rows.iter().map(|email| [email.as_str().into()]);
    let ids = table.insert_many(&["email"], rows).unwrap();
    // A tenant that nobody has seen: its keys are made in this transaction.
    let tenant = format!("tenant{}", n % 40);
    let notes = transaction.tenant_table(&tenant, "notes").unwrap();
    let slug = format!("{round}.{n}");
    notes.insert(values! {"slug" => &slug, "body" => &slug}).unwrap();
    transaction.execute("INSERT INTO own (n) VALUES (?)", &[n.into()]).unwrap();
    ids.iter().map(|id| id.as_i64().unwrap()).collect()
}

/// What the killed processes have told.
#[derive(Default)]
struct Told {
    given_out: HashSet<i64>,
    rows: BTreeMap<i64, String>,
    updated: HashSet<i64>,
}

impl Told {
    fn take(&mut self, line: &str) {
        let (mark, rest) = line.split_at(1);
        match mark {
            "+" => {
                let (id, email) = rest.split_once(' ').unwrap();
                let id = id.parse().unwrap();
                assert!(self.given_out.insert(id), "id {id} was given out twice");
                self.rows.insert(id, email.to_owned());
            }
            "=" => assert!(self.updated.insert(rest.parse().unwrap())),
            _ => assert!(self.rows.remove(&rest.parse().unwrap()).is_some()),
        }
    }
}

/// Opens the vault after a kill. At most the one commit that was never told may be there beside what was.
fn check(vault: &Vault, told: &mut Told, commits_untold: &mut u64) {
    let mut found = BTreeMap::new();
    let mut updated = HashSet::new();
    for row in vault.table("people").unwrap().scan().unwrap() {
        let row = row.unwrap();
        let sealite::IdRef::Integer(id) = row.id() else { panic!("an integer key") };
        if row.get("name").unwrap().as_str() == Some("updated") {
            updated.insert(id);
        }
        found.insert(id, row.text("email").unwrap().to_owned());
    }
    let missing: Vec<_> = told.rows.keys().filter(|id| !found.contains_key(id)).copied().collect();
    // A delete that had committed and not been told.
    assert!(missing.len() <= 1, "rows are lost: {missing:?}");
    assert!(told.updated.iter().all(|id| updated.contains(id) || !found.contains_key(id)));
    let untold: Vec<_> = found.keys().filter(|id| !told.rows.contains_key(id)).copied().collect();
    for id in &untold {
        assert!(
            told.given_out.insert(*id),
            "id {id} was given out twice, or a deleted row is back"
        );
    }
    // A transaction of twenty rows is there whole, or not at all; it may have been killed while it told of them.
    let groups: HashSet<&str> =
        untold.iter().map(|id| found[id].split_once('.').map_or("", |(_, rest)| rest)).collect();
    assert!(untold.len() <= 20 && groups.len() <= 1, "{untold:?}");
    *commits_untold += u64::from(!untold.is_empty() || !missing.is_empty());
    told.rows = found;

    // The tables that are written in one transaction agree.
    let count = |sql: &str| vault.query(sql, &[]).unwrap().rows[0][0].as_ref().as_i64().unwrap();
    let parts = told.rows.values().filter(|email| email.matches('.').count() == 3).count();
    let transactions = count("SELECT count(*) FROM own");
    assert_eq!(transactions, count("SELECT count(*) FROM notes_sealed"));
    assert_eq!(usize::try_from(transactions).unwrap() * 20, parts);
    let verification = vault.verify(|_| ()).unwrap();
    assert!(verification.is_sound(), "{verification:?}");
}

#[test]
fn killed_writer_loses_no_commit_and_leaves_nothing_half_done() {
    let rounds = scaled(20, 200);
    staged(
        "killed_writer_loses_no_commit_and_leaves_nothing_half_done",
        scaled(120, 900),
        |stage| {
            if stage.role() == "writer" {
                return writer(&stage.path());
            }
            let home = Home::new();
            home.share_key();
            let vault = home.create();
            vault.define_table(&notes()).unwrap();
            vault.execute("CREATE TABLE own (n INTEGER)", &[]).unwrap();
            vault.close();
            let (mut told, mut untold) = (Told::default(), 0);
            for round in 0..rounds {
                let mut writer = stage.process("writer", home.folder());
                assert_eq!(writer.hear(), "ready");
                let mut random = [0; 2];
                std::io::Read::read_exact(
                    &mut std::fs::File::open("/dev/urandom").unwrap(),
                    &mut random,
                )
                .unwrap();
                // A moment between 0 and 130 ms, down to the microsecond.
                std::thread::sleep(Duration::from_micros(
                    u64::from(u16::from_le_bytes(random)) * 2,
                ));
                writer.kill();
                for line in writer.rest() {
                    told.take(&line);
                }
                let vault = home.open();
                check(&vault, &mut told, &mut untold);
                // The next id is a new one, also after the crash.
                let email = format!("after{round}@example.org");
                let id =
                    vault.table("people").unwrap().insert(values! {"email" => &email}).unwrap();
                told.take(&format!("+{id} {email}"));
                vault.close();
                assert_integrity(&home.file());
            }
            let rows = told.rows.len();
            assert!(rows > 100, "the processes have been at work");
            assert!(assert_distinct_nonces(&home.file()) > rows);
            tell(format_args!("{rounds} kills, {rows} rows, {untold} commits not yet told"));
        },
    );
}

#[test]
fn kill_during_creation_leaves_a_vault_or_none() {
    staged("kill_during_creation_leaves_a_vault_or_none", 120, |stage| {
        if stage.role() == "creator" {
            let folder = stage.path();
            let unlock = sealite_tests::vaults::unlock_in(&folder);
            tell("ready");
            let vault = Vault::create(folder.join("vault.db"), &unlock).unwrap();
            tell("created");
            vault.define_table(&people()).unwrap();
            tell("defined");
            std::thread::sleep(Duration::from_secs(60));
        }
        let mut ends = BTreeMap::new();
        for round in 0..scaled(40_u64, 400) {
            let home = Home::new();
            home.share_key();
            let mut creator = stage.process("creator", home.folder());
            assert_eq!(creator.hear(), "ready");
            std::thread::sleep(Duration::from_micros(round * 20_000 / scaled(40, 400)));
            creator.kill();
            let told = creator.rest();
            let vault = Vault::at(home.file()).unwrap();
            let status = vault.status().unwrap().name();
            if told.iter().any(|line| line == "created") {
                assert_eq!(status, "locked");
            }
            if status == "locked" {
                vault.unlock(&home.unlock()).unwrap();
            } else {
                vault.initialise(&home.unlock()).unwrap();
            }
            let created = vault.define_table(&people()).unwrap();
            assert!(!created || !told.iter().any(|line| line == "defined"));
            vault.table("people").unwrap().insert(values! {"email" => "a@x.org"}).unwrap();
            assert!(vault.verify(|_| ()).unwrap().is_sound());
            *ends.entry(status).or_insert(0) += 1;
        }
        tell(format_args!("{ends:?}"));
    });
}
