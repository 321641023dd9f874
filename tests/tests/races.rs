//! Races of processes and threads: exactly one wins; who is busy is told in time.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
#![allow(clippy::cast_possible_wrap, clippy::too_many_lines)]

use std::sync::Barrier;
use std::time::{Duration, Instant};

use sealite::{
    Column, Config, Error, ErrorKind, Index, Result, TableDefinition, Unlock, Vault, values,
};
use sealite_tests::process::{Process, listen, staged, tell};
use sealite_tests::scale::scaled;
use sealite_tests::vaults::{Home, open_in, open_in_with, patiently, people, unlock_in};

const THREADS: usize = 4;

const PROCESSES: usize = 4;

/// Takes part in rounds: in each, every thread does `attempt` at the same moment; tells the outcomes of each round.
fn racer(attempt: impl Fn(&str, usize) -> std::result::Result<(), Error> + Sync) {
    tell("ready");
    while let Some(round) = listen() {
        let barrier = Barrier::new(THREADS);
        let outcomes: Vec<String> = std::thread::scope(|scope| {
            let start = |thread| {
                let (barrier, attempt, round) = (&barrier, &attempt, &round);
                scope.spawn(move || {
                    barrier.wait();
                    attempt(round, thread).err().map_or("won", |error| error.kind().name())
                })
            };
            let threads: Vec<_> = (0..THREADS).map(start).collect();
            threads.into_iter().map(|thread| thread.join().unwrap().to_owned()).collect()
        });
        tell(outcomes.join(" "));
    }
}

#[test]
fn exactly_one_of_all_that_insert_the_same_address_wins() {
    staged("exactly_one_of_all_that_insert_the_same_address_wins", 120, |stage| {
        if stage.role() == "racer" {
            let vault = open_in(&stage.path());
            return racer(|round, thread| {
                // The same address in as many spellings.
                let email = format!("Ada{round}@example.org");
                let email = if thread % 2 == 0 { email.to_uppercase() } else { email };
                vault.table("people")?.insert(values! {"email" => &email}).map(|_| ())
            });
        }
        let home = Home::new();
        home.share_key();
        let vault = home.create();
        let mut racers: Vec<Process> =
            (0..PROCESSES).map(|_| stage.process("racer", home.folder())).collect();
        for racer in &mut racers {
            assert_eq!(racer.hear(), "ready");
        }
        let rounds = scaled(30, 200);
        for round in 0..rounds {
            for racer in &mut racers {
                racer.say(&round.to_string());
            }
            let told: Vec<String> = racers.iter_mut().map(Process::hear).collect();
            let outcomes: Vec<&str> = told.iter().flat_map(|line| line.split(' ')).collect();
            let count = |name| outcomes.iter().filter(|outcome| **outcome == name).count();
            assert_eq!(count("won"), 1, "{outcomes:?}");
            assert_eq!(count("conflict") + count("busy"), PROCESSES * THREADS - 1, "{outcomes:?}");
        }
        racers.iter_mut().for_each(Process::succeed);
        assert_eq!(vault.table("people").unwrap().count().unwrap(), rounds);
        assert!(vault.verify(|_| ()).unwrap().is_sound());
    });
}

#[test]
fn exactly_one_process_of_eight_creates_the_vault() {
    staged("exactly_one_process_of_eight_creates_the_vault", 120, |stage| {
        if stage.role() == "creator" {
            let folder = stage.path();
            tell("ready");
            while let Some(round) = listen() {
                let key = sealite::generate_key().unwrap();
                let text = sealite::ExposeSecret::expose_secret(&key).to_owned();
                let outcome = Vault::create(folder.join(round), &Unlock::key_text(&text).unwrap())
                    .and_then(|vault| vault.define_table(&people()).map(|_| ()));
                tell(match outcome {
                    Ok(()) => format!("won {text}"),
                    Err(error) => format!("{} {text}", error.kind().name()),
                });
            }
            return;
        }
        let home = Home::new();
        let mut creators: Vec<Process> =
            (0..8).map(|_| stage.process("creator", home.folder())).collect();
        for creator in &mut creators {
            assert_eq!(creator.hear(), "ready");
        }
        for round in 0..scaled(20, 100) {
            let name = format!("vault{round}.db");
            for creator in &mut creators {
                creator.say(&name);
            }
            let told: Vec<String> = creators.iter_mut().map(Process::hear).collect();
            let told: Vec<_> = told.iter().map(|line| line.split_once(' ').unwrap()).collect();
            let won = told.iter().filter(|(outcome, _)| *outcome == "won").count();
            assert_eq!(won, 1, "round {round}: {:?}", told.iter().map(|t| t.0).collect::<Vec<_>>());
            for (outcome, key) in told {
                let opened =
                    Vault::open(home.folder().join(&name), &Unlock::key_text(key).unwrap());
                match outcome {
                    "won" => {
                        let vault = opened.unwrap();
                        assert_eq!(vault.slots().unwrap().len(), 1);
                        assert_eq!(vault.tables().unwrap().len(), 1);
                        assert!(vault.verify(|_| ()).unwrap().is_sound());
                    }
                    other => {
                        assert_eq!(other, "already_initialised", "round {round}");
                        assert_eq!(opened.err().unwrap().kind(), ErrorKind::WrongKey);
                    }
                }
            }
        }
        creators.iter_mut().for_each(Process::succeed);
    });
}

#[test]
fn exactly_one_process_defines_a_table_and_a_tenant_gets_one_key() {
    staged("exactly_one_process_defines_a_table_and_a_tenant_gets_one_key", 120, |stage| {
        if stage.role() == "racer" {
            let vault = open_in(&stage.path());
            return racer(|round, thread| {
                let name = format!("table{round}");
                let table = TableDefinition::new(&name)
                    .per_tenant()
                    .column(Column::text("body").sealed().index(Index::unique()));
                let mut busy = 0;
                patiently(&mut busy, || vault.define_table(&table));
                // The first insert of a tenant makes its keys: all make them at the same moment.
                let tenant = vault.tenant(&format!("tenant{round}"))?;
                let body = format!("{} {thread}", std::process::id());
                patiently(&mut busy, || tenant.table(&name)?.insert(values! {"body" => &body}));
                assert!(
                    patiently(&mut busy, || tenant.table(&name)?.find_one("body", &body)).is_some()
                );
                Ok(())
            });
        }
        let home = Home::new();
        home.share_key();
        let vault = home.create();
        let mut racers: Vec<Process> =
            (0..PROCESSES).map(|_| stage.process("racer", home.folder())).collect();
        for racer in &mut racers {
            assert_eq!(racer.hear(), "ready");
        }
        for round in 0..scaled(8, 50) {
            for racer in &mut racers {
                racer.say(&round.to_string());
            }
            for racer in &mut racers {
                assert_eq!(racer.hear(), ["won"; THREADS].join(" "));
            }
            let tenant = vault.tenant(&format!("tenant{round}")).unwrap();
            let name = format!("table{round}");
            assert_eq!(tenant.table(&name).unwrap().count().unwrap(), (PROCESSES * THREADS) as u64);
        }
        racers.iter_mut().for_each(Process::succeed);
        assert!(vault.verify(|_| ()).unwrap().is_sound());
    });
}

/// Asserts that a call fails as busy, and when.
fn assert_busy<T>(from: Duration, to: Duration, call: impl FnOnce() -> Result<T>) {
    let start = Instant::now();
    let error = call().err().expect("busy");
    let took = start.elapsed();
    assert_eq!(error.kind(), ErrorKind::Busy, "{error}");
    assert!(from <= took && took < to, "busy after {took:?}");
}

#[test]
fn thread_that_writes_beside_its_own_transaction_is_busy_at_once() {
    staged("thread_that_writes_beside_its_own_transaction_is_busy_at_once", 60, |stage| {
        assert_eq!(stage.role(), "lead");
        let home = Home::new();
        let file = home.create();
        let memory = Vault::in_memory().unwrap();
        memory.define_table(&people()).unwrap();
        for vault in [&file, &memory] {
            let transaction = vault.begin().unwrap();
            transaction.table("people").unwrap().insert(values! {"email" => "a@x.org"}).unwrap();
            let at_once = (Duration::ZERO, Duration::from_secs(1));
            let table = vault.table_handle("people");
            assert_busy(at_once.0, at_once.1, || table.insert(values! {"email" => "b@x.org"}));
            assert_busy(at_once.0, at_once.1, || vault.begin());
            assert_busy(at_once.0, at_once.1, || vault.define_table(&people()));
            assert_busy(at_once.0, at_once.1, || vault.execute("CREATE TABLE t (a)", &[]));
            assert_busy(at_once.0, at_once.1, || vault.remove_slot(1));
            if vault.path().is_some() {
                // Reading goes on, and does not see what is not committed.
                assert_eq!(table.count().unwrap(), 0);
            } else {
                assert_busy(at_once.0, at_once.1, || table.count());
            }
            transaction.commit().unwrap();
            assert_eq!(table.count().unwrap(), 1);
            table.insert(values! {"email" => "b@x.org"}).unwrap();
        }
    });
}

#[test]
fn writer_waits_for_the_time_out_and_no_longer() {
    staged("writer_waits_for_the_time_out_and_no_longer", 60, |stage| {
        let patience = Duration::from_millis(300);
        if stage.role() == "holder" {
            let vault = open_in(&stage.path());
            let transaction = vault.begin().unwrap();
            transaction.table("people").unwrap().insert(values! {"email" => "h@x.org"}).unwrap();
            tell("held");
            listen();
            transaction.commit().unwrap();
            return;
        }
        let home = Home::new();
        home.share_key();
        home.create();
        let vault = open_in_with(home.folder(), patience);
        let table = vault.table("people").unwrap();
        let most = patience + Duration::from_secs(2);
        // A transaction of another thread.
        let (wait_for_it, go_on) = (Barrier::new(2), Barrier::new(2));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let _transaction = vault.begin().unwrap();
                wait_for_it.wait();
                go_on.wait();
            });
            wait_for_it.wait();
            assert_busy(patience, most, || table.insert(values! {"email" => "b@x.org"}));
            go_on.wait();
        });
        table.insert(values! {"email" => "b@x.org"}).unwrap();
        // One of another process.
        let mut holder = stage.process("holder", home.folder());
        assert_eq!(holder.hear(), "held");
        let least = patience / 2;
        assert_busy(least, most, || table.insert(values! {"email" => "c@x.org"}));
        assert_eq!(table.count().unwrap(), 1);
        holder.say("commit");
        holder.succeed();
        table.insert(values! {"email" => "c@x.org"}).unwrap();
        assert_eq!(table.count().unwrap(), 3);
        assert!(table.delete(table.find_one("email", "h@x.org").unwrap().unwrap().id()).unwrap());
        // Who waits long enough is served.
        let mut config = Config::default();
        config.busy_timeout = Duration::from_secs(30);
        let patient = Vault::at_with(home.file(), config).unwrap();
        patient.unlock(&unlock_in(home.folder())).unwrap();
        let mut holder = stage.process("holder", home.folder());
        assert_eq!(holder.hear(), "held");
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                patient.table("people").unwrap().insert(values! {"email" => "d@x.org"}).map(|_| ())
            });
            std::thread::sleep(Duration::from_millis(100));
            holder.say("commit");
            waiting.join().unwrap().unwrap();
        });
    });
}
