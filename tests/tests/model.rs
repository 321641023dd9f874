//! A vault against a model of it: whatever is done, in whatever order, its rows are the model's.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use sealite::{
    Column, ErrorKind, IdRef, Index, Normaliser, Rotation, RotationState, TableDefinition, Vault,
    values,
};
use sealite_tests::process::{fork, staged, tell};
use sealite_tests::scale::scaled;
use sealite_tests::vaults::{assert_integrity, unlock_in};

/// E-mail addresses and tenants that a case has: few, so that they meet again.
const EMAILS: u8 = 12;
const TENANTS: [&str; 2] = ["acme", "beta"];

/// What is done in one step.
#[derive(Clone, Debug)]
enum Step {
    /// A row of a table of the vault's own, by its unique e-mail address.
    Insert(u8, u16),
    /// The sealed and the authenticated column of the row of that address.
    Update(u8, u16),
    Delete(u8),
    Find(u8),
    /// A row of a tenant, by its text key: inserted, or updated where it is there.
    Note(usize, u8, u16),
    DeleteNote(usize, u8),
    /// Several rows at once; taken back where the flag is false.
    Transaction(Vec<(u8, u16)>, bool),
    /// Another process commits a row, begins a transaction with a second one, and is killed.
    Crash(u8, u8),
    Reopen,
    Compact,
    /// A key is changed: the data, index, token or audit key, of the vault or of a tenant.
    Rotate(u8, Option<usize>),
    RotateMaster,
    Backup,
    /// The last backup takes the place of the vault.
    Restore,
}

fn step() -> impl Strategy<Value = Step> {
    let email = || 0..EMAILS;
    let size = || prop_oneof![4 => 0_u16..64, 1 => 0_u16..9_000];
    prop_oneof![
        6 => (email(), size()).prop_map(|(e, s)| Step::Insert(e, s)),
        4 => (email(), size()).prop_map(|(e, s)| Step::Update(e, s)),
        3 => email().prop_map(Step::Delete),
        3 => email().prop_map(Step::Find),
        3 => (0..TENANTS.len(), 0_u8..4, size()).prop_map(|(t, k, s)| Step::Note(t, k, s)),
        1 => (0..TENANTS.len(), 0_u8..4).prop_map(|(t, k)| Step::DeleteNote(t, k)),
        2 => (prop::collection::vec((email(), size()), 1..5), any::<bool>())
            .prop_map(|(rows, keep)| Step::Transaction(rows, keep)),
        2 => (email(), email()).prop_map(|(first, second)| Step::Crash(first, second)),
        1 => Just(Step::Reopen),
        1 => Just(Step::Compact),
        2 => (0_u8..4, prop::option::of(0..TENANTS.len())).prop_map(|(k, t)| Step::Rotate(k, t)),
        1 => Just(Step::RotateMaster),
        1 => Just(Step::Backup),
        1 => Just(Step::Restore),
    ]
}

/// What the vault must hold.
#[derive(Clone, Default, PartialEq, Debug)]
struct Model {
    /// By e-mail address: the name and the role.
    people: BTreeMap<String, (String, String)>,
    /// By tenant and key: the body.
    notes: BTreeMap<(String, String), String>,
}

/// The vault under test.
struct World {
    folder: PathBuf,
    vault: Vault,
    model: Model,
    backup: Option<Model>,
}

fn email(n: u8) -> String {
    format!("person{n}@example.org")
}

/// A value that tells its step.
fn text(size: u16, at: usize) -> String {
    format!("{at}:{}", "x".repeat(usize::from(size)))
}

impl World {
    fn new(folder: &Path) -> Self {
        for name in ["vault.db", "vault.db-wal", "vault.db-shm", "backup.db"] {
            let _ = std::fs::remove_file(folder.join(name));
        }
        let vault = Vault::create(folder.join("vault.db"), &unlock_in(folder)).unwrap();
        let unique = Index::unique().normaliser(Normaliser::Email);
        let people = TableDefinition::new("people")
            .column(Column::text("email").sealed().not_null().index(unique))
            .column(Column::text("name").sealed())
            .column(Column::text("role").authenticated().default("user"));
        let notes = TableDefinition::new("notes")
            .text_key("slug")
            .per_tenant()
            .column(Column::text("body").sealed());
        vault.define_table(&people).unwrap();
        vault.define_table(&notes).unwrap();
        let folder = folder.to_owned();
        World { folder, vault, model: Model::default(), backup: None }
    }

    fn open(&mut self) {
        self.vault = Vault::open(self.folder.join("vault.db"), &unlock_in(&self.folder)).unwrap();
    }

    fn take(&mut self, at: usize, step: &Step) {
        let name = |size: u16| text(size, at);
        match step {
            Step::Insert(who, size) => {
                let (email, name) = (email(*who), name(*size));
                let row = values! {"email" => &email, "name" => &name};
                match self.vault.table("people").unwrap().insert(row) {
                    Ok(_) => {
                        let new = self.model.people.insert(email, (name, "user".into()));
                        assert!(new.is_none(), "a second row of the address");
                    }
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
                        assert!(self.model.people.contains_key(&email));
                    }
                }
            }
            Step::Update(who, size) => {
                let (email, name, role) = (email(*who), name(*size), format!("role {size}"));
                if let Some(id) = self.id_of(&email) {
                    let row = values! {"name" => &name, "role" => &role};
                    assert!(self.vault.table("people").unwrap().update(id, row).unwrap());
                    self.model.people.insert(email, (name, role));
                }
            }
            Step::Delete(who) => {
                let email = email(*who);
                if let Some(id) = self.id_of(&email) {
                    assert!(self.vault.table("people").unwrap().delete(id).unwrap());
                    assert!(self.model.people.remove(&email).is_some());
                }
            }
            Step::Find(who) => {
                let email = email(*who);
                assert_eq!(self.id_of(&email).is_some(), self.model.people.contains_key(&email));
            }
            Step::Note(tenant, key, size) => self.note(*tenant, *key, &name(*size)),
            Step::DeleteNote(tenant, key) => {
                let (tenant, slug) = (TENANTS[*tenant], format!("note-{key}"));
                let handle = self.vault.tenant(tenant).unwrap();
                let deleted = handle.table("notes").unwrap().delete(&slug).unwrap();
                let known = self.model.notes.remove(&(tenant.to_owned(), slug));
                assert_eq!(deleted, known.is_some());
            }
            Step::Transaction(rows, keep) => self.transaction(at, rows, *keep),
            Step::Crash(first, second) => self.crash(at, *first, *second),
            Step::Reopen => {
                self.vault.close();
                self.open();
            }
            Step::Compact => {
                assert_eq!(self.vault.compact().unwrap().erasure, sealite::Erasure::Complete);
            }
            Step::Rotate(kind, tenant) => self.rotate(*kind, tenant.map(|at| TENANTS[at])),
            Step::RotateMaster => {
                let kept = self.vault.keys().rotate_master(&[unlock_in(&self.folder)], false);
                assert_eq!(kept.unwrap().kept.len(), 1);
            }
            Step::Backup => {
                let to = self.folder.join("backup.db");
                let _ = std::fs::remove_file(&to);
                self.vault.backup(to).unwrap();
                self.backup = Some(self.model.clone());
            }
            Step::Restore => {
                let Some(model) = self.backup.clone() else { return };
                self.vault.close();
                std::fs::remove_file(self.folder.join("vault.db")).unwrap();
                let (from, to) = (self.folder.join("backup.db"), self.folder.join("vault.db"));
                Vault::restore(from, to, &unlock_in(&self.folder)).unwrap();
                self.open();
                self.model = model;
            }
        }
    }

    fn rotate(&self, kind: u8, tenant: Option<&str>) {
        let rotation = match kind {
            0 => Rotation::data(tenant),
            1 => Rotation::index(tenant),
            2 => Rotation::token(tenant),
            _ => Rotation::audit(),
        };
        match self.vault.keys().run(&rotation, |_| ()) {
            Ok(done) => assert_eq!(done.state, RotationState::Finished),
            // A tenant, or the vault, that has no such key yet.
            Err(error) => assert_eq!(error.kind(), ErrorKind::NotFound, "{error}"),
        }
    }

    fn id_of(&self, email: &str) -> Option<i64> {
        // In any spelling.
        let asked = email.to_uppercase();
        let found = self.vault.table("people").unwrap().find_one("email", &asked).unwrap()?;
        assert_eq!(found.text("email").unwrap(), email);
        match found.id() {
            IdRef::Integer(id) => Some(id),
            _ => panic!("an integer key"),
        }
    }

    fn note(&mut self, tenant: usize, key: u8, body: &str) {
        let (tenant, slug) = (TENANTS[tenant], format!("note-{key}"));
        let handle = self.vault.tenant(tenant).unwrap();
        let notes = handle.table("notes").unwrap();
        if !notes.update(&slug, values! {"body" => body}).unwrap() {
            notes.insert(values! {"slug" => &slug, "body" => body}).unwrap();
        }
        self.model.notes.insert((tenant.to_owned(), slug), body.to_owned());
    }

    fn transaction(&mut self, at: usize, rows: &[(u8, u16)], keep: bool) {
        let mut model = self.model.clone();
        let transaction = self.vault.begin().unwrap();
        let mut whole = true;
        for (who, size) in rows {
            let (email, name) = (email(*who), text(*size, at));
            let row = values! {"email" => &email, "name" => &name};
            let inserted = transaction.table("people").unwrap().insert(row).is_ok();
            assert_eq!(inserted, !model.people.contains_key(&email));
            whole &= inserted;
            if inserted {
                model.people.insert(email, (name, "user".into()));
            }
        }
        if keep && whole {
            transaction.commit().unwrap();
            self.model = model;
        } else {
            transaction.roll_back().unwrap();
        }
    }

    fn crash(&mut self, at: usize, first: u8, second: u8) {
        let (first, second) = (email(first), email(second));
        let name = text(7, at);
        self.vault.close();
        let folder = self.folder.clone();
        let child = fork(|| {
            let vault = Vault::open(folder.join("vault.db"), &unlock_in(&folder)).unwrap();
            let people = vault.table("people").unwrap();
            let _ = people.insert(values! {"email" => &first, "name" => &name});
            let transaction = vault.begin().unwrap();
            let long = "y".repeat(50_000);
            let people = transaction.table("people").unwrap();
            let _ = people.insert(values! {"email" => &second, "name" => &long});
            // SAFETY: both take a number and have no other preconditions.
            unsafe { libc::kill(libc::getpid(), libc::SIGKILL) };
        });
        assert_eq!(child.end().signal(), Some(libc::SIGKILL));
        self.open();
        self.model.people.entry(first).or_insert((name, "user".into()));
    }

    /// Everything that can be read is the model's.
    fn check(&self) {
        let mut found = Model::default();
        for row in self.vault.table("people").unwrap().scan().unwrap() {
            let row = row.unwrap();
            let text = |name: &str| row.text(name).unwrap().to_owned();
            found.people.insert(text("email"), (text("name"), text("role")));
        }
        for tenant in TENANTS {
            let handle = self.vault.tenant(tenant).unwrap();
            for row in handle.table("notes").unwrap().scan().unwrap() {
                let row = row.unwrap();
                let IdRef::Text(slug) = row.id() else { panic!("a text key") };
                let body = row.text("body").unwrap().to_owned();
                found.notes.insert((tenant.to_owned(), slug.to_owned()), body);
            }
        }
        assert!(found == self.model, "found {found:?}\nexpected {:?}", self.model);
    }
}

fn run(folder: &Path, steps: &[Step]) {
    let mut world = World::new(folder);
    for (at, step) in steps.iter().enumerate() {
        world.take(at, step);
        world.check();
    }
    assert!(world.vault.verify(|_| ()).unwrap().is_sound());
    assert!(world.vault.audit().verify(None).unwrap().is_sound());
    world.vault.close();
    assert_integrity(&folder.join("vault.db"));
}

#[test]
fn vault_equals_its_model_after_every_step() {
    staged("vault_equals_its_model_after_every_step", scaled(240, 3_000), |stage| {
        if stage.role() == "driver" {
            let folder = stage.path();
            let cases = scaled(80, 1_500);
            let config = Config { cases, failure_persistence: None, ..Config::default() };
            let steps = prop::collection::vec(step(), 1..scaled(50, 120));
            let done = std::cell::Cell::new(0);
            TestRunner::new(config)
                .run(&steps, |steps| {
                    done.set(done.get() + steps.len());
                    run(&folder, &steps);
                    Ok(())
                })
                .unwrap_or_else(|error| panic!("{error}"));
            return tell(format_args!("{cases} cases, {} steps", done.get()));
        }
        let memory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let key = sealite::generate_key().unwrap();
        let key = sealite::ExposeSecret::expose_secret(&key).to_owned();
        std::fs::write(memory.path().join("key"), key).unwrap();
        let mut driver = stage.process("driver", memory.path());
        for line in driver.rest() {
            tell(line);
        }
        driver.succeed();
    });
}
