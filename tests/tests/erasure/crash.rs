//! An erasure that is killed: what is gone is gone, what is left goes with the next call, and others are untouched.

use std::time::{Duration, Instant};

use sealite::{Column, Erasure, ErrorKind, Index, TableDefinition, Vault, values};
use sealite_tests::process::{Stage, staged, tell};
use sealite_tests::scale::scaled;
use sealite_tests::vaults::{Home, assert_integrity, open_in};

use super::{holds, tenant};

const ROWS: usize = 2_200;

fn fill(vault: &Vault) {
    let definition = TableDefinition::new("rows")
        .per_tenant()
        .column(Column::text("body").sealed().index(Index::unique()))
        .column(Column::integer("n").authenticated())
        .subject("n");
    vault.define_table(&definition).unwrap();
    for name in ["acme", "globex"] {
        let table = tenant(vault, name);
        let bodies: Vec<String> = (0..ROWS).map(|n| format!("{name} {n}")).collect();
        let numbers = (0..).map(|n: i64| n % 7);
        let rows = bodies.iter().zip(numbers).map(|(body, n)| [body.as_str().into(), n.into()]);
        table.table("rows").unwrap().insert_many(&["body", "n"], rows).unwrap();
    }
}

fn count(vault: &Vault, name: &str) -> usize {
    usize::try_from(tenant(vault, name).table("rows").unwrap().count().unwrap()).unwrap()
}

/// Finishes what was killed, and looks at everything.
fn finish(home: &Home, whole: bool) {
    let vault = home.open();
    let left = count(&vault, "acme");
    // A row is whole, or it is gone; of a subject either all are there, or none.
    assert!(vault.verify(|_| ()).unwrap().is_sound());
    assert!(vault.audit().verify(None).unwrap().is_sound());
    assert_eq!(count(&vault, "globex"), ROWS);
    if whole {
        // Whoever finishes what is pending goes on with it.
        assert_eq!(vault.finish_erasure().unwrap(), Erasure::Complete);
    }
    let receipt = vault.erase_tenant("acme").unwrap();
    assert_eq!(receipt.erasure(), Erasure::Complete);
    assert_eq!(receipt.rows(), ROWS as u64, "{left} were left");
    assert_eq!(vault.verify_receipt(receipt.text()).unwrap(), receipt);
    let events = vault.audit().tail(1_000).unwrap();
    assert_eq!(events.iter().filter(|e| e.event() == "tenant.erased").count(), 1);
    assert_eq!((count(&vault, "acme"), count(&vault, "globex")), (0, ROWS));
    let refused = tenant(&vault, "acme").table("rows").unwrap().insert(values! {"body" => "x"});
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::DestroyedKey);
    assert!(vault.verify(|_| ()).unwrap().is_sound());
    assert!(!holds(home.folder(), b"acme 2000"));
    vault.close();
    assert_integrity(&home.file());
}

fn eraser(stage: &Stage) {
    let vault = open_in(&stage.path());
    tell("ready");
    let _ = vault.erase_tenant("acme").unwrap();
    tell("done");
}

fn filled() -> Home {
    let home = Home::new();
    home.share_key();
    let vault = home.create();
    fill(&vault);
    vault.close();
    home
}

#[test]
fn an_erasure_that_is_killed_at_any_moment_is_continued() {
    let test = "crash::an_erasure_that_is_killed_at_any_moment_is_continued";
    staged(test, scaled(150, 900), |stage| {
        if stage.role() == "eraser" {
            return eraser(stage);
        }
        let rounds = scaled(6_u32, 60);
        let mut lasts = Duration::ZERO;
        for round in 0..=rounds {
            let home = filled();
            let mut eraser = stage.process("eraser", home.folder());
            assert_eq!(eraser.hear(), "ready");
            let started = Instant::now();
            if round == 0 {
                assert_eq!(eraser.hear(), "done");
                lasts = started.elapsed();
            } else {
                // A moment that spreads the kills; every one is as good as another.
                std::thread::sleep(lasts * round / rounds);
                eraser.kill();
            }
            drop(eraser);
            finish(&home, round % 2 == 0);
        }
        tell(format_args!("{ROWS} rows of a tenant: {lasts:?}"));
    });
}

#[test]
fn an_erasure_that_is_killed_behind_each_of_its_transactions_is_continued() {
    let test = "crash::an_erasure_that_is_killed_behind_each_of_its_transactions_is_continued";
    staged(test, scaled(150, 900), |stage| {
        if stage.role() == "eraser" {
            return eraser(stage);
        }
        // Batches of 500, and the rest with the keys.
        for left in [1_700, 1_200, 700, 200, 0] {
            let home = filled();
            let vault = home.open();
            let mut eraser = stage.process("eraser", home.folder());
            assert_eq!(eraser.hear(), "ready");
            while count(&vault, "acme") > left {
                std::thread::yield_now();
            }
            eraser.kill();
            drop(eraser);
            vault.close();
            finish(&home, left % 200 == 0);
        }
    });
}
