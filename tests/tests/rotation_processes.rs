//! Rotation among processes: killed and gone on with, under load, and with processes that know only the keys before.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use sealite::{
    Author, Change, Entry, ErrorKind, ExposeSecret, Limit, Rotation, RotationState, SecretString,
    SettingDefinition, TokenKind, TokenRequest, Type, ValueRef, Vault, values,
};
use sealite_tests::process::{Process, Stage, fork, listen, staged, tell};
use sealite_tests::scale::scaled;
use sealite_tests::vaults::{Home, open_in, open_in_with, patiently, plain};

const PATIENCE: Duration = Duration::from_secs(60);

fn email(number: usize) -> String {
    format!("person{number}@example.org")
}

fn fill(vault: &Vault, from: usize, count: usize) {
    let people = vault.table("people").unwrap();
    for start in (from..from + count).step_by(5_000) {
        let end = (start + 5_000).min(from + count);
        let emails: Vec<String> = (start..end).map(email).collect();
        let rows: Vec<[ValueRef<'_>; 2]> =
            emails.iter().map(|email| [email.into(), "before".into()]).collect();
        people.insert_many(&["email", "name"], &rows).unwrap();
    }
}

/// Rotates, and tells of every step.
fn rotate(stage: &Stage) {
    let vault = open_in_with(&stage.path(), PATIENCE);
    let keys = vault.keys();
    for rotation in [Rotation::index(None), Rotation::data(None)] {
        if keys.status(&rotation).unwrap().is_none() {
            keys.begin(&rotation).unwrap();
        }
    }
    for rotation in [Rotation::index(None), Rotation::data(None)] {
        // A life before may have come to the end of one of them.
        if keys.status(&rotation).unwrap().unwrap().state == RotationState::Running {
            keys.run(&rotation, |now| tell(format!("{} {}", now.done, now.total))).unwrap();
        }
    }
    tell(format!("memory {}", peak_memory()));
}

/// The most memory that this process has ever had, in KiB: the program and SQLite's shared memory included.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// The keys that the records of a table are under.
fn keys_of(file: &Path, table: &str) -> BTreeSet<u32> {
    let conn = plain(file);
    let mut stmt =
        conn.prepare(&format!("SELECT DISTINCT substr(sealed, 4, 4) FROM {table}")).unwrap();
    let ids = stmt.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap();
    ids.map(|id| u32::from_be_bytes(id.unwrap().try_into().unwrap())).collect()
}

#[test]
fn a_rotation_that_is_killed_again_and_again_goes_on_where_it_was() {
    staged("a_rotation_that_is_killed_again_and_again_goes_on_where_it_was", 240, |stage| {
        if stage.role() == "rotator" {
            return rotate(stage);
        }
        let home = Home::new();
        home.share_key();
        let vault = home.create();
        let rows = scaled(4_000, 40_000);
        fill(&vault, 0, rows);
        let (index, data) = (Rotation::index(None), Rotation::data(None));
        let mut done = 0;
        // Each life is a little longer than the one before.
        for life in 0..1_000_usize {
            let mut rotator = stage.process("rotator", home.folder());
            let steps = 1 + life % 5;
            let mut ended = false;
            for _ in 0..steps {
                let line = rotator.hear();
                ended |= line.starts_with("memory");
                if ended {
                    break;
                }
            }
            if ended {
                rotator.succeed();
                break;
            }
            rotator.kill();
            let people = vault.table("people").unwrap();
            for number in [0, rows / 3, rows - 1] {
                let found = people.find_one("email", email(number).as_str()).unwrap().unwrap();
                assert_eq!(found.text("name").unwrap(), "before");
            }
            let again = people.insert(values! {"email" => email(life % rows).as_str()});
            assert_eq!(again.unwrap_err().kind(), ErrorKind::Conflict);
            let now = vault.keys().status(&index).unwrap().map_or(0, |status| status.done);
            assert!(now >= done, "what was done stays done");
            done = now;
            assert!(life < 999, "a rotation comes to its end");
        }
        for rotation in [&index, &data] {
            let status = vault.keys().status(rotation).unwrap().unwrap();
            assert_eq!(status.state, RotationState::Finished);
            assert!(status.moved <= rows as u64 + 200, "nothing is sealed anew twice: {status:?}");
            assert_eq!(vault.keys().destroy_retired(rotation, true).unwrap().0, [status.old_key]);
        }
        assert!(vault.verify(|_| ()).unwrap().is_sound());
        assert!(vault.audit().verify(None).unwrap().is_sound());
        let people = vault.table("people").unwrap();
        for number in (0..rows).step_by(97) {
            assert_eq!(people.find("email", email(number).as_str()).unwrap().len(), 1);
        }
    });
}

/// What a writer has done, as its own book has it: the names by e-mail, none for what it has deleted.
type Journal = BTreeMap<String, Option<String>>;

fn write(stage: &Stage, who: usize) {
    let vault = open_in_with(&stage.path(), PATIENCE);
    let people = vault.table("people").unwrap();
    let sql = vault.connect().unwrap();
    let mut journal = Journal::new();
    let (mut busy, mut written) = (0, 0_usize);
    tell("ready");
    let stop = stage.path().join("stop");
    while !stop.exists() {
        let (mine, name) = (format!("w{who}-{written}@example.org"), format!("name {written}"));
        match written % 4 {
            // Rows from before, each writer its own half.
            0 => {
                let old = email(who + 2 * (written / 4 % 1_000));
                let row = people.find_one("email", old.as_str()).unwrap();
                let row = row.unwrap_or_else(|| panic!("{old} is there"));
                let changed =
                    patiently(&mut busy, || people.update(row.id(), values! {"name" => &name}));
                assert!(changed);
                journal.insert(old, Some(name));
            }
            1 => {
                patiently(&mut busy, || people.insert(values! {"email" => &mine, "name" => &name}));
                journal.insert(mine, Some(name));
            }
            // As the one before, over SQL and with another's address.
            2 => {
                let insert = "INSERT INTO people (email, name) VALUES (?, ?)";
                patiently(&mut busy, || sql.execute(insert, &[(&mine).into(), (&name).into()]));
                journal.insert(mine, Some(name));
                let taken = email(written % 1_000);
                let taken = [taken.as_str().into(), "thief".into()];
                match sql.execute(insert, &taken) {
                    Ok(_) => panic!("a duplicate was let in"),
                    Err(error) => {
                        assert!(
                            matches!(error.kind(), ErrorKind::Conflict | ErrorKind::Busy),
                            "{error}"
                        );
                    }
                }
            }
            _ => {
                let gone = format!("w{who}-{}@example.org", written - 2);
                let row = people.find_one("email", gone.as_str()).unwrap().expect("just inserted");
                assert!(patiently(&mut busy, || people.delete(row.id())));
                journal.insert(gone, None);
            }
        }
        written += 1;
    }
    let lines: Vec<String> = journal
        .iter()
        .map(|(email, name)| format!("{email}\t{}", name.as_deref().unwrap_or("-")))
        .collect();
    std::fs::write(stage.path().join(format!("journal{who}")), lines.join("\n")).unwrap();
    tell(format!("wrote {written}, busy {busy}"));
}

fn read(stage: &Stage, rows: usize) {
    let vault = open_in_with(&stage.path(), PATIENCE);
    let people = vault.table("people").unwrap();
    tell("ready");
    let stop = stage.path().join("stop");
    let mut read = 0_usize;
    while !stop.exists() {
        // Rows that nobody writes, all over the table.
        let number = 2_000 + read * 7_919 % (rows - 2_000);
        let found = people.find("email", email(number).to_uppercase().as_str()).unwrap();
        assert_eq!(found.len(), 1, "{number}");
        assert_eq!(found[0].text("name").unwrap(), "before");
        let sql = "SELECT name FROM people WHERE email = ?";
        let found = vault.query(sql, &[email(number).as_str().into()]).unwrap();
        assert_eq!(found.rows.len(), 1, "{number}");
        read += 1;
    }
    tell(format!("read {read}"));
}

#[test]
fn a_rotation_under_load_loses_no_write_and_fails_no_request() {
    staged(
        "a_rotation_under_load_loses_no_write_and_fails_no_request",
        scaled(400, 5_000),
        |stage| {
            let rows = scaled(50_000, 1_000_000);
            match stage.role() {
                "rotator" => return rotate(stage),
                "writer0" => return write(stage, 0),
                "writer1" => return write(stage, 1),
                "reader" => return read(stage, rows),
                _ => {}
            }
            let home = Home::new();
            home.share_key();
            let vault = home.create();
            fill(&vault, 0, rows);
            let start = |role: &str| stage.process(role, home.folder());
            let mut others = ["writer0", "writer1", "reader", "reader"].map(start);
            for other in &mut others {
                assert_eq!(other.hear(), "ready");
            }
            let began = Instant::now();
            let mut rotator = start("rotator");
            for _ in 0..20 {
                rotator.hear();
            }
            rotator.kill();
            let before = vault.keys().status(&Rotation::index(None)).unwrap().unwrap();
            assert!(before.done > 0 && before.state == RotationState::Running);
            let mut rotator = start("rotator");
            let lines = rotator.rest();
            rotator.succeed();
            let took = began.elapsed();
            let memory = lines.last().unwrap().strip_prefix("memory ").unwrap();
            let memory: u64 = memory.parse().unwrap();
            // As docs/operations.md says, whatever the number of rows.
            assert!(memory < 32 * 1024, "{memory} KiB");
            std::fs::write(home.folder().join("stop"), "").unwrap();
            let told: Vec<String> = others.iter_mut().flat_map(Process::rest).collect();
            others.iter_mut().for_each(Process::succeed);
            tell(format!("{rows} rows in {took:.1?}, {memory} KiB; {told:?}"));

            let mut expected: BTreeMap<String, String> =
                (0..rows).map(|number| (email(number), "before".to_owned())).collect();
            for who in 0..2 {
                let journal =
                    std::fs::read_to_string(home.folder().join(format!("journal{who}"))).unwrap();
                assert!(!journal.is_empty());
                for line in journal.lines() {
                    match line.split_once('\t').unwrap() {
                        (email, "-") => expected.remove(email),
                        (email, name) => expected.insert(email.to_owned(), name.to_owned()),
                    };
                }
            }
            let people = vault.table("people").unwrap();
            let mut found = 0;
            for row in people.scan().unwrap() {
                let row = row.unwrap();
                let name = expected.remove(row.text("email").unwrap());
                assert_eq!(name.as_deref(), Some(row.text("name").unwrap()));
                found += 1;
            }
            assert!(expected.is_empty(), "{} rows are lost", expected.len());
            assert!(found >= rows);
            for rotation in [Rotation::index(None), Rotation::data(None)] {
                let status = vault.keys().status(&rotation).unwrap().unwrap();
                assert_eq!(
                    vault.keys().destroy_retired(&rotation, true).unwrap().0,
                    [status.old_key]
                );
            }
            for number in (0..2_000).chain((2_000..rows).step_by(499)) {
                assert_eq!(
                    people.find("email", email(number).as_str()).unwrap().len(),
                    1,
                    "{number}"
                );
            }
            vault.close();
            assert!(keys_of(&home.file(), "people_sealed").iter().all(|id| *id > 3));
        },
    );
}

/// Writes once by every way there is; everything stays open.
struct Writers {
    vault: Vault,
    sql: sealite::Connection,
    session: SecretString,
}

impl Writers {
    fn new(vault: Vault) -> Self {
        let setting = SettingDefinition::new("mail.from", Type::Text);
        vault.settings().define(&setting).unwrap();
        let session = vault.tokens().issue(&TokenRequest::new(TokenKind::Session).subject("ada"));
        let sql = vault.connect().unwrap();
        Writers { sql, session: session.unwrap().text, vault }
    }

    fn write(&self, round: &str) {
        let Writers { vault, sql, session } = self;
        let address = |way: &str| format!("{way}{round}@example.org");
        let people = vault.table("people").unwrap();
        people.insert(values! {"email" => &address("table")}).unwrap();
        let insert = "INSERT INTO people (email) VALUES (?)";
        sql.execute(insert, &[(&address("connection")).into()]).unwrap();
        sql.execute("BEGIN", &[]).unwrap();
        sql.execute(insert, &[(&address("transaction")).into()]).unwrap();
        sql.execute("COMMIT", &[]).unwrap();
        vault.execute(insert, &[(&address("vault")).into()]).unwrap();
        let set = Change::Set(round.into());
        assert!(vault.settings().write("mail.from", set, &Author::new("ada")).unwrap());
        vault.audit().append(&Entry::new("written").payload("{}")).unwrap();
        let limit = Limit::sliding(100, Duration::from_secs(60)).unwrap();
        vault.quotas().check_and_charge("198.51.100.7", &[limit], 1).unwrap();
        vault.tokens().verify(session.expose_secret(), TokenKind::Session).unwrap();
        vault.tokens().issue(&TokenRequest::new(TokenKind::ApiKey).subject("ada")).unwrap();
        let field = vault.field("note").unwrap();
        let sealed = match field.seal_from_memory(round, None) {
            Some(sealed) => sealed.unwrap(),
            None => field.seal(round, None).unwrap(),
        };
        tell(u32::from_be_bytes(sealed[3..7].try_into().unwrap()));
    }
}

#[test]
fn a_process_that_knows_the_keys_before_never_writes_under_them_after_the_switch() {
    staged(
        "a_process_that_knows_the_keys_before_never_writes_under_them_after_the_switch",
        120,
        |stage| {
            if stage.role() == "holder" {
                let writers = Writers::new(open_in(&stage.path()));
                writers.write("warm");
                while let Some(round) = listen() {
                    writers.write(&round);
                }
                return;
            }
            let home = Home::new();
            home.share_key();
            let vault = home.create();
            let mut holder = stage.process("holder", home.folder());
            assert_eq!(holder.hear(), "1");
            let rotations = [
                Rotation::data(None),
                Rotation::index(None),
                Rotation::token(None),
                Rotation::audit(),
            ];
            let keys = vault.keys();
            let begun: Vec<_> =
                rotations.iter().map(|rotation| keys.begin(rotation).unwrap()).collect();
            let retired: Vec<u32> = begun.iter().map(|status| status.old_key).collect();
            std::thread::sleep(Duration::from_millis(150));
            holder.say("switched");
            assert_ne!(holder.hear(), "1", "a field looks for new keys");
            // What the holder has written is found, and refused again, by the one that has rotated.
            for way in ["table", "connection", "transaction", "vault"] {
                for round in ["warm", "switched"] {
                    let address = format!("{way}{round}@example.org");
                    let found =
                        vault.table("people").unwrap().find("email", address.as_str()).unwrap();
                    assert_eq!(found.len(), 1, "{address}");
                }
            }
            for rotation in &rotations[..3] {
                keys.run(rotation, |_| ()).unwrap();
            }
            assert_eq!(keys.status(&rotations[2]).unwrap().unwrap().left, 1, "the key from before");
            keys.revoke_left(None).unwrap();
            keys.run(&rotations[2], |_| ()).unwrap();
            for rotation in &rotations[..3] {
                assert_eq!(keys.destroy_retired(rotation, true).unwrap().0.len(), 1);
            }
            holder.say("destroyed");
            let sealed_under: u32 = holder.hear().parse().unwrap();
            assert!(!retired.contains(&sealed_under));
            holder.succeed();
            assert!(vault.verify(|_| ()).unwrap().is_sound());
            assert!(vault.audit().verify(None).unwrap().is_sound());
            assert!(vault.health().reasons.is_empty(), "{:?}", vault.health());
            vault.close();
            for table in
                ["people", "sealite_tokens", "sealite_settings", "sealite_audit", "sealite_quotas"]
            {
                let used = keys_of(&home.file(), &format!("{table}_sealed"));
                assert!(used.iter().all(|id| !retired.contains(id)), "{table}: {used:?}");
            }
        },
    );
}

/// Waits until somebody has put a file there.
fn wait_for(file: &Path) {
    while !file.exists() {
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_process_forked_before_the_switch_never_writes_under_the_keys_before() {
    let test = "a_process_forked_before_the_switch_never_writes_under_the_keys_before";
    staged(test, 120, |stage| {
        if stage.role() == "forker" {
            let writers = Writers::new(open_in(&stage.path()));
            writers.write("warm");
            // The keys of before are in the memory of both, and the connections are idle.
            let child = fork(|| {
                wait_for(&stage.path().join("switched"));
                writers.write("child");
                wait_for(&stage.path().join("destroyed"));
                writers.write("grandchild");
            });
            wait_for(&stage.path().join("switched"));
            writers.write("parent");
            wait_for(&stage.path().join("destroyed"));
            writers.write("late");
            return child.succeed();
        }
        let home = Home::new();
        home.share_key();
        let vault = home.create();
        let mut forker = stage.process("forker", home.folder());
        assert_eq!(forker.hear(), "1");
        let keys = vault.keys();
        keys.rotate_master(&[home.unlock()], false).unwrap();
        let rotations =
            [Rotation::data(None), Rotation::index(None), Rotation::token(None), Rotation::audit()];
        let begun = rotations.each_ref().map(|rotation| keys.begin(rotation).unwrap());
        let retired = begun.map(|status| status.old_key);
        std::thread::sleep(Duration::from_millis(150));
        std::fs::write(home.folder().join("switched"), "").unwrap();
        let not_retired = |line: String| assert!(!retired.contains(&line.parse().unwrap()));
        not_retired(forker.hear());
        not_retired(forker.hear());
        keys.revoke_left(None).unwrap();
        for rotation in &rotations[..3] {
            keys.run(rotation, |_| ()).unwrap();
            assert_eq!(keys.destroy_retired(rotation, true).unwrap().0.len(), 1);
        }
        std::fs::write(home.folder().join("destroyed"), "").unwrap();
        not_retired(forker.hear());
        not_retired(forker.hear());
        forker.succeed();
        for way in ["table", "connection", "transaction", "vault"] {
            for round in ["warm", "child", "parent", "grandchild", "late"] {
                let address = format!("{way}{round}@example.org");
                let found = vault.table("people").unwrap().find("email", address.as_str()).unwrap();
                assert_eq!(found.len(), 1, "{address}");
            }
        }
        assert!(vault.verify(|_| ()).unwrap().is_sound());
        assert!(vault.audit().verify(None).unwrap().is_sound());
        vault.close();
        for table in
            ["people", "sealite_tokens", "sealite_settings", "sealite_audit", "sealite_quotas"]
        {
            let used = keys_of(&home.file(), &format!("{table}_sealed"));
            assert!(used.iter().all(|id| !retired.contains(id)), "{table}: {used:?}");
        }
    });
}
