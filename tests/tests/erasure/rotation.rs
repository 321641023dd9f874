//! Erasures while the keys are being changed: by the same process between steps, and by others that are killed.

use std::collections::BTreeSet;

use sealite::{
    AdoptionPlan, Column, Erasure, ErrorKind, Index, KeyState, Rotation, RotationState,
    TableDefinition, Vault,
};
use sealite_tests::process::{Stage, staged, tell};
use sealite_tests::scale::scaled;
use sealite_tests::vaults::{Home, assert_integrity, open_in_with, plain};

use super::{files, tenant};

const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);
const PEOPLE: i64 = 12;
const TENANTS: [&str; 3] = ["acme", "globex", "initech"];

/// Both kinds of rotation, of the vault and of each tenant.
fn rotations() -> Vec<Rotation> {
    let owners = [None].into_iter().chain(TENANTS.map(Some));
    owners.flat_map(|owner| [Rotation::index(owner), Rotation::data(owner)]).collect()
}

fn fill(vault: &Vault, notes: i64) {
    let table = |name: &str| {
        TableDefinition::new(name)
            .column(Column::integer("person").authenticated())
            .column(Column::text("body").sealed().index(Index::unique()))
            .subject("person")
    };
    vault.define_table(&table("diary")).unwrap();
    vault.define_table(&table("notes").per_tenant()).unwrap();
    for owner in [None].into_iter().chain(TENANTS.map(Some)) {
        let bodies: Vec<String> = (0..notes).map(|n| body(owner, n)).collect();
        let rows = bodies.iter().zip(0..).map(|(body, n)| [(n % PEOPLE).into(), body.into()]);
        let rows: Vec<[sealite::ValueRef<'_>; 2]> = rows.collect();
        let done = match owner {
            None => vault.table("diary").unwrap().insert_many(&["person", "body"], &rows),
            Some(name) => {
                let tenant = tenant(vault, name);
                tenant.table("notes").unwrap().insert_many(&["person", "body"], &rows)
            }
        };
        done.unwrap();
    }
    let plain = "CREATE TABLE own (id INTEGER PRIMARY KEY, email TEXT UNIQUE)";
    vault.execute(plain, &[]).unwrap();
    for n in 0..400 {
        let email = format!("own{n}@example.org");
        vault.execute("INSERT INTO own (email) VALUES (?)", &[(&email).into()]).unwrap();
    }
}

fn body(owner: Option<&str>, n: i64) -> String {
    format!("{} writes {n}", owner.unwrap_or("nobody"))
}

/// What each owner still has: the rows of people who were not erased, each found by its index.
fn assert_left(vault: &Vault, notes: i64, erased: &BTreeSet<(Option<&str>, i64)>, gone: &[&str]) {
    for owner in [None].into_iter().chain(TENANTS.map(Some)) {
        let handle = owner.map(|name| tenant(vault, name));
        let table = match &handle {
            None => vault.table("diary").unwrap(),
            Some(tenant) => tenant.table("notes").unwrap(),
        };
        let is_gone = owner.is_some_and(|name| gone.contains(&name));
        let left = |n: &i64| !is_gone && !erased.contains(&(owner, n % PEOPLE));
        let expected: BTreeSet<String> = (0..notes).filter(left).map(|n| body(owner, n)).collect();
        let rows = table.scan().unwrap().map(|row| row.unwrap().text("body").unwrap().to_owned());
        assert_eq!(rows.collect::<BTreeSet<_>>(), expected, "{owner:?}");
        for n in (0..notes).step_by(7) {
            let found = table.find("body", body(owner, n).as_str()).unwrap();
            assert_eq!(found.len(), usize::from(left(&n)), "{owner:?} {n}");
        }
    }
}

/// Everything that was begun comes to its end, or can say why not; the old keys go.
fn finish(vault: &Vault, gone: &[&str]) {
    let keys = vault.keys();
    for rotation in rotations() {
        let is_gone = rotation.tenant().is_some_and(|name| gone.contains(&name));
        let Some(status) = keys.status(&rotation).unwrap() else { continue };
        if status.state == RotationState::Running {
            let done = keys.run(&rotation, |_| ()).unwrap();
            assert_eq!(done.state, RotationState::Finished, "{rotation:?}");
        }
        let (destroyed, _) = keys.destroy_retired(&rotation, true).unwrap();
        assert!(!is_gone || destroyed.is_empty(), "they were destroyed with the tenant");
    }
    let still = keys.rotations().unwrap();
    assert!(still.iter().all(|status| status.state == RotationState::Finished), "{still:?}");
    for key in keys.list().unwrap() {
        let is_gone = key.tenant.as_deref().is_some_and(|name| gone.contains(&name));
        assert!(!is_gone || key.state == KeyState::Destroyed, "{key:?}");
    }
    assert_eq!(vault.finish_erasure().unwrap(), Erasure::Complete);
    assert!(vault.verify(|_| ()).unwrap().is_sound());
    assert!(vault.audit().verify(None).unwrap().is_sound());
    assert!(vault.health().ready, "{:?}", vault.health().reasons);
}

/// No record of the file is under a key that is not there any more.
fn assert_no_destroyed_key_in_use(home: &Home, vault: &Vault) {
    let destroyed: BTreeSet<u32> = vault
        .keys()
        .list()
        .unwrap()
        .into_iter()
        .filter(|key| key.state == KeyState::Destroyed)
        .map(|key| key.id)
        .collect();
    vault.close();
    let conn = plain(&home.file());
    for table in ["diary_sealed", "notes_sealed"] {
        let sql = format!("SELECT DISTINCT substr(sealed, 4, 4) FROM {table}");
        let mut stmt = conn.prepare(&sql).unwrap();
        let ids = stmt.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap();
        for id in ids {
            let id = u32::from_be_bytes(id.unwrap().try_into().unwrap());
            assert!(!destroyed.contains(&id), "{table}: {id}");
        }
    }
}

#[test]
fn erasures_between_the_steps_of_rotations_take_what_is_erased_and_nothing_else() {
    let notes = 1_300;
    let home = Home::new();
    let vault = home.create();
    fill(&vault, notes);
    let keys = vault.keys();
    for rotation in rotations() {
        keys.begin(&rotation).unwrap();
    }
    let (mut erased, mut gone) = (BTreeSet::new(), Vec::new());
    for round in 0_i64..6 {
        for rotation in rotations() {
            let now = keys.step(&rotation).unwrap();
            assert!(now.finished_at.is_some() || now.state == RotationState::Running);
        }
        for owner in [None, Some("globex")] {
            let receipt = vault.erase_subject(owner, &round.to_string()).unwrap();
            assert_eq!(receipt.erasure(), Erasure::Complete);
            // The key that was retired with the rotation, and its successor where a row had been moved.
            assert!((1..=2).contains(&receipt.keys()), "{}", receipt.keys());
            erased.insert((owner, round));
        }
        match round {
            1 => {
                let _ = vault.erase_tenant("acme").unwrap();
                gone.push("acme");
            }
            2 => {
                let words = ["email sealed unique email"];
                assert_eq!(vault.protect_table("own", &words).unwrap(), Erasure::Complete);
            }
            _ => {}
        }
        assert_left(&vault, notes, &erased, &gone);
    }
    let refused = keys.begin(&Rotation::data(Some("acme"))).unwrap_err();
    assert!(matches!(refused.kind(), ErrorKind::NotFound | ErrorKind::Conflict), "{refused}");
    finish(&vault, &gone);
    assert_left(&vault, notes, &erased, &gone);
    for n in [0, 399] {
        let email = format!("own{n}@example.org");
        let found = vault.table("own").unwrap().find("email", email.as_str()).unwrap();
        assert_eq!(found.len(), 1);
    }
    assert_no_destroyed_key_in_use(&home, &vault);
    assert_integrity(&home.file());
    let traces = [body(Some("acme"), 3), "own399@example.org".to_owned()];
    for file in files(home.folder()) {
        for trace in &traces {
            assert!(!file.windows(trace.len()).any(|window| window == trace.as_bytes()));
        }
    }
}

/// Rotates everything again and again.
fn rotator(stage: &Stage) {
    let vault = open_in_with(&stage.path(), PATIENCE);
    let keys = vault.keys();
    loop {
        for rotation in rotations() {
            match keys.run(&rotation, |_| tell("step")) {
                Ok(_) => {}
                // Erased meanwhile, or the other rotator was there first.
                Err(error) => {
                    let kind = error.kind();
                    assert!(
                        matches!(kind, ErrorKind::NotFound | ErrorKind::Conflict | ErrorKind::Busy),
                        "{rotation:?}: {kind:?}: {error}"
                    );
                }
            }
        }
    }
}

#[test]
fn erasures_and_rotations_that_are_killed_lose_nothing_and_leave_nothing() {
    let test = "rotation::erasures_and_rotations_that_are_killed_lose_nothing_and_leave_nothing";
    staged(test, scaled(240, 1_800), |stage| {
        let notes = 720;
        match stage.role() {
            "rotator" => return rotator(stage),
            "eraser" => {
                let vault = open_in_with(&stage.path(), PATIENCE);
                let job = std::fs::read_to_string(stage.path().join("job")).unwrap();
                match job.split_once(' ').unwrap() {
                    ("tenant", name) => _ = vault.erase_tenant(name).unwrap(),
                    (owner, person) => {
                        let owner = (owner != "vault").then_some(owner);
                        let _ = vault.erase_subject(owner, person).unwrap();
                    }
                }
                return tell("done");
            }
            "protector" => {
                let vault = open_in_with(&stage.path(), PATIENCE);
                let plan = AdoptionPlan::new().column("own.email: sealed, unique email").unwrap();
                vault.adopt(&plan, |_| true).unwrap();
                return tell("done");
            }
            _ => {}
        }
        for round in 0..scaled(3, 40) {
            let home = Home::new();
            home.share_key();
            let vault = home.create();
            fill(&vault, notes);
            let mut rotator = stage.process("rotator", home.folder());
            let (mut erased, mut gone) = (BTreeSet::new(), Vec::new());
            let jobs = [
                "vault 1",
                "globex 2",
                "tenant acme",
                "globex 3",
                "vault 4",
                "protect own",
                "vault 5",
            ];
            for (number, job) in jobs.iter().enumerate() {
                for _ in 0..=(number + round) % 3 {
                    rotator.hear();
                }
                // Every second erasure is killed at a moment of its own; the next call goes on with it.
                let role = if *job == "protect own" { "protector" } else { "eraser" };
                std::fs::write(home.folder().join("job"), job).unwrap();
                let mut process = stage.process(role, home.folder());
                if number % 2 == 0 {
                    let moment = std::time::Duration::from_millis(10 + 17 * (round as u64 % 8));
                    if process.hear_within(moment).is_none() {
                        process.kill();
                        process = stage.process(role, home.folder());
                        assert_eq!(process.hear(), "done");
                    }
                } else {
                    assert_eq!(process.hear(), "done");
                }
                drop(process);
                match job.split_once(' ').unwrap() {
                    ("tenant", _) => gone.push("acme"),
                    ("protect", _) => {}
                    ("vault", person) => _ = erased.insert((None, person.parse().unwrap())),
                    (_, person) => _ = erased.insert((Some("globex"), person.parse().unwrap())),
                }
                assert_left(&vault, notes, &erased, &gone);
                if number % 3 == 2 {
                    rotator.kill();
                    rotator = stage.process("rotator", home.folder());
                }
            }
            rotator.hear();
            rotator.kill();
            finish(&vault, &gone);
            assert_left(&vault, notes, &erased, &gone);
            assert_no_destroyed_key_in_use(&home, &vault);
            assert_integrity(&home.file());
        }
    });
}
