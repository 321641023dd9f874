//! Several processes and threads on one vault: no error but busy, nothing lost, no id given out twice.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
#![allow(clippy::cast_possible_wrap, clippy::too_many_lines)]

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use sealite::{Column, Id, IdRef, Index, Result, TableDefinition, Vault, values};
use sealite_tests::process::{Process, listen, staged, tell};
use sealite_tests::scale::scaled;
use sealite_tests::vaults::{Home, open_in, patiently};

const THREADS: usize = 4;

const PROCESSES: usize = 4;

fn table() -> TableDefinition {
    TableDefinition::new("entries")
        .column(Column::text("token").sealed().not_null().index(Index::unique()))
        .column(Column::integer("n").sealed())
        .column(Column::text("owner").authenticated())
        .column(Column::integer("plain"))
}

/// What one thread has done, as it was committed.
#[derive(Default)]
struct Ledger {
    rows: BTreeMap<i64, i64>,
    deleted: Vec<i64>,
    busy: u64,
}

fn integer(id: &Id) -> i64 {
    id.as_i64().unwrap()
}

/// Reads and writes for a while, and checks its own rows on the way.
fn work(vault: &Vault, owner: &str, until: Instant) -> Ledger {
    let mut ledger = Ledger::default();
    let table = vault.table("entries").unwrap();
    let mut n = 0;
    while Instant::now() < until {
        n += 1;
        let (rows, busy) = (&mut ledger.rows, &mut ledger.busy);
        let some = rows.keys().nth(n % rows.len().max(1)).copied();
        match (n % 8, some) {
            (0..=2, _) | (_, None) => {
                let token = format!("{owner}-{n}");
                let id = patiently(busy, || {
                    table.insert(
                        values! {"token" => &token, "n" => n as i64, "owner" => owner, "plain" => n as i64},
                    )
                });
                assert!(rows.insert(integer(&id), n as i64).is_none(), "an id was given out twice");
            }
            (3, _) => {
                let ids = patiently(busy, || {
                    vault.transaction(|transaction| {
                        let table = transaction.table("entries")?;
                        (0..3)
                            .map(|part| {
                                let token = format!("{owner}-{n}-{part}");
                                table.insert(
                                    values! {"token" => &token, "n" => n as i64, "owner" => owner},
                                )
                            })
                            .collect::<Result<Vec<_>>>()
                    })
                });
                rows.extend(ids.iter().map(|id| (integer(id), n as i64)));
            }
            (4, Some(id)) => {
                assert!(patiently(busy, || table.update(id, values! {"n" => -(n as i64)})));
                rows.insert(id, -(n as i64));
            }
            (5, Some(id)) => {
                assert!(patiently(busy, || table.delete(id)));
                rows.remove(&id);
                ledger.deleted.push(id);
            }
            (6, Some(id)) => {
                let row = patiently(busy, || table.get(id)).expect("an own row is there");
                assert_eq!(row.get("n").unwrap().as_i64(), Some(rows[&id]));
                assert_eq!(row.text("owner").unwrap(), owner);
                let token = row.text("token").unwrap().to_owned();
                let found = patiently(busy, || table.find_one("token", &token)).unwrap();
                assert_eq!(found.id(), IdRef::Integer(id));
            }
            _ => {
                let snapshot = patiently(busy, || vault.snapshot());
                let there = snapshot.table("entries").unwrap();
                let scanned = there.scan().unwrap().map(Result::unwrap).count();
                assert_eq!(there.count().unwrap(), scanned as u64, "a snapshot sees one moment");
                let ids: Vec<IdRef<'_>> = rows.keys().map(|id| IdRef::Integer(*id)).collect();
                assert!(there.get_many(&ids).unwrap().iter().all(Option::is_some));
            }
        }
    }
    ledger
}

fn worker(folder: &Path, seconds: u64) {
    let vault = open_in(folder);
    tell("ready");
    listen().unwrap();
    let until = Instant::now() + Duration::from_secs(seconds);
    let ledgers: Vec<Ledger> = std::thread::scope(|scope| {
        let start = |thread| {
            let vault = &vault;
            scope.spawn(move || work(vault, &format!("{}-{thread}", std::process::id()), until))
        };
        let threads: Vec<_> = (0..THREADS).map(start).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for (thread, ledger) in ledgers.iter().enumerate() {
        let mut line = format!("{}-{thread} {}", std::process::id(), ledger.busy);
        for (id, n) in &ledger.rows {
            write!(line, " {id}={n}").unwrap();
        }
        for id in &ledger.deleted {
            write!(line, " {id}=gone").unwrap();
        }
        tell(line);
    }
}

#[test]
fn processes_with_threads_lose_nothing_and_fail_only_as_busy() {
    let seconds = scaled(3, 10);
    staged("processes_with_threads_lose_nothing_and_fail_only_as_busy", 120, |stage| {
        if stage.role() == "worker" {
            return worker(&stage.path(), seconds);
        }
        let home = Home::new();
        home.share_key();
        let vault = home.create();
        vault.define_table(&table()).unwrap();
        let mut workers: Vec<Process> =
            (0..PROCESSES).map(|_| stage.process("worker", home.folder())).collect();
        for worker in &mut workers {
            assert_eq!(worker.hear(), "ready");
        }
        for worker in &mut workers {
            worker.say("go");
        }

        let (mut seen, mut live, mut busy) = (HashSet::new(), BTreeMap::new(), 0);
        for worker in &mut workers {
            let lines = worker.rest();
            worker.succeed();
            assert_eq!(lines.len(), THREADS);
            for line in lines {
                let mut words = line.split(' ');
                let owner = words.next().unwrap().to_owned();
                busy += words.next().unwrap().parse::<u64>().unwrap();
                for word in words {
                    let (id, n) = word.split_once('=').unwrap();
                    let id: i64 = id.parse().unwrap();
                    assert!(seen.insert(id), "id {id} was given out twice");
                    if n != "gone" {
                        live.insert(id, (owner.clone(), n.parse::<i64>().unwrap()));
                    }
                }
            }
        }
        assert!(live.len() > 10, "the processes have been at work");
        let mut found = BTreeMap::new();
        for row in vault.table("entries").unwrap().scan().unwrap() {
            let row = row.unwrap();
            let IdRef::Integer(id) = row.id() else { panic!("an integer key") };
            let value =
                (row.text("owner").unwrap().to_owned(), row.get("n").unwrap().as_i64().unwrap());
            found.insert(id, value);
        }
        assert_eq!(found, live);
        assert!(vault.verify(|_| ()).unwrap().is_sound());
        tell(format_args!("{} ids, {} rows, {busy} times busy", seen.len(), live.len()));
    });
}

/// Moves amounts between rows, so that the sum stays, while others look at the sum.
#[test]
fn snapshots_see_one_moment() {
    const ROWS: i64 = 20;
    const EACH: i64 = 1_000;
    staged("snapshots_see_one_moment", 60, |stage| {
        if stage.role() == "mover" {
            let vault = open_in(&stage.path());
            let until = Instant::now() + Duration::from_secs(scaled(2, 10));
            let (mut moves, mut busy) = (0, 0);
            while Instant::now() < until {
                moves += 1;
                let (from, to) = (1 + moves % ROWS, 1 + (moves * 7 + 3) % ROWS);
                if from == to {
                    continue;
                }
                patiently(&mut busy, || {
                    vault.transaction(|transaction| {
                        let table = transaction.table("entries")?;
                        for (id, change) in [(from, -1), (to, 1)] {
                            let n = table.get(id)?.unwrap().get("n")?.as_i64().unwrap();
                            table.update(id, values! {"n" => n + change, "plain" => n + change})?;
                        }
                        Ok(())
                    })
                });
            }
            return tell(moves);
        }
        let home = Home::new();
        home.share_key();
        let vault = home.create();
        vault.define_table(&table()).unwrap();
        for n in 1..=ROWS {
            let token = format!("row {n}");
            let row = values! {"token" => &token, "n" => EACH, "plain" => EACH};
            vault.table("entries").unwrap().insert(row).unwrap();
        }
        let mut movers: Vec<Process> =
            (0..2).map(|_| stage.process("mover", home.folder())).collect();
        let ids: Vec<IdRef<'_>> = (1..=ROWS).map(IdRef::Integer).collect();
        let (mut looks, mut ended) = (0, 0);
        let mut sums = HashSet::new();
        let mut states = HashSet::new();
        while ended < movers.len() {
            let snapshot = vault.snapshot().unwrap();
            let table = snapshot.table("entries").unwrap();
            let n = |row: &sealite::Row| row.get("n").unwrap().as_i64().unwrap();
            let many = table.get_many(&ids).unwrap();
            let amounts: Vec<i64> = many.iter().map(|row| n(row.as_ref().unwrap())).collect();
            let scanned: Vec<i64> = table.scan().unwrap().map(|row| n(&row.unwrap())).collect();
            let one_by_one: Vec<i64> =
                ids.iter().map(|id| n(&table.get(*id).unwrap().unwrap())).collect();
            let sql = snapshot.query("SELECT sum(plain) FROM entries_sealed", &[]).unwrap();
            assert_eq!((&amounts, &amounts), (&scanned, &one_by_one));
            assert_eq!(sql.rows[0][0].as_ref().as_i64(), Some(ROWS * EACH));
            sums.insert(amounts.iter().sum::<i64>());
            states.insert(amounts);
            drop(table);
            drop(snapshot);
            // The calls that make a snapshot of their own see one moment, too.
            let table = vault.table("entries").unwrap();
            sums.insert(table.get_many(&ids).unwrap().iter().flatten().map(n).sum::<i64>());
            sums.insert(table.scan().unwrap().map(|row| n(&row.unwrap())).sum::<i64>());
            looks += 1;
            ended += movers.iter_mut().filter_map(|m| m.hear_within(Duration::ZERO)).count();
        }
        assert!(looks > 10 && states.len() > 2, "{looks} looks, {} states", states.len());
        assert_eq!(sums, HashSet::from([ROWS * EACH]));
        movers.iter_mut().for_each(Process::succeed);
    });
}
